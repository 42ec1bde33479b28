// The part of a comparison's page that is about a task of the classifiers.
#pragma once

#include <optional>

#include "gesso/training/report/report.h"
#include "page_parts.h"

namespace gesso {

/// What is asked, with examples, and what each normalization learned of it; nothing while none has been trained.
std::optional<ReportSection> classification_section(const Page& page, const ClassificationTaskRecord& task);

}  // namespace gesso
