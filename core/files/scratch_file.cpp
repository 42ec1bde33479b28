#include "gesso/core/files/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

#include "gesso/core/error.h"
#include "gesso/core/files/unnamed_file.h"

namespace gesso {
namespace {

[[noreturn]] void fail(const std::filesystem::path& folder, int error) {
  const std::string why = error == ENOSPC || error == EDQUOT
                              ? "the disk is full; make room or write elsewhere"
                              : std::generic_category().message(error);
  throw FileError(concat_text("cannot keep intermediate results in '", folder.string(), "': ", why));
}

}  // namespace

ScratchFile::ScratchFile(const std::filesystem::path& folder) : folder_(folder.empty() ? "." : folder) {
  descriptor_ = detail::open_unnamed_file(folder_.string(), O_RDWR, 0600);
  if (descriptor_ < 0) {
    // Named for a moment, which a kill may catch: an empty file.
    std::string name = (folder_ / "gesso-scratch.tmp-XXXXXX").string();
    descriptor_ = ::mkstemp(name.data());
    if (descriptor_ < 0) {
      fail(folder_, errno);
    }
    ::unlink(name.c_str());
    ::fcntl(descriptor_, F_SETFD, FD_CLOEXEC);
  }
}

ScratchFile::~ScratchFile() { ::close(descriptor_); }

void ScratchFile::write(std::uint64_t offset, const void* from, std::size_t count) {
  const char* next = static_cast<const char*>(from);
  while (count > 0) {
    const ssize_t written = ::pwrite(descriptor_, next, count, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      fail(folder_, errno);
    }
    next += written;
    offset += static_cast<std::uint64_t>(written);
    count -= static_cast<std::size_t>(written);
  }
}

void ScratchFile::read(std::uint64_t offset, void* to, std::size_t count) const {
  char* next = static_cast<char*>(to);
  while (count > 0) {
    const ssize_t got = ::pread(descriptor_, next, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      fail(folder_, got < 0 ? errno : EIO);  // the end: more is read than was written
    }
    next += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
}

void ScratchFile::forget([[maybe_unused]] std::uint64_t offset, [[maybe_unused]] std::size_t count) noexcept {
#ifdef FALLOC_FL_PUNCH_HOLE
  (void)!::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                     static_cast<off_t>(count));
#endif
}

bool ScratchFile::gives_room_back([[maybe_unused]] const std::filesystem::path& folder) {
#ifdef FALLOC_FL_PUNCH_HOLE
  ScratchFile file(folder);
  const char byte = 0;
  file.write(0, &byte, 1);
  return ::fallocate(file.descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1) == 0;
#else
  return false;
#endif
}

}  // namespace gesso
