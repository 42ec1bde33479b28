// The part of a page that looks inside the normalization layers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gesso/training/report/recorder.h"
#include "gesso/training/report/report.h"

namespace gesso {

using NormalizationRecords = std::vector<NormalizationRecord>;

/// Deviations and gammas of the first layer, one in the middle and the last; closed outputs and gradients over all; of
/// the records of each normalization's first seed, trained in batches of `batch`.
ReportSection layer_section(const std::map<std::string, NormalizationRecords>& records, Index batch);

}  // namespace gesso
