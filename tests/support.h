// What many tests need: random tensors that can be checked, and gradcheck as an assertion.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "gesso/autograd/gradcheck.h"
#include "gesso/core/tensor.h"

namespace gesso::testing {

// AddressSanitizer reserves terabytes of addresses, so nothing starts under a limit of them; its locks are
// not free in a forked child; and trainings take minutes with it.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Under an emulator of another processor: qemu-user does not start threads in the child of a process that has some.
#if defined(GESSO_EMULATED)
inline constexpr bool kEmulated = true;
#else
inline constexpr bool kEmulated = false;
#endif

/// Normal float64 numbers that require a gradient.
inline Tensor random_input(const Shape& shape, std::uint64_t seed = 7) {
  Generator rng(seed);
  return Tensor::randn(shape, rng, float64).requires_grad_();
}

/// Fails the test, with gradcheck's verdict, unless every gradient is right.
inline void check_gradients(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                            const std::vector<Tensor>& inputs, const GradcheckOptions& options = {}) {
  const GradcheckResult result = gradcheck(function, inputs, options);
  INFO(result.str());
  CHECK(result.ok);
}

/// The largest |a - b|; NaN counts as infinite.
inline double largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  const std::vector<double> x = a.to_vector(), y = b.to_vector();
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double difference = x[i] > y[i] ? x[i] - y[i] : y[i] - x[i];
    largest = difference <= largest ? largest : difference;  // also true for NaN
  }
  return largest;
}

/// Whether a and b are equal bit for bit (0 and -0 count as equal).
inline bool identical(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && a.to_vector() == b.to_vector();
}

}  // namespace gesso::testing
