// What scale invariance does to the learning rate: before a normalization a weight's length decides nothing
// but how far a step turns it.
#include <algorithm>
#include <cmath>
#include <memory>

#include "experiments_list.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/reduce.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/optim/sgd.h"
#include "over_seeds.h"
#include "stack_experiment.h"
#include "typed_experiment.h"

namespace gesso {
namespace {

constexpr Index kRecords = 40;  // in a training
// Constant, without momentum or decay: nothing but the weights' length changes the rate that counts. Both are
// high, so that it shows in a short training.
constexpr double kSgdRate = 0.2, kAdamRate = 0.01;

std::vector<GrowthRun> plan(const ExperimentSettings& settings) {
  std::vector<GrowthRun> runs;
  for (Index seed = 1; seed <= settings.seeds; ++seed) {
    for (const char* optimizer : {"SGD", "Adam"}) {
      for (const char* normalization : {"none", "batch", "group", "layer", "instance"}) {
        const StackRun usual = usual_run(normalization, settings, static_cast<std::uint64_t>(seed));
        GrowthRun run{.name = concat_text(normalization, "-", optimizer, "-seed", seed),
                      .optimizer = optimizer,
                      .network = usual.network,
                      .training = usual.training};
        run.training.lr = run.optimizer == "SGD" ? kSgdRate : kAdamRate;
        runs.push_back(run);
      }
    }
  }
  return runs;
}

std::unique_ptr<Optimizer> make_optimizer(const GrowthRun& run, const ConvStack& net) {
  if (run.optimizer == "SGD") {
    return std::make_unique<SGD>(net.parameters(), SGDOptions{.lr = run.training.lr});
  }
  return std::make_unique<Adam>(net.parameters(), AdamOptions{.lr = run.training.lr});
}

// Of the convolutions' weights w, whose gradients g are there, means over the layers.
void record(const ConvStack& net, const std::vector<double>& first_norms, GrowthRun& run) {
  const NoGradGuard no_grad;
  const std::vector<Tensor> weights = convolution_weights(net);
  const auto count = static_cast<double>(weights.size());
  double growth = 0, rate = 0, along = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Tensor w = weights[i].detach(), g = weights[i].grad();
    const double length = norm(w).item(), gradient = norm(g).item();
    growth += length / first_norms[i] / count;
    rate += run.training.lr / (length * length) / count;
    along += (gradient > 0 ? std::abs(sum(w * g).item()) / (length * gradient) : 0) / count;
  }
  run.growth.push_back(growth);
  run.effective_rate.push_back(rate);
  run.along.push_back(along);
}

bool train_run(const ClassificationTask& task, GrowthRun& run, const AfterPictures& after_pictures) {
  const StackTraining& training = run.training;
  Generator rng(training.seed);
  ConvStack net(run.network, static_cast<Index>(task.training.classes.size()), rng);
  std::vector<double> first_norms;
  for (const Tensor& weight : convolution_weights(net)) {
    first_norms.push_back(norm(weight.detach()).item());
  }
  LabelledBatches batches = stack_batches(task, training);
  const std::unique_ptr<Optimizer> optimizer = make_optimizer(run, net);
  const Index every = std::max<Index>(1, training.steps / kRecords);
  for (Index step = 0; step < training.steps; ++step) {
    const LabelledBatch crops = batches.next();
    const Tensor loss = cross_entropy(net(crops.pictures), crops.labels);
    if (!std::isfinite(loss.item())) {
      run.diverged_at = step + 1;
      return true;
    }
    optimizer->zero_grad();
    loss.backward();
    if (step % every == 0 || step + 1 == training.steps) {
      run.step.push_back(static_cast<double>(step + 1));
      run.loss.push_back(loss.item());
      record(net, first_norms, run);
    }
    optimizer->step();
    if (!after_pictures((step + 1) * training.batch)) {
      return false;
    }
  }
  return true;
}

std::vector<ReportBlock> blocks(const std::vector<GrowthRun>& all) {
  std::vector<ReportBlock> blocks = {ReportText{
      {"A weight w before a normalization can be made longer without any change of the output: with batch and instance "
       "norm by itself, with group and layer norm together with its bias. Its gradient then has no part along w, so every "
       "plain step makes it longer, and the same step turns a longer weight less: the rate that counts is lr / |w|^2. "
       "Means over the convolutions; the learning rate itself is constant, without momentum and weight decay."}}};
  for (const char* optimizer : {"SGD", "Adam"}) {
    std::vector<GrowthRun> runs;
    std::copy_if(all.begin(), all.end(), std::back_inserter(runs),
                 [&](const GrowthRun& run) { return run.optimizer == optimizer; });
    if (runs.empty()) {
      continue;
    }
    const auto chart = [&](const std::string& title, const char* y, std::vector<double> GrowthRun::*values,
                           bool log) {
      return ReportChart{.title = concat_text(title, ", ", optimizer),
                         .y_label = y,
                         .curves = curves_over_seeds(
                             runs, [](const GrowthRun& run) { return run.step; },
                             [=](const GrowthRun& run) { return run.*values; }),
                         .log_scale = log};
    };
    const auto at_end = [&](std::vector<double> GrowthRun::*values, bool by_first) {
      return least_to_most(runs, [=](const GrowthRun& run) {
        const std::vector<double>& list = run.*values;
        return last_or_nan(run, list) / (by_first && !list.empty() ? list.front() : 1);
      });
    };
    const auto on_average = [&](std::vector<double> GrowthRun::*values) {
      return least_to_most(runs, [=](const GrowthRun& run) { return mean_or_nan(run.*values); });
    };
    blocks.emplace_back(chart("Length of the weights", "of that at the start", &GrowthRun::growth, false));
    blocks.emplace_back(ReportText{
        {concat_text("With ", optimizer, ", the weights end at this many times their first length: ",
                     at_end(&GrowthRun::growth, false), ".")}});
    blocks.emplace_back(chart("Effective learning rate", "lr / |w|^2", &GrowthRun::effective_rate, true));
    blocks.emplace_back(
        ReportText{{concat_text("With ", optimizer, ", the effective rate ends at this share of its first: ",
                                at_end(&GrowthRun::effective_rate, true), ".")}});
    blocks.emplace_back(chart("The gradient's part along the weight", "cosine", &GrowthRun::along, true));
    blocks.emplace_back(ReportText{{concat_text(
        "On average, the cosine of the gradient and the weight is ", on_average(&GrowthRun::along),
        "; 0, but for rounding and eps, says that the loss does not depend on the weight's length.")}});
  }
  blocks.emplace_back(ReportText{{"Means over seeds; the bands reach from the lowest to the highest seed."}});
  return blocks;
}

}  // namespace

const Experiment& weight_growth_experiment() {
  static const TypedExperiment<GrowthRun> experiment = [] {
    TypedExperiment<GrowthRun> e;
    e.name = "weight-growth";
    e.title = "Experiment: the effective learning rate";
    e.question = "How does the length of the weights change the learning rate that counts?";
    e.source = "van Laarhoven 2017, arXiv 1706.05350, section 2";
    e.runs = &ExperimentResults::weight_growth;
    e.planned = plan;
    e.do_training = train_run;
    e.measured = {
        {"weights' length at the end, of the first",
         [](const GrowthRun& run) { return last_or_nan(run, run.growth); }},
        {"effective rate at the end, of the first",
         [](const GrowthRun& run) {
           return last_or_nan(run, run.effective_rate) / (run.step.empty() ? 1 : run.effective_rate.front());
         }},
        {"cosine of gradient and weight", [](const GrowthRun& run) { return mean_or_nan(run.along); }}};
    e.recorded = {{"loss", &GrowthRun::loss},
                  {"weights' length, of the first", &GrowthRun::growth},
                  {"effective rate", &GrowthRun::effective_rate},
                  {"cosine of gradient and weight", &GrowthRun::along}};
    e.blocks = blocks;
    return e;
  }();
  return experiment;
}

}  // namespace gesso
