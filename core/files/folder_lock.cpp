#include "gesso/core/files/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "gesso/core/error.h"

namespace gesso {
namespace {

std::string own_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return concat_text("process ", ::getpid(), " on ", host.data());
}

}  // namespace

// flock() belongs to the open file: a second one in this process is refused too, and the end of the process frees
// it, even a kill.
FolderLock::FolderLock(const std::filesystem::path& folder) {
  const std::string path = (folder / ".lock").string();
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw FileError(
        concat_text(folder.string(), ": cannot write in it: ", std::generic_category().message(errno)));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    std::array<char, 512> owner{};
    const bool known = ::pread(descriptor_, owner.data(), owner.size() - 1, 0) > 0;
    ::close(descriptor_);
    throw FileError(concat_text(folder.string(), ": another program works in it (",
                                known ? owner.data() : "it does not say who",
                                "); wait until it has ended, or name another folder"));
  }
  const std::string name = own_name();
  (void)!::ftruncate(descriptor_, 0);
  (void)!::pwrite(descriptor_, name.data(), name.size(), 0);
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace gesso
