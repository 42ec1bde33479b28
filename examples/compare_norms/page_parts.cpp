#include "page_parts.h"

#include "gesso/core/error.h"
#include "gesso/core/pictures/picture.h"

namespace gesso {

std::string name_of_photograph(const std::string& path) {
  return std::filesystem::path(path).stem().string();
}

std::optional<ReportPicture> picture_of(const Page& page, const std::string& file, const std::string& caption,
                                        const std::string& alt, bool exact) {
  if (file.empty()) {
    return {};
  }
  try {
    return report_picture(load_picture((page.folder / file).string()), caption, alt, exact);
  } catch (const FileError&) {
    return {};
  }
}

const ComparisonRun* painted_run(const Page& page, const std::string& normalization, Index batch) {
  for (const ComparisonRun* run : runs_of(page.comparison, normalization, batch)) {
    if (!run->pictures.empty()) {
      return run;
    }
  }
  return nullptr;
}

}  // namespace gesso
