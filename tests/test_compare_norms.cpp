// compare-norms: its results and their file, and the program run as its users run it.
#include <cmath>
#include <limits>

#include "files.h"
#include "gesso/core/error.h"
#include "gesso/core/file.h"
#include "results.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("results.json comes back as it was written") {
  Comparison comparison;
  comparison.settings = {{"steps", "2"}, {"style", "a \"b\".jpg"}};
  comparison.test_photographs = {"test/cat.jpg"};
  comparison.style_picture = "style.jpg";
  ComparisonRun run{.normalization = "batch", .batch = 1, .seed = std::numeric_limits<std::uint64_t>::max()};
  run.step = {1, 2};
  run.total = {0.1, std::numeric_limits<double>::quiet_NaN()};
  run.test = {.total = 3.25, .content = 0.5, .style = 1.0 / 3};
  run.contrast = {{.contrast = 0.25, .losses = {.total = 7}, .picture = "x.png"}};
  run.pictures = {"runs/a/cat.jpg"};
  comparison.runs = {run, {.normalization = "none", .photographs = "style-normalized"}};
  comparison.classification_task = "Which one?";
  comparison.classification = {{.normalization = "group", .step = {1}, .test_accuracy = 0.75}};

  const TemporaryFolder folder;
  write_results(comparison, folder / "results.json");
  const Comparison back = read_results(folder / "results.json");
  CHECK(back.settings == comparison.settings);
  CHECK(back.test_photographs == comparison.test_photographs);
  REQUIRE(back.runs.size() == 2);
  CHECK(back.runs[0].seed == run.seed);
  CHECK(back.runs[0].total[0] == 0.1);
  CHECK(std::isnan(back.runs[0].total[1]));
  CHECK(back.runs[0].test.style == doctest::Approx(1.0 / 3).epsilon(1e-6));
  REQUIRE(back.runs[0].contrast.size() == 1);
  CHECK(back.runs[0].contrast[0].losses.total == 7);
  CHECK(back.runs[0].contrast[0].picture == "x.png");
  CHECK(back.runs[1].photographs == "style-normalized");
  CHECK(back.classification[0].test_accuracy == 0.75);
  // Written again it is the same file: nothing was lost, and rounding happens once.
  write_results(back, folder / "again.json");
  CHECK(read_file(folder / "results.json") == read_file(folder / "again.json"));
}

TEST_CASE("a file that is no results.json is refused by name") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(read_results(folder / "none.json"), doctest::Contains("none.json"), FileError);
  for (const char* text : {"", "[]", "{\"settings\": 1}", "{}"}) {
    CAPTURE(text);
    write_bytes(folder / "bad.json", text);
    CHECK_THROWS_WITH_AS(read_results(folder / "bad.json"),
                         doctest::Contains("bad.json: it is no results.json of compare-norms"), FileError);
  }
}
