#include "verdicts.h"

#include <algorithm>
#include <cmath>

#include "gesso/core/error.h"
#include "tally.h"

namespace gesso {
namespace {

using Runs = std::vector<const ComparisonRun*>;
using Measure = std::function<double(const ComparisonRun&)>;

// The trainings of batch and instance norm that a claim compares, seed by seed.
struct Pair {
  Runs batch, instance;

  bool complete() const { return !batch.empty() && batch.size() == instance.size(); }
};

Pair pair_of(const Comparison& comparison, Index batch_size, const std::string& photographs = "plain") {
  return {runs_of(comparison, "batch", batch_size, photographs),
          runs_of(comparison, "instance", batch_size, photographs)};
}

double mean(const std::vector<double>& values) { return Spread(values).mean; }

// Is each of `small` less than its partner in `large`?
Verdict is_less(const std::vector<double>& small, const std::vector<double>& large) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < small.size(); ++i) {
    count += small[i] < large[i] ? 1 : 0;
  }
  if (!(mean(small) < mean(large))) {
    return Verdict::fails;
  }
  return count == small.size() ? Verdict::holds : Verdict::partly;
}

// All hold, all fail, or something in between.
Verdict all_of(const std::vector<Verdict>& verdicts) {
  const auto all = [&](Verdict verdict) {
    return std::all_of(verdicts.begin(), verdicts.end(), [&](Verdict each) { return each == verdict; });
  };
  return all(Verdict::holds) ? Verdict::holds : all(Verdict::fails) ? Verdict::fails : Verdict::partly;
}

std::string over_seeds(std::size_t count) { return count == 1 ? "one seed" : concat_text(count, " seeds"); }

std::string times(double large, double small) { return short_number(large / small) + " times"; }

// "total loss 3.25 ± 0.1 with instance norm, 6.66 ± 0.2 with batch norm (2.05 times)"
std::string both(const char* name, const std::vector<double>& instance, const std::vector<double>& batch) {
  return concat_text(name, " ", Spread(instance).str(), " with instance norm, ", Spread(batch).str(),
                     " with batch norm (", times(mean(batch), mean(instance)), ")");
}

ReportFinding open_finding(std::string claim, const std::string& missing) {
  return {std::move(claim), Verdict::open,
          concat_text("This comparison has not (yet) trained ", missing, ".")};
}

ReportFinding lower_losses(const Comparison& comparison, Index batch_size) {
  const std::string claim =
      "Instance norm reaches lower total, content and style losses than batch norm in the same number of "
      "steps.";
  const Pair pair = pair_of(comparison, batch_size);
  if (batch_size < 2 || !pair.complete()) {
    return open_finding(claim, "both at a batch size above 1");
  }
  struct Loss {
    const char* name;
    double LossValues::*value;
  };
  std::vector<Verdict> verdicts;
  std::string evidence;
  for (const Loss& loss : {Loss{"total loss", &LossValues::total}, Loss{"content", &LossValues::content},
                           Loss{"style", &LossValues::style}}) {
    const Measure measure = [&](const ComparisonRun& run) { return run.training.*loss.value; };
    const std::vector<double> instance = values_of(pair.instance, measure),
                              batch = values_of(pair.batch, measure);
    verdicts.push_back(is_less(instance, batch));
    evidence += (evidence.empty() ? "" : "; ") + both(loss.name, instance, batch);
    evidence += verdicts.back() == Verdict::partly ? ", not lower with every seed" : "";
  }
  return {claim, all_of(verdicts),
          concat_text("Last tenth of the training, batches of ", batch_size, ", ",
                      over_seeds(pair.batch.size()), ": ", evidence, ".")};
}

ReportFinding alike_at_one(const Comparison& comparison) {
  const std::string claim = "With one picture per batch, batch norm is instance norm: both train alike.";
  const Pair pair = pair_of(comparison, 1);
  if (!pair.complete()) {
    return open_finding(claim, "both at batch size 1");
  }
  // Rounding differs, and training amplifies it: curves may drift apart by a little.
  double largest = 0;
  for (std::size_t s = 0; s < pair.batch.size(); ++s) {
    const std::vector<double>&a = pair.batch[s]->total, &b = pair.instance[s]->total;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      largest = std::max(largest, std::abs(a[i] - b[i]) / std::abs(b[i]));
    }
  }
  return {claim,
          largest < 0.01  ? Verdict::holds
          : largest < 0.1 ? Verdict::partly
                          : Verdict::fails,
          concat_text("The largest difference of their training losses in any step was ", percent(largest),
                      ", over ", over_seeds(pair.batch.size()), ".")};
}

ReportFinding apart_in_eval(const Comparison& comparison) {
  const std::string claim =
      "Trained with one picture per batch, they differ in eval mode: batch norm then uses running averages "
      "that fit no single picture.";
  const Pair pair = pair_of(comparison, 1);
  if (!pair.complete()) {
    return open_finding(claim, "both at batch size 1");
  }
  const Measure measure = [](const ComparisonRun& run) { return run.test.total; };
  const std::vector<double> instance = values_of(pair.instance, measure),
                            batch = values_of(pair.batch, measure);
  return {claim, is_less(instance, batch),
          concat_text("Test photographs in eval mode: ", both("total loss", instance, batch), ".")};
}

ReportFinding contrast(const Comparison& comparison, Index batch_size) {
  const std::string claim =
      "Instance norm takes the photograph's contrast out of the picture; with batch norm the picture depends "
      "on it.";
  const Pair pair = pair_of(comparison, batch_size);
  std::vector<Verdict> verdicts;
  std::string evidence;
  for (const double factor : {0.25, 0.5}) {
    const auto measured = [&](const Runs& runs) {
      return std::all_of(runs.begin(), runs.end(),
                         [&](const ComparisonRun* run) { return contrast_of(*run, factor); });
    };
    if (!pair.complete() || !measured(pair.batch) || !measured(pair.instance)) {
      return open_finding(claim, "and measured both");
    }
    const Measure pixels = [&](const ComparisonRun& run) { return contrast_of(run, factor)->pixel_change; };
    const Measure twice_pixels = [&](const ComparisonRun& run) { return 2 * pixels(run); };
    verdicts.push_back(is_less(values_of(pair.instance, twice_pixels), values_of(pair.batch, pixels)));
    evidence += concat_text(evidence.empty() ? "" : "; ", "at ", factor, " times the contrast ",
                            percent(mean(values_of(pair.instance, pixels))), " with instance norm, ",
                            percent(mean(values_of(pair.batch, pixels))), " with batch norm");
  }
  return {claim, all_of(verdicts),
          concat_text("How far the picture moved, averaged over pixels, in percent of white: ", evidence,
                      ". The claim counts as held if batch norm's moved at least twice as far.")};
}

// How much lower instance norm's loss is than batch norm's, as a share of the latter, seed by seed.
std::vector<double> gains(const Pair& pair) {
  std::vector<double> gains;
  for (std::size_t s = 0; s < pair.batch.size(); ++s) {
    gains.push_back(1 - pair.instance[s]->training.total / pair.batch[s]->training.total);
  }
  return gains;
}

// The same of the means over seeds.
double mean_gain(const Pair& pair) {
  const Measure total = [](const ComparisonRun& run) { return run.training.total; };
  return 1 - mean(values_of(pair.instance, total)) / mean(values_of(pair.batch, total));
}

ReportFinding contrast_normalized(const Comparison& comparison, Index batch_size) {
  const std::string claim =
      "The advantage stays when all training photographs have the same contrast: it is not (only) contrast "
      "that instance norm removes.";
  const Pair plain = pair_of(comparison, batch_size),
             same = pair_of(comparison, batch_size, "contrast-normalized");
  if (!plain.complete() || !same.complete()) {
    return open_finding(claim, "both on contrast-normalized photographs");
  }
  const std::vector<double> gain = gains(same);
  return {claim, is_less(std::vector<double>(gain.size(), 0.0), gain),
          concat_text("Instance norm's total loss was lower by ", percent(mean_gain(plain)),
                      " on the photographs as they are and by ", percent(mean_gain(same)),
                      " on contrast-normalized ones (", over_seeds(gain.size()), ").")};
}

ReportFinding style_normalized(const Comparison& comparison, Index batch_size) {
  const std::string claim =
      "The advantage mostly vanishes when the training photographs are in the style already: instance norm "
      "is style normalization.";
  const Pair plain = pair_of(comparison, batch_size),
             styled = pair_of(comparison, batch_size, "style-normalized");
  if (!plain.complete() || !styled.complete()) {
    return open_finding(claim, "both on style-normalized photographs");
  }
  const double before = mean_gain(plain), after = mean_gain(styled);
  return {claim,
          after < 0.5 * before ? Verdict::holds
          : after < before     ? Verdict::partly
                               : Verdict::fails,
          concat_text("Instance norm's total loss was lower by ", percent(before),
                      " on the photographs as they are and by ", percent(after),
                      " on style-normalized ones (", over_seeds(styled.batch.size()),
                      "). The claim counts as held if less than half of that is left.")};
}

ReportFinding leak(const Comparison& comparison, Index batch_size) {
  const std::string claim =
      "Batch norm lets the pictures of a batch change each other; instance norm treats each alone.";
  const Pair pair = pair_of(comparison, batch_size);
  if (batch_size < 2 || !pair.complete()) {
    return open_finding(claim, "both at a batch size above 1");
  }
  const Measure measure = [](const ComparisonRun& run) { return run.leak; };
  const std::vector<double> instance = values_of(pair.instance, measure),
                            batch = values_of(pair.batch, measure);
  const bool alone = *std::max_element(instance.begin(), instance.end()) == 0;
  const bool leaks = *std::min_element(batch.begin(), batch.end()) > 0;
  return {claim,
          alone && leaks   ? Verdict::holds
          : alone || leaks ? Verdict::partly
                           : Verdict::fails,
          concat_text("One picture of a batch of ", batch_size,
                      " was replaced, in training mode: the others moved by ", percent(mean(instance)),
                      " of white with instance norm, by ", percent(mean(batch)), " with batch norm.")};
}

ReportFinding modes(const Comparison& comparison, Index batch_size) {
  const std::string claim =
      "Batch norm is one function in training and another in eval mode; instance norm is the same in both.";
  const Pair pair = pair_of(comparison, batch_size);
  if (!pair.complete()) {
    return open_finding(claim, "both");
  }
  const Measure gap = [](const ComparisonRun& run) {
    return std::abs(run.test.total - run.test_train_mode.total) / run.test_train_mode.total;
  };
  const std::vector<double> instance = values_of(pair.instance, gap), batch = values_of(pair.batch, gap);
  const bool same = *std::max_element(instance.begin(), instance.end()) < 1e-6;
  const bool differs = *std::min_element(batch.begin(), batch.end()) > 1e-6;
  return {
      claim,
      same && differs   ? Verdict::holds
      : same || differs ? Verdict::partly
                        : Verdict::fails,
      concat_text("Total loss on test photographs, batches of ", batch_size, ": in eval mode it differed by ",
                  percent(mean(batch)), " from training mode with batch norm, by ", percent(mean(instance)),
                  " with instance norm.")};
}

ReportFinding classification(const Comparison& comparison) {
  const std::string claim = "Where the label lies in what instance norm takes away, batch norm wins.";
  std::vector<double> batch, instance;
  for (const ClassificationRun& run : comparison.classification) {
    if (run.normalization == "batch") batch.push_back(run.test_accuracy);
    if (run.normalization == "instance") instance.push_back(run.test_accuracy);
  }
  if (batch.empty() || batch.size() != instance.size()) {
    return open_finding(claim, "both classifiers");
  }
  return {claim, is_less(instance, batch),
          concat_text(comparison.classification_task, " Accuracy on test crops: ", percent(mean(batch)),
                      " with batch norm, ", percent(mean(instance)), " with instance norm (",
                      over_seeds(batch.size()), ").")};
}

}  // namespace

std::vector<ReportFinding> findings_of(const Comparison& comparison) {
  const std::vector<Index> sizes = batch_sizes_of(comparison);
  const Index largest = sizes.empty() ? 0 : sizes.front();
  return {lower_losses(comparison, largest),
          alike_at_one(comparison),
          apart_in_eval(comparison),
          contrast(comparison, largest),
          contrast_normalized(comparison, largest),
          style_normalized(comparison, largest),
          leak(comparison, largest),
          modes(comparison, largest),
          classification(comparison)};
}

}  // namespace gesso
