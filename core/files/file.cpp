#include "gesso/core/files/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "gesso/core/error.h"

namespace gesso {
namespace {

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
  if (exists && S_ISDIR(status.st_mode)) {
    fail(EISDIR);
  }
  if (exists && !S_ISREG(status.st_mode)) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      fail(errno);
    }
    return;
  }
  // Unique within this process by the counter, among processes by the id; O_EXCL settles the rest.
  static std::atomic<unsigned> counter{0};
  do {
    temporary_ = concat_text(target_, ".tmp-", ::getpid(), "-", counter++);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) {
    const int error = errno;
    temporary_.clear();
    fail(error);
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
  if (::fsync(descriptor_) != 0 && !temporary_.empty()) {
    fail(errno);
  }
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0) {
    fail(errno);
  }
  if (!temporary_.empty() && ::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(errno);
  }
  temporary_.clear();
}

MappedFile::MappedFile(const std::string& path) {
  struct stat status {};
  const Descriptor file(open_to_read(path, status));
  if (!S_ISREG(status.st_mode)) {
    fail_reading(path, "it is not a regular file");
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) {
    return;  // the system maps no empty files
  }
  data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
  if (data_ == MAP_FAILED) {
    fail_reading(path, reason(errno));
  }
}

MappedFile::~MappedFile() {
  if (size_ != 0) {
    ::munmap(data_, size_);
  }
}

}  // namespace gesso
