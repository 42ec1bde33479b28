// Experiments in tables: for papers, and for two studies side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiment.h"
#include "experiment_results.h"
#include "gesso/training/report/report.h"

namespace gesso {

/// The measures, mean ± standard deviation over seeds: a table for each, normalization by setting; where
/// trainings differ in their normalization alone, one table with a column for each measure. "diverged" where
/// a seed did.
std::vector<ReportTable> experiment_tables(const Experiment& experiment, const ExperimentResults& results);

/// The same measures of two studies side by side, the other called `name`, of the trainings that both have.
/// None if there are none.
std::optional<ReportTable> experiment_table_against(const Experiment& experiment,
                                                    const ExperimentResults& here,
                                                    const ExperimentResults& there, const std::string& name);

}  // namespace gesso
