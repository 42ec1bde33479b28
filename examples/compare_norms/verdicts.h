// What the literature claims about batch and instance normalization in style transfer, and whether a
// comparison agrees.
#pragma once

#include <vector>

#include "gesso/training/report/report.h"
#include "results.h"

namespace gesso {

/// One finding for each claim, in this order:
///   0  instance norm reaches lower losses than batch norm, at the largest batch size above 1
///      (Ulyanov et al. 2016, arXiv 1607.08022; 2017, arXiv 1701.02096)
///   1  with one picture a batch both train alike
///   2  ... and differ in eval mode
///   3  instance norm's pictures do not depend on the photograph's contrast, batch norm's do
///      (Ulyanov 2016, section 2)
///   4  its advantage stays when all training photographs have the same contrast,
///   5  and mostly goes when they are in the style already
///      (Huang and Belongie 2017, arXiv 1703.06868, figure 1)
///   6  batch norm lets pictures of one batch change each other, instance norm does not
///   7  batch norm behaves differently in training and in eval mode, instance norm does not
///   8  batch norm wins where the label is in what instance norm takes away
///
/// A claim about "lower" holds when it is true in the mean over seeds and for each seed, holds in part when
/// seeds disagree, and is open while one of its trainings is missing.
std::vector<ReportFinding> findings_of(const Comparison& comparison);

}  // namespace gesso
