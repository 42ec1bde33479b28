#include "claims.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "gesso/core/error.h"
#include "tally.h"

namespace gesso {
namespace {

using Measure = std::function<double(const ComparisonRun&)>;

// A classifier has learned its training set when it knows this share of it.
constexpr double kLearned = 0.95;

// The trainings of batch and instance norm with the same seed.
struct SeedPair {
  const ComparisonRun *batch, *instance;
};

struct Pairs {
  std::vector<SeedPair> seeds;
  std::vector<std::string> failed;
};

const ComparisonRun* with_seed(const std::vector<const ComparisonRun*>& runs, std::uint64_t seed) {
  const auto found =
      std::find_if(runs.begin(), runs.end(), [&](const ComparisonRun* run) { return run->seed == seed; });
  return found == runs.end() ? nullptr : *found;
}

// The failures of a training with that batch size and kind of photographs, with batch or instance norm.
std::vector<std::string> failures_of(const Comparison& comparison, Index batch,
                                     const std::string& photographs) {
  std::vector<std::string> texts;
  for (const FailedTraining& failed : comparison.failures) {
    if (failed.task.empty() && failed.batch == batch && failed.photographs == photographs &&
        (failed.normalization == "batch" || failed.normalization == "instance")) {
      texts.push_back(failed.str());
    }
  }
  return texts;
}

Pairs pairs_of(const Comparison& comparison, Index batch_size, const std::string& photographs = "plain") {
  const auto batch = runs_of(comparison, "batch", batch_size, photographs),
             instance = runs_of(comparison, "instance", batch_size, photographs);
  Pairs pairs{{}, failures_of(comparison, batch_size, photographs)};
  for (const ComparisonRun* run : batch) {
    if (const ComparisonRun* partner = with_seed(instance, run->seed)) {
      pairs.seeds.push_back({run, partner});
    }
  }
  return pairs;
}

// The batch size that claims about batches are about; 0 if there is none above 1.
Index batches_of(const Comparison& comparison) {
  const std::vector<Index> sizes = batch_sizes_of(comparison);
  return sizes.empty() || sizes.front() < 2 ? 0 : sizes.front();
}

// "total loss 3.25 ± 0.1 with instance norm, 6.66 ± 0.2 with batch norm"
std::string both(const std::string& name, const Pairs& pairs, const Measure& measure,
                 std::string (*text)(const std::vector<double>&)) {
  std::vector<double> instance, batch;
  for (const SeedPair& pair : pairs.seeds) {
    instance.push_back(measure(*pair.instance));
    batch.push_back(measure(*pair.batch));
  }
  return pairs.seeds.empty() ? ""
                             : concat_text(name, " ", text(instance), " with instance norm, ", text(batch),
                                           " with batch norm");
}

std::string as_number(const std::vector<double>& values) { return Spread(values).str(); }
std::string as_percent(const std::vector<double>& values) { return percent(Spread(values).mean); }

ClaimEvidence evidence_of(const Pairs& pairs, std::string numbers,
                          const std::function<double(const SeedPair&)>& effect) {
  ClaimEvidence evidence{{}, std::move(numbers), pairs.failed};
  for (const SeedPair& pair : pairs.seeds) {
    evidence.effects.push_back(effect(pair));
  }
  return evidence;
}

auto lower_loss(const char* name, double LossValues::*loss) {
  return [=](const Comparison& comparison) {
    const Pairs pairs = pairs_of(comparison, batches_of(comparison));
    const Measure measure = [=](const ComparisonRun& run) { return run.training.*loss; };
    return evidence_of(pairs, both(name, pairs, measure, as_number), [&](const SeedPair& pair) {
      return 1 - measure(*pair.instance) / measure(*pair.batch);
    });
  };
}

ClaimEvidence unseen_style(const Comparison& comparison) {
  const Pairs pairs = pairs_of(comparison, batches_of(comparison));
  const Measure style = [](const ComparisonRun& run) { return run.quality.style; };
  return evidence_of(pairs, both("style loss in that network", pairs, style, as_number),
                     [&](const SeedPair& pair) { return 1 - style(*pair.instance) / style(*pair.batch); });
}

ClaimEvidence apart_in_eval(const Comparison& comparison) {
  const Pairs pairs = pairs_of(comparison, 1);
  const Measure total = [](const ComparisonRun& run) { return run.test.total; };
  return evidence_of(pairs, both("total loss on test photographs", pairs, total, as_number),
                     [&](const SeedPair& pair) { return total(*pair.batch) / total(*pair.instance) - 1; });
}

ClaimEvidence contrast(const Comparison& comparison) {
  const Pairs pairs = pairs_of(comparison, batches_of(comparison));
  const Measure moved = [](const ComparisonRun& run) {
    const ContrastMeasure* low = contrast_of(run, 0.25);
    return low ? low->pixel_change : NAN;
  };
  return evidence_of(pairs, both("pictures moved by", pairs, moved, as_percent) + " of white",
                     [&](const SeedPair& pair) { return 1 - moved(*pair.instance) / moved(*pair.batch); });
}

// How much lower instance norm's total loss is than batch norm's, as a share of the latter.
double gain(const SeedPair& pair) { return 1 - pair.instance->training.total / pair.batch->training.total; }

// How much of the gain on plain photographs is there on others, seed by seed: compare(gain there, gain on
// plain ones).
ClaimEvidence gain_on(const Comparison& comparison, const std::string& photographs,
                      double (*compare)(double there, double plain)) {
  const Index batch = batches_of(comparison);
  const Pairs plain = pairs_of(comparison, batch), there = pairs_of(comparison, batch, photographs);
  ClaimEvidence evidence{{}, {}, there.failed};
  std::vector<double> gains, plain_gains;
  for (const SeedPair& pair : there.seeds) {
    for (const SeedPair& same_seed : plain.seeds) {
      if (same_seed.batch->seed == pair.batch->seed) {
        gains.push_back(gain(pair));
        plain_gains.push_back(gain(same_seed));
        evidence.effects.push_back(compare(gains.back(), plain_gains.back()));
      }
    }
  }
  evidence.numbers =
      concat_text("instance norm's total loss was lower by ", as_percent(plain_gains),
                  " on the photographs as they are, by ", as_percent(gains), " on ", photographs, " ones");
  return evidence;
}

ClaimEvidence leaks(const Comparison& comparison) {
  const Pairs pairs = pairs_of(comparison, batches_of(comparison));
  const Measure leak = [](const ComparisonRun& run) { return run.leak; };
  return evidence_of(pairs, both("the others moved by", pairs, leak, as_percent),
                     [&](const SeedPair& pair) { return leak(*pair.batch); });
}

ClaimEvidence modes(const Comparison& comparison) {
  const Pairs pairs = pairs_of(comparison, batches_of(comparison));
  const Measure gap = [](const ComparisonRun& run) {
    return std::abs(run.test.total - run.test_train_mode.total) / run.test_train_mode.total;
  };
  return evidence_of(pairs, both("the modes differ by", pairs, gap, as_percent),
                     [&](const SeedPair& pair) { return gap(*pair.batch); });
}

ClaimEvidence smoother(const Comparison& comparison) {
  const Pairs pairs = pairs_of(comparison, batches_of(comparison));
  const Measure roughness = [](const ComparisonRun& run) { return run.roughness; };
  return evidence_of(
      pairs, both("neighbouring pixels differ by", pairs, roughness, as_percent) + " of white",
      [&](const SeedPair& pair) { return 1 - roughness(*pair.batch) / roughness(*pair.instance); });
}

const ClassificationRun* classifier(const Comparison& comparison, const std::string& task,
                                    const std::string& normalization, std::uint64_t seed) {
  for (const ClassificationRun& run : comparison.classification) {
    if (run.task == task && run.normalization == normalization && run.seed == seed) {
      return &run;
    }
  }
  return nullptr;
}

// How much more of a task's tests batch norm knows.
ClaimEvidence classification(const Comparison& comparison, const std::string& task) {
  ClaimEvidence evidence;
  for (const FailedTraining& failed : comparison.failures) {
    if (failed.task == task && (failed.normalization == "batch" || failed.normalization == "instance")) {
      evidence.failed.push_back(failed.str());
    }
  }
  std::vector<double> batch_accuracy, instance_accuracy;
  for (const ClassificationRun& batch : comparison.classification) {
    const ClassificationRun* instance = batch.task == task && batch.normalization == "batch"
                                            ? classifier(comparison, task, "instance", batch.seed)
                                            : nullptr;
    if (instance == nullptr) {
      continue;
    }
    bool learned = true;
    for (const ClassificationRun* run : {&batch, instance}) {
      if (run->training_set_accuracy < kLearned) {
        learned = false;
        evidence.failed.push_back(concat_text("the classifier of ", task, " with ", run->normalization,
                                              " norm, seed ", run->seed, ", learned only ",
                                              percent(run->training_set_accuracy), " of its training set"));
      }
    }
    if (learned) {
      batch_accuracy.push_back(batch.test_accuracy);
      instance_accuracy.push_back(instance->test_accuracy);
      evidence.effects.push_back(batch.test_accuracy - instance->test_accuracy);
    }
  }
  evidence.numbers = concat_text(as_percent(batch_accuracy), " of the test ", task, " with batch norm, ",
                                 as_percent(instance_accuracy), " with instance norm");
  return evidence;
}

auto more_known(const char* task) {
  return [=](const Comparison& comparison) { return classification(comparison, task); };
}

std::optional<double> largest(const std::vector<double>& values) {
  return values.empty() ? std::nullopt : std::optional(*std::max_element(values.begin(), values.end()));
}

}  // namespace

const std::vector<Claim>& claims() {
  constexpr const char* kUlyanov = "Ulyanov et al. 2016, 1607.08022; 2017, 1701.02096";
  constexpr const char* kHuang = "Huang and Belongie 2017, 1703.06868, figure 1";
  constexpr const char* kIoffe = "Ioffe and Szegedy 2015, 1502.03167, section 3.1";
  constexpr const char* kBoth = "both in batches of two or more";
  static const std::vector<Claim> list = {
      {"total-loss", "Instance norm reaches a lower total loss than batch norm in the same number of steps.",
       kUlyanov, "by how much lower, in the last tenth of the steps", 0.05, kBoth,
       lower_loss("total loss", &LossValues::total)},
      {"content-loss", "... and a lower content loss.", kUlyanov, "the same of the content loss", 0.05, kBoth,
       lower_loss("content loss", &LossValues::content)},
      {"style-loss", "... and a lower style loss.", kUlyanov, "the same of the style loss", 0.05, kBoth,
       lower_loss("style loss", &LossValues::style)},
      {"unseen-style",
       "... which another network sees too, one that trained nothing here: the pictures of test photographs are "
       "nearer to the style.",
       kUlyanov, "by how much lower the style loss in that network is", 0.05, kBoth, unseen_style},
      {"eval-of-one",
       "Trained with one picture a batch, which is instance norm in training, batch norm is worse in eval mode: "
       "its running averages fit no single picture.",
       kUlyanov, "by how much higher its total loss on test photographs is", 0.1, "both at batch size 1",
       apart_in_eval},
      {"contrast",
       "Instance norm takes the photograph's contrast out of the picture; with batch norm the picture depends on "
       "it.",
       "Ulyanov et al. 2016, 1607.08022, section 2",
       "by how much less a picture moves when the photograph has a quarter of its contrast", 0.5, kBoth,
       contrast},
      {"equal-contrast",
       "The advantage in total loss stays when all training photographs have the same contrast: it is not (only) "
       "contrast that instance norm removes.",
       kHuang, "the advantage there, less half of that on plain photographs", 0,
       "both on contrast-normalized photographs too",
       [](const Comparison& comparison) {
         return gain_on(comparison, "contrast-normalized",
                        [](double there, double plain) { return there - plain / 2; });
       }},
      {"equal-style",
       "The advantage mostly vanishes when all training photographs are in one style: instance norm is style "
       "normalization.",
       kHuang, "half of the advantage on plain photographs, less that there", 0,
       "both on style-normalized photographs too",
       [](const Comparison& comparison) {
         return gain_on(comparison, "style-normalized",
                        [](double there, double plain) { return plain / 2 - there; });
       }},
      {"leak", "Batch norm lets the pictures of a batch change each other in training.", kIoffe,
       "how far the others move when one picture of a batch is replaced, of white", 0.01, kBoth, leaks},
      {"modes", "Batch norm is one function in training and another in eval mode.", kIoffe,
       "by how much the total loss on test photographs differs", 0.05, kBoth, modes},
      {"smoother", "Batch norm's pictures are smoother.", "seen in every comparison so far",
       "by how much less neighbouring pixels of the pictures differ", 0.05, kBoth, smoother},
      {"label", "Where the label lies in what instance norm takes away, batch norm wins.",
       "Huang and Belongie 2017, 1703.06868, section 3", "by how much larger a share of test crops it knows",
       0.05, "both classifiers of crops", more_known("crops")},
      {"recognition", "Batch norm recognizes more pictures than instance norm.",
       "Wu and He 2018, 1803.08494, table 2: 4.8 points more of ImageNet",
       "by how much larger a share of test pictures it knows", 0.01, "both classifiers of pictures",
       more_known("pictures")}};
  return list;
}

void print_claims(std::ostream& out) {
  out << "A claim is supported if its effect, averaged over seeds, is above the threshold, and contradicted if it "
         "is below: by a paired t test\nat the level 0.05, corrected for the number of claims (Holm 1979). Else "
         "it is undecided; with fewer than 3 seeds it is only indicative.\n";
  for (const Claim& claim : claims()) {
    out << "\n"
        << claim.name << "\n  " << claim.words << "\n  source     " << claim.source << "\n  effect     "
        << claim.effect << "\n  threshold  " << percent(claim.threshold) << "\n  needs      " << claim.needs
        << "\n";
  }
}

std::vector<IdentityCheck> identity_checks(const Comparison& comparison) {
  std::vector<double> first_steps, leaks, eval_leaks, modes, scales;
  for (const SeedPair& pair : pairs_of(comparison, 1).seeds) {
    if (!pair.batch->total.empty() && !pair.instance->total.empty()) {
      first_steps.push_back(std::abs(pair.batch->total[0] / pair.instance->total[0] - 1));
    }
  }
  for (const ComparisonRun& run : comparison.runs) {
    if (run.normalization == "instance") {
      leaks.push_back(run.leak);
      modes.push_back(std::abs(run.test_train_mode.total / run.test.total - 1));
      scales.push_back(run.scale_change);
    }
    if (run.normalization == "batch") {
      eval_leaks.push_back(run.leak_eval);
    }
  }
  std::vector<IdentityCheck> checks;
  const auto add = [&](const std::vector<double>& errors, std::string identity, double allowed) {
    if (const std::optional<double> error = largest(errors)) {
      checks.push_back({std::move(identity), *error, allowed});
    }
  };
  add(first_steps,
      "With one picture a batch, batch norm in training is instance norm: loss of the first step, "
      "relative (rounding)",
      1e-5);
  add(leaks, "With instance norm pictures of a batch do not change each other, of white", 0);
  add(eval_leaks, "Nor with batch norm in eval mode, of white", 0);
  add(modes,
      "Instance norm is the same in training and eval mode: loss on test photographs, relative "
      "(batched sums round otherwise)",
      1e-5);
  add(scales, "Instance norm paints 0.5 x + 0.25 as x: how far pictures move, of white (eps)", 1e-3);
  return checks;
}

}  // namespace gesso
