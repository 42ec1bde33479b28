// What normalization does to the loss that is descended: how it and its gradient change along the gradient, and how
// gradients spread over the layers.
#include <algorithm>
#include <cmath>

#include "compare_norms/gradient_probe.h"
#include "experiments_list.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/reduce.h"
#include "gesso/training/optim/schedule.h"
#include "gesso/training/optim/sgd.h"
#include "over_seeds.h"
#include "stack_experiment.h"
#include "typed_experiment.h"

namespace gesso {
namespace {

constexpr Index kProbes = 8;  // in a training
constexpr Index kDepth = 8;
constexpr double kReaches[] = {0.5, 1, 2, 4};  // step sizes, of the highest learning rate

std::vector<LandscapeRun> plan(const ExperimentSettings& settings) {
  std::vector<LandscapeRun> runs;
  for (Index seed = 1; seed <= settings.seeds; ++seed) {
    for (const char* normalization : {"none", "batch", "group", "layer", "instance"}) {
      const StackRun usual = usual_run(normalization, settings, static_cast<std::uint64_t>(seed));
      LandscapeRun run{.name = usual.name, .network = usual.network, .training = usual.training};
      run.network.depth = kDepth;
      runs.push_back(run);
    }
  }
  return runs;
}

// The steps before which is probed, evenly spread from the first to the last.
bool is_probed(Index step, Index steps) {
  const Index probes = std::min(kProbes, steps);
  for (Index k = 0; k < probes; ++k) {
    if (step == (probes == 1 ? 0 : k * (steps - 1) / (probes - 1))) {
      return true;
    }
  }
  return false;
}

// |dL/dW| of each convolution, first to last, of gradients that are there.
std::vector<double> gradient_norms(const ConvStack& net) {
  std::vector<double> norms;
  for (const Tensor& weight : convolution_weights(net)) {
    norms.push_back(norm(weight.grad()).item());
  }
  return norms;
}

bool train_run(const ClassificationTask& task, LandscapeRun& run, const AfterPictures& after_pictures) {
  const StackTraining& training = run.training;
  Generator weights(training.seed);
  ConvStack net(run.network, static_cast<Index>(task.training.classes.size()), weights);
  LabelledBatches batches = stack_batches(task, training);
  SGD sgd(net.parameters(), {.lr = training.lr, .momentum = 0.9});
  const WarmupCosine schedule{.warmup = training.steps / 10, .total = training.steps};
  std::vector<double> reaches(std::begin(kReaches), std::end(kReaches));
  std::for_each(reaches.begin(), reaches.end(), [&](double& reach) { reach *= training.lr; });
  for (Index step = 0; step < training.steps; ++step) {
    const LabelledBatch crops = batches.next();
    const auto loss_now = [&] { return cross_entropy(net(crops.pictures), crops.labels); };
    if (is_probed(step, training.steps)) {
      const GradientProbe probe = probe_gradient(net.parameters(), loss_now, reaches);
      run.step.push_back(static_cast<double>(step + 1));
      run.loss.push_back(probe.loss);
      run.lowest.push_back(probe.lowest);
      run.highest.push_back(probe.highest);
      run.gradient_norm.push_back(probe.gradient_norm);
      run.gradient_change.push_back(probe.gradient_change);
      run.smoothness.push_back(probe.smoothness);
    }
    const Tensor loss = loss_now();
    if (!std::isfinite(loss.item())) {
      run.diverged_at = step + 1;
      return true;
    }
    sgd.zero_grad();
    loss.backward();
    if (step == 0) {
      run.first_gradients = gradient_norms(net);
    }
    if (step + 1 == training.steps) {
      run.last_gradients = gradient_norms(net);
    }
    sgd.set_lr(training.lr * schedule(step));
    sgd.step();
    if (!after_pictures((step + 1) * training.batch)) {
      return false;
    }
  }
  return true;
}

// Element by element.
std::vector<double> varied(const LandscapeRun& run) {
  std::vector<double> values;
  for (std::size_t i = 0; i < run.loss.size(); ++i) {
    values.push_back(std::max(run.highest[i], run.loss[i]) - std::min(run.lowest[i], run.loss[i]));
  }
  return values;
}
std::vector<double> change(const LandscapeRun& run) { return run.gradient_change; }
std::vector<double> smoothness(const LandscapeRun& run) { return run.smoothness; }
std::vector<double> steps(const LandscapeRun& run) { return run.step; }

std::vector<double> layers(const LandscapeRun& run) {
  std::vector<double> numbers;
  for (Index i = 1; i <= run.network.depth; ++i) {
    numbers.push_back(static_cast<double>(i));
  }
  return numbers;
}

double first_to_last(const std::vector<double>& gradients) {
  return gradients.empty() ? NAN : gradients.front() / gradients.back();
}

std::vector<ReportBlock> blocks(const std::vector<LandscapeRun>& runs) {
  const auto chart = [&](const char* title, const char* x, const char* y, const auto& of_x,
                         const auto& of_y) {
    return ReportChart{.title = title,
                       .x_label = x,
                       .y_label = y,
                       .curves = curves_over_seeds(runs, of_x, of_y),
                       .log_scale = true};
  };
  const auto on_average = [&](std::vector<double> (*values)(const LandscapeRun&)) {
    return least_to_most(runs, [=](const LandscapeRun& run) { return mean_or_nan(values(run)); });
  };
  const auto over_layers = [&](const char* when, std::vector<double> LandscapeRun::*gradients) {
    return ReportText{{concat_text(
        when, " the first layer's gradient is so many times the last layer's: ",
        least_to_most(runs, [=](const LandscapeRun& run) { return first_to_last(run.*gradients); }), ".")}};
  };
  return {
      ReportText{{concat_text(
          "Before up to eight steps of a training (", runs.front().network.depth,
          " convolutions, SGD) the loss of its batch and the gradient are computed again after steps "
          "along the gradient of 1/2, 1, 2 and 4 times the learning rate.")}},
      chart("Loss of the batch", "step", "loss", steps, [](const LandscapeRun& run) { return run.loss; }),
      chart("How far the loss varies along the gradient", "step", "largest less smallest loss", steps,
            varied),
      ReportText{{concat_text("On average over these steps, the loss varies by ", on_average(varied), ".")}},
      chart("How badly the gradient foretells the next", "step",
            "largest change of the gradient, by its norm", steps, change),
      ReportText{{concat_text(
          "On average, the gradient changes by this many times its norm: ", on_average(change), ".")}},
      chart("Smoothness: how fast the gradient changes along itself", "step",
            "largest change of the gradient by the length of the step", steps, smoothness),
      ReportText{{concat_text("On average, that is ", on_average(smoothness), ".")}},
      chart("Gradients by layer, first step", "layer", "norm of the gradient", layers,
            [](const LandscapeRun& run) { return run.first_gradients; }),
      over_layers("At the first step", &LandscapeRun::first_gradients),
      chart("Gradients by layer, last step", "layer", "norm of the gradient", layers,
            [](const LandscapeRun& run) { return run.last_gradients; }),
      over_layers("At the last step", &LandscapeRun::last_gradients),
      ReportText{{"Means over seeds; the bands reach from the lowest to the highest seed."}}};
}

}  // namespace

const Experiment& landscape_experiment() {
  static const TypedExperiment<LandscapeRun> experiment = [] {
    TypedExperiment<LandscapeRun> e;
    e.name = "landscape";
    e.title = "Experiment: the loss along its gradient";
    e.question = "Is the loss that is descended smoother with a normalization?";
    e.source = "Santurkar et al. 2018, arXiv 1805.11604, section 3.1 and figure 4";
    e.runs = &ExperimentResults::landscape;
    e.planned = plan;
    e.do_training = train_run;
    e.measured = {
        {"loss at the end", [](const LandscapeRun& run) { return last_or_nan(run, run.loss); }},
        {"loss varies by", [](const LandscapeRun& run) { return mean_or_nan(varied(run)); }},
        {"gradient changes by, of its norm",
         [](const LandscapeRun& run) { return mean_or_nan(run.gradient_change); }},
        {"change per distance", [](const LandscapeRun& run) { return mean_or_nan(run.smoothness); }}};
    e.recorded = {{"loss", &LandscapeRun::loss},
                  {"lowest loss along the gradient", &LandscapeRun::lowest},
                  {"highest loss along the gradient", &LandscapeRun::highest},
                  {"norm of the gradient", &LandscapeRun::gradient_norm},
                  {"change of the gradient, of its norm", &LandscapeRun::gradient_change},
                  {"change per distance", &LandscapeRun::smoothness}};
    e.blocks = blocks;
    return e;
  }();
  return experiment;
}

}  // namespace gesso
