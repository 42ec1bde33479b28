#include "program.h"

#include <system_error>

#include "gesso/core/error.h"
#include "gesso/training/checkpoint.h"
#include "usage_error.h"

namespace gesso {

void create_run_folder(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder) && !std::filesystem::is_directory(folder)) {
    throw UsageError(concat_text("--out ", folder.string(), " is a file; name a folder"));
  }
  if (std::filesystem::exists(folder / "log.jsonl") || has_checkpoint(folder / "checkpoint")) {
    throw UsageError(concat_text("--out ", folder.string(),
                                 " already holds a run; go on with it by --resume ", folder.string(),
                                 ", or name another folder"));
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw FileError(concat_text(folder.string(), ": the folder cannot be made: ", error.message()));
  }
}

}  // namespace gesso
