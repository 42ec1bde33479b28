// The parts of a comparison's page that show its pictures, and say how good they are.
#pragma once

#include "gesso/training/report/report.h"
#include "page_parts.h"

namespace gesso {

/// What the networks painted: any two of the same photograph under one handle, the pictures on the way step
/// by step, and all in rows.
ReportSection picture_section(const Page& page);

/// Measures of the pictures that no training reduces.
ReportSection quality_section(const Page& page);

}  // namespace gesso
