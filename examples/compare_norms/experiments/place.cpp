// Where normalizations stand, and what they are made of.
#include "compare_norms/tally.h"
#include "experiments_list.h"
#include "gesso/core/error.h"
#include "stack_experiment.h"

namespace gesso {
namespace {

// A change to the usual network, and the words for it.
struct Variant {
  const char* name;   // of the training
  const char* words;  // of the column
  void (*change)(ConvStackOptions& network);
};
constexpr Variant kVariants[] = {
    {"usual", "usual", [](ConvStackOptions&) {}},
    {"after", "after ReLU", [](ConvStackOptions& network) { network.place = NormPlace::after_relu; }},
    {"plain", "no γ, β", [](ConvStackOptions& network) { network.affine = false; }},
    {"first-half", "1st half",
     [](ConvStackOptions& network) { network.normalized = NormalizedLayers::first_half; }},
    {"second-half", "2nd half",
     [](ConvStackOptions& network) { network.normalized = NormalizedLayers::second_half; }},
    {"every-other", "every 2nd",
     [](ConvStackOptions& network) { network.normalized = NormalizedLayers::every_other; }}};

std::vector<StackRun> plan(const ExperimentSettings& settings) {
  std::vector<StackRun> runs;
  for (Index seed = 1; seed <= settings.seeds; ++seed) {
    for (const char* normalization : {"batch", "group", "layer", "instance"}) {
      for (const Variant& variant : kVariants) {
        StackRun run = usual_run(normalization, settings, static_cast<std::uint64_t>(seed));
        run.name = concat_text(normalization, "-", variant.name, "-seed", seed);
        variant.change(run.network);
        runs.push_back(run);
      }
    }
  }
  return runs;
}

std::string words_of(const StackRun& run) {
  for (const Variant& variant : kVariants) {
    ConvStackOptions changed = run.network;
    changed.place = NormPlace::before_relu;
    changed.normalized = NormalizedLayers::all;
    changed.affine = true;
    variant.change(changed);
    if (changed == run.network) {
      return variant.words;
    }
  }
  return "other";
}

std::vector<ReportBlock> blocks(const std::vector<StackRun>& runs) {
  return {
      ReportText{
          {"Usual: a normalization with gamma and beta after each of the six convolutions, before its ReLU. The "
           "others change one thing: normalization after the ReLU; without gamma and beta; after the first "
           "three convolutions alone, the last three, or the first, third and fifth."}},
      stack_grid(runs, "Training loss by place", "", words_of,
                 [](const StackRun& run) { return run.result.training_loss; }),
      stack_grid(runs, "Test error in percent, in eval mode, by place", "", words_of,
                 [](const StackRun& run) { return 100 * run.result.test.error; }),
      ReportText{{kGridWords}}};
}

}  // namespace

const Experiment& place_experiment() {
  static const TypedExperiment<StackRun> experiment = [] {
    TypedExperiment<StackRun> e = stack_experiment();
    e.name = "place";
    e.title = "Experiment: place";
    e.question =
        "Does it matter whether a normalization stands before or after the ReLU, in all layers, with gamma and beta?";
    e.source = "Ioffe and Szegedy 2015, arXiv 1502.03167, section 3.2; Mishkin et al. 2017, arXiv 1606.02228";
    e.runs = &ExperimentResults::place;
    e.planned = plan;
    e.blocks = blocks;
    return e;
  }();
  return experiment;
}

}  // namespace gesso
