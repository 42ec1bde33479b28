// What this machine can do: the roof that benchmarks measure against.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>

#include "gesso/core/generator.h"
#include "gesso/core/kernels/gemm.h"
#include "gesso/core/parallel.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// The shortest time of one run(), in seconds, of as many as take `budget` seconds, and at least three: other
/// programs can only make it longer. prepare() comes before each and is not timed.
inline double seconds(double budget, const std::function<void()>& prepare, const std::function<void()>& run) {
  using Clock = std::chrono::steady_clock;
  double shortest = 1e30;
  const auto begin = Clock::now();
  for (int round = 0; round < 3 || Clock::now() - begin < std::chrono::duration<double>(budget); ++round) {
    prepare();
    const auto start = Clock::now();
    run();
    shortest = std::min(shortest, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return shortest;
}
inline double seconds(double budget, const std::function<void()>& run) {
  return seconds(
      budget, [] {}, run);
}

struct Peaks {
  double gflops;     ///< of a product of float32 matrices of 1024 x 1024, in OpenBLAS, a second
  double gigabytes;  ///< read and written when 64 MiB are copied, a second
};

/// With the threads that loops use.
inline Peaks measure_peaks(double budget) {
  constexpr Index n = 1024, bytes = 64 << 20, numbers = bytes / sizeof(float), block = 1 << 18;
  Generator rng(1);
  const Tensor a = Tensor::randn({n, n}, rng), b = Tensor::randn({n, n}, rng);
  Tensor c = Tensor::empty({n, n});
  float* out = c.mutable_data<float>();
  const double product = seconds(budget, [&] {
    parallel_gemm<float>(false, false, n, n, n, 1, a.data<float>(), n, b.data<float>(), n, 0, out, n);
  });
  const Tensor from = Tensor::ones({numbers});
  Tensor to = Tensor::zeros({numbers});
  float* target = to.mutable_data<float>();
  const double copy = seconds(budget, [&] {
    parallel_for(numbers, block, [&](Index begin, Index end) {
      std::copy(from.data<float>() + begin, from.data<float>() + end, target + begin);
    });
  });
  return {2e-9 * n * n * n / product, 2e-9 * bytes / copy};
}

}  // namespace gesso
