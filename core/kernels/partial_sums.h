// Sums over many blocks of work that come out the same for every number of threads.
#pragma once

#include <algorithm>

#include "gesso/core/dtype.h"
#include "gesso/core/kernels/elementwise.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// total[0 <= i < parts * size] = the sum over blocks 0 <= b < block_count, where add(part, b, sum) adds what
/// block b contributes to `size` numbers of part 0 <= part < parts.
///
/// The blocks are cut into runs, at most 32 and few enough that a partial sum for each takes little memory.
/// Each run is added up in order on one thread, and then the runs in order.
template <class T, class Add>
void sum_blocks(Index block_count, Index parts, Index size, T* total, Add add) {
  constexpr Index most_runs = 32, most_bytes = 32 << 20;
  const Index bytes = std::max<Index>(parts * size * sizeof(T), 1);
  const Index wanted = std::clamp<Index>(most_bytes / bytes, 4, most_runs);
  const Index run = std::max<Index>((block_count + wanted - 1) / wanted, 1);
  const Index runs = std::max<Index>((block_count + run - 1) / run, 1);
  Tensor memory = Tensor::empty({runs, parts * size}, dtype_of<T>);
  T* partial = memory.mutable_data<T>();
  parallel_for(runs * parts, 1, [&](Index task, Index) {
    T* sum = partial + task * size;
    std::fill_n(sum, size, T{0});
    const Index first = task / parts * run;
    for (Index b = first; b < std::min(first + run, block_count); ++b) {
      add(task % parts, b, sum);
    }
  });
  map_elements(partial, total, parts * size, [](T v) { return v; });
  for (Index r = 1; r < runs; ++r) {
    zip_elements(total, partial + r * parts * size, total, parts * size, [](T a, T b) { return a + b; });
  }
}

}  // namespace gesso
