// The program draw-styles, and the parts that it draws with.
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "files.h"
#include "gesso/core/pictures/picture.h"
#include "paths.h"
#include "support.h"
#include "tools/draw_styles/canvas.h"
#include "tools/draw_styles/filters.h"
#include "tools/draw_styles/hatch.h"
#include "tools/draw_styles/noise.h"
#include "tools/draw_styles/panes.h"
#include "tools/draw_styles/shapes.h"
#include "tools/draw_styles/stroke.h"

using gesso::Generator;
using gesso::Tensor;
using gesso::testing::TemporaryFolder;

namespace {

constexpr std::array kNames{"stained_glass", "engraving", "brush_strokes", "waves"};

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Outcome {
  int exit_code;
  std::string out, error;
};

Outcome run(const std::string& arguments, const std::string& environment = "") {
  const TemporaryFolder folder;
  const std::string command = environment + " " + gesso::testing::program_path("draw-styles") + " " +
                              arguments + " >'" + folder / "out" + "' 2>'" + folder / "error" + "'";
  const int status = std::system(command.c_str());
  REQUIRE(WIFEXITED(status));
  return {WEXITSTATUS(status), read(folder / "out"), read(folder / "error")};
}

// Mean |a - b| of two pictures, a averaged (in linear light, nearly) over squares down to the size of b.
double difference(const Tensor& a, const Tensor& b) {
  const gesso::Index times = a.size(2) / b.size(2), height = b.size(2),
                     width = std::min(b.size(3), a.size(3) / times);
  const float *pa = a.data<float>(), *pb = b.data<float>();
  double sum = 0;
  for (gesso::Index c = 0; c < 3; ++c) {
    for (gesso::Index y = 0; y < height; ++y) {
      for (gesso::Index x = 0; x < width; ++x) {
        double mean = 0;
        for (gesso::Index i = 0; i < times * times; ++i) {
          mean +=
              std::pow(pa[(c * a.size(2) + y * times + i / times) * a.size(3) + x * times + i % times], 2.2);
        }
        sum += std::abs(std::pow(mean / static_cast<double>(times * times), 1 / 2.2) -
                        pb[(c * height + y) * b.size(3) + x]);
      }
    }
  }
  return sum / static_cast<double>(3 * height * width);
}

}  // namespace

TEST_CASE("the same seed draws the same files for any number of threads, another seed others") {
  const TemporaryFolder folder;
  const std::string size = " --size 24 --seed ";
  REQUIRE(run("--out " + folder / "a" + size + "3", "GESSO_NUM_THREADS=1").exit_code == 0);
  REQUIRE(run("--out " + folder / "b" + size + "3", "GESSO_NUM_THREADS=3").exit_code == 0);
  REQUIRE(run("--out " + folder / "c" + size + "4").exit_code == 0);
  REQUIRE(run("--out " + folder / "only" + size + "3 --only waves").exit_code == 0);
  for (const std::string name : kNames) {
    CAPTURE(name);
    const std::string file = "/" + name + ".jpg";
    CHECK(gesso::load_picture(folder / "a" + file).shape() == gesso::Shape{1, 3, 24, 32});
    CHECK(read(folder / "a" + file) == read(folder / "b" + file));
    CHECK(read(folder / "a" + file) != read(folder / "c" + file));
    CHECK(std::filesystem::exists(folder / "only" + file) == (name == "waves"));
  }
  CHECK(read(folder / "only/waves.jpg") == read(folder / "a/waves.jpg"));
}

TEST_CASE("the bundled style pictures are what the program draws, at any size") {
  const TemporaryFolder folder;
  REQUIRE(run("--size 48 --out " + folder.path()).exit_code == 0);
  for (const std::string name : kNames) {
    const Tensor bundled =
        gesso::load_picture(gesso::testing::source_path("examples/assets/styles/") + name + ".jpg");
    REQUIRE(bundled.size(2) == 384);
    const Tensor small = gesso::load_picture(folder / (name + ".jpg"));
    const double off = difference(bundled, small);
    CAPTURE(name);
    CHECK(off < 0.1);
    const Tensor other = gesso::load_picture(folder / (name == "waves" ? "engraving.jpg" : "waves.jpg"));
    CHECK(difference(bundled, other) > 0.2);
  }
}

TEST_CASE("usage: --help teaches, bad usage is 2 and failure 1, each with one line on standard error") {
  const Outcome help = run("--help");
  CHECK(help.exit_code == 0);
  CHECK(help.out.find("style network learns") != std::string::npos);
  CHECK(help.error.empty());
  const TemporaryFolder folder;
  const auto one_line = [](const std::string& text) {
    return text.size() > 20 && text.find('\n') == text.size() - 1 && text.starts_with("draw-styles: ");
  };
  for (const std::string& arguments :
       {std::string(), "--out " + folder / "x" + " --size 0", "--out " + folder / "x" + " --size many",
        "--out " + folder / "x" + " --seed -1", "--out " + folder / "x" + " --only monalisa",
        "--out " + folder / "x" + " --frame gold", std::string("--out")}) {
    CAPTURE(arguments);
    const Outcome bad = run(arguments);
    CHECK(bad.exit_code == 2);
    CHECK_MESSAGE(one_line(bad.error), bad.error);
    CHECK(bad.out.empty());
  }
  CHECK_FALSE(std::filesystem::exists(folder / "x"));
  gesso::testing::write_bytes(folder / "file", "in the way");
  for (const std::string out : {"file", "file/below"}) {
    const Outcome failed = run("--size 16 --out " + folder / out);
    CHECK(failed.exit_code == 1);
    CHECK_MESSAGE(one_line(failed.error), failed.error);
    CHECK(failed.error.find(folder / out) != std::string::npos);
  }
}

TEST_CASE("distance_to is the distance to the nearest pixel inside") {
  const draw::Canvas canvas(5, 1.4);
  Generator rng(3);
  std::vector<std::pair<int, int>> inside;
  for (int i = 0; i < 9; ++i) {
    inside.emplace_back(rng.below(canvas.width()), rng.below(canvas.height()));
  }
  const draw::Field distance = draw::distance_to(
      canvas, [&](int x, int y) { return std::ranges::find(inside, std::pair(x, y)) != inside.end(); });
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      double least = std::numeric_limits<double>::infinity();
      for (const auto& [i, j] : inside) {
        least = std::min(least, std::hypot(x - i, y - j));
      }
      CHECK(distance.at(x, y) == doctest::Approx(least / canvas.scale()));
    }
  }
  CHECK(draw::distance_to(canvas, [](int, int) { return false; }).at(3, 3) > 1000);
}

TEST_CASE("blurred spreads a spot as a Gaussian of the given width") {
  const draw::Canvas canvas(40, 1.2);
  draw::Field spot(canvas);
  const int cx = canvas.width() / 2, cy = canvas.height() / 2;
  spot.at(cx, cy) = 1;
  const draw::Field result = draw::blurred(canvas, spot, 0.05);
  double sum = 0, variance = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      sum += result.at(x, y);
      variance += result.at(x, y) * (x - cx) * (x - cx);
    }
  }
  CHECK(sum == doctest::Approx(1).epsilon(1e-4));
  CHECK(std::sqrt(variance) / canvas.scale() == doctest::Approx(0.05).epsilon(0.05));
}

TEST_CASE("fill covers a polygon exactly: a pixel's colour is the share of it that is covered") {
  draw::Canvas canvas(8, 1.0);
  draw::fill(canvas, {{0.25, 0.125}, {0.8125, 0.125}, {0.8125, 0.5}, {0.25, 0.5}}, [](draw::Point) {
    return draw::Color{1, 1, 1};
  });
  const Tensor picture = canvas.picture();
  const auto light = [&](int x, int y) { return picture.at({0, 1, y, x}); };
  CHECK(light(1, 2) == 0);
  CHECK(light(2, 1) == 1);
  CHECK(light(5, 3) == 1);
  CHECK(light(6, 3) == doctest::Approx(draw::to_srgb(0.5)));  // half covered, in linear light
  CHECK(light(5, 4) == 0);
  CHECK(light(5, 0) == 0);
}

TEST_CASE("cover finds the pixels within the radius, and how far along and across they lie") {
  const draw::Canvas canvas(10, 1.0);
  const auto touches = draw::cover(canvas, {{{0.2, 0.5}, {0.5, 0.5}, {0.8, 0.5}}, {0.1, 0.1, 0.1}});
  std::size_t expected = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      const draw::Point p = canvas.point(x, y);
      const double dx = p.x - std::clamp(p.x, 0.2, 0.8);
      expected += std::hypot(dx, p.y - 0.5) < 0.1;
    }
  }
  CHECK(touches.size() == expected);
  for (const draw::Touch& touch : touches) {
    const draw::Point p = canvas.point(touch.x, touch.y);
    CHECK(touch.along == doctest::Approx(std::clamp(p.x, 0.2, 0.8) - 0.2));
    if (p.x > 0.2 && p.x < 0.8) {
      CHECK(touch.across == doctest::Approx((p.y - 0.5) / 0.1));
    }
  }
  CHECK(draw::cover(canvas, {{{-3, 0.5}, {-2, 0.5}}, {0.1, 0.1}}).empty());
}

TEST_CASE("hatching stays inside and keeps its distance, and leaves no room for another line") {
  Generator rng(5);
  const draw::Noise noise(rng);
  const double spacing = 0.03;
  const auto inside = [](draw::Point p) { return length(p - draw::Point{0.5, 0.5}) < 0.4; };
  const auto lines = draw::hatch(
      inside, [&](draw::Point p) { return draw::along(1.2 * noise(p * 2)); }, 1.0, spacing, rng);
  REQUIRE(lines.size() > 10);
  double nearest = 1;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (const draw::Point p : lines[i]) {
      CHECK(inside(p));
      for (std::size_t j = 0; j < i; ++j) {
        for (const draw::Point q : lines[j]) {
          nearest = std::min(nearest, length(p - q));
        }
      }
    }
  }
  CHECK(nearest > 0.5 * spacing);
  double emptiest = 0;
  for (int k = 0; k < 400; ++k) {
    const draw::Point p = draw::Point{0.5, 0.5} + draw::along(rng.uniform(0, 6.3)) * rng.uniform(0, 0.33);
    double free = 1;
    for (const auto& line : lines) {
      for (const draw::Point q : line) {
        free = std::min(free, length(p - q));
      }
    }
    emptiest = std::max(emptiest, free);
  }
  CHECK(emptiest < 2 * spacing);
}

TEST_CASE("panes keep to their regions and are about as large as asked for") {
  const draw::Canvas canvas(24, 1.5);
  const auto region = [](draw::Point p) { return length(p - draw::Point{0.6, 0.5}) < 0.3 ? 1 : 0; };
  Generator rng(2);
  const draw::Panes panes = draw::cut_panes(canvas, region, {{.pane = 0.2}, {.pane = 0.1}}, rng);
  std::vector<double> area(panes.panes.size(), 0);
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      const int label = panes.labels[static_cast<std::size_t>(y) * canvas.width() + x];
      CHECK(panes.panes[label].region == region(canvas.point(x, y)));
      area[label] += 1 / (canvas.scale() * canvas.scale());
    }
  }
  for (std::size_t i = 0; i < area.size(); ++i) {
    const double side = std::sqrt(area[i]), asked = panes.panes[i].region == 1 ? 0.1 : 0.2;
    CHECK(side > 0.5 * asked);
    CHECK(side < 1.6 * asked);
  }
}

TEST_CASE("colours: hex and sRGB are inverse, mixing ends at its ends, varying nothing changes nothing") {
  const draw::Color c = draw::hex(0x3A7FC2);
  const auto close = [](draw::Color a, draw::Color b) {
    return std::abs(a.r - b.r) < 1e-6 && std::abs(a.g - b.g) < 1e-6 && std::abs(a.b - b.b) < 1e-6;
  };
  CHECK(draw::to_srgb(c.r) * 255 == doctest::Approx(0x3A));
  CHECK(draw::to_srgb(c.g) * 255 == doctest::Approx(0x7F));
  CHECK(draw::to_srgb(c.b) * 255 == doctest::Approx(0xC2));
  const draw::Color white = draw::hex(0xFFFFFF);
  CHECK(close(draw::mix(c, white, 0), c));
  CHECK(close(draw::mix(c, white, 1), white));
  CHECK(close(draw::vary(c, 0), c));
  CHECK(close(draw::ramp({{0.0, c}, {1.0, white}}, -1), c));
  CHECK(close(draw::ramp({{0.0, c}, {1.0, white}}, 2), white));
  CHECK(close(draw::ramp({{0.0, c}, {1.0, white}}, 0.25), draw::mix(c, white, 0.25)));
  const draw::Color gray = draw::vary(c, 0, 0);  // without colourfulness: equal channels
  CHECK(gray.r == doctest::Approx(gray.g).epsilon(1e-4));
  CHECK(gray.g == doctest::Approx(gray.b).epsilon(1e-4));
}
