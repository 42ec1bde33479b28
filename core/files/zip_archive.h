// Zip archives, to read: the directory here, inflating by zlib. Not for use outside of core/files: torch_file.h is
// the door. (APPNOTE.TXT of PKWARE, sections 4.3 to 4.5, with zip64.)
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gesso/core/files/file.h"

namespace gesso::detail {

/// A zip archive in an open file. What it claims is checked: entries lie inside the file and do not overlap, and
/// what they unpack to is no more than 16 times the file and 64 MiB, which weights never are and bombs are.
class ZipArchive {
 public:
  /// What to do with an archive that is wrong. Must throw.
  using Complain = std::function<void(const std::string& why)>;

  struct Entry {
    std::string name;            ///< "archive/data.pkl"
    std::uint64_t size = 0;      ///< unpacked
    std::uint64_t packed = 0;    ///< in the file
    std::uint64_t at = 0;        ///< where its bytes begin in the file
    std::uint32_t checksum = 0;  ///< CRC-32 of what it unpacks to
    bool deflated = false;       ///< else it is stored as it is
  };

  /// Whether a file that begins with these bytes is one.
  static bool begins(std::string_view bytes) { return bytes.starts_with("PK\3\4"); }

  /// `file` must live as long.
  ZipArchive(const InputFile& file, Complain complain);

  const std::vector<Entry>& entries() const { return entries_; }
  /// The entry of that name, or null.
  const Entry* find(std::string_view name) const;
  /// All that it unpacks to, of the right checksum. Complains of an entry that is damaged, and, where the build
  /// has no zlib, of one that is deflated.
  std::string read(const Entry& entry) const;
  /// Reads it in pieces and complains unless its checksum is right.
  void verify(const Entry& entry) const;

 private:
  void read_directory();
  Entry read_entry(const std::string& directory, std::uint64_t& at) const;
  void find_bytes(Entry& entry, std::uint64_t header) const;
  template <class Take>
  void unpack(const Entry& entry, Take take) const;

  const InputFile& file_;
  Complain complain_;
  std::vector<Entry> entries_;
};

}  // namespace gesso::detail
