#include "gesso/core/memory/memory_pool.h"

#include <pthread.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/memory/page_heap.h"
#include "gesso/core/memory/poison.h"
#include "gesso/core/system_limits.h"

namespace gesso {
namespace {

using detail::kHugePage;

constexpr std::size_t kAlignment = 64;
// Unused small blocks beyond this are given back before the system is asked for more, so that a program that
// works through many different sizes does not hoard memory.
constexpr std::size_t kKeepUnused = std::size_t{256} << 20;

bool is_large(std::size_t bytes) { return bytes >= kHugePage; }

// What is taken for `bytes`. Small blocks come in size classes, four steps to each power of two, so at most a
// quarter of a block is slack; large ones in whole huge pages.
std::size_t rounded_size(std::size_t bytes) {
  const std::size_t step = is_large(bytes) ? kHugePage
                           : bytes <= 256  ? kAlignment
                                           : std::bit_floor(bytes - 1) / 4;
  return std::max(kAlignment, (bytes + step - 1) / step * step);
}

class Pool {
 public:
  void* allocate(std::uint64_t bytes) {
    std::lock_guard lock(mutex_);
    const bool countable = bytes <= limit_;  // as a size_t, which has 32 bits in WebAssembly
    const std::size_t size = countable ? rounded_size(static_cast<std::size_t>(bytes)) : 0;
    const bool fits = countable && size <= limit_ && current_bytes_ <= limit_ - size;
    if (fits && small_bytes_ + large_.touched_bytes() > limit_ - size) {
      release_locked();  // what is kept unused counts for the system
    }
    void* block = !fits ? nullptr : is_large(size) ? large_.allocate(size) : allocate_small(size);
    if (fits && block == nullptr) {
      release_locked();
      block = is_large(size) ? large_.allocate(size) : allocate_small(size);
    }
    if (block == nullptr) {
      throw MemoryError(concat_text("out of memory: a tensor of ", (countable ? size : bytes) >> 20,
                                    " MiB was asked for while ", current_bytes_ >> 20, " MiB are in use, of ",
                                    limit_ >> 20,
                                    " MiB that there are; use a smaller batch, picture or network"));
    }
    current_bytes_ += size;
    peak_bytes_ = std::max(peak_bytes_, current_bytes_);
    GESSO_UNPOISON(block, static_cast<std::size_t>(bytes));
    return block;
  }

  void free(void* block, std::size_t bytes) noexcept {
    const std::size_t size = rounded_size(bytes);
    std::lock_guard lock(mutex_);
    GESSO_POISON(block, size);
    if (is_large(size)) {
      large_.free(block, size);
    } else {
      free_[size].push_back(block);
      unused_small_ += size;
    }
    current_bytes_ -= size;
  }

  void release() {
    std::lock_guard lock(mutex_);
    release_locked();
  }

  MemoryStats stats() {
    std::lock_guard lock(mutex_);
    return {.current_bytes = current_bytes_,
            .peak_bytes = peak_bytes_,
            .reserved_bytes = small_bytes_ + large_.touched_bytes(),
            .system_allocations = small_allocations_ + large_.growths()};
  }

  // Around fork(): a child must not inherit the mutex from a thread that it does not have.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

  std::size_t limit() {
    std::lock_guard lock(mutex_);
    return limit_;
  }
  void set_limit(std::size_t bytes) {
    std::lock_guard lock(mutex_);
    limit_ = bytes;
  }

  void reset_peak() {
    std::lock_guard lock(mutex_);
    peak_bytes_ = current_bytes_;
  }

 private:
  // A free block of the class, or a new one; null when the system has none.
  void* allocate_small(std::size_t size) {
    std::vector<void*>& blocks = free_[size];
    if (!blocks.empty()) {
      void* block = blocks.back();
      blocks.pop_back();
      unused_small_ -= size;
      return block;
    }
    if (unused_small_ > kKeepUnused) {
      release_small();
    }
    void* block = std::aligned_alloc(kAlignment, size);
    if (block != nullptr) {
      GESSO_POISON(block, size);
      small_bytes_ += size;
      ++small_allocations_;
    }
    return block;
  }

  void release_small() {
    for (auto& [size, blocks] : free_) {
      for (void* block : blocks) {
        GESSO_UNPOISON(block, size);
        std::free(block);
        small_bytes_ -= size;
      }
      blocks.clear();
    }
    unused_small_ = 0;
  }

  void release_locked() {
    release_small();
    large_.release();
  }

  std::mutex mutex_;
  std::unordered_map<std::size_t, std::vector<void*>> free_;  // small blocks, by size
  detail::PageHeap large_;
  std::size_t current_bytes_ = 0, peak_bytes_ = 0;
  std::size_t small_bytes_ = 0, unused_small_ = 0;  // from the system; not in use
  std::uint64_t small_allocations_ = 0;
  std::size_t limit_ = memory_limit() / 20 * 19;  // the rest is for all that are no tensors
};

Pool& pool();

void lock_pool() { pool().lock(); }
void unlock_pool() { pool().unlock(); }

// Never destroyed: tensors with static storage may be freed after any destructor of ours would have run.
Pool& pool() {
  static Pool* const instance = [] {
    pthread_atfork(lock_pool, unlock_pool, unlock_pool);
    return new Pool;
  }();
  return *instance;
}

}  // namespace

MemoryStats memory_stats() { return pool().stats(); }
void reset_peak_memory() { pool().reset_peak(); }
void release_unused_memory() { pool().release(); }
std::size_t tensor_memory_limit() { return pool().limit(); }
void set_tensor_memory_limit(std::size_t bytes) { pool().set_limit(bytes); }

namespace detail {
void* pool_allocate(std::uint64_t bytes) { return pool().allocate(bytes); }
void pool_free(void* block, std::size_t bytes) noexcept { pool().free(block, bytes); }
}  // namespace detail
}  // namespace gesso
