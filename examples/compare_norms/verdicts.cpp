#include "verdicts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gesso/core/error.h"
#include "tally.h"

namespace gesso {
namespace {

constexpr double kLevel = 0.05;
constexpr std::size_t kFewestSeeds = 3;  // two can be told apart by luck too easily

bool enough(const std::optional<PairedEffect>& effect) {
  return effect && effect->by_seed.size() >= kFewestSeeds;
}

Verdict decide(const ClaimVerdict& found) {
  if (!found.effect) {
    return Verdict::open;
  }
  if (!enough(found.effect)) {
    return Verdict::indicative;
  }
  if (found.p >= kLevel) {
    return Verdict::undecided;
  }
  return found.effect->mean > found.claim.threshold ? Verdict::supported : Verdict::contradicted;
}

std::string probability(double p) { return p < 0.001 ? "p < 0.001" : concat_text("p = ", short_number(p)); }

// "49 % (45 % to 53 % with 95 % confidence, threshold 5 %; 5 seeds, p < 0.001)"
std::string effect_words(const ClaimVerdict& found) {
  const PairedEffect& effect = *found.effect;
  const std::size_t seeds = effect.by_seed.size();
  std::string words = percent(effect.mean) + " (";
  if (seeds > 1) {
    words += concat_text(percent(effect.low), " to ", percent(effect.high), " with 95 % confidence, ");
  }
  words +=
      concat_text("threshold ", percent(found.claim.threshold), "; ", seeds, seeds == 1 ? " seed" : " seeds");
  if (enough(found.effect)) {
    words += ", " + probability(found.p);
  }
  return words + ")";
}

// `tests`: how many claims are tested.
std::string evidence_words(const ClaimVerdict& found, std::size_t tests) {
  std::string words;
  if (found.effect) {
    words = concat_text("Effect, ", found.claim.effect, ": ", effect_words(found),
                        ". In numbers: ", found.evidence.numbers, ".");
  } else if (found.evidence.failed.empty()) {
    words = concat_text("This comparison has not (yet) trained ", found.claim.needs, ".");
  }
  for (const std::string& failed : found.evidence.failed) {
    words += concat_text(words.empty() ? "" : " ", "Left out with its partner: ", failed, ".");
  }
  if (found.verdict == Verdict::undecided) {
    const std::optional<std::size_t> seeds =
        seeds_to_decide(*found.effect, found.claim.threshold, kLevel / static_cast<double>(tests));
    words += seeds
                 ? concat_text(" If further seeds spread as these do, ", *seeds, " would decide it.")
                 : concat_text(" If further seeds spread as these do, ", kMostSeeds, " would not decide it.");
  }
  if (found.verdict == Verdict::indicative) {
    const bool above = found.effect->mean > found.claim.threshold;
    words += concat_text(" This ", above ? "speaks for" : "speaks against", " the claim, but fewer than ",
                         kFewestSeeds, " seeds decide nothing.");
  }
  return words;
}

}  // namespace

std::vector<ClaimVerdict> decided(std::vector<ClaimVerdict> verdicts) {
  std::vector<double> p;
  for (ClaimVerdict& found : verdicts) {
    std::erase_if(found.evidence.effects, [](double effect) { return !std::isfinite(effect); });
    if (!found.evidence.effects.empty()) {
      found.effect.emplace(found.evidence.effects, found.claim.threshold);
    }
    if (enough(found.effect)) {
      p.push_back(found.effect->p);
    }
  }
  const std::vector<double> adjusted = holm(p);
  std::size_t tested = 0;
  for (ClaimVerdict& found : verdicts) {
    if (enough(found.effect)) {
      found.p = adjusted[tested++];
    }
    found.verdict = decide(found);
  }
  return verdicts;
}

std::vector<ClaimVerdict> verdicts_of(const Comparison& comparison) {
  std::vector<ClaimVerdict> verdicts;
  for (const Claim& claim : claims()) {
    verdicts.push_back({.claim = claim, .evidence = claim.measure(comparison)});
  }
  return decided(std::move(verdicts));
}

std::vector<ReportFinding> findings_of(const std::vector<ClaimVerdict>& verdicts) {
  std::vector<ReportFinding> findings;
  const auto tests = static_cast<std::size_t>(std::count_if(
      verdicts.begin(), verdicts.end(), [](const ClaimVerdict& found) { return enough(found.effect); }));
  for (const ClaimVerdict& found : verdicts) {
    ReportFinding finding{
        .claim = found.claim.words, .verdict = found.verdict, .evidence = evidence_words(found, tests)};
    if (found.effect) {
      const PairedEffect& effect = *found.effect;
      finding.effect = ReportEffect{.values = effect.by_seed,
                                    .mean = effect.mean,
                                    .low = effect.low,
                                    .high = effect.high,
                                    .threshold = found.claim.threshold};
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace gesso
