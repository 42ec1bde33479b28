// The report of a comparison.
#pragma once

#include <filesystem>
#include <optional>

#include "gesso/training/report/report.h"
#include "results.h"

namespace gesso {

/// The page, with all that is measured so far. Pictures and records are read from the run folder; those that
/// are not there are left out. `progress` while trainings are under way.
Report comparison_report(const Comparison& comparison, const std::filesystem::path& folder,
                         std::optional<ReportProgress> progress = {});

/// Writes it to folder/report.html. Throws FileError when that cannot be written.
void write_page(const Comparison& comparison, const std::filesystem::path& folder,
                std::optional<ReportProgress> progress = {});

/// The same with a section that lays the comparison in the folder `other` beside it (against.h).
void write_page_against(const Comparison& comparison, const std::filesystem::path& folder,
                        const std::filesystem::path& other);

}  // namespace gesso
