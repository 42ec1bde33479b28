// The loss network and the losses of style transfer.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/optimal_transport.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/pictures/picture.h"
#include "painting/filter_bank.h"
#include "painting/losses.h"
#include "painting/split_signs.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("split_signs computes its formula and has the right gradient") {
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 4}, Shape{1, 2, 1, 7}, Shape{2, 1, 2, 9}}) {
    CAPTURE(shape.str());
    const Tensor x = random_input(shape);
    Generator rng(4);
    const Index channels = shape[1];
    const Tensor scale = Tensor::uniform({2 * channels}, rng, 0.5, 2, float64);
    const Tensor y = split_signs(x, scale);
    REQUIRE(y.shape() == Shape{shape[0], 2 * channels, shape[2], shape[3]});
    for (Index n = 0; n < shape[0]; ++n) {
      for (Index c = 0; c < 2 * channels; ++c) {
        for (Index i = 0; i < shape[2]; ++i) {
          for (Index j = 0; j < shape[3]; ++j) {
            const double value = x.at({n, c % channels, i, j});
            CHECK(y.at({n, c, i, j}) ==
                  doctest::Approx(scale.at({c}) * std::max(c < channels ? value : -value, 0.0)));
          }
        }
      }
    }
    check_gradients([&](const auto& in) { return split_signs(in[0], scale); }, {x});
  }
  CHECK_THROWS_AS(split_signs(Tensor::zeros({1, 1, 4}), Tensor::ones({2})), ArgumentError);
  CHECK_THROWS_AS(split_signs(Tensor::zeros({1, 2, 4, 4}), Tensor::ones({2})), ArgumentError);
}

TEST_CASE("the filter bank's responses have mean 1 on the bundled photographs") {
  std::vector<Tensor> pictures;
  for (const auto& entry : std::filesystem::directory_iterator(source_path("examples/assets/photos"))) {
    pictures.push_back(load_picture(entry.path().string()));
  }
  const FilterBank bank;
  std::vector<double> sums(2 * FilterBank::filters * FilterBank::levels, 0.0);
  const NoGradGuard no_grad;
  for (const Tensor& picture : pictures) {
    const std::vector<Tap> taps = bank.taps(picture);
    REQUIRE(taps.size() == 2 * FilterBank::levels);
    for (int level = 0; level < FilterBank::levels; ++level) {
      const Tensor means = mean(taps[2 * level].style, {0, 2, 3});
      for (int c = 0; c < 2 * FilterBank::filters; ++c) {
        sums[level * 2 * FilterBank::filters + c] += means.at({c}) / static_cast<double>(pictures.size());
      }
    }
  }
  for (double mean_response : sums) {
    CHECK(mean_response == doctest::Approx(1).epsilon(1e-3));
  }
}

TEST_CASE("levels that are too small for statistics are left out, and the style loss does without them") {
  Generator rng(7);
  const FilterBank bank;
  const NoGradGuard no_grad;
  for (const auto& [size, levels] : {std::pair{32, 3}, {56, 3}, {57, 4}, {112, 4}, {113, 5}, {128, 5}}) {
    CAPTURE(size);
    const std::vector<Tap> taps = bank.taps(Tensor::uniform({1, 3, size, 130}, rng));
    REQUIRE(taps.size() == 2 * FilterBank::levels);
    for (int i = 0; i < 2 * FilterBank::levels; ++i) {
      CHECK(taps[i].style.defined() == (i < 2 * levels));
    }
  }
  const Tensor large = Tensor::uniform({1, 3, 128, 128}, rng), pale = 0.5 * large;
  const Tensor crop = Tensor::uniform({2, 3, 32, 32}, rng);
  const StyleTarget target(bank, {large});
  CHECK(target.loss(bank.taps(crop)).item() > 0);
  // A style of few levels among others of many: all are compared on those few.
  const StyleTarget both(bank, {large, crop.slice(0, 1)});
  CHECK(both.loss(bank.taps(crop.slice(0, 1)), {1}).item() == doctest::Approx(0).epsilon(1e-6));
  std::vector<Tap> first_levels = bank.taps(pale);
  std::fill(first_levels.begin() + 6, first_levels.end(), Tap{});
  CHECK(both.loss(bank.taps(pale), {0}).item() == doctest::Approx(target.loss(first_levels).item()));
}

TEST_CASE("the style loss is the mean over its taps") {
  Generator rng(8);
  const FilterBank bank;
  const NoGradGuard no_grad;
  const StyleTarget target(bank, {Tensor::uniform({1, 3, 32, 40}, rng)});
  const std::vector<Tap> taps = bank.taps(0.4 * Tensor::uniform({2, 3, 36, 32}, rng));
  double sum = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    std::vector<Tap> one(taps.size());
    one[i] = taps[i];
    sum += target.loss(one).item();
  }
  CHECK(target.loss(taps).item() == doctest::Approx(sum / 6));
  CHECK_THROWS_WITH_AS(target.loss(std::vector<Tap>(taps.size())),
                       doctest::Contains("no style tap in common"), ArgumentError);
  CHECK_THROWS_WITH_AS(target.loss({taps[0]}), doctest::Contains("1 taps for a style picture of 10"),
                       ArgumentError);
}

TEST_CASE("each Gabor answers most to a grating of its own frequency and orientation") {
  const FilterBank bank;
  const NoGradGuard no_grad;
  // Gratings of 0.25 cycles a pixel along x and along y: the first and fourth orientation.
  const auto grating = [](bool along_x) {
    Tensor picture = Tensor::empty({1, 3, 64, 64});
    float* values = picture.mutable_data<float>();
    for (Index i = 0; i < picture.numel(); ++i) {
      const Index position = along_x ? i % 64 : i / 64 % 64;
      values[i] = position % 4 < 2 ? 0.8f : 0.2f;
    }
    return picture;
  };
  const Tensor along_x = mean(bank.taps(grating(true))[0].style, {0, 2, 3});
  const Tensor along_y = mean(bank.taps(grating(false))[0].style, {0, 2, 3});
  // Filters come as (even, odd) pairs per orientation.
  CHECK(along_x.at({0}) + along_x.at({1}) > 5 * (along_x.at({6}) + along_x.at({7})));
  CHECK(along_y.at({6}) + along_y.at({7}) > 5 * (along_y.at({0}) + along_y.at({1})));
}

TEST_CASE("losses are zero where nothing differs, positive elsewhere, and differentiable") {
  Generator rng(5);
  const FilterBank bank;
  const Tensor style = Tensor::uniform({1, 3, 40, 48}, rng);
  const Tensor photographs = Tensor::uniform({2, 3, 32, 36}, rng);
  const StyleTarget target(bank, {style});
  CHECK(target.loss(bank.taps(style)).item() == doctest::Approx(0).epsilon(1e-6));
  CHECK(target.loss(bank.taps(0.3 * photographs)).item() > 0.1);
  CHECK(content_loss(bank.taps(photographs), bank.content(photographs)).item() == 0);
  CHECK(range_loss(photographs).item() == 0);
  CHECK(range_loss(Tensor::from({1.5, -0.5, 0.5, 1}, {4})).item() == doctest::Approx((0.25 + 0.25) / 4));

  Tensor output = Tensor::uniform({2, 3, 32, 36}, rng).requires_grad_();
  const Losses losses = style_transfer_losses(bank, target, output, photographs, {});
  CHECK(losses.total.item() ==
        doctest::Approx(losses.content + 60 * losses.style + 0.05 * losses.tv + 20 * losses.range));
  losses.total.backward();
  // Down the gradient the loss falls, by about what the gradient promises.
  const double slope = sum(square(output.grad())).item();
  const double step = 1e-3 * losses.total.item() / slope;
  const Tensor moved = output.detach() - step * output.grad();
  const double after = style_transfer_losses(bank, target, moved, photographs, {}).total.item();
  CHECK((losses.total.item() - after) / (step * slope) == doctest::Approx(1).epsilon(0.1));
}

TEST_CASE("with several styles each sample is compared with its own") {
  Generator rng(6);
  const FilterBank bank;
  const Tensor a = Tensor::uniform({1, 3, 40, 48}, rng), b = 0.2 * Tensor::uniform({1, 3, 36, 32}, rng);
  const Tensor pictures = Tensor::uniform({3, 3, 32, 36}, rng);
  const StyleTarget both(bank, {a, b}), only_a(bank, {a}), only_b(bank, {b});
  const auto one = [&](const StyleTarget& target, Index n) {
    return target.loss(bank.taps(pictures.slice(n, n + 1))).item();
  };
  CHECK(both.loss(bank.taps(pictures), {1, 0, 1}).item() ==
        doctest::Approx((one(only_b, 0) + one(only_a, 1) + one(only_b, 2)) / 3));
  CHECK(both.loss(bank.taps(pictures), {1}).item() ==
        doctest::Approx(only_b.loss(bank.taps(pictures)).item()));
  CHECK(both.loss(bank.taps(b), {1}).item() == doctest::Approx(0).epsilon(1e-6));
  CHECK_THROWS_WITH_AS(both.loss(bank.taps(pictures), {0, 1}), doctest::Contains("2 styles for a batch of 3"),
                       ArgumentError);
  CHECK_THROWS_AS(both.loss(bank.taps(pictures), {2}), ArgumentError);
  // A sample without a style counts 0, and is held to its photograph instead.
  CHECK(both.loss(bank.taps(pictures), {1, kNoStyle, 1}).item() ==
        doctest::Approx((one(only_b, 0) + one(only_b, 2)) / 3));
  const Tensor photographs = pictures + Tensor::full({3, 1, 1, 1}, 0.1);
  CHECK(photograph_loss(pictures, photographs, {0, kNoStyle, 1}).item() == doctest::Approx(0.01 / 3));
  const Losses losses = style_transfer_losses(bank, both, pictures, photographs, {}, {0, kNoStyle, 1});
  CHECK(losses.photograph == doctest::Approx(0.01 / 3));
  CHECK(losses.total.item() == doctest::Approx(losses.content + 60 * losses.style + 0.05 * losses.tv +
                                               20 * losses.range + 800 * losses.photograph));
}

TEST_CASE("the style loss is computed from its constants: features, weights and directions") {
  Generator rng(10);
  const FilterBank bank;
  const NoGradGuard no_grad;
  const StyleTarget target(bank, {Tensor::uniform({1, 3, 80, 72}, rng)});  // more places than are kept
  const std::vector<Tap> taps = bank.taps(0.4 * Tensor::uniform({2, 3, 34, 32}, rng));
  const NamedTensors all = target.constants(5);
  const std::map<std::string, Tensor> constants(all.begin(), all.end());
  double sum = 0;
  for (int i = 0; i < 6; ++i) {
    const Tensor directions = constants.at(concat_text("directions.", i));
    const Tensor features = constants.at(concat_text("features.", i, ".0"));
    CHECK(features.size(3) <= StyleTarget::kStylePlaces);
    REQUIRE(directions.size(0) == StyleTarget::kDirections);
    const Tensor lengths = gesso::sum(square(directions), {1, 2, 3});
    for (const double length : lengths.to_vector()) {
      CHECK(length == doctest::Approx(1));
    }
    const Tensor distances =
        squared_wasserstein(conv2d(taps[i].style, directions, {}), conv2d(features, directions, {}));
    sum += mean(distances).item() * constants.at(concat_text("weight.", i, ".0")).item();
  }
  CHECK(target.loss(taps, {0}, 5).item() == doctest::Approx(sum / 6));
  CHECK(target.loss(taps, {0}, 5).item() == target.loss(taps, {0}, 5).item());
  CHECK(target.loss(taps, {0}, 6).item() != target.loss(taps, {0}, 5).item());
}

TEST_CASE("style pictures that have no style are refused") {
  const FilterBank bank;
  CHECK_THROWS_WITH_AS(StyleTarget(bank, {Tensor::zeros({1, 3, 16, 64})}), doctest::Contains("at least 32"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(StyleTarget(bank, {Tensor::full({1, 3, 64, 64}, 0.5)}),
                       doctest::Contains("all one colour"), ArgumentError);
}
