#include "gesso/core/memory/page_heap.h"

#if !defined(__wasm__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <tuple>
#include <utility>

#include "gesso/core/memory/poison.h"

namespace gesso::detail {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kGuard = 1;        // pages after each block that stay poisoned
constexpr std::size_t kChunkPages = 64;  // poisoning a chunk takes memory, too
#elif defined(__wasm__)
constexpr std::size_t kGuard = 0;
constexpr std::size_t kChunkPages = 1;  // no more than is asked for: there, addresses are memory
#else
constexpr std::size_t kGuard = 0;
constexpr std::size_t kChunkPages = 512;  // 1 GiB of addresses; memory only where it is touched
#endif

#if defined(__wasm__)  // one stretch of memory that grows and never shrinks, and malloc above it

char* map_pages(std::size_t bytes) { return static_cast<char*>(std::aligned_alloc(kHugePage, bytes)); }
void unmap_pages(char* begin, std::size_t) { std::free(begin); }
void give_back_pages(char*, std::size_t) {}

#else

// `bytes`, aligned to huge pages, or null.
char* map_pages(std::size_t bytes) {
  void* mapped = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    return nullptr;
  }
  char* const first = static_cast<char*>(mapped);
  const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(first) % kHugePage) % kHugePage;
  char* const begin = first + before;
  if (before > 0) {
    munmap(first, before);
  }
  munmap(begin + bytes, kHugePage - before);
  prefer_huge_pages(begin, bytes);
  GESSO_POISON(begin, bytes);
  return begin;
}

void unmap_pages(char* begin, std::size_t bytes) {
  GESSO_UNPOISON(begin, bytes);
  munmap(begin, bytes);
}

// They stay mapped, and are zero when they are touched again.
void give_back_pages(char* begin, std::size_t bytes) { madvise(begin, bytes, MADV_DONTNEED); }

#endif

}  // namespace

void prefer_huge_pages([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(begin, bytes, MADV_HUGEPAGE);
#endif
}

bool PageHeap::add_chunk(std::size_t pages) {
  if (pages > SIZE_MAX / kHugePage - 1) {
    return false;
  }
  char* const begin = map_pages(pages * kHugePage);
  if (begin == nullptr) {
    return false;
  }
  chunks_.push_back({begin, pages, {{0, pages}}, std::vector<bool>(pages, false)});
  return true;
}

void* PageHeap::allocate(std::size_t bytes) {
  const std::size_t pages = bytes / kHugePage, taken = pages + kGuard;
  const auto find = [&] {
    std::pair<Chunk*, std::size_t> best = {nullptr, 0};
    std::size_t best_size = SIZE_MAX;
    for (Chunk& chunk : chunks_) {
      for (const auto& [first, size] : chunk.free) {
        if (size >= taken && size < best_size) {
          best = {&chunk, first};
          best_size = size;
        }
      }
    }
    return best;
  };
  auto [chunk, first] = find();
  if (chunk == nullptr) {
    unmap_free_chunks();  // too small for this: a program of ever larger sizes must not collect them
    if (!add_chunk(std::max(taken, kChunkPages)) && !add_chunk(taken)) {
      return nullptr;
    }
    std::tie(chunk, first) = find();
  }
  const auto range = chunk->free.find(first);
  const std::size_t rest = range->second - taken;
  chunk->free.erase(range);
  if (rest > 0) {
    chunk->free.emplace(first + taken, rest);
  }
  const auto touched = chunk->touched.begin() + static_cast<std::ptrdiff_t>(first);
  const auto new_pages =
      static_cast<std::size_t>(std::count(touched, touched + static_cast<std::ptrdiff_t>(pages), false));
  std::fill(touched, touched + static_cast<std::ptrdiff_t>(pages), true);
  touched_pages_ += new_pages;
  growths_ += new_pages > 0;
  return chunk->begin + first * kHugePage;
}

void PageHeap::free(void* block, std::size_t bytes) {
  char* const begin = static_cast<char*>(block);
  const auto chunk = std::find_if(chunks_.begin(), chunks_.end(), [&](const Chunk& c) {
    return begin >= c.begin && begin < c.begin + c.pages * kHugePage;
  });
  std::size_t first = static_cast<std::size_t>(begin - chunk->begin) / kHugePage,
              pages = bytes / kHugePage + kGuard;
  const auto after = chunk->free.lower_bound(first);
  if (after != chunk->free.begin() && std::prev(after)->first + std::prev(after)->second == first) {
    first = std::prev(after)->first;
    pages += std::prev(after)->second;
  }
  if (after != chunk->free.end() && after->first == first + pages) {
    pages += after->second;
    chunk->free.erase(after);
  }
  chunk->free[first] = pages;
}

void PageHeap::release() {
  for (Chunk& chunk : chunks_) {
    for (const auto& [first, pages] : chunk.free) {
      give_back_pages(chunk.begin + first * kHugePage, pages * kHugePage);
      for (std::size_t page = first; page < first + pages; ++page) {
        touched_pages_ -= chunk.touched[page];
        chunk.touched[page] = false;
      }
    }
  }
  unmap_free_chunks();
}

void PageHeap::unmap_free_chunks() {
  std::erase_if(chunks_, [&](const Chunk& chunk) {
    const bool all_free = chunk.free.size() == 1 && chunk.free.begin()->second == chunk.pages;
    if (all_free) {
      touched_pages_ -=
          static_cast<std::size_t>(std::count(chunk.touched.begin(), chunk.touched.end(), true));
      unmap_pages(chunk.begin, chunk.pages * kHugePage);
    }
    return all_free;
  });
}

}  // namespace gesso::detail
