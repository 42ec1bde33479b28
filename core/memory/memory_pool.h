// The memory behind tensors. Freed blocks are kept and handed out again, small ones by size class, large ones
// from a heap of huge pages (core/memory/page_heap.h), so a training loop that repeats the same shapes asks
// the system for memory only in its first step.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gesso {

/// Counters of the pool, in bytes and calls since the program began.
struct MemoryStats {
  std::size_t current_bytes = 0;         ///< held by live tensors (rounded up to size classes)
  std::size_t peak_bytes = 0;            ///< the largest current_bytes since the start or reset_peak_memory()
  std::size_t reserved_bytes = 0;        ///< held from the system: live and kept for reuse
  std::uint64_t system_allocations = 0;  ///< how often the pool had to ask the system
};

/// The counters now.
MemoryStats memory_stats();

/// Lets peak_bytes begin again at current_bytes.
void reset_peak_memory();

/// The most bytes that tensors may hold together. At first 95 % of memory_limit() (core/system_limits.h): a tensor
/// beyond it is a MemoryError, where the system would kill the program without a word.
std::size_t tensor_memory_limit();
/// Sets another limit, from the next tensor on.
void set_tensor_memory_limit(std::size_t bytes);

/// Gives all blocks that no tensor uses back to the system.
void release_unused_memory();

namespace detail {

/// At least `bytes` bytes, 64-byte aligned, contents undefined; blocks of 2 MiB and more lie on huge pages.
/// Throws MemoryError when the system has none, or beyond tensor_memory_limit().
void* pool_allocate(std::uint64_t bytes);

/// Takes back a block of pool_allocate(bytes).
void pool_free(void* block, std::size_t bytes) noexcept;

}  // namespace detail
}  // namespace gesso
