// What every training that can be resumed says and refuses.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "command_line.h"

namespace gesso {

/// "for 250 steps" of a training that begins, "for the last 33 of 250 steps" of one that goes on,
/// "for 0 steps, all 250 being done".
std::string steps_to_do(Index done, Index steps);

/// "Stopped after 217 of 250 steps. To go on: `command` --resume 'my run'"
std::string stopped_words(Index done, Index steps, const std::string& command,
                          const std::filesystem::path& folder);

/// Throws UsageError if one of the settings is given together with --resume.
void refuse_with_resume(const Option& resume, const std::vector<Option>& settings);

}  // namespace gesso
