#include "gesso/training/run_folder.h"

#include <system_error>

#include "gesso/core/error.h"

namespace gesso {

namespace fs = std::filesystem;

void RunFolder::create() const {
  require(!fs::exists(root) || fs::is_directory(root), root.string(), " is a file; name a folder");
  require(!fs::exists(log()) && !has_checkpoint(checkpoint()), root.string(),
          " already holds a run; go on with it by --resume ", root.string(), ", or name another folder");
  std::error_code error;
  fs::create_directories(root, error);
  if (error) {
    throw FileError(concat_text(root.string(), ": the folder cannot be made: ", error.message()));
  }
}

Checkpoint RunFolder::checkpoint_to_resume(const std::string& command) const {
  require(has_checkpoint(checkpoint()), root.string(), ": there is no checkpoint in it");
  Checkpoint saved = load_checkpoint(checkpoint());
  const auto found = saved.metadata.find("command");
  const std::string writer = found == saved.metadata.end() ? command : found->second;
  require(writer == command, root.string(), ": it is a run of ", writer, "; go on with it by ", writer,
          " --resume");
  return saved;
}

}  // namespace gesso
