// The folder of a run.
#pragma once

#include <filesystem>

namespace gesso {

/// Makes `folder`, for the results of a training. Throws UsageError if it is a file or holds a run already
/// (log.jsonl or checkpoint/), FileError if it cannot be made.
void create_run_folder(const std::filesystem::path& folder);

}  // namespace gesso
