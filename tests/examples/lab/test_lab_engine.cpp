// The lab's engine, as the page calls it, but here: held to norm-lab, to equation (12), to the plain kernel,
// and to the programs that paint.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "gesso/core/files/json.h"
#include "gesso/core/pictures/picture.h"
#include "lab/engine/bench.h"
#include "lab/engine/picture.h"
#include "lab/engine/planted_errors.h"
#include "lab/engine/race.h"
#include "lab_requests.h"
#include "painting/stylize.h"
#include "paths.h"
#include "program_runs.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
using doctest::Approx;
using Numbers = std::vector<double>;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

// Largest difference.
double apart(const Json& a, const Json& b) {
  const auto p = a.get<Numbers>(), q = b.get<Numbers>();
  REQUIRE(p.size() == q.size());
  double largest = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    largest = std::max(largest, std::abs(p[i] - q[i]));
  }
  return largest;
}

std::string with(Json request, const Json& more) {
  request.update(more);
  return json_text(request);
}

}  // namespace

TEST_CASE("bench is norm-lab --json") {
  for (const LabCase& one : lab_cases()) {
    CAPTURE(one.words);
    const Outcome program = run_program("norm-lab", one.words);
    CAPTURE(program.errors);
    REQUIRE(program.status == 0);
    CHECK(lab::bench(json_text(one.request)) + "\n" == program.out);
  }
}

TEST_CASE("the Jacobian is equation (12), or in evaluation r on the diagonal") {
  for (const LabCase& one : lab_cases()) {
    CAPTURE(one.words);
    const Json numbers = parse_json(lab::bench(json_text(one.request)));
    const bool eval = one.request.at("eval").get<bool>();
    for (std::size_t s = 0; s < numbers.at("statistics").size(); ++s) {
      const Json answer = parse_json(lab::jacobian(with(one.request, {{"statistic", s}})));
      const auto elements = answer.at("elements").get<std::vector<std::size_t>>();
      const double m = static_cast<double>(elements.size()), r = numbers.at("inv_std")[s].get<double>();
      REQUIRE(m == numbers.at("elements_per_statistic").get<double>());
      for (std::size_t i = 0; i < elements.size(); ++i) {
        for (std::size_t j = 0; j < elements.size(); ++j) {
          const double xhat_i = numbers.at("x_hat")[elements[i]].get<double>(),
                       xhat_j = numbers.at("x_hat")[elements[j]].get<double>();
          const double same = i == j ? 1 : 0;
          const double expected = r * (eval ? same : same - 1 / m - xhat_i * xhat_j / m);
          CHECK(std::abs(answer.at("matrix")[i][j].get<double>() - expected) < 1e-12);
        }
      }
    }
  }
  const Json request = lab_cases().front().request;
  CHECK_THROWS_WITH_AS(lab::jacobian(with(request, {{"statistic", 4}})), "statistic 4 is not one of the 4",
                       ArgumentError);
}

TEST_CASE("one difference is the one among all, and close to its gradient") {
  for (const LabCase& one : lab_cases()) {
    CAPTURE(one.words);
    const Json all = parse_json(lab::bench(json_text(one.request)));
    const Json checked = parse_json(lab::check_backward(json_text(one.request)));
    CHECK(checked == all.at("finite_differences"));
    for (const char* of : {"x", "gamma", "beta"}) {
      const std::string gradient = std::string("d") + of;
      const std::size_t last = all.at(of).size() - 1;
      const Json found = parse_json(lab::difference(with(one.request, {{"of", of}, {"index", last}})));
      CHECK(found.at("difference") == checked.at(gradient)[last]);
      CHECK(found.at("gradient") == all.at(gradient)[last]);
      CHECK(found.at("difference").get<double>() == Approx(found.at("gradient").get<double>()).epsilon(1e-6));
      CHECK((found.at("loss_plus").get<double>() - found.at("loss_minus").get<double>()) /
                (2 * found.at("h").get<double>()) ==
            Approx(found.at("difference").get<double>()).epsilon(1e-12));
    }
  }
}

TEST_CASE("requests that cannot be are refused with the field, the value and the remedy") {
  const Json good = lab_cases().front().request;
  const auto refused = [&](const Json& more, const std::string& text) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(lab::bench(with(good, more)), doctest::Contains(text.c_str()), ArgumentError);
  };
  refused({{"norm", "weight"}}, "norm is \"weight\"; take instance, batch, layer or group");
  refused({{"x", {1, 2}}}, "x has 2 numbers, but x of shape (2, 2, 3, 3) has 36; give 36");
  refused({{"x", "many"}}, "the request has no x of the kind that it takes");
  refused({{"gamma", {1}}}, "gamma has 1 number, but x of shape (2, 2, 3, 3) has 2 channels; give 2");
  refused({{"norm", "group"}, {"groups", 3}}, "groups 3 does not divide the 2 channels");
  refused({{"norm", "layer"}, {"eval", true}}, "norm layer keeps no running statistics");
  refused({{"eval", true}, {"running_var", {-1, 1}}}, "running-var holds -1; a variance is 0 or more");
  CHECK_THROWS_AS(lab::bench("[1"), ArgumentError);
  CHECK_THROWS_WITH_AS(lab::difference(with(good, {{"of", "dy"}, {"index", 0}})),
                       "of is \"dy\"; take x, gamma or beta", ArgumentError);
  CHECK_THROWS_WITH_AS(lab::difference(with(good, {{"of", "beta"}, {"index", 2}})),
                       "index 2 is not one of the 2 numbers of beta", ArgumentError);
}

TEST_CASE("each planted error is one line of the plain kernel, and its numbers are wrong where it says") {
  std::ifstream file(source_path("core/normalization/plain.h"));
  std::stringstream plain;
  plain << file.rdbuf();
  std::ifstream mutants_file(source_path("tests/mutants/mutants.txt"));
  std::stringstream known;
  known << mutants_file.rdbuf();
  // Two channels of different gamma share a statistic: the gammas of a statistic's elements matter.
  const Json request = {
      {"norm", "group"}, {"groups", 1},       {"shape", {1, 2, 1, 3}}, {"x", {1, 3, 5, 2, 8, 5}},
      {"eps", 0.1},      {"gamma", {2, 0.5}}, {"beta", {1, -1}},       {"dy", {1, 0, -1, 2, 0.5, 0}}};
  const Json right = parse_json(lab::bench(json_text(request)));
  const Json list = parse_json(lab::mutants());
  REQUIRE(list.size() == 6);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto hidden = list[i].at("hidden").get<std::string>();
    CAPTURE(hidden);
    CHECK(known.str().find("\n" + hidden + "\n") != std::string::npos);
    const std::vector<std::string> lines = lines_of(list[i].at("listing").get<std::string>());
    for (std::size_t line = 0; line < lines.size(); ++line) {
      const bool wrong = static_cast<int>(line) + 1 == list[i].at("line").get<int>();
      CHECK((plain.str().find(lines[line] + "\n") == std::string::npos) == wrong);
    }
    const Json numbers = parse_json(lab::mutant_numbers(with(request, {{"mutant", i}})));
    const bool forward = hidden == "eps outside the root" || hidden == "normalizing by the unbiased variance";
    CHECK((apart(numbers.at("y"), right.at("y")) > 1e-3) == forward);
    CHECK((apart(numbers.at("dgamma"), right.at("dgamma")) > 1e-3) ==
          (forward || hidden.starts_with("dgamma")));
    CHECK((apart(numbers.at("dx"), right.at("dx")) > 1e-3) == !hidden.starts_with("dgamma"));
    CHECK(apart(numbers.at("dbeta"), right.at("dbeta")) < 1e-12);
  }
}

TEST_CASE("a picture through a norm has its mean and deviation taken away") {
  Generator rng(4);
  const Tensor picture = Tensor::uniform({2, 3, 5, 7}, rng);
  const std::vector<float> pixels(picture.data<float>(), picture.data<float>() + picture.numel());
  for (const std::string norm : {"instance", "batch", "layer", "group"}) {
    CAPTURE(norm);
    std::vector<float> y;
    const Json answer = parse_json(lab::normalize_picture(
        json_text({{"norm", norm}, {"groups", 3}, {"shape", {2, 3, 5, 7}}, {"eps", 1e-5}}), pixels, y));
    const Json request = {{"norm", norm},
                          {"groups", 3},
                          {"shape", {2, 3, 5, 7}},
                          {"x", Numbers(pixels.begin(), pixels.end())},
                          {"dy", Numbers(pixels.size(), 1)},
                          {"gamma", {1, 1, 1}},
                          {"beta", {0, 0, 0}}};
    const Json same = parse_json(lab::bench(json_text(request)));
    CHECK(answer.at("statistics") == same.at("statistics"));
    CHECK(apart(answer.at("mean"), same.at("mean")) < 1e-6);
    CHECK(apart(answer.at("variance"), same.at("variance")) < 1e-6);
    CHECK(apart(Numbers(y.begin(), y.end()), same.at("y")) < 1e-5);
  }
}

TEST_CASE("the painter paints what stylize paints, and shows what reaches each normalization") {
  const std::string model = source_path("examples/assets/models/starry.safetensors");
  Generator rng(4);
  const Tensor picture = Tensor::uniform({1, 3, 24, 30}, rng);
  const std::vector<float> pixels(picture.data<float>(), picture.data<float>() + picture.numel());
  lab::Painter painter(model);
  const LoadedStyleNetwork loaded = load_style_network(model);
  for (const double strength : {1.0, 0.25}) {
    const std::vector<float> painted =
        painter.stylize(json_text({{"height", 24}, {"width", 30}, {"strength", strength}}), pixels);
    const Tensor expected = stylize(*loaded.network, picture, {.opacity = strength});
    CHECK(std::equal(painted.begin(), painted.end(), expected.data<float>()));
  }
  const Json layers =
      parse_json(painter.layer_statistics(json_text({{"height", 24}, {"width", 30}}), pixels));
  REQUIRE(layers.size() == 15);
  CHECK(layers[0].at("name") == "in1");
  CHECK(layers[14].at("name") == "in5");
  CHECK(layers[3].at("mean").size() == 64);
  for (const Json& layer : layers) {
    CHECK(layer.at("variance").get<Numbers>().front() > 0);
  }
  CHECK_THROWS_WITH_AS(
      painter.stylize(json_text({{"height", 24}, {"width", 31}}), pixels),
      doctest::Contains("the picture has 2160 numbers, but its shape (1, 3, 24, 31) has 2232"),
      ArgumentError);
  CHECK_THROWS_WITH_AS(painter.stylize(json_text({{"height", 24}, {"width", 30}, {"styleIndex", 1}}), pixels),
                       "styleIndex is 1, and the network has 1 style, counted from 0", ArgumentError);
}

TEST_CASE("a race is the same again from the same seed, its networks learn, and its pictures can be shown") {
  Generator rng(6);
  const Tensor pictures = Tensor::uniform({3 * (48 * 48 + 3 * 40 * 40)}, rng);
  const std::vector<float> pixels(pictures.data<float>(), pictures.data<float>() + pictures.numel());
  const Json request = {{"seed", 5},
                        {"steps", 12},
                        {"batch", 2},
                        {"crop", 36},
                        {"width", 4},
                        {"blocks", 0},
                        {"norms", {"instance", "batch", "none"}},
                        {"style_side", 48},
                        {"photographs", 3},
                        {"photograph_side", 40}};
  lab::Race race(json_text(request), pixels), again(json_text(request), pixels),
      other(with(request, {{"seed", 6}}), pixels);
  const Json first = parse_json(race.step(4));
  CHECK(first.at("step") == 4);
  CHECK(first.at("losses").at("batch").size() == 4);
  CHECK(parse_json(again.step(4)) == first);
  CHECK(parse_json(other.step(4)) != first);
  const Json last = parse_json(race.step(100));
  CHECK(last.at("step") == 12);  // no more than it was to have
  CHECK(last.at("losses").at("none").size() == 8);
  for (const char* norm : {"instance", "batch"}) {
    CHECK(last.at("losses").at(norm)[7].get<double>() < 0.8 * first.at("losses").at(norm)[0].get<double>());
  }
  for (Index lane = 0; lane < 3; ++lane) {
    const std::vector<float> picture = race.picture(lane);
    CHECK(picture.size() == 3 * 40 * 40);
    CHECK(std::all_of(picture.begin(), picture.end(), [](float value) { return value >= 0 && value <= 1; }));
  }
  CHECK_THROWS_AS(race.picture(3), ArgumentError);
  CHECK_THROWS_WITH_AS(
      lab::Race(with(request, {{"crop", 44}}), pixels),
      "crop is 44; it must be a multiple of 4, 32 or more, and at most the side of the photographs, 40",
      ArgumentError);
  CHECK_THROWS_WITH_AS(lab::Race(with(request, {{"photographs", 4}}), pixels),
                       doctest::Contains("but needs more"), ArgumentError);
}
