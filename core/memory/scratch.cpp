#include "gesso/core/memory/scratch.h"

#include <cstdlib>
#include <memory>

#include "gesso/core/error.h"

namespace gesso {
namespace {

constexpr std::size_t kAlignment = 64;

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
    const std::size_t size = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    buffer.block.reset(std::aligned_alloc(kAlignment, size));
    if (!buffer.block) {
      throw MemoryError(concat_text("no memory left for ", size, " bytes of working memory"));
    }
    buffer.bytes = size;
  }
  return buffer.block.get();
}

}  // namespace gesso
