// A file for numbers that no memory holds, as long as the program needs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace gesso {

/// A file in `folder` that has no name: when it is closed, at the latest with the end of the process, however that comes
/// about, it is gone, and so is the room that it took.
///
/// Throws FileError, naming the folder and the reason, when the system refuses: the folder does not exist or is not
/// writable, the disk is full.
class ScratchFile {
 public:
  explicit ScratchFile(const std::filesystem::path& folder);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  void write(std::uint64_t offset, const void* from, std::size_t count);
  /// What write() wrote there.
  void read(std::uint64_t offset, void* to, std::size_t count) const;
  /// Nobody will read these bytes again: their room is given back where the file system can (Linux; elsewhere when the
  /// file is closed).
  void forget(std::uint64_t offset, std::size_t count) noexcept;
  /// Whether forget() does so in this folder. Throws as the constructor does.
  static bool gives_room_back(const std::filesystem::path& folder);

 private:
  std::filesystem::path folder_;
  int descriptor_ = -1;
};

}  // namespace gesso
