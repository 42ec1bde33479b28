// Files that have no name.
#pragma once

#include <sys/types.h>

#include <string>

namespace gesso::detail {

/// Opens a new file on the file system of `folder` that has no name, so that nothing of it is left however the process
/// ends: close() frees its room. `access` is O_WRONLY or O_RDWR; `permissions` as of open(), less the umask. -1 where
/// that cannot be: not Linux, a file system without such files (NFS, FAT), or no such folder.
int open_unnamed_file(const std::string& folder, int access, mode_t permissions);

/// Gives such a file a name, which must not exist yet: false, errno saying why, if it does. Whoever sees it
/// sees all that was written.
bool name_file(int descriptor, const std::string& path);

}  // namespace gesso::detail
