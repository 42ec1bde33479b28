// Films: frames through a style network, and statistics smoothed over them.
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/files/file.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "painting/film.h"
#include "painting/stylize.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

constexpr Index kWidth = 18, kHeight = 10;

// Noise that is lighter in every second frame.
std::string flickering_film(int frames) {
  Generator rng(7);
  const std::vector<double> scene = Tensor::uniform({kHeight * kWidth * 3}, rng, 40, 200).to_vector();
  std::string bytes;
  for (int f = 0; f < frames; ++f) {
    for (const double value : scene) {
      bytes += static_cast<char>(static_cast<unsigned char>(std::lround(value * (f % 2 == 0 ? 1.0 : 1.25))));
    }
  }
  return bytes;
}

struct Repainted {
  FlickerScore score;
  std::string bytes;
};

Repainted repaint(StyleNetwork& network, const std::string& film, const FilmOptions& options) {
  const TemporaryFolder folder;
  write_bytes(folder / "in.rgb", film);
  std::FILE* in = std::fopen((folder / "in.rgb").c_str(), "rb");
  std::FILE* out = std::fopen((folder / "out.rgb").c_str(), "wb");
  Repainted result;
  try {
    result.score = repaint_film(network, options, in, out);
  } catch (...) {
    std::fclose(in);
    std::fclose(out);
    throw;
  }
  std::fclose(in);
  std::fclose(out);
  result.bytes = read_file(folder / "out.rgb");
  return result;
}

}  // namespace

TEST_CASE("frames are painted as pictures are") {
  Generator rng(1);
  StyleNetwork network({.width = 2, .blocks = 1}, rng);
  const std::string film = flickering_film(3);
  CHECK(repaint(network, film, {.width = kWidth, .height = kHeight}).score.frames == 3);
  Tensor picture = Tensor::empty({1, 3, kHeight, kWidth});
  const auto byte = [](const std::string& bytes, Index i) {
    return static_cast<int>(static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]));
  };
  for (Index i = 0; i < kHeight * kWidth; ++i) {
    for (Index c = 0; c < 3; ++c) {
      picture.set({0, c, i / kWidth, i % kWidth}, byte(film, 3 * i + c) / 255.0);
    }
  }
  for (const double scale : {1.0, 0.5}) {
    const Tensor painted = stylize(network, picture, {.scale = scale});
    const std::string bytes =
        repaint(network, film, {.width = kWidth, .height = kHeight, .paint = {.scale = scale}}).bytes;
    REQUIRE(bytes.size() == film.size());
    for (Index i = 0; i < kHeight * kWidth; ++i) {
      for (Index c = 0; c < 3; ++c) {
        CHECK(byte(bytes, 3 * i + c) == std::lround(255 * painted.at({0, c, i / kWidth, i % kWidth})));
      }
    }
  }
  CHECK(repaint(network, "", {.width = kWidth, .height = kHeight}).score.frames == 0);
  CHECK_THROWS_WITH_AS(
      repaint(network, film.substr(0, film.size() - 1), {.width = kWidth, .height = kHeight}),
      doctest::Contains("frame 3 has 539 bytes of 540"), FileError);
  CHECK_THROWS_AS(repaint(network, film, {.width = 0, .height = 3}), ArgumentError);
}

TEST_CASE("a film that breaks off leaves no smoothing behind") {
  Generator rng(1);
  StyleNetwork network({.width = 2, .blocks = 1}, rng);
  const std::string film = flickering_film(3);
  const FilmOptions plain{.width = kWidth, .height = kHeight};
  const Repainted before = repaint(network, film, plain);
  FilmOptions smooth = plain;
  smooth.smooth = 0.9;
  CHECK(repaint(network, film, smooth).bytes != before.bytes);
  CHECK_THROWS_AS(repaint(network, film.substr(0, film.size() - 1), smooth), FileError);
  CHECK(repaint(network, film, plain).bytes == before.bytes);
}

TEST_CASE("a disk that is full is reported") {
  Generator rng(1);
  StyleNetwork network({.width = 2, .blocks = 0}, rng);
  const TemporaryFolder folder;
  write_bytes(folder / "in.rgb", flickering_film(1));
  std::FILE* in = std::fopen((folder / "in.rgb").c_str(), "rb");
  std::FILE* full = std::fopen("/dev/full", "wb");
  REQUIRE(full != nullptr);
  CHECK_THROWS_WITH_AS(repaint_film(network, {.width = kWidth, .height = kHeight}, in, full),
                       doctest::Contains("the disk is full"), FileError);
  std::fclose(in);
  std::fclose(full);
}

TEST_CASE("smoothed statistics follow the formula, over any number of styles, and end when told so") {
  Generator rng(2);
  const NoGradGuard no_grad;
  const Tensor a = Tensor::randn({1, 3, 4, 5}, rng), b = 2 * Tensor::randn({1, 3, 4, 5}, rng) + 1;
  InstanceNorm2d norm(3, {.affine = true});
  norm.then(Activation::relu);
  norm.weight.copy_(Tensor::uniform({3}, rng, 0.5, 2));
  norm.bias.copy_(Tensor::uniform({3}, rng, -1, 1));
  const Tensor alone_a = norm(a), alone_b = norm(b);
  std::optional<SmoothedStatistics> smoothed(std::in_place, norm, 0.75);
  CHECK(largest_difference(norm(a), alone_a) < 1e-5);  // the first frame: its own
  const Tensor second = norm(b);
  for (Index c = 0; c < 3; ++c) {
    const auto moments_of = [&](const Tensor& x) {
      double mean = 0, square = 0;
      for (Index i = 0; i < 20; ++i) {
        mean += x.at({0, c, i / 5, i % 5}) / 20;
        square += x.at({0, c, i / 5, i % 5}) * x.at({0, c, i / 5, i % 5}) / 20;
      }
      return std::pair{mean, square - mean * mean};
    };
    const auto [mean_a, variance_a] = moments_of(a);
    const auto [mean_b, variance_b] = moments_of(b);
    const double mean = 0.75 * mean_a + 0.25 * mean_b, variance = 0.75 * variance_a + 0.25 * variance_b;
    for (Index i = 0; i < 20; ++i) {
      const double xhat = (b.at({0, c, i / 5, i % 5}) - mean) / std::sqrt(variance + 1e-5);
      CHECK(second.at({0, c, i / 5, i % 5}) ==
            doctest::Approx(std::max(0.0, norm.weight.at({c}) * xhat + norm.bias.at({c}))).epsilon(1e-4));
    }
  }
  smoothed.reset();
  CHECK(identical(norm(b), alone_b));

  ConditionalInstanceNorm2d conditional(2, 3);
  conditional.then(Activation::relu);
  conditional.weight.copy_(concat({Tensor::ones({1, 3}), norm.weight.reshape({1, 3})}, 0));
  conditional.bias.copy_(concat({Tensor::ones({1, 3}), norm.bias.reshape({1, 3})}, 0));
  conditional.set_style(1);
  smoothed.emplace(conditional, 0.75);
  conditional(a);
  CHECK(largest_difference(conditional(b), second) < 1e-5);

  CHECK_THROWS_WITH_AS(SmoothedStatistics(norm, 1), doctest::Contains("below 1"), ArgumentError);
  smoothed.emplace(norm, 0.5);
  CHECK_THROWS_WITH_AS(norm(Tensor::zeros({2, 3, 4, 5})), doctest::Contains("one picture at a time"),
                       ArgumentError);
  GroupNorm group(1, 3);
  smoothed.emplace(group, 0.5);
  CHECK_THROWS_WITH_AS(group(a), doctest::Contains("in instance norms"), ArgumentError);
  smoothed.reset();  // before the layers
}

TEST_CASE("smoothing makes a flickering film flicker less") {
  // Something bright in every second frame changes the statistics, and through them the whole picture.
  Generator rng(3);
  StyleNetwork network({.width = 4, .blocks = 1}, rng);
  std::string film;
  for (int f = 0; f < 8; ++f) {
    for (Index i = 0; i < 32 * 32 * 3; ++i) {
      // Something bright at the left, in every second frame.
      const bool passing = (i / 3) % 32 < 6 && f % 2 == 1;
      film += static_cast<char>(passing ? 255 : 40 + (i * 37) % 90);
    }
  }
  const Repainted each = repaint(network, film, {.width = 32, .height = 32});
  const Repainted smooth = repaint(network, film, {.width = 32, .height = 32, .smooth = 0.9});
  CHECK(each.score.change == doctest::Approx(smooth.score.change));
  CHECK(smooth.score.painted_change < each.score.painted_change);
  // All but the left stands still, and is where the painting flickers.
  CHECK(each.score.still == doctest::Approx(26.0 / 32));
  CHECK(each.score.still_change == 0);
  CHECK(smooth.score.flicker() < 0.7 * each.score.flicker());
}

TEST_CASE("a network whose paintings are not numbers writes no frame") {
  Generator rng(1);
  StyleNetwork network({.width = 2, .blocks = 1}, rng);
  const std::string film = flickering_film(2);
  StateDict state = network.state_dict();
  for (auto& [name, tensor] : state) {
    if (name == "deconv3.conv2d.bias") {
      tensor = Tensor::full(tensor.shape(), NAN);
    }
  }
  network.load_state_dict(state);
  const TemporaryFolder folder;
  write_bytes(folder / "in.rgb", film);
  std::FILE* const in = std::fopen((folder / "in.rgb").c_str(), "rb");
  std::FILE* const out = std::fopen((folder / "out.rgb").c_str(), "wb");
  CHECK_THROWS_WITH_AS(repaint_film(network, {.width = kWidth, .height = kHeight}, in, out),
                       doctest::Contains("painting of frame 1 is not a picture"), Error);
  std::fclose(in);
  std::fclose(out);
  CHECK(read_file(folder / "out.rgb").empty());
}
