// norm-lab on numbers that somebody gives: its JSON against the plain definition and against a case worked
// out by hand, finite differences, the backward one node at a time, and what is said to numbers that cannot
// be.
#include <cmath>

#include "files.h"
#include "gesso/core/files/json.h"
#include "gesso/core/normalization/plain.h"
#include "norm_lab/differences.h"
#include "norm_lab/given.h"
#include "norm_lab/numbers_json.h"
#include "norm_lab/stages.h"
#include "program_runs.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
using doctest::Approx;
using norm_lab::Norm;

namespace {

using Numbers = std::vector<double>;

Outcome lab(const std::string& words) { return run_program("norm-lab", words); }

Json json_of(const std::string& words) {
  const Outcome outcome = lab(words + " --json");
  CAPTURE(words);
  CAPTURE(outcome.errors);
  REQUIRE(outcome.status == 0);
  return parse_json(outcome.out);
}

Numbers numbers(const Json& list) { return list.get<Numbers>(); }

void check_close(const Numbers& found, const Numbers& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  double scale = 1;
  for (const double value : expected) {
    scale = std::max(scale, std::abs(value));
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(found[i] - expected[i]) <= tolerance * scale);
  }
}

NormalizationAxes axes_of(const std::string& norm, const Shape& shape, Index groups) {
  return norm == "instance" ? NormalizationAxes::instance(shape)
         : norm == "batch"  ? NormalizationAxes::batch(shape)
         : norm == "layer"  ? NormalizationAxes::layer(shape, 3)
                            : NormalizationAxes::group(shape, groups);
}

// Holds everything in the document to plain.h.
void check_plain(const Json& all) {
  const auto sizes = all.at("shape").get<std::vector<Index>>();
  const NormalizationAxes axes =
      axes_of(all.at("norm").get<std::string>(), Shape(sizes), all.at("groups").get<Index>());
  const Numbers x = numbers(all.at("x")), dy = numbers(all.at("dy")), gamma = numbers(all.at("gamma")),
                beta = numbers(all.at("beta"));
  REQUIRE(static_cast<Index>(gamma.size()) == axes.affine_size());
  const auto count = static_cast<std::size_t>(axes.statistics());
  Numbers y(x.size()), dx(x.size()), mean(count), variance(count), inv_std(count), dgamma(gamma.size()),
      dbeta(gamma.size());
  const bool of_x = !all.at("eval").get<bool>();
  if (!of_x) {  // given, not computed
    mean = numbers(all.at("mean"));
    variance = numbers(all.at("variance"));
    for (std::size_t s = 0; s < count; ++s) {
      inv_std[s] = 1 / std::sqrt(variance[s] + all.at("eps").get<double>());
    }
  }
  plain_forward(axes, x.data(), of_x, all.at("eps").get<double>(), gamma.data(), beta.data(),
                Activation::none, y.data(), mean.data(), variance.data(), inv_std.data());
  plain_backward(axes, x.data(), of_x, mean.data(), inv_std.data(), gamma.data(), beta.data(),
                 Activation::none, dy.data(), dx.data(), dgamma.data(), dbeta.data());
  const double exact = 1e-13, by_differences = 1e-7;
  check_close(numbers(all.at("mean")), mean, exact);
  check_close(numbers(all.at("variance")), variance, exact);
  check_close(numbers(all.at("inv_std")), inv_std, exact);
  check_close(numbers(all.at("y")), y, exact);
  check_close(numbers(all.at("dx")), dx, exact);
  check_close(numbers(all.at("dgamma")), dgamma, exact);
  check_close(numbers(all.at("dbeta")), dbeta, exact);
  check_close(numbers(all.at("finite_differences").at("dx")), dx, by_differences);
  check_close(numbers(all.at("finite_differences").at("dgamma")), dgamma, by_differences);
  check_close(numbers(all.at("finite_differences").at("dbeta")), dbeta, by_differences);
  const Json& terms = all.at("dx_terms");
  const Numbers upstream = numbers(terms.at("upstream")), mean_term = numbers(terms.at("mean")),
                xhat_term = numbers(terms.at("x_hat")), found = numbers(all.at("dx"));
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(upstream[i] + mean_term[i] + xhat_term[i] == found[i]);
  }
  for (Index s = 0; s < axes.statistics(); ++s) {
    for (Index k = 0; k < axes.elements_per_statistic(); ++k) {
      const auto e = static_cast<std::size_t>(axes.element(s, k));
      CHECK(numbers(all.at("x_hat"))[e] == Approx((x[e] - mean[s]) * inv_std[s]).epsilon(1e-12));
    }
  }
  CHECK(all.at("statistics").size() == count);
  CHECK(all.at("elements_per_statistic").get<Index>() == axes.elements_per_statistic());
}

}  // namespace

TEST_CASE("two numbers, by hand") {
  // mean 2, variance 1, eps 3: inv_std = 1 / 2, x-hat = -1/2, 1/2. With g = gamma dy = 4, 0: mean(g) = 2 and
  // mean(g x-hat) = -1.
  const Json all = json_of("--x 1,3 --shape 1,1,1,2 --dy 2,0 --gamma 2 --beta 5 --eps 3");
  CHECK(all.at("shape").get<std::vector<Index>>() == std::vector<Index>{1, 1, 1, 2});
  CHECK(numbers(all.at("mean")) == Numbers{2});
  CHECK(numbers(all.at("variance")) == Numbers{1});
  CHECK(numbers(all.at("inv_std")) == Numbers{0.5});
  CHECK(numbers(all.at("x_hat")) == Numbers{-0.5, 0.5});
  CHECK(numbers(all.at("y")) == Numbers{4, 6});
  CHECK(numbers(all.at("dx_terms").at("upstream")) == Numbers{2, 0});
  CHECK(numbers(all.at("dx_terms").at("mean")) == Numbers{-1, -1});
  CHECK(numbers(all.at("dx_terms").at("x_hat")) == Numbers{-0.25, 0.25});
  CHECK(numbers(all.at("dx")) == Numbers{0.75, -0.75});
  CHECK(numbers(all.at("dgamma")) == Numbers{-1});
  CHECK(numbers(all.at("dbeta")) == Numbers{2});
  check_plain(all);
}

TEST_CASE("the document's numbers are those of the plain definition, for every norm") {
  for (const std::string words :
       {"", "--norm batch", "--norm layer", "--norm group --groups 2", "--seed 3",
        "--norm batch --shape 3,2,1,2 --gamma -1,2 --beta 0,1", "--norm layer --shape 2,3,2,4 --seed 9",
        "--norm layer --shape 2,1,1,3 --gamma 1,2,3 --beta 0,0,-1",
        "--norm group --groups 2 --shape 3,4,4,4 --eps 0.1", "--shape 1,3,5,1 --eps 1e-12",
        "--x -1,2,-3.5 --dy 1,0,0", "--x 7,7,7 --eps 0.5",
        "--norm batch --eval --running-mean 3,-2 --running-var 9,0",
        "--norm instance --eval --shape 1,3,1,1 --seed 4 --gamma 1,2,-1"}) {
    CAPTURE(words);
    check_plain(json_of(words));
  }
}

TEST_CASE("in evaluation the running statistics count, and x moves none of them") {
  const Json all = json_of(
      "--norm batch --shape 2,1,1,2 --x 1,3,5,9 --dy 1,0,0,2 --gamma 3 --beta 1 --eps 0.25 --eval "
      "--running-mean 2 --running-var 3.75");
  CHECK(numbers(all.at("mean")) == Numbers{2});
  CHECK(numbers(all.at("variance")) == Numbers{3.75});
  CHECK(numbers(all.at("inv_std")) == Numbers{0.5});
  CHECK(numbers(all.at("y")) == Numbers{-0.5, 2.5, 5.5, 11.5});
  CHECK(numbers(all.at("dx")) == Numbers{1.5, 0, 0, 3});
  CHECK(numbers(all.at("dx_terms").at("mean")) == Numbers(4, 0));
  CHECK(numbers(all.at("dx_terms").at("x_hat")) == Numbers(4, 0));
  CHECK(numbers(all.at("removed_by_mean")) == Numbers{0});
}

TEST_CASE("numbers keep all their digits, and the seed draws the same ones again") {
  const Json all = json_of("--x 0.1,-1.2345678901234567,3e-5 --dy 1e6,-1e-6,0.3");
  CHECK(numbers(all.at("x")) == Numbers{0.1, -1.2345678901234567, 3e-5});
  CHECK(numbers(all.at("dy")) == Numbers{1e6, -1e-6, 0.3});
  CHECK(lab("--seed 5 --json").out == lab("--seed 5 --json").out);
  CHECK(json_of("--seed 5").at("x") != json_of("--seed 6").at("x"));
  // A dy alone goes with the lab's own x.
  std::string ones = "1";
  for (int i = 1; i < 36; ++i) {
    ones += ",1";
  }
  CHECK(json_of("--dy " + ones).at("x") == json_of("").at("x"));
}

TEST_CASE("one node at a time, the backward comes to the same as in one formula") {
  for (const Norm norm : {Norm::instance, Norm::batch, Norm::layer, Norm::group}) {
    for (const Shape& shape : {Shape{2, 4, 3, 2}, Shape{3, 2, 1, 2}}) {
      CAPTURE(norm_lab::name_of(norm));
      const norm_lab::Example example = norm_lab::given_example(
          {.shape = {shape[0], shape[1], shape[2], shape[3]}, .x = {}, .dy = {}, .seed = 8});
      const auto layer = norm_lab::make_layer(norm, shape, norm == Norm::group ? 2 : 1);
      const norm_lab::Gradients gradients = norm_lab::gradients_of(*layer, example);
      const auto stages = norm_lab::stages_of(*layer, gradients.seen.parts.at(0).axes, example);
      const auto stage = [&](const std::string& name) {
        for (const norm_lab::Stage& one : stages) {
          if (one.name == name) {
            return one;
          }
        }
        throw ArgumentError("no stage " + name);
      };
      check_close(stage("y").value.to_vector(), gradients.seen.y.to_vector(), 1e-13);
      check_close(stage("x").gradient.to_vector(), gradients.dx.to_vector(), 1e-12);
      check_close(stage("gamma").gradient.to_vector(), gradients.dgamma.to_vector(), 1e-13);
      check_close(stage("beta").gradient.to_vector(), gradients.dbeta.to_vector(), 1e-13);
    }
  }
}

TEST_CASE("the walk of four numbers shows the example of docs/normalization.md") {
  const std::string words = "--x 1,3,3,9 --dy 1,0,0,0 --gamma 3 --beta 0";
  const Outcome walk = lab(words);
  CHECK(walk.status == 0);
  for (const char* text :
       {"- inv_std x-hat mean(g x-hat): through the variance\n    n=0 c=0\n    -0.250 -0.083 -0.083  0.417",
        "dx, by finite differences\n    n=0 c=0\n     0.500 -0.333 -0.333  0.167",
        "dd = r dxhat + 2 d dq  0.75, -0.08333, -0.08333, 0.4167",
        "dx = dd + dmu / m      0.5, -0.3333, -0.3333, 0.1667", "n=0 c=0         25.0        25.0  50.0",
        "channel  dgamma  by differences  dbeta  by differences"}) {
    CAPTURE(text);
    CHECK(walk.out.find(text) != std::string::npos);
  }
  CHECK(walk.out.find("six experiments") == std::string::npos);  // they need a batch of two
  const Outcome graph = lab(words + " --graph");
  CHECK(graph.status == 0);
  CHECK(graph.out.starts_with("digraph"));
  CHECK(graph.out.find("xhat = d r = -1, -0.3333, -0.3333, 1.667\\ndxhat = 3, 0, 0, 0") != std::string::npos);
  const TemporaryFolder folder;
  CHECK(lab(words + " --html " + folder / "lab.html").status == 0);
  CHECK(read_file(folder / "lab.html").find("dx, by finite differences, n=0 c=0") != std::string::npos);
}

TEST_CASE("numbers that cannot be are refused with the argument, the value and the remedy") {
  const auto refused = [](const std::string& words, const std::string& text) {
    CAPTURE(words);
    const Outcome outcome = lab(words);
    CAPTURE(outcome.errors);
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.errors.find(text) != std::string::npos);
  };
  refused("--x 1,nan", "--x: \"nan\" is not a number");
  refused("--x 1,1e9", "--x: \"1e9\" is not in -1e+06 to 1e+06");
  refused("--x 1,2 --shape 1,1,1,3",
          "--x has 2 numbers, but x of shape (1, 1, 1, 3) has 3; give 3, or another shape");
  refused("--x 1,2 --dy 1", "--dy has 1 number, but x of shape (1, 1, 1, 2) has 2; give 2");
  refused("--dy 1", "has 36; give 36, or another shape");
  refused("--gamma 1", "--gamma has 1 number, but x of shape (2, 2, 3, 3) has 2 channels; give 2");
  refused("--norm layer --beta 1,2,3",
          "--beta has 3 numbers, but x of shape (2, 2, 3, 3) has 2 channels; give 2, or 18");
  refused("--shape 1,2",
          "--shape has 2 numbers; give four, samples, channels, height and width, as in 2,3,4,4");
  refused("--shape 1,0,1,2", "--shape holds 0; every size is 1 or more");
  refused("--shape 1,1,65,64", "--shape (1, 1, 65, 64) holds more than 4096 numbers; take a smaller one");
  refused(
      "--x 1",
      "--norm instance would take the variance of 1 number in x of shape (1, 1, 1, 1); give it 2 or more");
  refused("--norm batch --shape 1,2,1,1", "--norm batch would take the variance of 1 number");
  refused("--norm group --groups 3 --shape 1,4,1,2", "--groups 3 does not divide the 4 channels");
  refused("--eval", "--eval is given only together with --json");
  refused("--json --running-mean 1,1", "--running-mean is given only together with --eval");
  refused("--norm group --groups 2 --eval --json", "--norm group keeps no running statistics");
  refused("--eval --json --running-mean 1",
          "--running-mean has 1 number, but x of shape (2, 2, 3, 3) has 2 channels");
  refused("--eval --json --running-var 1,-1", "--running-var holds -1; a variance is 0 or more");
  refused("--eps 0", "--eps: \"0\" is not in 1e-12 to 1e+06");
  refused("--x 1,2 --picture a.jpg", "--x cannot be given together with --picture");
  refused("--json --html a.html", "cannot be given together with");
  refused("--json --graph", "cannot be given together with");
}
