// Curves of normalizations, the same colour and name for each all over a page.
#pragma once

#include <string>
#include <vector>

#include "gesso/training/report/report.h"

namespace gesso {

/// The colour of a normalization's curves (ReportCurve::color).
int color_of(const std::string& normalization);

/// What it is called on a page: "no normalization" for "none".
std::string label_of(const std::string& normalization);

/// The mean over seeds, step by step, with a band from the lowest to the highest seed, as far as the shortest of them
/// goes.
ReportCurve curve_over_seeds(const std::string& normalization, const std::vector<std::vector<double>>& x,
                             const std::vector<std::vector<double>>& y);

}  // namespace gesso
