#include "gesso/core/memory/scratch.h"

#include <cstdlib>
#include <memory>

#include "gesso/core/error.h"
#include "gesso/core/memory/page_heap.h"
#include "gesso/core/memory/poison.h"

namespace gesso {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t rounded_up(std::size_t bytes, std::size_t step) { return (bytes + step - 1) / step * step; }

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
    const std::size_t size = rounded_up(bytes, kAlignment);
    // Small pages lie anywhere in memory, and some places of a cache then have more to hold than others.
    const bool huge = size >= kHugePage / 4;
    const std::size_t whole = huge ? rounded_up(size, kHugePage) : size;
    buffer.block.reset(std::aligned_alloc(huge ? kHugePage : kAlignment, whole));
    if (!buffer.block) {
      throw MemoryError(concat_text("no memory left for ", whole, " bytes of working memory"));
    }
    if (huge) {
      prefer_huge_pages(buffer.block.get(), whole);
      GESSO_POISON(static_cast<char*>(buffer.block.get()) + size, whole - size);
    }
    buffer.bytes = size;
  }
  return buffer.block.get();
}

}  // namespace gesso
