// What the sections of a comparison's page share.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gesso/training/report/report.h"
#include "results.h"
#include "tally.h"

namespace gesso {

struct Page {
  const Comparison& comparison;
  std::filesystem::path folder;
  std::vector<std::string> names = normalizations_of(comparison);
  std::vector<Index> batch_sizes = batch_sizes_of(comparison);

  /// The batch size that most sections are about.
  Index batch() const { return batch_sizes.front(); }
};

/// "cat" of "test/cat.jpg"
std::string name_of_photograph(const std::string& path);

/// The picture of a file in the run folder, or nothing: a report without a picture is better than none. `exact`:
/// see report_picture().
std::optional<ReportPicture> picture_of(const Page& page, const std::string& file, const std::string& caption,
                                        const std::string& alt, bool exact = false);

/// The first training of a normalization that kept pictures, or null.
const ComparisonRun* painted_run(const Page& page, const std::string& normalization, Index batch);

}  // namespace gesso
