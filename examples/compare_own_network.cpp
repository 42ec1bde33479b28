// Compares normalizations on a network and a task of one's own: which of four waves does a noisy, badly exposed
// 16 x 16 picture show? compare-own-network [FOLDER [STEPS]] writes FOLDER/report.html.
#include <cmath>
#include <string>

#include "compare_norms/study.h"
#include "gesso/gesso.h"
#include "painting/style_network.h"

using namespace gesso;

namespace {

constexpr Index kSide = 16;

// Waves along four directions, with a contrast and a brightness of each picture's own; the target is the direction.
StudyBatch waves(Index batch, Generator& rng) {
  std::vector<double> pixels, directions;
  for (Index i = 0; i < batch; ++i) {
    const Index direction = rng.below(4);
    const double angle = 0.785 * static_cast<double>(direction), phase = rng.uniform(0, 6.28);
    const double contrast = rng.uniform(0.1, 3), brightness = rng.uniform(-2, 2);
    for (Index y = 0; y < kSide; ++y) {
      for (Index x = 0; x < kSide; ++x) {
        const double along =
            std::cos(angle) * static_cast<double>(x) + std::sin(angle) * static_cast<double>(y);
        const double wave = std::sin(0.9 * along + phase) + 0.5 * rng.normal();
        pixels.push_back(brightness + contrast * wave);
      }
    }
    for (Index k = 0; k < 4; ++k) directions.push_back(k == direction ? 1 : 0);
  }
  return {Tensor::from(pixels, {batch, 1, kSide, kSide}), Tensor::from(directions, {batch, 4})};
}

std::unique_ptr<Module> network(const std::string& normalization, Generator& rng) {
  auto net = std::make_unique<Sequential>();
  net->emplace<Conv2d>(1, 16, 5, {.padding = 2}, rng);
  net->append(make_normalization(normalization, 16, Activation::relu));
  net->emplace<MaxPool2d>({.kernel = 4});
  net->emplace<Conv2d>(16, 16, 3, {.padding = 1}, rng);
  net->append(make_normalization(normalization, 16, Activation::relu));
  net->emplace<Flatten>();
  net->emplace<Linear>(16 * 16, 4, rng);
  return net;
}

}  // namespace

int main(int argc, char** argv) {
  Generator rng(99);
  Study study{.title = "Waves in bad light", .network = network, .batches = waves};
  study.loss = [](const Tensor& output, const StudyBatch& batch) {
    return -sum(log_softmax(output, 1) * batch.target) / output.size(0);
  };
  study.test = waves(200, rng);
  study.batch_sizes = {2, 16};
  if (argc > 2) study.steps = std::stol(argv[2]);
  run_study(study, argc > 1 ? argv[1] : "runs/own");
}
