#include "gesso/core/memory_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "gesso/core/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace gesso {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
// Unused blocks beyond this are given back before the system is asked for more, so that a program that works
// through many different sizes does not hoard memory.
constexpr std::size_t kKeepUnused = std::size_t{256} << 20;

// Size classes: four steps to each power of two, so at most a quarter of a block is slack.
std::size_t size_class(std::size_t bytes) {
  if (bytes <= 256) {
    return std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  }
  std::size_t step = std::bit_floor(bytes - 1) / 4;
  if (bytes >= kHugePage) {
    step = std::max(step / 2, kHugePage);  // finer for large blocks, in whole huge pages
  }
  return (bytes + step - 1) / step * step;
}

class Pool {
 public:
  void* allocate(std::size_t bytes) {
    const std::size_t size = size_class(bytes);
    std::lock_guard lock(mutex_);
    std::vector<void*>& free_blocks = free_[size];
    void* block = nullptr;
    if (!free_blocks.empty()) {
      block = free_blocks.back();
      free_blocks.pop_back();
    } else {
      if (stats_.reserved_bytes - stats_.current_bytes > std::max(kKeepUnused, stats_.current_bytes / 2)) {
        release_locked();
      }
      block = from_system(size);
    }
    stats_.current_bytes += size;
    stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.current_bytes);
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    return block;
  }

  void free(void* block, std::size_t bytes) noexcept {
    const std::size_t size = size_class(bytes);
    std::lock_guard lock(mutex_);
    ASAN_POISON_MEMORY_REGION(block, size);
    free_[size].push_back(block);
    stats_.current_bytes -= size;
  }

  void release() {
    std::lock_guard lock(mutex_);
    release_locked();
  }

  MemoryStats stats() {
    std::lock_guard lock(mutex_);
    return stats_;
  }

  void reset_peak() {
    std::lock_guard lock(mutex_);
    stats_.peak_bytes = stats_.current_bytes;
  }

 private:
  void* from_system(std::size_t size) {
    const bool large = size >= kHugePage;
    void* block = std::aligned_alloc(large ? kHugePage : kAlignment, size);
    if (block == nullptr) {
      release_locked();
      block = std::aligned_alloc(large ? kHugePage : kAlignment, size);
    }
    if (block == nullptr) {
      throw MemoryError(concat_text("out of memory: a tensor of ", size >> 20, " MiB was asked for while ",
                                    stats_.current_bytes >> 20,
                                    " MiB are in use; use a smaller batch, picture or network"));
    }
#ifdef MADV_HUGEPAGE
    if (large) {
      madvise(block, size, MADV_HUGEPAGE);  // a wish: it is fine if the system declines
    }
#endif
    ASAN_POISON_MEMORY_REGION(block, size);
    stats_.reserved_bytes += size;
    ++stats_.system_allocations;
    return block;
  }

  void release_locked() {
    for (auto& [size, blocks] : free_) {
      for (void* block : blocks) {
        ASAN_UNPOISON_MEMORY_REGION(block, size);
        std::free(block);
        stats_.reserved_bytes -= size;
      }
      blocks.clear();
    }
  }

  std::mutex mutex_;
  std::unordered_map<std::size_t, std::vector<void*>> free_;
  MemoryStats stats_;
};

// Never destroyed: tensors with static storage may be freed after any destructor of ours would have run.
Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

}  // namespace

MemoryStats memory_stats() { return pool().stats(); }
void reset_peak_memory() { pool().reset_peak(); }
void release_unused_memory() { pool().release(); }

namespace detail {
void* pool_allocate(std::size_t bytes) { return pool().allocate(bytes); }
void pool_free(void* block, std::size_t bytes) noexcept { pool().free(block, bytes); }
}  // namespace detail
}  // namespace gesso
