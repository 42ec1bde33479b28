// The loss network and the losses of style transfer.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gesso/autograd/channel_moments.h"
#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/optimal_transport.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "painting/filter_bank.h"
#include "painting/losses.h"
#include "painting/split_signs.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

constexpr StyleStatistic kBoth[] = {StyleStatistic::gram, StyleStatistic::wasserstein};

// The pictures themselves and twice their first two channels, of any size and dtype: what losses make of taps
// can be worked out.
struct Colours : LossNetwork {
  std::vector<Tap> taps(const Tensor& pictures) const override {
    return {{.style = pictures, .content = {}},
            {.style = {}, .content = pictures},
            {.style = 2 * slice(pictures, 1, 0, 2), .content = {}}};
  }
  std::vector<Tensor> content(const Tensor& pictures) const override { return {pictures}; }
  Index min_size() const override { return 1; }
};

// Channels of sample n at all places.
std::vector<std::vector<double>> channels_of(const Tensor& x, Index n) {
  std::vector<std::vector<double>> channels;
  for (Index c = 0; c < x.size(1); ++c) {
    channels.push_back(slice(x.slice(n, n + 1), 1, c, c + 1).to_vector());
  }
  return channels;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  return sum / static_cast<double>(values.size());
}

// The formulas of losses.h, one sample against one style.
double naive_gram(const std::vector<std::vector<double>>& f, const std::vector<std::vector<double>>& style) {
  double distance = 0, size = 0;
  const auto element = [](const auto& x, std::size_t c, std::size_t d) {
    double sum = 0;
    for (std::size_t i = 0; i < x[c].size(); ++i) {
      sum += x[c][i] * x[d][i];
    }
    return sum / static_cast<double>(x[c].size());
  };
  for (std::size_t c = 0; c < f.size(); ++c) {
    for (std::size_t d = 0; d < f.size(); ++d) {
      const double wanted = element(style, c, d), difference = element(f, c, d) - wanted;
      distance += difference * difference;
      size += wanted * wanted;
    }
  }
  return distance / size;
}

// For as many places as the style has.
double naive_wasserstein(const std::vector<std::vector<double>>& f,
                         const std::vector<std::vector<double>>& style, const Tensor& directions) {
  const std::size_t places = f[0].size();
  REQUIRE(places == style[0].size());
  double distance = 0, variance = 0;
  for (Index k = 0; k < directions.size(0); ++k) {
    std::vector<double> a(places), b(places);
    for (std::size_t c = 0; c < f.size(); ++c) {
      const double u = directions.at({k, static_cast<Index>(c), 0, 0});
      for (std::size_t i = 0; i < places; ++i) {
        a[i] += u * f[c][i];
        b[i] += u * style[c][i];
      }
    }
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    for (std::size_t i = 0; i < places; ++i) {
      distance += (a[i] - b[i]) * (a[i] - b[i]) / static_cast<double>(places);
    }
  }
  for (const std::vector<double>& channel : style) {
    const double mean = mean_of(channel);
    std::vector<double> squares;
    for (const double value : channel) {
      squares.push_back((value - mean) * (value - mean));
    }
    variance += mean_of(squares) / static_cast<double>(style.size());
  }
  return distance / static_cast<double>(directions.size(0)) / variance;
}

}  // namespace

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
  for (const StyleStatistic statistic : kBoth) {
    const StyleTarget target(bank, {large}, statistic);
    CHECK(target.loss(bank.taps(crop)).item() > 0);
    // A style of few levels among others of many: all are compared on those few.
    const StyleTarget both(bank, {large, crop.slice(0, 1)}, statistic);
    CHECK(both.loss(bank.taps(crop.slice(0, 1)), {1}).item() == doctest::Approx(0).epsilon(1e-6));
    std::vector<Tap> first_levels = bank.taps(pale);
    std::fill(first_levels.begin() + 6, first_levels.end(), Tap{});
    CHECK(both.loss(bank.taps(pale), {0}).item() == doctest::Approx(target.loss(first_levels).item()));
  }
}

TEST_CASE("the style loss is the mean over its taps") {
  Generator rng(8);
  const FilterBank bank;
  const NoGradGuard no_grad;
  const Tensor style = Tensor::uniform({1, 3, 32, 40}, rng);
  const std::vector<Tap> taps = bank.taps(0.4 * Tensor::uniform({2, 3, 36, 32}, rng));
  for (const StyleStatistic statistic : kBoth) {
    const StyleTarget target(bank, {style}, statistic);
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

TEST_CASE("both statistics are what their formulas say") {
  Generator rng(11);
  const Colours network;
  const auto pictures = [&](const Shape& shape, double low, double high) {
    return Tensor::uniform(shape, rng, low, high, float64);
  };
  // As many places, but not in the same shape.
  const Tensor a = pictures({1, 3, 4, 5}, 0, 1), b = pictures({1, 3, 10, 2}, 0.2, 0.7);
  const Tensor x = pictures({3, 3, 2, 10}, -0.2, 1.1);
  const std::vector<Tap> taps = network.taps(x), of_a = network.taps(a), of_b = network.taps(b);
  const std::vector<Index> styles = {1, kNoStyle, 0};
  for (const StyleStatistic statistic : kBoth) {
    const bool gram = statistic == StyleStatistic::gram;
    CAPTURE(gram);
    const StyleTarget target(network, {a, b}, statistic);
    const NamedTensors all = target.constants(3);
    const std::map<std::string, Tensor> constants(all.begin(), all.end());
    double expected = 0;
    for (const std::size_t tap : {0, 2}) {
      for (const Index n : {0, 2}) {
        const auto f = channels_of(taps[tap].style, n);
        const auto wanted = channels_of((styles[n] == 0 ? of_a : of_b)[tap].style, 0);
        expected += gram ? naive_gram(f, wanted)
                         : naive_wasserstein(f, wanted, constants.at(concat_text("directions.", tap)));
      }
    }
    expected /= 3 * 2;  // samples, the one without a style among them, and taps
    CHECK(target.loss(taps, styles, 3).item() == doctest::Approx(expected).epsilon(1e-9));
    CHECK(target.loss(taps, {kNoStyle}).item() == 0);
    check_gradients([&](const auto& in) { return target.loss(network.taps(in[0]), styles, 3); },
                    {x.clone().requires_grad_()});
  }
  // Gram matrices do not see how values are distributed: 0.3 and 0.7 by turns, or three values.
  std::vector<double> two, three;
  for (int i = 0; i < 3 * 16; ++i) {
    two.push_back(i % 2 == 0 ? 0.3 : 0.7);
    three.push_back(i % 4 < 2 ? 0.5 : 0.5 + (i % 4 == 2 ? -0.2 : 0.2) * std::sqrt(2.0));
  }
  const Tensor c = Tensor::from(two, {1, 3, 4, 4}, float64), d = Tensor::from(three, {1, 3, 4, 4}, float64);
  CHECK(StyleTarget(network, {c}, StyleStatistic::gram).loss(network.taps(d)).item() < 1e-12);
  CHECK(StyleTarget(network, {c}, StyleStatistic::wasserstein).loss(network.taps(d)).item() > 0.05);
}

TEST_CASE("the statistic by name; the Gram matrix unless another is asked for") {
  CHECK(style_statistic("gram") == StyleStatistic::gram);
  CHECK(style_statistic("wasserstein") == StyleStatistic::wasserstein);
  CHECK_THROWS_WITH_AS(style_statistic("adain"),
                       "style-loss: unknown loss 'adain'; known are gram, wasserstein", ArgumentError);
  Generator rng(12);
  const Colours network;
  const Tensor style = Tensor::uniform({1, 3, 6, 6}, rng);
  const std::vector<Tap> taps = network.taps(Tensor::uniform({1, 3, 6, 6}, rng));
  CHECK(StyleTarget(network, {style}).loss(taps).item() ==
        StyleTarget(network, {style}, StyleStatistic::gram).loss(taps).item());
}

TEST_CASE("losses are zero where nothing differs, positive elsewhere, and differentiable") {
  Generator rng(5);
  const FilterBank bank;
  const Tensor style = Tensor::uniform({1, 3, 40, 48}, rng);
  const Tensor photographs = Tensor::uniform({2, 3, 32, 36}, rng);
  CHECK(content_loss(bank.taps(photographs), bank.content(photographs)).item() == 0);
  CHECK(range_loss(photographs).item() == 0);
  CHECK(range_loss(Tensor::from({1.5, -0.5, 0.5, 1}, {4})).item() == doctest::Approx((0.25 + 0.25) / 4));

  for (const StyleStatistic statistic : kBoth) {
    CAPTURE((statistic == StyleStatistic::gram));
    const StyleTarget target(bank, {style}, statistic);
    CHECK(target.loss(bank.taps(style)).item() == doctest::Approx(0).epsilon(1e-6));
    CHECK(target.loss(bank.taps(0.3 * photographs)).item() > 0.1);
    const LossWeights w;
    Tensor output = Tensor::uniform({2, 3, 32, 36}, rng, -0.1, 1.1).requires_grad_();
    const Losses losses = style_transfer_losses(bank, target, output, photographs, w);
    CHECK(losses.range > 0);
    CHECK(losses.total.item() == doctest::Approx(w.content * losses.content + w.style * losses.style +
                                                 w.tv * losses.tv + w.range * losses.range));
    losses.total.backward();
    // Down the gradient the loss falls, by about what the gradient promises.
    const double slope = sum(square(output.grad())).item();
    const double step = 1e-3 * losses.total.item() / slope;
    const Tensor moved = output.detach() - step * output.grad();
    const double after = style_transfer_losses(bank, target, moved, photographs, w).total.item();
    CHECK((losses.total.item() - after) / (step * slope) == doctest::Approx(1).epsilon(0.1));
  }
}

TEST_CASE("with several styles each sample is compared with its own") {
  Generator rng(6);
  const FilterBank bank;
  const Tensor a = Tensor::uniform({1, 3, 40, 48}, rng), b = 0.2 * Tensor::uniform({1, 3, 36, 32}, rng);
  const Tensor pictures = Tensor::uniform({3, 3, 32, 36}, rng);
  const Tensor photographs = pictures + Tensor::full({3, 1, 1, 1}, 0.1);
  CHECK(photograph_loss(pictures, photographs, {0, kNoStyle, 1}).item() == doctest::Approx(0.01 / 3));
  for (const StyleStatistic statistic : kBoth) {
    CAPTURE((statistic == StyleStatistic::gram));
    const StyleTarget both(bank, {a, b}, statistic);
    const StyleTarget only_a(bank, {a}, statistic), only_b(bank, {b}, statistic);
    const auto one = [&](const StyleTarget& target, Index n) {
      return target.loss(bank.taps(pictures.slice(n, n + 1))).item();
    };
    // Gram matrices are those of all samples of a style together.
    const double first_and_last =
        statistic == StyleStatistic::gram
            ? 2 * only_b.loss(bank.taps(concat({pictures.slice(0, 1), pictures.slice(2, 3)}, 0))).item()
            : one(only_b, 0) + one(only_b, 2);
    CHECK(both.loss(bank.taps(pictures), {1, 0, 1}).item() ==
          doctest::Approx((first_and_last + one(only_a, 1)) / 3));
    CHECK(both.loss(bank.taps(pictures), {1}).item() ==
          doctest::Approx(only_b.loss(bank.taps(pictures)).item()));
    CHECK(both.loss(bank.taps(b), {1}).item() == doctest::Approx(0).epsilon(1e-6));
    CHECK_THROWS_WITH_AS(both.loss(bank.taps(pictures), {0, 1}),
                         doctest::Contains("2 styles for a batch of 3"), ArgumentError);
    CHECK_THROWS_AS(both.loss(bank.taps(pictures), {2}), ArgumentError);
    // A sample without a style counts 0, and is held to its photograph instead.
    CHECK(both.loss(bank.taps(pictures), {1, kNoStyle, 1}).item() == doctest::Approx(first_and_last / 3));
    const LossWeights w;
    const Losses losses = style_transfer_losses(bank, both, pictures, photographs, w, {0, kNoStyle, 1});
    CHECK(losses.photograph == doctest::Approx(0.01 / 3));
    CHECK(losses.total.item() ==
          doctest::Approx(w.content * losses.content + w.style * losses.style + w.tv * losses.tv +
                          w.range * losses.range + w.photograph * losses.photograph));
  }
}

TEST_CASE("the Wasserstein loss is computed from its constants: features, weights and directions") {
  Generator rng(10);
  const FilterBank bank;
  const NoGradGuard no_grad;
  const StyleTarget target(bank, {Tensor::uniform({1, 3, 80, 72}, rng)},  // more places than are kept
                           StyleStatistic::wasserstein);
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

TEST_CASE("the Gram loss is computed from its constants: Gram matrices and weights") {
  Generator rng(10);
  const FilterBank bank;
  const NoGradGuard no_grad;
  const StyleTarget target(bank,
                           {Tensor::uniform({1, 3, 80, 72}, rng), Tensor::uniform({1, 3, 40, 40}, rng)});
  const std::vector<Tap> taps = bank.taps(0.4 * Tensor::uniform({2, 3, 34, 32}, rng));
  const NamedTensors all = target.constants();
  CHECK(all.size() == 6 * 2 * 2);  // taps, styles, a matrix and a weight
  const std::map<std::string, Tensor> constants(all.begin(), all.end());
  double sum = 0;
  for (int i = 0; i < 6; ++i) {
    const Tensor wanted = constants.at(concat_text("features.", i, ".1"));
    REQUIRE(wanted.shape() == Shape{1, taps[i].style.size(1), taps[i].style.size(1)});
    const Tensor gram = mean(gram_matrix(taps[i].style, GramNormalizer::pixels), {0}, true);
    sum += mean(square(gram - wanted)).item() * constants.at(concat_text("weight.", i, ".1")).item();
  }
  CHECK(target.loss(taps, {1}).item() == doctest::Approx(sum / 6));
  CHECK(target.loss(taps, {1}, 6).item() == target.loss(taps, {1}, 5).item());  // nothing is drawn
}

TEST_CASE(
    "the Gram loss of a batch is that of its samples laid side by side, of views that of all together") {
  Generator rng(14);
  const Colours network;
  const Tensor style = Tensor::uniform({1, 3, 4, 5}, rng, 0, 1, float64);
  const Tensor x = Tensor::uniform({1, 3, 6, 4}, rng, 0, 1, float64);
  const auto halves = [](const Tensor& picture) {
    const Index middle = picture.size(2) / 2;
    return concat({slice(picture, 2, 0, middle), slice(picture, 2, middle, 2 * middle)}, 0);
  };
  const StyleTarget target(network, {style});
  const double whole = target.loss(network.taps(x)).item();
  CHECK(target.loss(network.taps(halves(x))).item() == doctest::Approx(whole));
  CHECK(StyleTarget(network, {halves(style)}).loss(network.taps(x)).item() == doctest::Approx(whole));
  check_gradients(
      [&](const auto& in) {
        return target.loss(network.taps(in[0]), {0, kNoStyle, 0});
      },
      {Tensor::uniform({3, 3, 4, 4}, rng, 0, 1, float64).requires_grad_()});
}

TEST_CASE("style pictures that have no style are refused") {
  const FilterBank bank;
  for (const StyleStatistic statistic : kBoth) {
    CHECK_THROWS_WITH_AS(StyleTarget(bank, {Tensor::zeros({1, 3, 16, 64})}, statistic),
                         doctest::Contains("at least 32"), ArgumentError);
    // A style picture of one colour, or black, gives a loss that can be trained on, if to no purpose.
    Generator rng(2);
    const std::vector<Tap> taps = bank.taps(Tensor::uniform({1, 3, 64, 64}, rng));
    for (const double gray : {0.0, 0.5}) {
      CHECK(std::isfinite(
          StyleTarget(bank, {Tensor::full({1, 3, 64, 64}, gray)}, statistic).loss(taps).item()));
    }
    CHECK_THROWS_WITH_AS(StyleTarget(bank, {}, statistic), doctest::Contains("there is none"), ArgumentError);
    CHECK_THROWS_WITH_AS(StyleTarget(bank, {Tensor::zeros({3, 64, 64})}, statistic),
                         doctest::Contains("it must be one picture"), ArgumentError);
  }
  Tensor picture = Tensor::full({1, 3, 64, 64}, 0.5);
  CHECK_THROWS_WITH_AS(check_texture(picture), doctest::Contains("all one colour"), ArgumentError);
  picture.set({0, 2, 5, 7}, 0.6);
  check_texture(picture);
}
