// A comparison for other programs and for papers: tables of its numbers.
#pragma once

#include <filesystem>
#include <ostream>

#include "results.h"

namespace gesso {

/// Writes trainings.csv, one line for each training with all that was measured of it, and curves.csv, one line for each
/// of its steps, into `folder`, and experiments/NAME.csv for each experiment that has begun. Numbers that are
/// not finite are left empty. Throws FileError when one cannot be written.
void write_csv(const Comparison& comparison, const std::filesystem::path& folder);

/// LaTeX tables (tabular, with booktabs' rules): the losses of each normalization, mean and standard
/// deviation over seeds, and the claims with effect, interval, threshold and verdict, where style networks
/// were trained; then those of experiment_tables(), each below a comment that says what it is.
void print_latex(std::ostream& out, const Comparison& comparison);

}  // namespace gesso
