// The part of the page that is about experiments.
#pragma once

#include <string>
#include <vector>

#include "experiment_results.h"
#include "gesso/training/report/report.h"

namespace gesso {

/// What is trained on what, then a section for each experiment that has begun; nothing if none has. `task` says in a
/// sentence or two what is classified.
std::vector<ReportSection> experiment_sections(const ExperimentResults& results, const std::string& task);

}  // namespace gesso
