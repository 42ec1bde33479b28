// What PyTorch computed for an operation, written by tests/golden/make_operations.py, and a check against it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gesso/core/files/safetensors.h"
#include "paths.h"
#include "support.h"

namespace gesso::testing {

/// Fails the test unless `function` of PyTorch's inputs gives PyTorch's result and gradients, in float64 to the last
/// digits and in float32 to its own.
inline void check_against_torch(const std::string& name,
                                const std::function<Tensor(const std::vector<Tensor>&)>& function) {
  CAPTURE(name);
  static const SafetensorsReader golden(source_path("tests/golden/operations.safetensors"));
  for (const DType dtype : {float64, float32}) {
    CAPTURE(dtype);
    const double tolerance = dtype == float64 ? 1e-12 : 2e-5;
    const auto load = [&](const std::string& what) { return golden.load(name + "." + what); };
    const auto near = [&](const Tensor& mine, const Tensor& theirs) {
      double largest = 1;
      for (const double v : theirs.to_vector()) {
        largest = std::max(largest, std::abs(v));
      }
      CHECK(largest_difference(mine.to(float64), theirs) <= tolerance * largest);
    };
    std::vector<Tensor> inputs;
    for (std::string key = "in0"; golden.contains(name + "." + key);
         key = "in" + std::to_string(inputs.size())) {
      inputs.push_back(load(key).to(dtype));
      inputs.back().requires_grad_(golden.contains(name + ".grad" + key.substr(2)));
    }
    REQUIRE(!inputs.empty());
    const Tensor out = function(inputs);
    CHECK(out.dtype() == dtype);
    near(out.detach(), load("out"));
    out.backward(load("up").to(dtype));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].requires_grad()) {
        near(inputs[i].grad(), load("grad" + std::to_string(i)));
      }
    }
  }
}

}  // namespace gesso::testing
