// What the literature claims about batch and instance normalization in style transfer, each claim with its
// measure and its threshold: fixed here, before any run.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "results.h"

namespace gesso {

/// What a comparison has measured of a claim.
struct ClaimEvidence {
  std::vector<double> effects;  ///< one for each seed that counts: shares, 0.05 being 5 %; empty if none does
  std::string numbers;          ///< what they are made of, in words
  std::vector<std::string> failed;  ///< trainings that failed and are left out with their partners, and why
};

/// An effect is measured seed by seed: batch and instance norm of one seed began with the same weights and saw
/// the same crops. The claim says that its mean over seeds is above the threshold.
struct Claim {
  std::string name;    ///< "total-loss"
  std::string words;   ///< the claim
  std::string source;  ///< who says so
  std::string effect;  ///< what is measured, in words
  double threshold;    ///< a share: 0.05 is 5 %
  std::string needs;   ///< what must have been trained
  /// Finds the effects; none while one of the trainings is missing.
  std::function<ClaimEvidence(const Comparison&)> measure;
};

/// All claims. "Batches" are of the largest size that was trained with, if that is above 1.
const std::vector<Claim>& claims();

/// The table: for each claim its words, source, effect and threshold.
void print_claims(std::ostream& out);

/// What holds by algebra, whatever was trained: a check of the implementation, and no finding.
struct IdentityCheck {
  std::string identity;
  double error;    ///< the largest that was measured
  double allowed;  ///< what rounding, or eps, explains
};

/// The checks whose trainings there are.
std::vector<IdentityCheck> identity_checks(const Comparison& comparison);

}  // namespace gesso
