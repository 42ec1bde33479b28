// Files: read whole or in parts, and written so that they are never half-written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

namespace gesso {

/// The bytes of the file at `path`. Throws FileError, naming the file and the reason, if it is missing, a
/// folder, not readable, or has more than `max_bytes` bytes.
std::string read_file(const std::string& path,
                      std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max());

/// Writes `bytes` to the file at `path`, replacing what was there, all or nothing: see AtomicFile.
void write_file_atomically(const std::string& path, std::string_view bytes);

/// A file that appears at `path` only when it is complete. What is written goes to a file without a name on
/// the same disk; commit() flushes that to the disk, gives it its name, and flushes the folder, so that the
/// new file is still there after a loss of power. Without commit() (an exception, a kill) what was at `path`
/// stays as it was, and nothing is left. A symbolic link is followed. A device or pipe (/dev/stdout) cannot
/// be replaced: it is written directly.
///
/// Where files need names (not Linux, NFS, FAT), a temporary one beside `path` takes the place of the unnamed
/// file, which a kill leaves there: see remove_leftovers(). Where `path` exists, the complete file has such a
/// name for a moment too, since only a name can be renamed onto another.
///
/// Every function throws FileError, naming the file and the reason, when the system refuses: the folder does
/// not exist or is not writable, `path` is a folder, the disk is full.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  [[noreturn]] void fail(int error);
  std::string folder() const;
  void take_temporary_name();
  void open_temporary();
  void name_temporarily();
  void appear();
  void flush_folder();

  std::string path_;        // as the user gave it, for error texts
  std::string target_;      // with symbolic links followed
  std::string temporary_;   // empty while it has no name, and when it has its own
  bool is_device_ = false;  // or a pipe: written directly
  int descriptor_ = -1;
};

/// A file that is open to read any part of. It is read and not mapped: a mapping of a file that somebody
/// shortens kills the program with SIGBUS at the next touch; here that is a FileError. (Replacing the file by
/// rename is fine: what was opened stays.)
class InputFile {
 public:
  /// Throws FileError, naming the file and the reason, if it is missing, a folder, not readable or not a
  /// regular file.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// How many bytes it had when it was opened.
  std::uint64_t size() const { return size_; }
  /// Bytes offset ... offset + count - 1 to `to`. From any thread. Throws FileError, naming the file, when it
  /// cannot be read or has become too short for that.
  void read(std::uint64_t offset, void* to, std::size_t count) const;
  std::string read(std::uint64_t offset, std::size_t count) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Removes from `folder` what killed programs left of files that they were writing: temporary files of AtomicFile
/// that nobody has open. Never throws; a folder that is not there has none.
void remove_leftovers(const std::filesystem::path& folder) noexcept;

}  // namespace gesso
