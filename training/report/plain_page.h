// A report for readers without scripts.
#pragma once

#include <string>

#include "gesso/training/report/picture_files.h"
#include "gesso/training/report/report.h"

namespace gesso {

/// The report as HTML: texts, tables, findings and pictures as they are, charts as tables of some of their values, of
/// colour maps only the ranges. Each file of a picture is in it once, `img` with data-picture="NUMBER", with
/// its number in `files`, from where the page's script takes it too; later places point there.
std::string plain_page(const Report& report, PictureFiles& files);

}  // namespace gesso
