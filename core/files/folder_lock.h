// One program at a time in a folder.
#pragma once

#include <filesystem>

namespace gesso {

/// While one lives, no other program (and no other FolderLock) gets one for the same folder. The system holds it for
/// the process: when that ends, however it does, the folder is free again, and nothing needs to be cleaned up. The
/// file .lock in the folder, which stays there, says who has it.
///
/// On file systems that know no locks (some networked ones) it protects nobody.
class FolderLock {
 public:
  /// Throws FileError, naming the folder and who has it, if somebody does; and if the folder cannot be written.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace gesso
