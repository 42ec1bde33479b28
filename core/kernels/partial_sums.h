// Sums over many blocks of work that come out the same for every number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

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
void sum_blocks(std::int64_t block_count, std::int64_t parts, std::int64_t size, T* total, Add add) {
  constexpr std::int64_t most_runs = 32, most_bytes = 32 << 20;
  const std::int64_t bytes = std::max<std::int64_t>(parts * size * sizeof(T), 1);
  const std::int64_t wanted = std::clamp<std::int64_t>(most_bytes / bytes, 4, most_runs);
  const std::int64_t run = std::max<std::int64_t>((block_count + wanted - 1) / wanted, 1);
  const std::int64_t runs = std::max<std::int64_t>((block_count + run - 1) / run, 1);
  Tensor memory = Tensor::empty({runs, parts * size}, dtype_of<T>);
  T* partial = memory.mutable_data<T>();
  parallel_for(runs * parts, 1, [&](std::int64_t task, std::int64_t) {
    T* sum = partial + task * size;
    std::fill_n(sum, size, T{0});
    const std::int64_t first = task / parts * run;
    for (std::int64_t b = first; b < std::min(first + run, block_count); ++b) {
      add(task % parts, b, sum);
    }
  });
  map_elements(partial, total, parts * size, [](T v) { return v; });
  for (std::int64_t r = 1; r < runs; ++r) {
    zip_elements(total, partial + r * parts * size, total, parts * size, [](T a, T b) { return a + b; });
  }
}

}  // namespace gesso
