// Files: read whole, mapped into memory, and written so that they are never half-written.
#pragma once

#include <cstddef>
#include <cstdint>
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

/// A file that appears at `path` only when it is complete. What is written goes to a temporary file beside
/// it; commit() flushes that to the disk and renames it. Without commit() (an exception, say) the temporary
/// file is removed and what was at `path` stays as it was. A symbolic link is followed. A device or pipe
/// (/dev/stdout) cannot be renamed onto: it is written directly.
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

  std::string path_;       // as the user gave it, for error texts
  std::string target_;     // with symbolic links followed
  std::string temporary_;  // empty when writing directly, and after commit()
  int descriptor_ = -1;
};

/// A file mapped into memory to read: its bytes come from the disk when they are touched. The file must not
/// be shortened by others while it is mapped (replacing it by rename is fine).
class MappedFile {
 public:
  /// Throws FileError, naming the file and the reason, if it is missing, a folder or not readable.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace gesso
