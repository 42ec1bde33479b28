#include "gesso/core/files/unnamed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace gesso::detail {

#if defined(__linux__) && defined(O_TMPFILE)

namespace {

// The way to an open file that needs no privilege: open(2), under O_TMPFILE.
std::string link_to(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

}  // namespace

int open_unnamed_file(const std::string& folder, int access, mode_t permissions) {
  const int file = ::open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_CLOEXEC | access, permissions);
  if (file >= 0 && ::access(link_to(file).c_str(), F_OK) != 0) {  // no /proc: it could never get a name
    ::close(file);
    return -1;
  }
  return file;
}

bool name_file(int descriptor, const std::string& path) {
  return ::linkat(AT_FDCWD, link_to(descriptor).c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

#else

int open_unnamed_file(const std::string&, int, mode_t) { return -1; }

bool name_file(int, const std::string&) {
  errno = ENOTSUP;
  return false;
}

#endif

}  // namespace gesso::detail
