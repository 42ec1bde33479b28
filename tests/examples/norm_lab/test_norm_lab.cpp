// norm-lab: what its experiments show holds, for its own example and for random batches; and the program.
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/core/files/file.h"
#include "gesso/core/pictures/picture.h"
#include "norm_lab/demonstrate.h"
#include "norm_lab/demonstrations.h"
#include "norm_lab/walk.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
using doctest::Approx;

namespace {

const std::string kPhoto = source_path("examples/assets/photos/cat.jpg");

// The lab's own numbers, and batches of other sizes with contrasts and means of their own.
std::vector<norm_lab::Example> examples() {
  std::vector<norm_lab::Example> all = {norm_lab::number_example()};
  Generator rng(4);
  for (const Shape& shape : {Shape{2, 1, 1, 2}, Shape{3, 4, 5, 7}, Shape{5, 2, 1, 6}, Shape{2, 3, 17, 8}}) {
    const Tensor spread = Tensor::uniform({shape[0], shape[1], 1, 1}, rng, 0.5, 4, float64);
    const double offset =
        rng.uniform(-5, 5);  // one after the other: compilers draw in other orders inside a sum
    const Tensor x = Tensor::randn(shape, rng, float64) * spread + offset;
    all.push_back({x, Tensor::randn(shape, rng, float64) + 0.3, {}});
  }
  return all;
}

}  // namespace

TEST_CASE("IN(a x + b) = IN(x) for a > 0, up to eps and as its formula says; not so batch norm") {
  for (const norm_lab::Example& example : examples()) {
    CAPTURE(example.x.shape().str());
    for (double a : {1.0, 1.5, 20.0, 0.3}) {
      for (double b : {0.0, 7.0, -2.0}) {
        const norm_lab::Invariance seen = norm_lab::invariance(example.x, a, b);
        CAPTURE(a);
        CAPTURE(b);
        CHECK(seen.instance_change < 2e-3);
        CHECK(seen.instance_change == Approx(seen.from_eps).epsilon(1e-6));
        if (a != 1 || b != 0) {
          CHECK(seen.batch_change > 0.01);
        }
      }
    }
    CHECK(norm_lab::invariance(example.x, 1, 3).instance_change < 1e-10);
    const norm_lab::Invariance faint = norm_lab::invariance(example.x, 1e-3, 0);  // variance near eps
    CHECK(faint.instance_change > 0.01);
    CHECK(faint.instance_change == Approx(faint.from_eps));
    CHECK(norm_lab::invariance(example.x, -1, 0).instance_change > 0.5);
  }
}

TEST_CASE("changing one sample moves the others in batch norm and not at all in instance norm") {
  for (const norm_lab::Example& example : examples()) {
    const norm_lab::Neighbours seen = norm_lab::change_a_neighbour(example.x);
    CHECK(seen.instance_change == 0);
    CHECK(seen.batch_change > 0.01);
  }
}

TEST_CASE("the gradient is orthogonal to 1, and to x-hat but for what eps leaves") {
  for (const norm_lab::Example& example : examples()) {
    const auto planes = norm_lab::orthogonality(example.x, example.upstream);
    CHECK(static_cast<Index>(planes.size()) == example.x.size(0) * example.x.size(1));
    for (const norm_lab::Orthogonality& plane : planes) {
      const double size =
          std::abs(plane.upstream_along_one) + std::abs(plane.upstream_along_xhat) + plane.size;
      CHECK(std::abs(plane.along_one) < 1e-13 * size);
      CHECK(std::abs(plane.along_xhat - plane.from_eps) < 1e-12 * size);
      CHECK(std::abs(plane.along_xhat) < 1e-2 * size);
    }
    // The upstream gradient is neither: there is something to take off.
    CHECK(std::abs(planes[0].upstream_along_one) > 1e-3);
  }
}

TEST_CASE("a convolution's bias before a normalization by its own statistics gets zero gradient") {
  for (const norm_lab::Example& example : examples()) {
    const auto rows = norm_lab::bias_gradients(example.x);
    REQUIRE(rows.size() == 4);
    for (const norm_lab::BiasGradient& row : rows) {
      CAPTURE(row.norm);
      CHECK(row.weight > 1e-4);
      if (row.norm == "instance" || row.norm == "batch, train") {
        CHECK(row.bias < 1e-13);
      } else {
        CHECK(row.bias > 1e-2);
      }
    }
  }
}

TEST_CASE("batch norm of one sample is instance norm; in company its results scatter, less in a larger one") {
  for (const norm_lab::Example& example : examples()) {
    const norm_lab::BatchOfOne seen = norm_lab::batch_of_one(example.x);
    CHECK(seen.to_instance == 0);
    REQUIRE(seen.companies.size() == 6);
    CHECK(seen.companies[0].spread < 1e-7);
    CHECK(seen.companies[1].spread > 0.1);
    for (std::size_t i = 2; i < seen.companies.size(); ++i) {
      CHECK(seen.companies[i].batch_size == 2 * seen.companies[i - 1].batch_size);
    }
    CHECK(seen.companies[5].spread < 0.6 * seen.companies[1].spread);
    CHECK(seen.refusal.find("1 value for each channel") != std::string::npos);
  }
}

TEST_CASE("evaluation agrees with training once the running statistics have arrived, but for m - 1") {
  for (const norm_lab::Example& example : examples()) {
    const norm_lab::TrainAgainstEvalAll seen = norm_lab::train_against_eval(example.x);
    for (const norm_lab::TrainAgainstEval& row : seen.rows) {
      const double old = std::pow(0.9, row.steps);
      CHECK(row.running_mean == Approx((1 - old) * seen.mean));
      CHECK(row.running_var == Approx(old + (1 - old) * seen.unbiased_variance));
      CHECK(row.instance_difference == 0);
    }
    const Shape& shape = example.x.shape();
    const double m = static_cast<double>(shape[0] * shape[2] * shape[3]);
    // x-hat shrinks by sqrt((m - 1) / m); the largest x-hat of m numbers is at most sqrt(m - 1).
    CHECK(seen.rows.back().batch_difference > 0);
    CHECK(seen.rows.back().batch_difference < std::sqrt(m - 1) * (1 - std::sqrt((m - 1) / m)) + 2e-3);
    CHECK(seen.rows.front().batch_difference > 2 * seen.rows.back().batch_difference);
  }
}

TEST_CASE("the walk's terms add up to what backward computes, for every norm") {
  using norm_lab::Norm;
  for (const norm_lab::Example& example : examples()) {
    for (const Norm norm : {Norm::instance, Norm::batch, Norm::layer, Norm::group}) {
      CAPTURE(norm_lab::name_of(norm));
      const auto layer = norm_lab::make_layer(norm, example.x.shape(), 1);
      const norm_lab::Gradients seen = norm_lab::gradients_of(*layer, example);
      CHECK(seen.difference == 0);
      CHECK(identical(seen.seen.dx, seen.dx));
    }
  }
  // What the example's words promise.
  const norm_lab::Example example = norm_lab::number_example();
  const auto layer = norm_lab::make_layer(Norm::instance, example.x.shape(), 1);
  const NormalizationTerms terms = norm_lab::gradients_of(*layer, example).seen.parts.at(0);
  CHECK(terms.mean.to_vector() == std::vector<double>{4, 1, 10, 1});
  CHECK(terms.removed_by_mean.at({0, 1}) == Approx(1));
  CHECK(terms.removed_by_xhat.at({1, 0}) == Approx(1));
}

TEST_CASE("histograms count every value once, and colour maps are blue, white and red") {
  const Tensor x = Tensor::from({0, 1, 2, 3, 4, 4, 4, 4}, {1, 2, 2, 2}, float64);
  const norm_lab::Counts counts = norm_lab::count_values(x, 4);
  CHECK(counts.low == 0);
  CHECK(counts.high == 4);
  CHECK(counts.planes == std::vector<std::vector<Index>>{{1, 1, 1, 1}, {0, 0, 0, 4}});
  CHECK(norm_lab::count_values(Tensor::ones({1, 1, 2, 2}, float64), 3).planes[0][0] == 4);
  const Tensor map = norm_lab::color_map(Tensor::from({-2, 0, 1, 9}, {1, 1, 2, 2}, float64), 0, 2);
  const auto color = [&](Index i, Index j) {
    return std::vector<double>{map.at({0, 0, i, j}), map.at({0, 1, i, j}), map.at({0, 2, i, j})};
  };
  CHECK(color(0, 0)[2] > 2 * color(0, 0)[0]);  // blue
  CHECK(color(0, 1)[0] == color(0, 1)[2]);     // white
  CHECK(color(1, 1)[0] > 2 * color(1, 1)[2]);  // red, no more than the strongest
  CHECK(color(1, 0)[1] == Approx((color(0, 1)[1] + color(1, 1)[1]) / 2));
  CHECK(norm_lab::short_number(0.45123) == "0.4512");
  CHECK(norm_lab::short_number(-1.26e-7) == "-1.3e-07");
  CHECK(norm_lab::short_number(0) == "0");
  CHECK(norm_lab::short_number(11353.6) == "11354");
}

namespace {

struct Outcome {
  int status;
  std::string out, error;
};

Outcome run(const std::string& arguments) {
  const TemporaryFolder folder;
  const int status = std::system(
      (program_path("norm-lab") + " " + arguments + " >'" + folder / "out" + "' 2>'" + folder / "error" + "'")
          .c_str());
  return {WEXITSTATUS(status), read_file(folder / "out"), read_file(folder / "error")};
}

// Letters on the screen, not bytes.
std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    longest = std::max(longest, static_cast<std::size_t>(std::ranges::count_if(line, [](char c) {
                         return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
                       })));
  }
  return longest;
}

}  // namespace

TEST_CASE("the program tells all of it, within 80 columns") {
  for (const std::string& arguments :
       {std::string(), std::string("--norm batch"), std::string("--norm layer"),
        std::string("--norm group --groups 2"), "--size 24 --norm batch --picture " + kPhoto,
        "--size 24 --norm group --groups 3 --picture " + kPhoto}) {
    CAPTURE(arguments);
    const Outcome outcome = run(arguments);
    CHECK(outcome.status == 0);
    CHECK(outcome.error.empty());
    CHECK(longest_line(outcome.out) <= 80);
    for (const char* text : {"1. Input", "x-hat = (x - mean) inv_std", "- inv_std mean(g)",
                             "dgamma = sum dy x-hat", "own backward computes: 0.", "by finite differences",
                             "On one scale", ". Training against evaluation"}) {
      CAPTURE(text);
      CHECK(outcome.out.find(text) != std::string::npos);
    }
    CHECK(outcome.out.find('\033') == std::string::npos);  // no terminal, no escape codes
    CHECK(outcome.out.find("nan") == std::string::npos);
  }
  // A line that can be worked out by hand.
  CHECK(run("").out.find("x-hat[0,0,0,0] = (1 - 4) * 0.416 = -1.248") != std::string::npos);
}

TEST_CASE("the page holds the same sections, and pictures and curves of a picture") {
  const TemporaryFolder folder;
  CHECK(run("--html " + folder / "numbers.html").status == 0);
  const std::string numbers = read_file(folder / "numbers.html");
  CHECK(numbers.find("\"type\":\"matrices\"") != std::string::npos);
  CHECK(numbers.find("x-hat = (x - mean) inv_std") != std::string::npos);
  CHECK(numbers.find("Training against evaluation") != std::string::npos);
  CHECK(run("--size 24 --picture " + kPhoto + " --html " + folder / "picture.html").status == 0);
  const std::string picture = read_file(folder / "picture.html");
  CHECK(picture.find("\"type\":\"chart\"") != std::string::npos);
  CHECK(picture.find("data:image/png;base64,") != std::string::npos);
  CHECK(picture.find("data:image/jpeg;base64,") != std::string::npos);
}

TEST_CASE("usage: --help teaches, bad usage is 2 and failure 1, each with one line on standard error") {
  const Outcome help = run("--help");
  CHECK(help.status == 0);
  CHECK(help.out.find("--picture") != std::string::npos);
  const TemporaryFolder folder;
  write_bytes(folder / "broken.png", "\x89PNG broken");
  const auto refused = [&](const std::string& arguments, int status, const std::string& text) {
    CAPTURE(arguments);
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.error);
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    CHECK(outcome.error.starts_with("norm-lab: "));
    CHECK(outcome.error.find(text) != std::string::npos);
    CHECK(outcome.error.find('\n') == outcome.error.size() - 1);
  };
  refused("--norm weight", 2, "--norm");
  refused("--groups 0", 2, "--groups");
  refused("--groups 2", 2, "--groups is for --norm group, not for instance");
  refused("--size 24", 2, "--size is given only together with --picture");
  refused("--norm group --groups 3", 2, "--groups 3 does not divide the 2 channels");
  refused("--size 3 --picture " + kPhoto, 2, "--size");
  refused("--frame", 2, "--frame");
  refused("extra", 2, "extra");
  refused("--picture /nowhere.jpg", 1, "/nowhere.jpg");
  refused("--picture " + folder / "broken.png", 1, "broken.png");
  refused("--html /nowhere/lab.html", 1, "/nowhere/lab.html");
}
