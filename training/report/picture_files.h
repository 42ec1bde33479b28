// The pictures of a page, each file once however often it is shown.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "gesso/training/report/report.h"

namespace gesso {

/// Numbers the files of pictures, equal ones alike. The pictures must outlive it.
class PictureFiles {
 public:
  /// The number of its file: 0, 1, ... in the order in which files are first asked for.
  std::size_t index_of(const ReportPicture& picture) {
    return known_.try_emplace(picture.file, known_.size()).first->second;
  }

 private:
  std::map<std::string_view, std::size_t> known_;
};

}  // namespace gesso
