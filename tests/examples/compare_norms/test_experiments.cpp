// The experiments of compare-norms: what each plans, trains and shows, and how they go on in the program.
#include "compare_norms/experiments/experiment.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "compare_norms/against.h"
#include "compare_norms/experiments/experiment_fields.h"
#include "compare_norms/experiments/experiment_tables.h"
#include "compare_norms/experiments/stack_experiment.h"
#include "compare_norms/tables.h"
#include "files.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/picture_folder.h"
#include "paths.h"
#include "program_runs.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

constexpr ExperimentSettings kTiny{.seeds = 2, .steps = 2};

const ClassificationTask& task() {
  static const ClassificationTask photographs = [] {
    std::vector<std::string> files = pictures_in(source_path("examples/assets/photos"));
    files.resize(3);
    return make_classification_task(files);
  }();
  return photographs;
}

// Does a training and adds it to the results.
void train(const Experiment& experiment, const std::string& name, ExperimentResults& results) {
  const auto trained = experiment.train(name, kTiny, task(), [](Index) { return true; });
  REQUIRE(trained);
  experiment.add(*trained, kTiny, results);
}

std::string text_of(const ExperimentResults& results) { return json_text(json_of(results)); }

}  // namespace

TEST_CASE("every experiment has a name, a question, a source, and trainings of different names") {
  CHECK(!experiments().empty());
  for (const Experiment* experiment : experiments()) {
    CAPTURE(experiment->name);
    CHECK(experiment->name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos);
    CHECK(experiment->question.ends_with("?"));
    CHECK(!experiment->source.empty());
    CHECK(experiments_named({experiment->name}).front() == experiment);
    const std::vector<PlannedTraining> plan = experiment->plan(kTiny);
    std::set<std::string> names;
    for (const PlannedTraining& training : plan) {
      names.insert(training.name);
      CHECK(training.pictures > 0);
    }
    CHECK(names.size() == plan.size());
    CHECK(experiment->plan({.seeds = 4, .steps = 2}).size() == 2 * plan.size());
  }
  CHECK_THROWS_WITH_AS(experiments_named({"batch-sise"}),
                       doctest::Contains("there is no experiment 'batch-sise'"), ArgumentError);
}

TEST_CASE("trainings yield the same whatever their order, and one that is stopped yields nothing") {
  for (const Experiment* experiment : experiments()) {
    CAPTURE(experiment->name);
    const std::vector<PlannedTraining> plan = experiment->plan(kTiny);
    const std::string names[] = {plan.front().name, plan[plan.size() / 2].name, plan.back().name};
    ExperimentResults forwards, backwards;
    for (int i = 0; i < 3; ++i) {
      CHECK(!experiment->has(forwards, names[i]));
      train(*experiment, names[i], forwards);
      CHECK(experiment->has(forwards, names[i]));
      train(*experiment, names[2 - i], backwards);
    }
    CHECK(experiment->count(forwards) == 3);
    CHECK(text_of(forwards) == text_of(backwards));

    CHECK(!experiment->train(names[0], kTiny, task(), [](Index) { return false; }));

    // Files and the page.
    CHECK(text_of(struct_of<ExperimentResults>(json_of(forwards))) == text_of(forwards));
    const std::string csv = experiment->csv(forwards);
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 4);
    CHECK(csv.starts_with("name,"));
    CHECK(csv.find("\n" + names[1] + ",") != std::string::npos);
    const std::vector<TrainingNumbers> numbers = experiment->numbers(forwards);
    REQUIRE(numbers.size() == 3);
    CHECK((numbers[1].name == names[1] && names[1].starts_with(numbers[1].normalization)));
    CHECK(numbers[1].steps > 0);
    CHECK(numbers[1].values.size() == experiment->measures().size());
    for (const ReportCurve& curve : numbers[1].curves) {
      CHECK((!curve.x.empty() && curve.y.size() == curve.x.size()));
    }
    const ReportSection section = experiment->section(forwards);
    REQUIRE(section.blocks.size() >= 2);
    CHECK(std::get<ReportText>(section.blocks[0]).paragraphs[0].starts_with(experiment->question));
    Report report;
    report.sections = {section};
    CHECK(report.html().find(experiment->title) != std::string::npos);
  }
}

TEST_CASE("batch sizes: every training sees as many crops, and alone batch norm is instance norm") {
  const Experiment& experiment = *experiments_named({"batch-size"}).front();
  for (const PlannedTraining& training : experiment.plan({.seeds = 1, .steps = 3})) {
    CHECK(training.pictures == 3 * 16);
  }
  ExperimentResults results;
  for (const char* name : {"batch-batch1-seed1", "instance-batch1-seed1", "batch-batch4-seed1"}) {
    train(experiment, name, results);
  }
  const std::vector<StackRun>& runs = results.batch_size;
  CHECK(runs[0].training.lr == runs[2].training.lr / 4);
  CHECK(runs[0].training.steps == 32);
  CHECK(runs[0].result.training_loss == doctest::Approx(runs[1].result.training_loss).epsilon(1e-4));
  CHECK(runs[0].result.test_in_batches.loss == doctest::Approx(runs[1].result.test.loss).epsilon(1e-4));
  CHECK(runs[0].result.test.loss != doctest::Approx(runs[1].result.test.loss).epsilon(1e-4));
}

TEST_CASE("learning rates: two decades and more, and a cell for what became of each") {
  const Experiment& experiment = *experiments_named({"learning-rate"}).front();
  ExperimentResults results;
  for (const char* name : {"none-rate0.003-seed1", "batch-rate1-seed1"}) {
    train(experiment, name, results);
  }
  const std::vector<StackRun>& runs = results.learning_rate;
  CHECK(runs[1].training.lr / runs[0].training.lr > 100);
  CHECK(runs[0].result.guess_loss == doctest::Approx(std::log(3.0)));
  const ReportSection section = experiment.section(results);
  const ReportGrid& grid = std::get<ReportGrid>(section.blocks[1]);
  CHECK(grid.rows == std::vector<std::string>{"none", "batch"});
  CHECK(grid.columns == std::vector<std::string>{"0.003", "1"});
  CHECK(grid.cells[0][1].text == "–");  // not done yet

  // Three seeds of each: one that learned, one that did not, one that diverged.
  const auto cell_of = [](double a, double b, double c) {
    std::vector<StackRun> seeds(3);
    for (StackRun& run : seeds) {
      run.network.normalization = "batch";
      run.result.guess_loss = 3;
      const double loss = &run == &seeds[0] ? a : &run == &seeds[1] ? b : c;
      run.result.training_loss = loss;
      run.result.diverged_at = std::isnan(loss) ? 7 : 0;
    }
    return stack_grid(
               seeds, "", "", [](const StackRun&) { return "1"; },
               [](const StackRun& run) { return run.result.training_loss; })
        .cells[0][0];
  };
  CHECK(cell_of(1, 2, 3).value == 2);
  CHECK((cell_of(1, 2, 3).text == "2.00" && cell_of(1, 2, 3).note == "± 1.00"));
  CHECK((std::isnan(cell_of(2.8, 3, 3.1).value) && cell_of(2.8, 3, 3.1).text == "○"));
  CHECK((std::isnan(cell_of(1, NAN, 3).value) && cell_of(1, NAN, 3).note == "1 of 3"));
}

TEST_CASE("depth: a stack of as many convolutions as its name says") {
  const Experiment& experiment = *experiments_named({"depth"}).front();
  ExperimentResults results;
  for (const char* name : {"group-depth2-seed1", "none-depth16-seed2"}) {
    train(experiment, name, results);
  }
  CHECK(results.depth[0].result.first_gradients.size() == 2);
  CHECK(results.depth[1].result.later_gradients.size() == 16);
  CHECK(results.depth[1].training.seed == 2);
}

TEST_CASE("place: each variant changes what it says, and only that") {
  const Experiment& experiment = *experiments_named({"place"}).front();
  ExperimentResults results;
  const char* const variants[] = {"usual", "after", "plain", "first-half", "second-half", "every-other"};
  std::set<double> losses;
  for (const char* variant : variants) {
    train(experiment, concat_text("layer-", variant, "-seed1"), results);
    losses.insert(results.place.back().result.training_loss);
  }
  CHECK(losses.size() == 6);
  const ReportSection section = experiment.section(results);
  CHECK(std::get<ReportGrid>(section.blocks[2]).columns ==
        std::vector<std::string>{"usual", "after ReLU", "no γ, β", "1st half", "2nd half", "every 2nd"});
  Generator rng(1);
  const auto tensors = [&](const std::function<void(ConvStackOptions&)>& change) {
    ConvStackOptions options{.normalization = "group", .depth = 5};
    change(options);
    return ConvStack(options, 3, rng).parameters().size();
  };
  CHECK(tensors([](ConvStackOptions&) {}) == 4 * 5 + 2);  // weight, bias, gamma and beta; the linear layer
  CHECK(tensors([](ConvStackOptions& o) { o.affine = false; }) == 2 * 5 + 2);
  CHECK(tensors([](ConvStackOptions& o) { o.place = NormPlace::after_relu; }) == 4 * 5 + 2);
  CHECK(tensors([](ConvStackOptions& o) { o.normalized = NormalizedLayers::first_half; }) ==
        2 * 5 + 2 * 3 + 2);
  CHECK(tensors([](ConvStackOptions& o) { o.normalized = NormalizedLayers::second_half; }) ==
        2 * 5 + 2 * 2 + 2);
  CHECK(tensors([](ConvStackOptions& o) { o.normalized = NormalizedLayers::every_other; }) ==
        2 * 5 + 2 * 3 + 2);
}

TEST_CASE("constants: eps is part of the training, momentum only of what batch norm does in eval mode") {
  const Experiment& experiment = *experiments_named({"constants"}).front();
  ExperimentResults results;
  for (const char* name : {"batch-eps1e-05-seed1", "batch-eps0.1-seed1", "batch-momentum0.001-seed1",
                           "batch-momentum0.1-seed1"}) {
    train(experiment, name, results);
  }
  const auto result = [&](int i) { return results.constants[i].result; };
  CHECK(result(0).training_loss != result(1).training_loss);
  CHECK(result(2).training_loss == result(0).training_loss);
  CHECK(result(2).test_in_batches.loss == result(0).test_in_batches.loss);
  CHECK(result(2).test.loss != result(0).test.loss);
  CHECK(result(3).test.loss == result(0).test.loss);
}

TEST_CASE(
    "experiments in tables: a measure by normalization and setting, or measures where there is one setting") {
  CHECK(setting_in("group-batch4-seed2", "group") == "batch 4");
  CHECK(setting_in("batch-eps1e-05-seed1", "batch") == "eps 1e-05");
  CHECK(setting_in("layer-first-half-seed1", "layer") == "first-half");
  CHECK(setting_in("none-seed12", "none").empty());

  ExperimentResults results;
  for (const std::uint64_t seed : {1, 2}) {
    for (const char* normalization : {"none", "batch"}) {
      for (const double rate : {0.01, 1.0}) {
        StackRun run{.name = concat_text(normalization, "-rate", rate, "-seed", seed)};
        run.network.normalization = normalization;
        run.training = {.steps = 150, .lr = rate, .seed = seed};
        run.result.training_loss = rate + static_cast<double>(seed);
        run.result.test.error = 0.25;
        if (rate == 1 && seed == 2 && run.network.normalization == "none") {
          run.result.training_loss = NAN;
        }
        results.learning_rate.push_back(run);
      }
    }
    results.landscape.push_back({.name = concat_text("batch-seed", seed),
                                 .step = {1, 150},
                                 .loss = {3, 1},
                                 .lowest = {2.5, 1},
                                 .highest = {3.5, 1},
                                 .gradient_norm = {1, 1},
                                 .gradient_change = {0.5, 1.5},
                                 .smoothness = {4, 6}});
    results.landscape.back().network.normalization = "batch";
    results.landscape.back().training.steps = 150;
  }
  const Experiment& rates = *experiments_named({"learning-rate"}).front();
  const std::vector<ReportTable> by_rate = experiment_tables(rates, results);
  REQUIRE(by_rate.size() == rates.measures().size());
  CHECK(by_rate[0].title == "learning-rate: training loss");
  CHECK(by_rate[0].columns == std::vector<std::string>{"Normalization", "rate 0.01", "rate 1"});
  CHECK(by_rate[0].rows ==
        std::vector<std::vector<std::string>>{{"no normalization", "1.51 ± 0.71", "1 of 2 diverged"},
                                              {"batch", "1.51 ± 0.71", "2.50 ± 0.71"}});
  CHECK(by_rate[1].rows[1][2] == "25.0 ± 0.0");
  const Experiment& landscape = *experiments_named({"landscape"}).front();
  const std::vector<ReportTable> measures = experiment_tables(landscape, results);
  REQUIRE(measures.size() == 1);
  CHECK(measures[0].columns == std::vector<std::string>{"Normalization", "loss at the end", "loss varies by",
                                                        "gradient changes by, of its norm",
                                                        "change per distance"});
  CHECK(measures[0].rows[0] ==
        std::vector<std::string>{"batch", "1.00 ± 0.00", "0.500 ± 0.000", "1.00 ± 0.00", "5.00 ± 0.00"});

  // As LaTeX, without style networks.
  Comparison comparison{.experiments = results};
  std::ostringstream latex;
  print_latex(latex, comparison);
  CHECK(latex.str().find("% learning-rate: training loss\n\\begin{tabular}{lrr}\n") != std::string::npos);
  CHECK(latex.str().find("batch & 1.51 $\\pm$ 0.71 & 2.50 $\\pm$ 0.71 \\\\\n") != std::string::npos);
  CHECK(latex.str().find("total-loss") == std::string::npos);

  // Side by side with a study that has other rates.
  ExperimentResults others = results;
  others.landscape.clear();
  std::erase_if(others.learning_rate, [](const StackRun& run) { return run.training.lr == 1; });
  for (StackRun& run : others.learning_rate) {
    run.result.training_loss = 2;
  }
  const std::optional<ReportTable> table = experiment_table_against(rates, results, others, "other");
  REQUIRE(table);
  CHECK(table->columns.size() == 2 + 2 * rates.measures().size());
  CHECK((table->columns[2] == "training loss" && table->columns[3] == "other"));
  REQUIRE(table->rows.size() == 2);
  CHECK(table->rows[1][1] == "rate 0.01");
  CHECK((table->rows[1][2] == "1.51 ± 0.71" && table->rows[1][3] == "2.00 ± 0.00"));
  CHECK(!experiment_table_against(landscape, results, others, "other"));
  Report report;
  report.sections = {against_section(comparison, {.experiments = others}, "other")};
  CHECK(report.html().find("Experiment learning-rate") != std::string::npos);
}

TEST_CASE("a grid that was killed goes on to the same results, and another may be added to it") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "photographs");
  std::vector<std::string> files = pictures_in(source_path("examples/assets/photos"));
  for (int i = 0; i < 4; ++i) {
    save_picture(folder / ("photographs/" + std::to_string(i) + ".png"),
                 resize_short_side(load_picture(files[i]), 64));
  }
  const auto arguments = [&](const std::string& out, const std::string& experiments, int jobs = 1) {
    return "--jobs " + std::to_string(jobs) +
           " --skip comparison --experiment-seeds 1 --experiment-steps 3 --content " +
           (folder / "photographs") + " --out " + (folder / out) + " --experiments " + experiments;
  };
  const auto results_of = [&](const std::string& out) {
    Json results = parse_json(read_file(folder / (out + "/results.json")));
    results.erase("origin");
    return results;
  };
  REQUIRE(run_program("compare-norms", arguments("whole", "batch-size")).status == 0);
  const Json whole = results_of("whole");
  const std::size_t trainings = experiments_named({"batch-size"}).front()->plan({.seeds = 1}).size();
  CHECK(whole["experiments"]["batch_size"].size() == trainings);
  CHECK(whole["runs"].empty());
  CHECK(fs::exists(folder / "whole/experiments/batch-size.csv"));
  const std::string page = read_file(folder / "whole/report.html");
  for (const char* text :
       {"Experiments on normalizations", "Which of 4 photographs", "Experiment: batch size"}) {
    CAPTURE(text);
    CHECK(page.find(text) != std::string::npos);
  }

  // In several processes the results are the same; those end with the one that is killed, and leave the folder free.
  run_command(program_path("compare-norms") + " " + arguments("killed", "batch-size", 3) +
              " & while [ \"$(grep -o diverged_at " + (folder / "killed/results.json") +
              " 2>/dev/null | wc -l)\" -lt 5 ]; do sleep 0.005; done; kill -KILL $!");
  const std::size_t before = results_of("killed")["experiments"]["batch_size"].size();
  CHECK((before >= 5 && before < trainings));
  REQUIRE(run_program("compare-norms", arguments("killed", "batch-size", 2)).status == 0);
  CHECK(results_of("killed") == whole);

  const std::string finished = read_file(folder / "whole/results.json");
  CHECK(run_program("compare-norms", arguments("whole", "none")).status == 0);
  CHECK(read_file(folder / "whole/results.json") == finished);
  CHECK(
      run_program("compare-norms", arguments("new", "batch-sise")).errors.find("did you mean batch-size?") !=
      std::string::npos);
  CHECK(run_program("compare-norms", arguments("new", "all,batch-size")).errors.find("all stands alone") !=
        std::string::npos);
  CHECK(!fs::exists(folder / "new"));
}
