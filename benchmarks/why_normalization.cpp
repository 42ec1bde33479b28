// The measurements of docs/normalization.md, "Why normalization helps": gradients through depth, and batches
// of few pictures.
//
//     build/bin/benchmark-why-normalization [--svg FOLDER]
//
// prints the tables as they stand there, and draws the two figures. Nothing is timed: the numbers are the
// same on any number of threads.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "compare_norms/conv_stack.h"
#include "compare_norms/experiments/stack_experiment.h"
#include "gesso/core/files/file.h"
#include "gesso/training/picture_folder.h"
#include "panels.h"
#include "program/assets.h"
#include "program/command_line.h"

namespace {

using namespace gesso;

constexpr double kRate = 0.02;  // the highest, for batches of 16
constexpr Index kUsualBatch = 16;

struct Settings {
  Index seeds = 3;
  Index steps = 300;    ///< with batches of 16; smaller ones take more, to see as many pictures
  std::string only;     ///< "depth" or "batches"; empty: both
  std::string figures;  ///< folder, or none
};

struct Kind {
  const char* name;
  const char* normalization;
  InitialWeights weights;
  const char* colour;
  const char* dashes;
};
constexpr Kind kKinds[] = {{"none", "none", InitialWeights::pytorch, "#888888", "2 4"},
                           {"none, He's weights", "none", InitialWeights::he, "#888888", "none"},
                           {"batch norm", "batch", InitialWeights::pytorch, "#d55e00", "none"},
                           {"group norm", "group", InitialWeights::pytorch, "#009e73", "none"},
                           {"layer norm", "layer", InitialWeights::pytorch, "#0072b2", "8 4"},
                           {"instance norm", "instance", InitialWeights::pytorch, "#cc79a7", "8 4 2 4"}};
constexpr Index kBatches[] = {1, 2, 4, 8, 16};

// Mean and range over the seeds; NaN if one of them is.
struct Spread {
  double mean = 0, low = 0, high = 0;

  explicit Spread(const std::vector<double>& values) {
    const auto [least, most] = std::ranges::minmax(values);
    low = least;
    high = most;
    for (double v : values) {
      mean += v / static_cast<double>(values.size());
    }
  }
  std::string text(const char* pattern) const {
    return std::isfinite(mean) ? detail::printed(pattern, mean, (high - low) / 2) : "diverged";
  }
};

using Measure = std::function<double(const StackResult&)>;

Spread spread_of(const std::vector<StackResult>& seeds, const Measure& measure) {
  std::vector<double> values;
  for (const StackResult& result : seeds) {
    values.push_back(measure(result));
  }
  return Spread(values);
}

Curve curve_of(const Kind& kind, const std::vector<Spread>& spreads) {
  Curve curve{kind.name, kind.colour, kind.dashes, {}, {}, {}};
  for (const Spread& s : spreads) {
    curve.mean.push_back(s.mean);
    curve.low.push_back(s.low);
    curve.high.push_back(s.high);
  }
  return curve;
}

StackTraining usual_training(const Settings& settings) {
  return {.batch = kUsualBatch, .steps = settings.steps, .lr = kRate};
}

std::vector<StackResult> train_seeds(const ClassificationTask& task, const Settings& settings,
                                     const ConvStackOptions& options, StackTraining training) {
  std::vector<StackResult> results;
  for (Index seed = 1; seed <= settings.seeds; ++seed) {
    training.seed = static_cast<std::uint64_t>(seed);
    results.push_back(*train_stack(task, options, training));
  }
  return results;
}

// ---- gradients through depth

void measure_depth(const ClassificationTask& task, const Settings& settings) {
  constexpr Index kDepth = 16, kShown[] = {1, 8, 16};
  std::printf(
      "|dW| / |W| of a convolution of %lld, before the first of %lld steps and in their last tenth\n\n",
      static_cast<long long>(kDepth), static_cast<long long>(settings.steps));
  std::printf("| normalization |");
  for (const char* when : {"before: layer", "at the end: layer"}) {
    for (Index layer : kShown) {
      std::printf(" %s %lld |", when, static_cast<long long>(layer));
    }
  }
  std::printf(" training loss |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  Panel before{"|dW| / |W| before the first step", "layer", {}, -8, 1, 1, true, {}};
  for (Index layer = 1; layer <= kDepth; ++layer) {
    before.places.push_back(layer == 1 || layer % 4 == 0 ? std::to_string(layer) : "");
  }
  Panel after = before;
  after.title = "|dW| / |W| at the end of the training";
  for (const Kind& kind : kKinds) {
    const std::vector<StackResult> seeds = train_seeds(
        task, settings, {.normalization = kind.normalization, .weights = kind.weights, .depth = kDepth},
        usual_training(settings));
    std::printf("| %s |", kind.name);
    for (auto [gradients, panel] :
         {std::pair(&StackResult::first_gradients, &before), {&StackResult::later_gradients, &after}}) {
      std::vector<Spread> layers;
      for (Index layer = 0; layer < kDepth; ++layer) {  // of sizes so different, the mean of their logarithms
        Spread logs = spread_of(seeds, [&, gradients = gradients](const StackResult& r) {
          return std::log((r.*gradients)[layer]);
        });
        logs.mean = std::exp(logs.mean), logs.low = std::exp(logs.low), logs.high = std::exp(logs.high);
        layers.push_back(logs);
      }
      for (Index layer : kShown) {
        std::printf(" %.1e |", layers[layer - 1].mean);
      }
      panel->curves.push_back(curve_of(kind, layers));
    }
    std::printf(
        " %s |\n",
        spread_of(seeds, [](const StackResult& r) { return r.training_loss; }).text("%.2f ± %.2f").c_str());
    std::fflush(stdout);
  }
  if (!settings.figures.empty()) {
    write_file_atomically(
        settings.figures + "/normalization_gradients.svg",
        panels_svg(
            "Size of gradients through 16 convolutions",
            "Two panels with logarithmic axes: the gradient of each of 16 convolutions relative to its "
            "weight, before the first step and at the end of a training, without a normalization, with He's "
            "weights, and with batch, group, layer and instance norm. The tables beside the figure have the numbers.",
            {before, after}));
  }
}

// ---- batches

struct Row {
  Kind kind;
  std::string name;
  std::vector<Spread> batches;
};

// A table of losses, and the panel that shows it.
Panel show(const char* title, const std::vector<Row>& rows) {
  std::printf("\n%s\n\n| normalization |", title);
  Panel panel{title, "pictures in a batch", {}, 1e9, 0, 0, false, {}};
  for (const Index batch : kBatches) {
    std::printf(" %lld |", static_cast<long long>(batch));
    panel.places.push_back(std::to_string(batch));
  }
  std::printf("\n| --- | --- | --- | --- | --- | --- |\n");
  for (const Row& row : rows) {
    std::printf("| %s |", row.name.c_str());
    for (const Spread& spread : row.batches) {
      std::printf(" %s |", spread.text("%.2f ± %.2f").c_str());
    }
    std::printf("\n");
    panel.curves.push_back(curve_of(row.kind, row.batches));
    panel.curves.back().name = row.name;
    for (const Spread& spread : row.batches) {  // NaN changes nothing
      panel.low = std::fmin(panel.low, std::floor(spread.low));
      panel.high = std::fmax(panel.high, std::ceil(spread.high));
    }
  }
  panel.step = panel.high - panel.low > 3 ? 1 : 0.5;
  return panel;
}

void measure_batches(const ClassificationTask& task, const Settings& settings) {
  constexpr Index kDepth = 6;
  std::vector<Row> training, test;
  for (const Kind& kind : kKinds) {
    if (std::string(kind.name) == "none") {
      continue;  // learns nothing, here either
    }
    Row of_training{kind, kind.name, {}}, of_test = of_training, in_train{kind, "batch norm in train()", {}};
    in_train.kind.dashes = "2 4";
    for (const Index batch : kBatches) {
      const std::vector<StackResult> seeds = train_seeds(
          task, settings, {.normalization = kind.normalization, .weights = kind.weights, .depth = kDepth},
          with_batch(usual_training(settings), batch));
      of_training.batches.push_back(spread_of(seeds, [](const StackResult& r) { return r.training_loss; }));
      of_test.batches.push_back(spread_of(seeds, [](const StackResult& r) { return r.test.loss; }));
      in_train.batches.push_back(
          spread_of(seeds, [](const StackResult& r) { return r.test_in_batches.loss; }));
    }
    training.push_back(of_training);
    test.push_back(of_test);
    if (std::string(kind.normalization) == "batch") {  // the only one that tells the modes apart
      test.push_back(in_train);
    }
  }
  const std::vector<Panel> panels = {show("Test loss", test), show("Training loss", training)};
  if (!settings.figures.empty()) {
    write_file_atomically(
        settings.figures + "/normalization_batches.svg",
        panels_svg(
            "Loss by the number of pictures in a batch",
            "Two panels, test and training loss over batches of 1 to 16 pictures, without a normalization "
            "and with batch, group, layer and instance norm. The tables beside the figure have the numbers.",
            panels));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line(
      "benchmark-why-normalization",
      "Measures gradients through 16 convolutions, and the loss by the size of batches, with and without "
      "normalizations, and prints the tables of docs/normalization.md.");
  Settings settings;
  line.option("--seeds", &settings.seeds, "Trainings of each kind").range(1, 100);
  line.option("--steps", &settings.steps,
              "Steps of each training with batches of 16; smaller batches see as many pictures")
      .range(10, 100000);
  line.option("--only", &settings.only, "One of the two").choices({"depth", "batches"});
  line.option("--svg", &settings.figures, "Also draw the figures, into this folder").value_name("FOLDER");
  line.add_threads_option();
  return line.run(argc, argv, [&] {
    const ClassificationTask task = make_classification_task(pictures_in(asset("photos")));
    if (settings.only != "batches") {
      measure_depth(task, settings);
    }
    if (settings.only != "depth") {
      measure_batches(task, settings);
    }
    return true;
  });
}
