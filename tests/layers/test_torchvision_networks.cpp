// torchvision's networks, written with gesso: the same keys, and the same results from the same weights.
#include <cmath>

#include "gesso/core/files/json.h"
#include "hashed.h"
#include "paths.h"
#include "torchvision_networks.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const SafetensorsReader& golden() {
  static const SafetensorsReader reader(source_path("tests/golden/torchvision.safetensors"));
  return reader;
}

// Fills the network as tests/golden/make_torchvision.py does, after a check of keys and shapes.
void fill(Module& net, const std::string& name) {
  const Json keys = parse_json(golden().metadata().at("keys"))[name];
  StateDict state = net.state_dict();
  REQUIRE(state.size() == keys.size());
  for (std::size_t k = 0; k < state.size(); ++k) {
    auto& [key, tensor] = state[k];
    REQUIRE(key == keys[k][0].get<std::string>());
    REQUIRE(tensor.shape() == Shape(keys[k][1].get<std::vector<Index>>()));
    const auto seed = static_cast<std::uint32_t>(k);
    const Shape& shape = tensor.shape();
    if (shape.rank() >= 2) {
      const double fan_in = static_cast<double>(shape.numel(1, shape.rank()));
      tensor.copy_(hashed(seed, shape, 0, static_cast<float>(std::sqrt(24 / fan_in))));
    } else if (!key.ends_with("num_batches_tracked")) {
      tensor.copy_(hashed(seed, shape, key.ends_with("running_var") || key.ends_with("weight") ? 1 : 0));
    }
  }
}

Tensor picture() { return hashed(200, {2, 3, 67, 75}); }

void check_near(const Tensor& mine, const Tensor& theirs) {
  double largest_value = 0;
  for (const double v : theirs.to_vector()) {
    largest_value = std::max(largest_value, std::abs(v));
  }
  const double difference = largest_difference(mine.detach(), theirs);
  CHECK(difference < 2e-5 * largest_value);
}

void check_network(Module& net, const std::string& name) {
  CAPTURE(name);
  fill(net, name);
  net.eval();
  const NoGradGuard no_grad;
  check_near(net(picture()), golden().load(name));
}

}  // namespace

TEST_CASE("squeezenet1_0 and squeezenet1_1") {
  Generator rng(1);
  SqueezeNetClassifier first(0, 10, rng), second(1, 10, rng);
  check_network(first, "squeezenet1_0");
  check_network(second, "squeezenet1_1");
}

TEST_CASE("vgg16 and vgg19") {
  for (const int depth : {16, 19}) {
    Generator rng(1);
    VggClassifier net(depth, 16, 10, rng);
    check_network(net, "vgg" + std::to_string(depth));
  }
}

TEST_CASE("resnet18, in evaluation and in training") {
  Generator rng(1);
  ResNet18 net(10, rng);
  check_network(net, "resnet18");
  net.train();
  const Tensor out = net(picture());
  check_near(out, golden().load("resnet18.train"));
  mean(square(out)).backward();
  const std::vector<double> gradient = net.conv1.weight.grad().to_vector();
  std::vector<double> samples;
  for (std::size_t i = 0; i < gradient.size(); i += 17) {
    samples.push_back(gradient[i]);
  }
  const Tensor theirs = golden().load("resnet18.conv1.grad");
  CHECK(largest_difference(Tensor::from(samples), theirs) < 1e-3 * largest(abs(theirs)));
  for (const auto& [name, buffer] : net.named_buffers()) {
    if (name == "layer4.1.bn2.running_var") {
      check_near(buffer, golden().load("resnet18.running_var"));
    }
  }
}
