// Two comparisons side by side.
#pragma once

#include <string>

#include "gesso/training/report/report.h"
#include "results.h"

namespace gesso {

/// What differs between a comparison and another one, called `name`: the settings, the effects and verdicts of the
/// claims, the losses of the trainings that both have (a normalization with a batch size), and what both measured in an
/// experiment.
ReportSection against_section(const Comparison& here, const Comparison& there, const std::string& name);

}  // namespace gesso
