// Parallel loops. Work is cut into blocks whose size the caller fixes; which thread runs a block never
// changes what it computes, so results are the same bit for bit for every number of threads.
//
// fork(): a child has threads of its own, as many as its parent, from its first loop on. A child that is forked
// inside a parallel loop must not return from it.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "gesso/core/index.h"

namespace gesso {

/// The number of threads that parallel loops use. Default: the environment variable GESSO_NUM_THREADS if it
/// is a positive number, else all cores that this process may run on (available_cores(), core/system_limits.h: a
/// container's share of the CPUs counts).
int num_threads();

/// Changes the number of threads, from the next loop on. Throws ArgumentError unless 1 <= count <= 1024, and
/// inside a parallel loop.
void set_num_threads(int count);

/// While one lives, loops on this thread run on this thread alone: for background work that must not take the
/// cores from what is in the foreground.
class SerialSection {
 public:
  SerialSection();
  ~SerialSection();
  SerialSection(const SerialSection&) = delete;
  SerialSection& operator=(const SerialSection&) = delete;

 private:
  bool before_;
};

namespace detail {
void run_blocks(Index block_count, const std::function<void(Index)>& run_block);
}

/// Calls body(begin, end) for [0, block), [block, 2 block), ... up to `count`, in any order and on any
/// thread. `block` must be chosen from the work alone, never from the number of threads. A loop inside a loop
/// runs serially on its thread. The first exception that a body throws is rethrown here.
template <class Body>
void parallel_for(Index count, Index block, Body&& body) {
  if (count <= 0) {
    return;
  }
  if (count <= block) {
    body(Index{0}, count);
    return;
  }
  detail::run_blocks((count + block - 1) / block,
                     [&](Index b) { body(b * block, std::min(count, (b + 1) * block)); });
}

/// The sum over blocks of body(begin, end), added in block order.
template <class T, class Body>
T parallel_sum(Index count, Index block, Body&& body) {
  if (count <= block) {
    return count > 0 ? body(Index{0}, count) : T{};
  }
  std::vector<T> partial((count + block - 1) / block);
  parallel_for(count, block, [&](Index begin, Index end) { partial[begin / block] = body(begin, end); });
  T total{};
  for (const T& value : partial) {
    total += value;
  }
  return total;
}

}  // namespace gesso
