// A study of one's own: what it trains and measures, its files, and how it goes on.
#include "compare_norms/study.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "compare_norms/study_page.h"
#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/losses.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/sequential.h"
#include "painting/style_network.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

// A network that learns to take the mean and the contrast out of small noise.
Study small_study() {
  Study study{.title = "Small noise"};
  study.network = [](const std::string& normalization, Generator& rng) {
    auto net = std::make_unique<Sequential>();
    net->emplace<Conv2d>(1, 4, 3, Conv2dOptions{.padding = 1}, rng);
    net->append(make_normalization(normalization, 4, Activation::relu));
    net->emplace<Conv2d>(4, 1, 3, Conv2dOptions{.padding = 1}, rng);
    return net;
  };
  study.batches = [](Index batch, Generator& rng) {
    const Tensor noise = Tensor::randn({batch, 1, 6, 6}, rng);
    const Tensor light = Tensor::uniform({batch, 1, 1, 1}, rng, -2, 2);
    return StudyBatch{noise * 0.5 + light, noise};
  };
  study.loss = [](const Tensor& output, const StudyBatch& batch) { return mse_loss(output, batch.target); };
  Generator rng(5);
  study.test = study.batches(8, rng);
  study.seeds = 3;
  study.steps = 12;
  study.batch_sizes = {1, 4};
  return study;
}

const StudyRun& find(const StudyResults& results, const std::string& normalization, Index batch) {
  return *std::find_if(results.runs.begin(), results.runs.end(), [&](const StudyRun& run) {
    return run.normalization == normalization && run.batch == batch;
  });
}

}  // namespace

TEST_CASE("a study trains every normalization, batch and seed, fairly, and writes what it found") {
  const TemporaryFolder folder;
  const StudyResults results = run_study(small_study(), folder / "study");
  REQUIRE(results.runs.size() == 18);
  CHECK(results.failures.empty());
  for (const StudyRun& run : results.runs) {
    CHECK(run.step.size() == 12);
    CHECK((std::isfinite(run.training) && std::isfinite(run.test)));
    CHECK((run.test == run.test_train_mode) == (run.normalization != "batch"));
    CHECK(fs::exists(folder / ("study/runs/" + study_run_name(run) + "/model.safetensors")));
  }
  // The same weights and batches: with one sample batch norm is instance norm in training.
  CHECK(find(results, "batch", 1).loss[0] ==
        doctest::Approx(find(results, "instance", 1).loss[0]).epsilon(1e-5));
  CHECK(find(results, "batch", 4).loss[0] != find(results, "instance", 4).loss[0]);

  const Report report = study_report(results, folder / "study");
  std::vector<std::string> titles;
  for (const ReportSection& section : report.sections) {
    titles.push_back(section.title);
  }
  CHECK(titles == std::vector<std::string>{"Verdicts", "Losses", "Inside the layers"});
  CHECK(std::get<ReportFindings>(report.sections[0].blocks[1]).findings.size() ==
        6);  // three pairs, two batches
  CHECK(fs::exists(folder / "study/report.html"));

  // Again it does nothing; another one is refused.
  const std::string before = read_file(folder / "study/results.json");
  CHECK(run_study(small_study(), folder / "study").runs.size() == 18);
  CHECK(read_file(folder / "study/results.json") == before);
  Study other = small_study();
  other.steps = 13;
  CHECK_THROWS_WITH_AS(run_study(other, folder / "study"), doctest::Contains("a study with other settings"),
                       ArgumentError);
}

TEST_CASE("a study goes on where it was stopped, to the same results") {
  const TemporaryFolder folder;
  run_study(small_study(), folder / "whole");
  const auto timeless = [](const std::string& path) {
    Json json = parse_json(read_file(path));
    json.erase("origin");
    return json;
  };
  const Json whole = timeless(folder / "whole/results.json");
  Study stopped = small_study();
  int batches = 0;
  stopped.batches = [&, draw = stopped.batches](Index batch, Generator& rng) {
    if (++batches == 100) {
      throw Error("the power is gone");
    }
    return draw(batch, rng);
  };
  CHECK_THROWS_WITH(run_study(stopped, folder / "stopped"), "the power is gone");
  CHECK(timeless(folder / "stopped/results.json")["runs"].size() == 8);
  run_study(small_study(), folder / "stopped");
  CHECK(timeless(folder / "stopped/results.json") == whole);
}

TEST_CASE("a training that diverges is a finding, and leaves its partners undisturbed") {
  const TemporaryFolder folder;
  Study study = small_study();
  study.batch_sizes = {4};
  study.network = [make = study.network](const std::string& normalization, Generator& rng) {
    auto net = make(normalization, rng);
    if (normalization == "none") {
      for (Tensor& parameter : net->parameters()) {
        parameter.fill_(NAN);
      }
    }
    return net;
  };
  const StudyResults results = run_study(study, folder / "study");
  CHECK(results.failures.size() == 3);
  CHECK(results.runs.size() == 6);
  CHECK(results.failures[0].str().starts_with("none norm, batch 4, seed 1: "));
  CHECK(run_study(study, folder / "study").failures.size() == 3);
}

TEST_CASE("a study that lacks something is refused by name") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::function<void(Study&)>& spoil, const char* text) {
    Study study = small_study();
    spoil(study);
    CHECK_THROWS_WITH_AS(run_study(study, folder / "x"), doctest::Contains(text), ArgumentError);
  };
  refused([](Study& study) { study.network = {}; }, "lacks network");
  refused([](Study& study) { study.batches = {}; }, "lacks batches");
  refused([](Study& study) { study.loss = {}; }, "lacks loss");
  refused([](Study& study) { study.normalizations = {"batch"}; }, "at least two");
  refused([](Study& study) { study.batch_sizes = {0}; }, "batch_sizes has 0");
  refused([](Study& study) { study.seeds = 0; }, "seeds is 0");
  refused([](Study& study) { study.learning_rate = NAN; }, "learning_rate");
  CHECK(!fs::exists(folder / "x"));
}
