// Numbers that tests/golden/make_vgg.py and make_squeezenet.py make too, so that no file has to hold them,
// and how those scripts sum up features.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "gesso/autograd/reduce.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/tensor.h"
#include "support.h"

namespace gesso::testing {

/// (uniform(seed, shape) + shift) * factor, where the scripts' uniform() is from -0.5 to 0.5.
inline Tensor hashed(std::uint32_t seed, const Shape& shape, double shift = 0, float factor = 1) {
  Tensor result = Tensor::empty(shape);
  float* values = result.mutable_data<float>();
  for (Index i = 0; i < result.numel(); ++i) {
    std::uint32_t h = static_cast<std::uint32_t>(i) + (seed << 20);
    for (std::uint32_t multiplier : {0x7FEB352Du, 0x846CA68Bu}) {
      h = (h ^ (h >> 16)) * multiplier;
    }
    h ^= h >> 16;
    values[i] = (static_cast<float>(h * 0x1p-32 - 0.5) + static_cast<float>(shift)) * factor;
  }
  return result;
}

inline double largest(const Tensor& x) {
  const std::vector<double> values = x.to_vector();
  return *std::max_element(values.begin(), values.end());
}

/// Fails the test unless the means of the features' channels, and every 211th of their values, are those that
/// the file has under `name`.
inline void check_features(const Tensor& features, const SafetensorsReader& golden, const std::string& name) {
  CAPTURE(name);
  std::vector<double> samples;
  const std::vector<double> all = features.to_vector();
  for (std::size_t i = 0; i < all.size(); i += 211) {
    samples.push_back(all[i]);
  }
  const Tensor means = golden.load(name + ".means"), wanted = golden.load(name + ".samples");
  CHECK(largest_difference(mean(features, {0, 2, 3}), means) < 1e-5 * largest(means));
  CHECK(largest_difference(Tensor::from(samples, {static_cast<Index>(samples.size())}), wanted) <
        1e-5 * largest(wanted));
}

}  // namespace gesso::testing
