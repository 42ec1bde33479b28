// Whether a comparison supports what the literature claims.
#pragma once

#include <optional>
#include <vector>

#include "claims.h"
#include "gesso/training/report/report.h"
#include "paired_effect.h"
#include "results.h"

namespace gesso {

/// A claim, and what this comparison says about it.
struct ClaimVerdict {
  Claim claim;
  Verdict verdict = Verdict::open;
  ClaimEvidence evidence = {};
  std::optional<PairedEffect> effect = {};  ///< none if nothing was measured
  double p = 1;                             ///< of the effect, after Holm's correction
};

/// Decides claims from what was measured of them (`claim` and `evidence` of each). A claim is
///   supported     if the effect is above the threshold, and p < 0.05
///   contradicted  if it is below, and p < 0.05
///   undecided     if p >= 0.05
///   indicative    whatever p is, with one or two seeds
///   open          with none
/// p is of the paired t test over seeds, corrected (Holm) for all claims that three or more seeds were measured of.
std::vector<ClaimVerdict> decided(std::vector<ClaimVerdict> verdicts);

/// The verdicts on claims(), in their order.
std::vector<ClaimVerdict> verdicts_of(const Comparison& comparison);

/// The same in words, for the report.
std::vector<ReportFinding> findings_of(const std::vector<ClaimVerdict>& verdicts);

}  // namespace gesso
