// The whole family against what PyTorch 1.13 computed (tests/golden/make_normalization.py): outputs, running
// statistics after one and three steps, gradients, evaluation, state-dict keys, and which inputs are refused.
#include <algorithm>
#include <memory>
#include <optional>

#include "gesso/autograd/batch_share.h"
#include "gesso/core/files/json.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/layers/normalization/batch_instance.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/normalization/rms_norm.h"
#include "paths.h"
#include "support.h"
#include "thread_ranks.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const SafetensorsReader& golden() {
  static const SafetensorsReader reader(source_path("tests/golden/normalization.safetensors"));
  return reader;
}

Shape shape_of(const Json& sizes) { return Shape(sizes.get<std::vector<Index>>()); }

// "4x3x5", as the tensors that cases share are named
std::string text(const Shape& shape) {
  std::string result;
  for (Index size : shape) {
    result += concat_text(result.empty() ? "" : "x", size);
  }
  return result;
}

// adaptive_instance_norm as a layer: the style is its parameter.
struct AdaptiveInstanceNorm : Module {
  Tensor weight;
  explicit AdaptiveInstanceNorm(const Shape& style) {
    weight = register_parameter("weight", golden().load(concat_text("style.", text(style))));
  }
  Tensor forward(const Tensor& x) override { return adaptive_instance_norm(x, weight); }
};

std::unique_ptr<Module> make_layer(const Json& entry) {
  const std::string layer = entry["layer"];
  const Json &args = entry["args"], &given = entry["options"];
  const double eps = given.value("eps", 1e-5);
  if (layer.starts_with("InstanceNorm")) {
    const InstanceNormOptions options{eps, given.value("momentum", 0.1), given.value("affine", false),
                                      given.value("track_running_stats", false)};
    return layer == "InstanceNorm1d"   ? std::unique_ptr<Module>(new InstanceNorm1d(args[0], options))
           : layer == "InstanceNorm2d" ? std::unique_ptr<Module>(new InstanceNorm2d(args[0], options))
                                       : std::unique_ptr<Module>(new InstanceNorm3d(args[0], options));
  }
  if (layer.starts_with("Batch")) {
    BatchNormOptions options{.eps = eps};
    if (given.contains("momentum")) {
      options.momentum =
          given["momentum"].is_null() ? std::nullopt : std::optional<double>(given["momentum"]);
    }
    options.affine = given.value("affine", true);
    options.track_running_stats = given.value("track_running_stats", true);
    return layer == "BatchNorm1d"   ? std::unique_ptr<Module>(new BatchNorm1d(args[0], options))
           : layer == "BatchNorm2d" ? std::unique_ptr<Module>(new BatchNorm2d(args[0], options))
                                    : std::unique_ptr<Module>(new BatchInstanceNorm2d(args[0], options));
  }
  if (layer == "GroupNorm") {
    return std::make_unique<GroupNorm>(args[0], args[1], GroupNormOptions{eps, given.value("affine", true)});
  }
  if (layer == "LayerNorm") {
    return std::make_unique<LayerNorm>(shape_of(args[0]),
                                       LayerNormOptions{eps, given.value("elementwise_affine", true)});
  }
  if (layer == "RMSNorm") {
    return std::make_unique<RMSNorm>(shape_of(args[0]),
                                     RMSNormOptions{given.contains("eps") ? std::optional(eps) : std::nullopt,
                                                    given.value("elementwise_affine", true)});
  }
  if (layer == "AdaptiveInstanceNorm") {
    return std::make_unique<AdaptiveInstanceNorm>(shape_of(args));
  }
  REQUIRE(layer == "ConditionalInstanceNorm2d");
  auto norm = std::make_unique<ConditionalInstanceNorm2d>(args[0], args[1]);
  std::vector<double> mix;
  for (const auto& row : args[2]) {
    mix.insert(mix.end(), row.begin(), row.end());
  }
  norm->set_mix(Tensor::from(mix, {static_cast<Index>(args[2].size()), args[0].get<Index>()}, float64));
  return norm;
}

// How far `found` is from the golden tensor, relative to the latter's largest number (at least 1).
double error(const Tensor& found, const std::string& name) {
  const Tensor expected = golden().load(name);
  double scale = 1;
  for (double v : expected.to_vector()) {
    scale = std::max(scale, std::abs(v));
  }
  REQUIRE(found.numel() == expected.numel());
  return largest_difference(found.to(float64).reshape(expected.shape()), expected) / scale;
}

Tensor buffer(const Module& norm, const std::string& name) {
  for (const auto& [key, tensor] : norm.named_buffers()) {
    if (key == name) {
      return tensor;
    }
  }
  return {};
}

// This rank's samples of a batch; all of them where none is shared out.
Tensor own_part(const Tensor& batch) {
  const auto share = BatchShare::current();
  return share ? batch.slice(share->first(), share->first() + share->count()).clone() : batch;
}

// On the ranks of `group`, each with its share of the samples, if there are several.
void check_case(const Json& entry, int index, DType dtype, ProcessGroup& group = single_process()) {
  CAPTURE(entry.dump());
  CAPTURE(name_of(dtype));
  const double tolerance = dtype == float64 ? 1e-12 : 2e-6;
  const Shape shape = shape_of(entry["shape"]);
  const std::unique_ptr<Module> norm = make_layer(entry);
  const std::string id = concat_text(index, ".");
  std::optional<BatchShareGuard> guard;
  if (group.size() > 1) {
    guard.emplace(group, shape[0]);
  }
  if (!entry["keys"].is_null()) {
    std::vector<std::string> keys;
    for (const auto& [key, tensor] : norm->state_dict()) {
      keys.push_back(key);
    }
    CHECK(keys == entry["keys"].get<std::vector<std::string>>());
  }
  norm->to(dtype);
  if (entry["layer"] != "AdaptiveInstanceNorm") {
    for (auto [name, parameter] : norm->named_parameters()) {
      parameter.copy_(golden().load(concat_text(name, ".", text(parameter.shape()))));
    }
  }
  const auto input = [&](int k) {
    return own_part(golden().load(concat_text("x", k, ".", text(shape))).to(dtype));
  };

  const auto check_mode = [&](const std::string& mode) {
    norm->zero_grad();
    Tensor x = input(0);
    x.requires_grad_();
    const Tensor y = (*norm)(x);
    y.backward(own_part(golden().load(concat_text("upstream.", text(shape))).to(dtype)));
    CHECK(error(gather_samples(y.detach()), id + mode + ".y") < tolerance);
    CHECK(error(gather_samples(x.grad()), id + mode + ".dx") < tolerance);
    for (const auto& [name, parameter] : norm->named_parameters()) {
      CHECK(error(parameter.grad(), id + mode + ".d" + name) < tolerance);
    }
  };
  const auto check_running = [&](const std::string& step) {
    const bool tracked = golden().contains(id + "running_mean" + step);
    CHECK(buffer(*norm, "running_mean").defined() == tracked);
    if (tracked) {
      for (const char* name : {"running_mean", "running_var", "num_batches_tracked"}) {
        CAPTURE(name);
        CHECK(error(buffer(*norm, name), id + name + step) < tolerance);
      }
    }
  };
  check_mode("train");
  check_running("1");
  (*norm)(input(1));
  (*norm)(input(2));
  check_running("3");
  if (golden().contains(id + "eval.y")) {
    norm->eval();
    check_mode("eval");
    check_running("3");  // evaluation moves nothing
  }
}

}  // namespace

TEST_CASE("every member computes what PyTorch computes") {
  const Json cases = parse_json(golden().metadata().at("cases"));
  CHECK(cases.size() >= 65);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    check_case(cases[i], static_cast<int>(i), float64);
    check_case(cases[i], static_cast<int>(i), float32);
  }
}

// PyTorch has the whole batch; ranks with 2, 2 and 1 of five samples must come to the same, and an average
// over ranks does not (PyTorch issue 36688).
TEST_CASE("batch norm over ranks with unequal shares computes what PyTorch does on the whole batch") {
  const Json cases = parse_json(golden().metadata().at("cases"));
  int shared = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string layer = cases[i]["layer"];
    for (const int ranks : {2, 3}) {
      if (!layer.starts_with("Batch") || shape_of(cases[i]["shape"])[0] < ranks) {
        continue;
      }
      CAPTURE(ranks);
      on_ranks(ranks, [&](ProcessGroup& group) {
        check_case(cases[i], static_cast<int>(i), float64, group);
        check_case(cases[i], static_cast<int>(i), float32, group);
      });
      ++shared;
    }
  }
  CHECK(shared >= 30);
}

TEST_CASE("inputs are refused where PyTorch refuses them") {
  const Json errors = parse_json(golden().metadata().at("errors"));
  CHECK(errors.size() >= 100);
  for (const Json& entry : errors) {
    CAPTURE(entry.dump());
    bool refused = false;
    std::string reason;
    try {
      const std::unique_ptr<Module> norm = make_layer(entry);
      norm->train(entry["training"]);
      (*norm)(Tensor::zeros(shape_of(entry["shape"])));
    } catch (const ArgumentError& e) {
      refused = true;
      reason = e.what();
    }
    CAPTURE(reason);
    CHECK(refused == !entry["refused"].is_null());
  }
}
