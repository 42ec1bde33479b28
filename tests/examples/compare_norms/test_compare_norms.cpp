// compare-norms: its results and their file, and the program run as its users run it.
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <set>
#include <sstream>

#include "compare_norms/classification.h"
#include "compare_norms/comparison_settings.h"
#include "compare_norms/drawn_shapes.h"
#include "compare_norms/measures.h"
#include "compare_norms/photographs.h"
#include "compare_norms/quality.h"
#include "compare_norms/results.h"
#include "compare_norms/tables.h"
#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/folder_lock.h"
#include "gesso/core/files/json.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/core/version.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/picture_folder.h"
#include "gesso/training/report/recorder.h"
#include "painting/filter_bank.h"
#include "painting/losses.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

const std::string kStyle = source_path("examples/assets/styles/stained_glass.jpg");

// Small versions of some bundled photographs, so that reading them takes no time.
void write_photographs(const std::string& folder, std::size_t count) {
  fs::create_directories(folder);
  const std::vector<std::string> files = pictures_in(source_path("examples/assets/photos"));
  for (std::size_t i = 0; i < count; ++i) {
    save_picture(folder + "/" + fs::path(files[i]).stem().string() + ".png",
                 resize_short_side(load_picture(files[i]), 64));
  }
}

// Runs compare-norms as its users do.
class Program {
 public:
  Program() { write_photographs(folder_ / "photographs", 7); }

  struct Outcome {
    int status;
    std::string errors;  // what came on standard error
  };

  Outcome run(const std::string& arguments) const { return shell(command(arguments)); }
  std::string command(const std::string& arguments) const {
    return program_path("compare-norms") + " " + arguments;
  }
  // A comparison in a folder of that name, with tiny networks.
  std::string tiny(const std::string& out, const std::string& norms, int steps, int seeds = 1) const {
    return "--style " + kStyle + " --content " + (folder_ / "photographs") + " --out " + path(out) +
           " --norms " + norms + " --steps " + std::to_string(steps) + " --batch-sizes 1,2 --seeds " +
           std::to_string(seeds) +
           " --width 2 --blocks 1 --crop 32 --style-size 64 --picture-size 40 "
           "--classifier-steps 2 --experiments none ";
  }
  Outcome shell(const std::string& command) const {
    const std::string errors = folder_ / "stderr.txt";
    const int status =
        std::system(("( " + command + " ) >" + (folder_ / "stdout.txt") + " 2>" + errors).c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, read_file(errors)};
  }
  std::string path(const std::string& name) const { return folder_ / name; }

  // Fails the test unless the command ends with `status` and one clear line that holds `text`.
  void check_refused(const std::string& arguments, int status, const std::string& text) const {
    CAPTURE(arguments);
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.errors);
    CHECK(outcome.status == status);
    CHECK(outcome.errors.find(text) != std::string::npos);
    CHECK(outcome.errors.starts_with("compare-norms: "));
    CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') == 1);
  }

 private:
  TemporaryFolder folder_;
};

// results.json without what differs from run to run.
Json timeless_results(const std::string& path) {
  Json results = parse_json(read_file(path));
  results.erase("origin");
  for (Json& run : results["runs"]) {
    run.erase("seconds_per_step");
    run.erase("peak_megabytes");
  }
  return results;
}

const ComparisonRun& find(const Comparison& comparison, const std::string& normalization, Index batch,
                          const std::string& photographs = "plain") {
  for (const ComparisonRun& run : comparison.runs) {
    if (run.normalization == normalization && run.batch == batch && run.photographs == photographs) {
      return run;
    }
  }
  FAIL("there is no run with " << normalization << " norm, batch " << batch << ", " << photographs);
  std::abort();
}

}  // namespace

TEST_CASE("results.json comes back as it was written") {
  Comparison comparison;
  comparison.origin = ComparisonOrigin::now();
  comparison.settings = {{"steps", "2"},   {"lr", "0.001"}, {"eps", "1e-05"},
                         {"norms", "1,2"}, {"zero", "007"}, {"style", "a \"b\".jpg"}};
  comparison.test_photographs = {"test/cat.jpg"};
  comparison.style_picture = "style.jpg";
  ComparisonRun run{.normalization = "batch", .batch = 1, .seed = std::numeric_limits<std::uint64_t>::max()};
  run.step = {1, 2};
  run.total = {0.1, std::numeric_limits<double>::quiet_NaN()};
  run.test = {.total = 3.25, .content = 0.5, .style = 1.0 / 3};
  run.contrast = {{.contrast = 0.25, .losses = {.total = 7}, .picture = "x.png"}};
  run.pictures = {"runs/a/cat.jpg"};
  comparison.runs = {run, {.normalization = "none", .photographs = "style-normalized"}};
  comparison.classification_tasks = {{"crops", "Which one?", {"crops/0.png"}, {"cat"}}};
  comparison.classification = {
      {.task = "crops", .normalization = "group", .step = {1}, .test_accuracy = 0.75}};
  comparison.failures = {{.task = "crops", .normalization = "none", .reason = "the loss is NaN"}};

  const TemporaryFolder folder;
  write_results(comparison, folder / "results.json");
  const Comparison back = read_results(folder / "results.json");
  CHECK(back.settings == comparison.settings);
  const Json json = parse_json(read_file(folder / "results.json"));
  CHECK(json["$schema"] == "results.schema.json");
  CHECK(json["settings"]["steps"] == 2);
  CHECK(json["settings"]["lr"] == 0.001);
  CHECK(json["settings"]["zero"] == "007");
  CHECK(json["origin"]["version"] == GESSO_VERSION);
  CHECK(json["origin"]["begun"].get<std::string>().size() == 20);
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
  CHECK(back.failures[0].str() == "classifier of crops with none norm, seed 1: the loss is NaN");
  // Written again it is the same file: nothing was lost, and rounding happens once.
  write_results(back, folder / "again.json");
  CHECK(read_file(folder / "results.json") == read_file(folder / "again.json"));
}

// Whether this Python has the package jsonschema.
bool has_json_schema() { return std::system("python3 -c 'import jsonschema' 2>/dev/null") == 0; }

TEST_CASE("results.json is what its schema says, and the schema says enough") {
  if (!has_json_schema()) {
    MESSAGE("no python3-jsonschema here: not checked");
    return;
  }
  const TemporaryFolder folder;
  Comparison comparison{.origin = ComparisonOrigin::now(), .settings = {{"steps", "2"}}};
  ComparisonRun run{.normalization = "batch"};
  run.total = {1, NAN};
  run.contrast = {{.contrast = 0.25}};
  comparison.runs = {run};
  comparison.classification = {{.normalization = "group"}};
  comparison.failures = {{.normalization = "none"}};
  write_results(comparison, folder / "results.json");
  const auto valid = [&] {
    return std::system(
               ("cd " + folder.path() +
                " && python3 -c 'import json, jsonschema; jsonschema.Draft202012Validator("
                "json.load(open(\"results.schema.json\"))).validate(json.load(open(\"results.json\")))' "
                "2>/dev/null")
                   .c_str()) == 0;
  };
  CHECK(valid());
  const Json whole = parse_json(read_file(folder / "results.json"));
  const auto spoiled = [&](const std::function<void(Json&)>& spoil) {
    Json json = whole;
    spoil(json);
    write_bytes(folder / "results.json", json_text(json));
    return !valid();
  };
  CHECK(spoiled([](Json& json) { json.erase("runs"); }));
  CHECK(spoiled([](Json& json) { json["runs"][0]["batch"] = "4"; }));
  CHECK(spoiled([](Json& json) { json["runs"][0]["contrast"][0]["losses"].erase("style"); }));
  CHECK(spoiled([](Json& json) { json["runs"][0]["total"][0] = "1"; }));
  CHECK(spoiled([](Json& json) { json["settings"]["steps"] = Json::array(); }));
}

TEST_CASE("CSV and LaTeX: a line for each training and step, tables that TeX reads") {
  const TemporaryFolder folder;
  Comparison comparison;
  ComparisonRun run{.normalization = "batch", .batch = 2, .seed = 3};
  run.step = {1, 2};
  run.total = {0.5, NAN};
  run.content = run.style = {1, 2};
  run.training = {3.25, 1.5, 0.25};
  run.leak = 0.125;
  run.quality = {.structure = 0.5, .weave = 2, .content = 0.75, .style = 0.25};
  comparison.runs = {run, run};
  comparison.runs[1].seed = 4;
  comparison.runs[1].training.total = 3.5;
  write_csv(comparison, folder.path());
  CHECK(
      read_file(folder / "curves.csv") ==
      "normalization,batch,seed,photographs,step,total,content,style\n"
      "batch,2,3,plain,1,0.5,1,1\nbatch,2,3,plain,2,,2,2\nbatch,2,4,plain,1,0.5,1,1\nbatch,2,4,plain,2,,2,2\n");
  const std::string trainings = read_file(folder / "trainings.csv");
  CHECK(trainings.starts_with("normalization,batch,seed,photographs,training_total,"));
  CHECK(trainings.find("\nbatch,2,3,plain,3.25,1.5,0.25,0,0,0,0,,0.5,2,0.75,0.25,0,0,0.125,0,0,0\n") !=
        std::string::npos);
  std::ostringstream latex;
  print_latex(latex, comparison);
  CHECK(latex.str().find("batch & 2 & 3.38 $\\pm$ 0.18 & 1.50 $\\pm$ 0.00") != std::string::npos);
  CHECK(latex.str().find("total-loss &  &  & 5.0 \\% &  & open \\\\\n") != std::string::npos);
}

TEST_CASE("a file that is not a results.json is refused by name") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(read_results(folder / "none.json"), doctest::Contains("none.json"), FileError);
  for (const char* text : {"", "[]", "{\"settings\": 1}", "{}"}) {
    CAPTURE(text);
    write_bytes(folder / "bad.json", text);
    CHECK_THROWS_WITH_AS(read_results(folder / "bad.json"),
                         doctest::Contains("bad.json: it is no results.json of compare-norms"), FileError);
  }
}

TEST_CASE(
    "the plan: every normalization with every batch and seed, then batch and instance on normalized "
    "photographs") {
  ComparisonSettings settings = ComparisonSettings::small();
  settings.normalizations = {"instance", "none", "batch"};
  settings.seeds = 2;
  const std::vector<PlannedRun> runs = plan(settings);
  std::vector<std::string> names;
  for (const PlannedRun& run : runs) {
    names.push_back(run.name());
  }
  CHECK(names == std::vector<std::string>{"instance-batch1-seed1",
                                          "none-batch1-seed1",
                                          "batch-batch1-seed1",
                                          "instance-batch4-seed1",
                                          "none-batch4-seed1",
                                          "batch-batch4-seed1",
                                          "batch-batch4-seed1-contrast-normalized",
                                          "instance-batch4-seed1-contrast-normalized",
                                          "batch-batch4-seed1-style-normalized",
                                          "instance-batch4-seed1-style-normalized",
                                          "instance-batch1-seed2",
                                          "none-batch1-seed2",
                                          "batch-batch1-seed2",
                                          "instance-batch4-seed2",
                                          "none-batch4-seed2",
                                          "batch-batch4-seed2",
                                          "batch-batch4-seed2-contrast-normalized",
                                          "instance-batch4-seed2-contrast-normalized",
                                          "batch-batch4-seed2-style-normalized",
                                          "instance-batch4-seed2-style-normalized"});
  settings.batch_sizes = {1};  // where batch norm is instance norm there is nothing to gain
  CHECK(plan(settings).size() == 6);
  settings = ComparisonSettings::small();
  settings.normalizations = {"batch", "group"};
  CHECK(plan(settings).size() == 20);
}

TEST_CASE("what a comparison's trainings are measured by does not follow style-transfer's defaults") {
  for (const ComparisonSettings& settings : {ComparisonSettings::small(), ComparisonSettings::full()}) {
    CHECK(train_settings({}, settings).loss_network.name == "filters");
    CHECK(train_settings({}, settings).style_loss == "wasserstein");
    CHECK(settings.to_text().at("style_loss") == "wasserstein");
  }
  // The judge measures as the training does.
  TrainSettings settings = filter_bank_training();
  settings.styles = {kStyle};
  settings.style_size = 64;
  Generator rng(4);
  const Tensor picture = Tensor::uniform({1, 3, 32, 32}, rng);
  const double wasserstein = LossJudge(settings).losses(picture, picture).style;
  settings.style_loss = "gram";
  const double gram = LossJudge(settings).losses(picture, picture).style;
  const FilterBank bank;
  const Tensor style = resize_short_side(load_picture(kStyle), 64);
  CHECK(wasserstein ==
        StyleTarget(bank, {style}, StyleStatistic::wasserstein).loss(bank.taps(picture)).item());
  CHECK(gram == StyleTarget(bank, {style}, StyleStatistic::gram).loss(bank.taps(picture)).item());
}

TEST_CASE("photographs are split for training and testing, none in both") {
  const TemporaryFolder folder;
  write_photographs(folder / "photographs", 7);
  const PhotographFiles files = split_photographs(folder / "photographs");
  CHECK(files.training.size() == 5);
  CHECK(files.test.size() == 2);
  for (const std::string& file : files.test) {
    CHECK(std::find(files.training.begin(), files.training.end(), file) == files.training.end());
  }
  CHECK(middle_squares(files.test, 20).shape() == Shape{2, 3, 20, 20});
  write_bytes(folder / "photographs/broken.jpg", "no picture");
  CHECK(split_photographs(folder / "photographs").training == files.training);  // it is left out
  write_photographs(folder / "few", 3);
  CHECK_THROWS_WITH_AS(split_photographs(folder / "few"), doctest::Contains("3 photographs are too few"),
                       FileError);
  write_bytes(folder / "few/broken.jpg", "no picture");
  CHECK_THROWS_WITH_AS(split_photographs(folder / "few"),
                       doctest::Contains("3 photographs that can be read are too few"), FileError);
}

TEST_CASE("contrast is changed about the mean gray and stays in [0, 1]") {
  // Two grays, their mean 0.4.
  const Tensor picture = Tensor::from({0.2, 0.6, 0.2, 0.6, 0.2, 0.6}, {1, 3, 1, 2});
  const auto check = [&](double factor, double dark, double light) {
    CAPTURE(factor);
    const Tensor changed = with_contrast(picture, factor);
    CHECK(largest_difference(changed, Tensor::from({dark, light, dark, light, dark, light}, {1, 3, 1, 2})) <
          1e-6);
  };
  check(1, 0.2, 0.6);
  check(0.25, 0.35, 0.45);
  check(2, 0, 0.8);
  check(4, 0, 1);
}

TEST_CASE("equalizing makes the luminance's histogram flat and keeps the differences of colours") {
  // Sixteen dark, bluish grays.
  std::vector<double> values(3 * 16);
  for (int i = 0; i < 16; ++i) {
    values[i] = values[16 + i] = 0.1 + 0.01 * i;
    values[32 + i] = values[i] + 0.01;
  }
  const Tensor equal = equalize_luminance(Tensor::from(values, {1, 3, 4, 4}));
  const std::vector<double> out = equal.to_vector();
  for (int i = 0; i < 16; ++i) {
    CHECK(out[32 + i] - out[i] == doctest::Approx(0.01).epsilon(1e-3));
    CHECK(out[i] + 0.114 * 0.01 == doctest::Approx((i + 0.5) / 16).epsilon(1e-3));
  }
  // The same picture at less contrast comes out the same, up to the width of a bin.
  const Tensor photograph = load_picture(source_path("examples/assets/photos/castle.jpg"));
  const double mean_change = [&] {
    const std::vector<double> a = equalize_luminance(photograph).to_vector(),
                              b = equalize_luminance(with_contrast(photograph, 0.5)).to_vector();
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      sum += std::abs(a[i] - b[i]);
    }
    return sum / static_cast<double>(a.size());
  }();
  CHECK(mean_change < 0.05);
}

TEST_CASE("only batch norm leaks between neighbours, and only in training mode") {
  Generator rng(3);
  const Tensor photographs = Tensor::uniform({4, 3, 32, 32}, rng);
  for (const std::string& name : known_normalizations()) {
    CAPTURE(name);
    Generator weights(1);
    StyleNetwork network({.width = 4, .blocks = 1, .normalization = name}, weights);
    network.eval();
    CHECK(leak(network, photographs) == 0);
    network.train();
    CHECK((leak(network, photographs) > 1e-4) == (name == "batch" || name == "batch-instance"));
  }
}

TEST_CASE("pictures are judged one by one, however they were batched") {
  Generator rng(4);
  const Tensor photographs = Tensor::uniform({3, 3, 32, 32}, rng);
  Generator weights(1);
  StyleNetwork network({.width = 4, .blocks = 1}, weights);
  const Tensor one_by_one = repaint(network, photographs, 1);
  CHECK(largest_difference(repaint(network, photographs, 2), one_by_one) < 1e-5);

  TrainSettings settings = filter_bank_training();
  settings.styles = {kStyle};
  settings.style_size = 64;
  const LossJudge judge(settings);
  const LossValues all = judge.losses(one_by_one, photographs);
  double total = 0;
  for (int i = 0; i < 3; ++i) {
    total += judge.losses(one_by_one.slice(i, i + 1), photographs.slice(i, i + 1)).total / 3;
  }
  CHECK(all.total == doctest::Approx(total));
  CHECK(all.total > settings.weights.style * all.style);
  CHECK(judge.losses(photographs, photographs).content == 0);
  CHECK(judge.feature_distance(one_by_one, one_by_one) == 0);
  CHECK(judge.feature_distance(one_by_one, photographs) > 0);
  CHECK(judge.step_megabytes(network, {4, 3, 32, 32}) > 2 * judge.step_megabytes(network, {1, 3, 32, 32}));
}

TEST_CASE("quality is measured by pixels and by another network than the one trained with") {
  TrainSettings settings = filter_bank_training();
  settings.styles = {kStyle};
  settings.style_size = 96;
  const QualityJudge quality(settings);
  CHECK(quality.network() == "distilled");
  settings.loss_network.name = "distilled";
  CHECK(QualityJudge(settings).network() == "filters");

  const Tensor photographs = middle_squares(
      {source_path("examples/assets/photos/cat.jpg"), source_path("examples/assets/photos/coffee.jpg")}, 64);
  Generator rng(3);
  const PictureQuality same = quality.judge(photographs, photographs),
                       noise = quality.judge(Tensor::uniform({2, 3, 64, 64}, rng), photographs),
                       style = quality.judge(middle_squares({kStyle, kStyle}, 64), photographs);
  CHECK(same.structure == doctest::Approx(1));
  CHECK(std::abs(same.content) < 1e-6);
  CHECK(std::abs(noise.structure) < 0.2);
  CHECK(noise.content > 0.5);
  CHECK(style.style < std::min(same.style, noise.style) / 2);
  // Upright lines every four pixels, and noise, which has no direction.
  std::vector<double> line;
  for (int i = 0; i < 64; ++i) {
    line.push_back(i % 4 < 2 ? 0.2 : 0.8);
  }
  const Tensor lines = Tensor::from(line, {1, 1, 1, 64});
  const Tensor woven = clamp(Tensor::uniform({2, 3, 64, 64}, rng, 0.0, 0.05) + lines, 0, 1);
  CHECK(quality.judge(woven, photographs).weave > 10 * noise.weave);
}

TEST_CASE("drawn shapes are the same on every machine, and all different") {
  const LabelledPictures shapes = draw_shapes(40, 1);
  CHECK(shapes.size() == 40);
  CHECK(shapes.classes.size() == 10);
  CHECK(shapes.labels[13] == 3);
  REQUIRE(shapes.pixels.size() == 40 * 3 * 24 * 24);
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a, of these bytes for good
  for (const std::uint8_t pixel : shapes.pixels) {
    hash = (hash ^ pixel) * 1099511628211u;
  }
  CHECK(hash == 8543391968696249996u);
  CHECK(draw_shapes(20, 1).pixels ==
        std::vector(shapes.pixels.begin(), shapes.pixels.begin() + 20 * 3 * 24 * 24));
  CHECK(draw_shapes(40, 2).pixels != shapes.pixels);
  const Tensor pictures = shapes.pictures(0, 40);
  for (Index i = 0; i < 40; ++i) {
    for (Index k = i + 1; k < 40; ++k) {
      CHECK(largest_difference(pictures.slice(i, i + 1), pictures.slice(k, k + 1)) > 0.2);
    }
  }
  CHECK_THROWS_AS(draw_shapes(0, 1), ArgumentError);
}

TEST_CASE("drawn shapes can be told apart, though colours say nothing about them") {
  const ClassificationTask task = labelled_task({});
  CHECK(task.training.size() == 1000);
  CHECK(task.test.pixels != task.training.pixels);
  const auto run = train_classifier(task, "batch", 1, 100);
  REQUIRE(run);
  CHECK(run->test_accuracy > 0.4);  // 0.1 by chance
}

TEST_CASE("the classifier learns a task that colours decide, and is tested on crops it never saw") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "colours");
  Generator rng(5);
  for (int i = 0; i < 4; ++i) {  // noise about four colours
    const Tensor picture = Tensor::uniform({1, 3, 96, 120}, rng, 0.0, 0.4);
    const Tensor tint = Tensor::from({i == 0 ? 0.6 : 0, i == 1 ? 0.6 : 0, i == 2 ? 0.6 : 0}, {1, 3, 1, 1});
    save_picture(folder / ("colours/" + std::to_string(i) + ".png"), picture + tint);
  }
  const ClassificationTask task = make_classification_task(pictures_in(folder / "colours"));
  CHECK(task.training.classes == std::vector<std::string>{"0", "1", "2", "3"});
  CHECK(task.training.pictures(0, 64).shape() == Shape{64, 3, 32, 32});
  CHECK(task.test.size() == 64);
  CHECK(task.test.pixels != task.training.pixels);
  CHECK(task.words.find("4 photographs") != std::string::npos);
  const auto run = train_classifier(task, "batch", 1, 100);
  REQUIRE(run);
  CHECK(run->loss.size() < 100);  // it stops when there is nothing left to learn
  CHECK(run->training_set_accuracy == 1);
  CHECK(run->test_accuracy > 0.9);
  CHECK(train_classifier(task, "none", 1, 1)->training_set_accuracy < 1);
  CHECK(!train_classifier(task, "batch", 1, 30, [](Index step) { return step < 3; }));
}

TEST_CASE("a comparison is complete, finite, and fair from the first step") {
  const Program program;
  REQUIRE(program.run(program.tiny("run", "none,batch,instance,layer", 3)).status == 0);
  const fs::path folder = program.path("run");
  const Comparison comparison = read_results(folder / "results.json");
  REQUIRE(comparison.runs.size() == 12);
  CHECK(comparison.classification.size() == 2 * 4);
  REQUIRE(comparison.classification_tasks.size() == 2);
  CHECK(comparison.classification_tasks[0].words.find("7 photographs") != std::string::npos);
  CHECK(comparison.classification_tasks[1].words.find("drawn by this program, not photographed") !=
        std::string::npos);
  CHECK(comparison.classification_tasks[1].classes.size() == 10);
  for (const ClassificationTaskRecord& task : comparison.classification_tasks) {
    for (const std::string& picture : task.pictures) {
      CHECK(fs::exists(folder / picture));
    }
  }
  CHECK(fs::exists(folder / comparison.style_picture));
  CHECK(comparison.test_photographs.size() == 2);
  CHECK(comparison.quality_network == "distilled");
  CHECK(fs::exists(folder / "report.html"));
  for (const ComparisonRun& run : comparison.runs) {
    CAPTURE(run.normalization);
    CAPTURE(run.photographs);
    CHECK(run.step == std::vector<double>{1, 2, 3});
    for (const auto* curve : {&run.total, &run.content, &run.style}) {
      CHECK(curve->size() == 3);
      CHECK(std::all_of(curve->begin(), curve->end(), [](double x) { return x > 0 && std::isfinite(x); }));
    }
    for (const LossValues* losses : {&run.training, &run.test, &run.test_train_mode}) {
      CHECK((losses->total > 0 && losses->content > 0 && losses->style > 0));
    }
    CHECK(run.training.total == run.total.back());
    CHECK((run.leak > 0) == (run.normalization == "batch"));
    CHECK(run.leak_eval == 0);
    CHECK(run.roughness > 0);
    CHECK((run.quality.structure > -1 && run.quality.structure < 1 && run.quality.weave > 0));
    CHECK((run.quality.content > 0 && run.quality.style > 0));
    CHECK((run.test.total == run.test_train_mode.total) == (run.normalization != "batch"));
    CHECK(run.seconds_per_step > 0);
    CHECK(run.peak_megabytes > 0);
    if (run.photographs == "plain") {
      CHECK(run.pictures.size() == 2);
      CHECK(run.contrast.size() == 4);
      for (const ContrastMeasure& measure : run.contrast) {
        CHECK((measure.pixel_change == 0) == (measure.contrast == 1));
        CHECK(fs::exists(folder / measure.picture));
        CHECK(fs::exists(folder / measure.photograph));
      }
      for (const std::string& picture : run.pictures) {
        const Shape shape = load_picture((folder / picture).string()).shape();
        CHECK(std::min(shape[2], shape[3]) == 40);
      }
      REQUIRE(run.samples.size() == 2);  // of three steps
      CHECK((run.samples[0].step == 1 && run.samples[1].step == 3));
      CHECK(load_picture((folder / run.samples[0].picture).string()).shape() ==
            load_picture((folder / run.pictures.front()).string()).shape());
      CHECK(read_file((folder / run.samples[0].picture).string()) !=
            read_file((folder / run.samples[1].picture).string()));
      const auto records = read_normalization_records((folder / run.normalization_record).string());
      CHECK(records.size() == (run.normalization == "none" ? 0 : 3 * 7));  // three steps of seven layers
    }
  }
  // The same weights, photographs and order: with one picture a batch, batch norm in training is instance
  // norm.
  const ComparisonRun &batch = find(comparison, "batch", 1), &instance = find(comparison, "instance", 1);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(batch.total[i] == doctest::Approx(instance.total[i]).epsilon(1e-5));
  }
  CHECK(batch.test_train_mode.total == doctest::Approx(instance.test.total).epsilon(1e-4));
  // With two they differ, and so does what they were trained on.
  CHECK(find(comparison, "batch", 2).total[0] != find(comparison, "instance", 2).total[0]);
  CHECK(find(comparison, "batch", 2).total[0] !=
        find(comparison, "batch", 2, "contrast-normalized").total[0]);
  CHECK(fs::exists(folder / "photographs/style-normalized"));

  // The same command again does nothing again; another one is refused.
  const std::string before = read_file((folder / "results.json").string());
  CHECK(program.run(program.tiny("run", "none,batch,instance,layer", 3)).status == 0);
  CHECK(read_file((folder / "results.json").string()) == before);
  program.check_refused(program.tiny("run", "none,batch,instance", 4), 2,
                        "norms was none,batch,instance,layer and is now none,batch,instance; steps was 3 and "
                        "is now 4");
  // What was asked for is a plan, which asks for the same.
  const fs::path plan = folder / "plan.toml";
  CHECK(read_file(plan.string()).find("norms = \"none,batch,instance,layer\"") != std::string::npos);
  CHECK(program.run("--plan " + plan.string() + " --out " + folder.string()).status == 0);
  CHECK(read_file((folder / "results.json").string()) == before);
  program.check_refused("--plan " + plan.string() + " --steps 4 --out " + folder.string(), 2,
                        "steps was 3 and is now 4");
  fs::remove(folder / "report.html");
  CHECK(program.run("--report " + folder.string()).status == 0);
  CHECK(fs::exists(folder / "report.html"));
}

TEST_CASE(
    "labelled pictures of the user's own are read in their own format, and what is not there is named") {
  const Program program;
  const std::string arguments =
      program.tiny("run", "batch,instance", 2) + "--skip photographs --data " + program.path("digits");
  program.check_refused(
      arguments, 1,
      "it holds no train-images-idx3-ubyte (MNIST), no data_batch_1.bin (CIFAR-10, binary version)");
  fs::create_directories(program.path("digits/MNIST/raw"));
  const auto word = [](std::uint32_t value) {
    return std::string{static_cast<char>(value >> 24), static_cast<char>(value >> 16),
                       static_cast<char>(value >> 8), static_cast<char>(value)};
  };
  // Twelve "digits" of 8 x 8 pixels: 0 is dark above, 1 dark below, 2 dark.
  const auto write = [&](const std::string& prefix, std::uint32_t count) {
    std::string images = word(0x803) + word(count) + word(8) + word(8), labels = word(0x801) + word(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      labels += static_cast<char>(i % 3);
      for (std::uint32_t pixel = 0; pixel < 64; ++pixel) {
        images +=
            static_cast<char>((i % 3 == 0 && pixel < 32) || (i % 3 == 1 && pixel >= 32) ? 10 + i : 200 - i);
      }
    }
    write_bytes(program.path("digits/MNIST/raw/" + prefix + "-images-idx3-ubyte"), images);
    write_bytes(program.path("digits/MNIST/raw/" + prefix + "-labels-idx1-ubyte"), labels);
  };
  write("train", 12);
  program.check_refused(arguments, 1, "t10k-images-idx3-ubyte");
  CHECK(!fs::exists(program.path("run")));
  write("t10k", 6);
  const Program::Outcome outcome = program.run(arguments);
  CAPTURE(outcome.errors);
  REQUIRE(outcome.status == 0);
  const Comparison comparison = read_results(program.path("run/results.json"));
  const ClassificationTaskRecord& task = comparison.classification_tasks.at(1);
  CHECK(task.classes == std::vector<std::string>{"0", "1", "2"});
  CHECK(task.words.find("3 classes, 12 pictures to learn from and 6 to test with") != std::string::npos);
  CHECK(load_picture(program.path("run/" + task.pictures[1])).shape() == Shape{1, 3, 8, 8});
  CHECK(comparison.classification.back().task == "pictures");
  CHECK(comparison.settings.at("data").ends_with("/digits"));
}

TEST_CASE("a comparison that was interrupted, and one that was killed, go on to the same results") {
  const Program program;
  const auto command = [&](const std::string& out, int jobs) {
    return program.tiny(out, "batch,instance", 12) + "--skip classification --jobs " + std::to_string(jobs);
  };
  REQUIRE(program.run(command("whole", 1)).status == 0);
  const Json expected = timeless_results(program.path("whole/results.json"));
  CHECK(expected["runs"].size() == 8);
  const auto stop_at = [&](const std::string& out, const std::string& log, const std::string& signal) {
    return program.shell("set -m; env --default-signal=INT " + program.command(command(out, 2)) +
                         " & while [ \"$(cat " + program.path(out + "/" + log) +
                         " 2>/dev/null | wc -l)\" -lt 4 ]; do sleep 0.005; done; kill -" + signal +
                         " $!; wait $!");
  };
  for (const auto& [signal, log] : std::vector<std::pair<std::string, std::string>>{
           {"INT", "runs/batch-batch2-seed1/log.jsonl"},
           {"KILL", "runs/batch-batch2-seed1-style-normalized/log.jsonl"}}) {
    CAPTURE(signal);
    const Program::Outcome outcome = stop_at(signal, log, signal);
    CAPTURE(outcome.errors);
    CHECK(outcome.status == (signal == "INT" ? 130 : 137));
    CHECK((outcome.errors.find("goes on where it was") != std::string::npos) == (signal == "INT"));
    const Json before = timeless_results(program.path(signal + "/results.json"));
    CHECK(before["runs"].size() < expected["runs"].size());
    if (const std::string run = program.path(signal + "/runs/batch-batch2-seed1");
        signal == "INT" && !fs::exists(run + "/model.safetensors")) {
      CHECK(load_checkpoint(run + "/checkpoint").step >= 4);  // nothing that was done is lost
    }
    REQUIRE(program.run(command(signal, 3)).status == 0);
    CHECK(timeless_results(program.path(signal + "/results.json")) == expected);
    for (const char* file : {"report.html", "runs/batch-batch2-seed1/model.safetensors",
                             "runs/batch-batch2-seed1/normalization.jsonl"}) {
      CHECK(fs::exists(program.path(signal + "/" + file)));
    }
    CHECK(read_file(program.path(signal + "/runs/batch-batch2-seed1/normalization.jsonl")) ==
          read_file(program.path("whole/runs/batch-batch2-seed1/normalization.jsonl")));
  }
}

TEST_CASE(
    "a whole study that is killed again and again ends with the same bytes, however many jobs it does at once") {
  const Program program;
  const auto command = [&](const std::string& out, int jobs) {
    return program.tiny(out, "batch,instance", 4, /*seeds=*/2) + "--skip photographs --jobs " +
           std::to_string(jobs);
  };
  // results.json without times and the date.
  const auto timeless = [&](const std::string& out) {
    std::string text = read_file(program.path(out + "/results.json"));
    for (const std::string varying : {"\"begun\":", "\"seconds_per_step\":"}) {
      for (std::size_t at = text.find(varying); at != std::string::npos; at = text.find(varying, at)) {
        at += varying.size();
        text.erase(at, text.find_first_of(",}", at) - at);
      }
    }
    return text;
  };
  REQUIRE(program.run(command("whole", 1)).status == 0);
  // Moments of different kinds: the first step, amid a later training, right after one, amid the classifiers.
  std::set<int> statuses;
  for (const char* moment :
       {"[ -s runs/batch-batch1-seed1/log.jsonl ]", "[ -s runs/instance-batch2-seed1/log.jsonl ]",
        "[ -e runs/batch-batch1-seed2/model.safetensors ]",
        "grep -q '\"task\":\"crops\",\"normalization\":\"instance\"' results.json"}) {
    CAPTURE(moment);
    const Program::Outcome outcome =
        program.shell("set -m; " + program.command(command("killed", 2)) + " & cd " + program.path("") +
                      "; for i in $(seq 2000); do ( cd killed 2>/dev/null && " + moment +
                      " ) && break; sleep 0.01; done; kill -KILL $! && wait $!");
    statuses.insert(outcome.status);
  }
  CHECK(statuses == std::set<int>{137});
  CHECK(timeless("killed") != timeless("whole"));
  REQUIRE(program.run(command("killed", 3)).status == 0);
  CHECK(timeless("killed") == timeless("whole"));
  CHECK(read_file(program.path("killed/curves.csv")) == read_file(program.path("whole/curves.csv")));
}

TEST_CASE(
    "bad usage is refused with exit code 2, failures with 1, each in one line, before anything is written") {
  const Program program;
  const std::string tiny = program.tiny("x", "batch", 2);
  program.check_refused("", 2, "--out");
  program.check_refused(
      "--out " + program.path("x") + " --norms batch,batsch", 2,
      "--norms: \"batsch\" is not batch, batch-instance, batch-unsynchronized, group, instance, layer or none; did you mean "
      "batch?");
  program.check_refused(tiny + "--norms batch", 2, "norms lists batch twice");
  program.check_refused("--out " + program.path("x") + " --batch-sizes 4,0", 2, "batch-sizes: 0");
  program.check_refused("--out " + program.path("x") + " --batch-sizes 4,4", 2, "batch-sizes lists 4 twice");
  program.check_refused("--out " + program.path("x") + " --seeds 0", 2, "seeds is 0");
  program.check_refused("--out " + program.path("x") + " --steps 0", 2, "steps is 0");
  program.check_refused("--out " + program.path("x") + " --crop 33", 2, "crop is 33");
  program.check_refused("--out " + program.path("x") + " --preset huge", 2, "preset");
  program.check_refused("--out " + program.path("x") + " --skip all", 2, "skip");
  program.check_refused("--out " + program.path("x") + " --paint", 2, "--paint");
  program.check_refused("--out " + program.path("x") + " --style /nowhere.jpg", 1, "/nowhere.jpg");
  program.check_refused("--out " + program.path("x") + " --painter /nowhere.safetensors", 1,
                        "/nowhere.safetensors");
  program.check_refused("--out " + program.path("x") + " --painter stary", 2, "--painter stary");
  program.check_refused("--out " + program.path("x") + " --content /nowhere", 1, "/nowhere");
  CHECK(!fs::exists(program.path("x")));
  write_bytes(program.path("file"), "a file");
  program.check_refused(program.tiny("file", "batch", 2), 2, "holds something else");
  program.check_refused(program.tiny("file/inside", "batch", 2), 1, "file/inside");
  program.check_refused(program.tiny("photographs", "batch", 2), 2, "holds something else");
  program.check_refused("--report " + program.path("photographs"), 1, "results.json");
  program.check_refused("--report " + program.path("photographs") + " --norms batch", 2,
                        "--norms cannot be given together with --report");
  program.check_refused("--plan /nowhere.toml --out " + program.path("x"), 2,
                        "--plan /nowhere.toml: there is no such file");
  for (const auto& [line, text] :
       std::vector<std::pair<std::string, std::string>>{{"stepps = 3", "stepps"},
                                                        {"steps = many", "--steps"},
                                                        {"norms = \"batch,batsch\"", "did you mean batch?"},
                                                        {"out = \"x\"", "out"},
                                                        {"steps", "steps"},
                                                        {"batch-sizes = \"1,,2\"", "batch-sizes"}}) {
    CAPTURE(line);
    write_bytes(program.path("plan.toml"), line + "\n");
    program.check_refused("--plan " + program.path("plan.toml") + " --out " + program.path("x"), 2, text);
  }
  CHECK(program.run("--help").status == 0);
  CHECK(program.run("--preset full --help").status == 0);
  CHECK(program.run("--version").status == 0);
}

TEST_CASE("a training that diverges is named, and the others go on") {
  const Program program;
  const Program::Outcome outcome =
      program.run(program.tiny("run", "none,instance", 12) + "--skip photographs,classification --lr 1");
  CAPTURE(outcome.errors);
  CHECK(outcome.status == 0);
  CHECK(outcome.errors.find("compare-norms: none norm, batch 1, seed 1: step ") != std::string::npos);
  const std::string before = read_file(program.path("run/results.json"));
  const Comparison comparison = read_results(program.path("run/results.json"));
  CHECK_NOTHROW(find(comparison, "instance", 1));
  CHECK(!comparison.failures.empty());
  CHECK(read_file(program.path("run/report.html")).find("Trainings that failed") != std::string::npos);
  // It is not tried again.
  CHECK(program.run(program.tiny("run", "none,instance", 12) + "--skip photographs,classification --lr 1")
            .errors.find("none norm") == std::string::npos);
  CHECK(read_file(program.path("run/results.json")) == before);
}

TEST_CASE("two comparisons in one folder: the second is refused") {
  const Program program;
  const std::string arguments = program.tiny("run", "none,instance", 3) + "--skip photographs,classification";
  REQUIRE(program.run(arguments).status == 0);
  const FolderLock lock(program.path("run"));
  program.check_refused(arguments, 1, "another program works in it");
}
