#include "resume.h"

#include "shell_word.h"
#include "usage_error.h"

namespace gesso {

std::string steps_to_do(Index done, Index steps) {
  return done == 0      ? concat_text("for ", steps, " steps")
         : done < steps ? concat_text("for the last ", steps - done, " of ", steps, " steps")
                        : concat_text("for 0 steps, all ", steps, " being done");
}

std::string stopped_words(Index done, Index steps, const std::string& command,
                          const std::filesystem::path& folder) {
  return concat_text("Stopped after ", done, " of ", steps, " steps. To go on: ", command, " --resume ",
                     shell_word(folder.string()));
}

void refuse_with_resume(const Option& resume, const std::vector<Option>& settings) {
  for (const Option& setting : settings) {
    if (resume.given() && setting.given()) {
      throw UsageError(setting.name() +
                       " cannot be changed by --resume, which goes on with the run's own settings");
    }
  }
}

}  // namespace gesso
