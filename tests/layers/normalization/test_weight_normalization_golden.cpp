// Weight norm, weight standardization and spectral norm on every layer that takes them, against what PyTorch
// 1.13 computed (tests/golden/make_weight_normalization.py): results, gradients, vectors after each step,
// state-dict keys.
#include <algorithm>
#include <memory>

#include "gesso/core/files/json.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/layers/normalization/spectral_norm.h"
#include "gesso/layers/normalization/weight_norm.h"
#include "gesso/layers/normalization/weight_standardization.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const SafetensorsReader& golden() {
  static const SafetensorsReader reader(source_path("tests/golden/weight_normalization.safetensors"));
  return reader;
}

// As templates over any class, which Clang 14 can pass on.
template <class Layer>
using OfWeightNorm = WeightNorm<Layer>;
template <class Layer>
using OfSpectralNorm = SpectralNorm<Layer>;
template <class Layer>
using OfStandardization = WeightStandardization<Layer>;

template <template <class> class Norm>
std::unique_ptr<Module> make_layer(const Json& entry) {
  Generator rng(1);
  const Json &args = entry["args"], &given = entry["options"];
  const Index in = args[0], out = args[1];
  const bool bias = given.value("bias", true);
  if (entry["layer"] == "Linear") {
    return std::make_unique<Norm<Linear>>(in, out, LinearOptions{.bias = bias}, rng);
  }
  const Size2d kernel{args[2][0], args[2][1]};
  const Index groups = given.value("groups", 1);
  if (entry["layer"] == "Conv2d") {
    return std::make_unique<Norm<Conv2d>>(
        in, out, kernel, Conv2dOptions{.padding = given.value("padding", 0), .groups = groups, .bias = bias},
        rng);
  }
  REQUIRE(entry["layer"] == "ConvTranspose2d");
  return std::make_unique<Norm<ConvTranspose2d>>(
      in, out, kernel,
      ConvTranspose2dOptions{.stride = given.value("stride", 1), .groups = groups, .bias = bias}, rng);
}

std::unique_ptr<Module> make_case(const Json& entry) {
  if (entry["norm"] == "weight_norm") return make_layer<OfWeightNorm>(entry);
  if (entry["norm"] == "spectral_norm") return make_layer<OfSpectralNorm>(entry);
  REQUIRE(entry["norm"] == "weight_standardization");
  return make_layer<OfStandardization>(entry);
}

// How far `found` is from the golden tensor, relative to the latter's largest number (at least 1).
double error(const Tensor& found, const std::string& name) {
  const Tensor expected = golden().load(name);
  double scale = 1;
  for (double v : expected.to_vector()) {
    scale = std::max(scale, std::abs(v));
  }
  return largest_difference(found.to(float64), expected) / scale;
}

void check_case(const Json& entry, std::size_t index, DType dtype) {
  CAPTURE(entry.dump());
  CAPTURE(name_of(dtype));
  const double tolerance = dtype == float64 ? 1e-12 : 5e-6;
  const std::unique_ptr<Module> layer = make_case(entry);
  layer->to(dtype);
  const std::string id = concat_text(index, ".");
  StateDict state;
  std::vector<std::string> keys;
  for (const auto& [key, tensor] : layer->state_dict()) {
    keys.push_back(key);
    state.emplace_back(key, golden().load(id + "state." + key));
  }
  REQUIRE(keys == entry["keys"].get<std::vector<std::string>>());
  layer->load_state_dict(state);
  for (int step = 0; step < 4; ++step) {
    CAPTURE(step);
    const std::string at = concat_text(id, step, ".");
    layer->train(step < 3);
    layer->zero_grad();
    Tensor x = golden().load(id + "x").to(dtype);
    x.requires_grad_();
    const Tensor y = (*layer)(x);
    y.backward(golden().load(at + "up").to(dtype));
    CHECK(error(y, at + "y") < tolerance);
    CHECK(error(x.grad(), at + "dx") < tolerance);
    for (const std::pair<std::string, Tensor>& parameter : layer->named_parameters()) {
      CAPTURE(parameter.first);
      CHECK(error(parameter.second.grad(), at + "d" + parameter.first) < tolerance);
    }
    for (const std::pair<std::string, Tensor>& buffer : layer->named_buffers()) {
      CAPTURE(buffer.first);
      CHECK(error(buffer.second, at + buffer.first) < tolerance);
    }
  }
}

}  // namespace

TEST_CASE("layers with a normalized weight compute what PyTorch's do") {
  const Json cases = parse_json(golden().metadata().at("cases"));
  CHECK(cases.size() == 18);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    check_case(cases[i], i, float64);
    check_case(cases[i], i, float32);
  }
}
