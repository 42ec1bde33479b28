#include "gesso/core/files/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include "gesso/core/error.h"
#include "gesso/core/files/unnamed_file.h"

namespace gesso {
namespace {

// In the name of a file that is being written, after the name it will have. remove_leftovers() knows them by it.
constexpr const char* kTemporary = ".tmp-";

std::string reason(int error) { return std::generic_category().message(error); }

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) {
      ::close(value_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return value_; }

 private:
  int value_;
};

[[noreturn]] void fail_reading(const std::string& path, const std::string& why) {
  throw FileError(concat_text("cannot read '", path, "': ", why));
}

// Locks the temporary file, which says until it is closed, at the latest by the end of the process, that somebody
// writes it. False, the descriptor closed, if remove_leftovers() took it for a left one in the moment before.
bool claim(int& descriptor) {
  struct stat status {};
  const bool taken = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (taken || (::fstat(descriptor, &status) == 0 && status.st_nlink == 0)) {
    ::close(std::exchange(descriptor, -1));
    return false;
  }
  return true;
}

// Opens `path` to read and says what it is.
int open_to_read(const std::string& path, struct stat& status) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    fail_reading(path, errno == ENOENT ? "there is no such file" : reason(errno));
  }
  if (::fstat(file, &status) != 0 || S_ISDIR(status.st_mode)) {
    const std::string why = S_ISDIR(status.st_mode) ? "it is a folder, not a file" : reason(errno);
    ::close(file);
    fail_reading(path, why);
  }
  return file;
}

}  // namespace

std::string read_file(const std::string& path, std::uint64_t max_bytes) {
  struct stat status {};
  const Descriptor file(open_to_read(path, status));
  std::string bytes;
  const auto check_size = [&](std::uint64_t size) {
    if (size > max_bytes) {
      fail_reading(path, concat_text("it has more than ", max_bytes, " bytes"));
    }
  };
  // A device or pipe reports no size, and a file may grow while it is read: the end decides, not the size.
  std::size_t expected = S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0;
  check_size(expected);
  std::size_t have = 0;
  while (true) {
    if (have == bytes.size()) {
      // One more than expected, so that the end is found without growing.
      bytes.resize(have == 0 && expected != 0 ? expected + 1 : have + (std::size_t{1} << 16) + have / 2);
    }
    const ssize_t got = ::read(file, bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      fail_reading(path, reason(errno));
    }
    if (got == 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
    check_size(have);
  }
  bytes.resize(have);
  return bytes;
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_(path) {
  if (path.empty()) {
    throw FileError("cannot write a file: its name is empty");
  }
  std::error_code ignored;
  if (std::filesystem::is_symlink(path, ignored)) {
    const std::filesystem::path followed = std::filesystem::weakly_canonical(path, ignored);
    if (!followed.empty()) {
      target_ = followed;
    }
  }
  struct stat status {};
  const bool exists = ::stat(target_.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) {
    fail(errno);  // a name that is too long, say: now, and not when all is written
  }
  if (exists && S_ISDIR(status.st_mode)) {
    fail(EISDIR);
  }
  is_device_ = exists && !S_ISREG(status.st_mode);
  if (is_device_) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      fail(errno);
    }
    return;
  }
  descriptor_ = detail::open_unnamed_file(folder(), O_WRONLY, 0666);
  if (descriptor_ < 0) {
    open_temporary();
  } else {
    (void)!::flock(descriptor_, LOCK_EX);  // nobody else can have it yet: see claim()
  }
  if (exists) {
    (void)!::fchmod(descriptor_, status.st_mode & 07777);  // a replaced file keeps its permissions
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

std::string AtomicFile::folder() const {
  const std::string parent = std::filesystem::path(target_).parent_path().string();
  return parent.empty() ? "." : parent;
}

// Unique within this process by the counter, among processes by the id; that it must be new settles the rest.
void AtomicFile::take_temporary_name() {
  static std::atomic<unsigned> counter{0};
  constexpr std::size_t longest = 200;  // file systems take 255 bytes
  const std::string name = std::filesystem::path(target_).filename().string();
  temporary_ = concat_text(folder(), "/", name.size() <= longest ? name : "gesso", kTemporary, ::getpid(),
                           "-", counter++);
}

void AtomicFile::open_temporary() {
  do {
    take_temporary_name();
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) {
      const int error = errno;
      temporary_.clear();
      fail(error);
    }
  } while (descriptor_ < 0 || !claim(descriptor_));
}

void AtomicFile::name_temporarily() {
  while (true) {
    take_temporary_name();
    if (detail::name_file(descriptor_, temporary_)) {
      return;
    }
    const int error = errno;
    temporary_.clear();
    if (error != EEXIST) {
      fail(error);
    }
  }
}

void AtomicFile::fail(int error) {
  std::string why = reason(error);
  if (error == EISDIR) {
    why = "it is a folder";
  } else if (error == ENOENT) {
    why = concat_text("the folder '", std::filesystem::path(target_).parent_path().string(),
                      "' does not exist; make it first");
  } else if (error == ENOSPC || error == EDQUOT) {
    why = "the disk is full; make room or write elsewhere";
  }
  throw FileError(concat_text("cannot write '", path_, "': ", why));
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      fail(errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  // Pipes and devices have nothing to flush to a disk (EINVAL, EROFS).
  if (::fsync(descriptor_) != 0 && !is_device_) {
    fail(errno);
  }
  if (!is_device_) {
    appear();
  }
  if (::close(std::exchange(descriptor_, -1)) != 0) {
    fail(errno);
  }
  if (!is_device_) {
    flush_folder();
  }
}

void AtomicFile::appear() {
  if (temporary_.empty()) {
    if (detail::name_file(descriptor_, target_)) {
      return;
    }
    if (errno != EEXIST) {
      fail(errno);
    }
    name_temporarily();
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(errno);
  }
  temporary_.clear();
}

// Without it the file's new name may be lost with the power, though its bytes are on the disk. File systems that
// cannot flush a folder say EINVAL.
void AtomicFile::flush_folder() {
  const Descriptor there(::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (there >= 0 && ::fsync(there) != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT)) {
    fail(errno);
  }
}

InputFile::InputFile(const std::string& path) : path_(path) {
  struct stat status {};
  descriptor_ = open_to_read(path, status);
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    fail_reading(path, "it is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::uint64_t offset, void* to, std::size_t count) const {
  char* next = static_cast<char*>(to);
  while (count > 0) {
    const ssize_t got = ::pread(descriptor_, next, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      fail_reading(path_, reason(errno));
    }
    if (got == 0) {
      fail_reading(path_, "it became shorter while it was read");
    }
    next += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
}

std::string InputFile::read(std::uint64_t offset, std::size_t count) const {
  std::string bytes(count, '\0');
  read(offset, bytes.data(), count);
  return bytes;
}

void remove_leftovers(const std::filesystem::path& folder) noexcept {
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const fs::path& path = entry->path();
    if (path.filename().native().find(kTemporary) == std::string::npos) {
      continue;
    }
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) == 0) {
      ::unlink(path.c_str());
    }
  }
}

}  // namespace gesso
