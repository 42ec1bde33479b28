// The page of a study.
#pragma once

#include <filesystem>

#include "gesso/training/report/report.h"
#include "study.h"

namespace gesso {

/// "batch-batch4-seed1": the name of a training's folder.
std::string study_run_name(const StudyRun& run);

/// Curves, a table of losses, verdicts on each pair of normalizations, and what the normalization layers saw; with all
/// that there is so far. Records are read from `folder`.
///
/// A verdict is on "B reaches a lower loss on the test batch, in eval mode, than A", for A before B in the study: the
/// effect is by how much lower, seed by seed, the threshold 5 %; tested as in verdicts.h.
Report study_report(const StudyResults& results, const std::filesystem::path& folder);

}  // namespace gesso
