#include "gesso/training/run_folder.h"

#include <system_error>

#include "gesso/core/error.h"
#include "gesso/core/files/file.h"

namespace gesso {

namespace fs = std::filesystem;

void RunFolder::check_new() const {
  if (!is_first()) {
    return;
  }
  require(!fs::exists(root) || fs::is_directory(root), root.string(), " is a file; name a folder");
  require(!has_checkpoint(checkpoint()), root.string(), " already holds a run; go on with it by --resume ",
          root.string(), ", or name another folder");
}

void RunFolder::create() const {
  if (!is_first()) {
    return;
  }
  check_new();
  std::error_code error;
  fs::create_directories(root, error);
  if (error) {
    throw FileError(concat_text(root.string(), ": the folder cannot be made: ", error.message()));
  }
  lock();
  check_new();  // once more: another program may have worked in it
}

void RunFolder::lock() const {
  if (!lock_ && is_first()) {
    lock_ = std::make_shared<const FolderLock>(root);
    for (const fs::path& folder : {root, checkpoint(), samples()}) {
      remove_leftovers(folder);
    }
  }
}

Checkpoint RunFolder::checkpoint_to_resume(const std::string& command) const {
  require(has_checkpoint(checkpoint()), root.string(), ": there is no checkpoint in it",
          fs::exists(log()) ? "; it was stopped before its first one, begin it again" : "");
  lock();
  if (!is_first()) {
    ranks_->barrier();  // rank 0 has put a damaged one aside
  }
  Checkpoint saved = load_checkpoint(checkpoint());
  const auto found = saved.metadata.find("command");
  const std::string writer = found == saved.metadata.end() ? command : found->second;
  require(writer == command, root.string(), ": it is a run of ", writer, "; go on with it by ", writer,
          " --resume");
  if (!saved.warning.empty() && is_first()) {
    set_damaged_checkpoint_aside(checkpoint());
  }
  if (is_first()) {
    ranks_->barrier();
  }
  return saved;
}

}  // namespace gesso
