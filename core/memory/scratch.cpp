#include "gesso/core/memory/scratch.h"

#include <cstdlib>
#include <memory>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "gesso/core/error.h"

namespace gesso {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

struct Free {
  void operator()(void* block) const { std::free(block); }
};

struct Buffer {
  std::unique_ptr<void, Free> block;
  std::size_t bytes = 0;
};

thread_local Buffer buffer;

}  // namespace

void* detail::scratch_bytes(std::size_t bytes) {
  if (bytes > buffer.bytes) {
    buffer = {};  // frees the old block first
    // Small pages lie anywhere in memory, and some places of a cache then have more to hold than others.
    const std::size_t alignment = bytes >= kHugePage / 4 ? kHugePage : kAlignment;
    const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
    buffer.block.reset(std::aligned_alloc(alignment, size));
    if (!buffer.block) {
      throw MemoryError(concat_text("no memory left for ", size, " bytes of working memory"));
    }
#ifdef MADV_HUGEPAGE
    if (alignment == kHugePage) {
      madvise(buffer.block.get(), size, MADV_HUGEPAGE);  // a wish
    }
#endif
    buffer.bytes = size;
  }
  return buffer.block.get();
}

}  // namespace gesso
