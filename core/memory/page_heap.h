// Large blocks for the memory pool, in whole huge pages. Blocks of every size come from the same few
// stretches of addresses, and free neighbours are merged: what one size leaves, another takes, so a training
// step holds little more memory than what is alive at one time, and from the second step on touches no new
// page (new pages cost more than the loops that fill them).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace gesso::detail {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Asks for huge pages from `begin` on, which is aligned to them: a wish, and it is fine if the system declines.
void prefer_huge_pages(void* begin, std::size_t bytes);

/// Not safe for use by several threads at once.
class PageHeap {
 public:
  /// `bytes`, a multiple of kHugePage, aligned to it; of all free ranges that are large enough the smallest.
  /// Null when the system has no memory. Where the sanitizer runs, blocks lie a page apart and everything
  /// else is poisoned.
  void* allocate(std::size_t bytes);
  void free(void* block, std::size_t bytes);
  /// Gives the pages of all free ranges back to the system.
  void release();

  /// Bytes of all pages that the system had to provide and has not got back.
  std::size_t touched_bytes() const { return touched_pages_ * kHugePage; }
  /// How many calls of allocate() needed new pages.
  std::uint64_t growths() const { return growths_; }

 private:
  struct Chunk {
    char* begin;
    std::size_t pages;
    std::map<std::size_t, std::size_t> free;  // pages in each free range, by the index of its first
    std::vector<bool> touched;                // for each page
  };

  bool add_chunk(std::size_t pages);
  void unmap_free_chunks();

  std::vector<Chunk> chunks_;
  std::size_t touched_pages_ = 0;
  std::uint64_t growths_ = 0;
};

}  // namespace gesso::detail
