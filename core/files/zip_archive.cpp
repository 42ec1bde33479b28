#include "gesso/core/files/zip_archive.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "gesso/core/error.h"
#include "gesso/core/files/checksum.h"
#include "gesso/core/files/inflate.h"

namespace gesso::detail {
namespace {

// Signatures and lengths of the records' fixed parts.
constexpr std::uint32_t kLocalHeader = 0x04034B50, kDirectoryEntry = 0x02014B50, kEnd64 = 0x06064B50,
                        kEnd64Locator = 0x07064B50;
constexpr std::size_t kLocalHeaderSize = 30, kDirectoryEntrySize = 46, kEndSize = 22, kEnd64Size = 56,
                      kEnd64LocatorSize = 20;
constexpr std::uint64_t kMaxComment = 65535, kMaxDirectory = 100'000'000;
constexpr std::uint64_t kPiece = 1 << 20;

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

ZipArchive::ZipArchive(const InputFile& file, Complain complain)
    : file_(file), complain_(std::move(complain)) {
  read_directory();
}

void ZipArchive::read_directory() {
  // The end record is the last thing in the file but for a comment.
  const std::uint64_t tail_size = std::min<std::uint64_t>(file_.size(), kEndSize + kMaxComment);
  const std::uint64_t tail_at = file_.size() - tail_size;
  const std::string tail = file_.read(tail_at, tail_size);
  const std::size_t end = tail.rfind("PK\5\6");
  if (end == std::string::npos || tail.size() - end < kEndSize) {
    complain_("the directory at the end of the zip archive is missing (it is truncated)");
  }
  std::uint64_t count = number_at<std::uint16_t>(tail, end + 10);
  std::uint64_t size = number_at<std::uint32_t>(tail, end + 12);
  std::uint64_t begin = number_at<std::uint32_t>(tail, end + 16);
  if (count == 0xFFFF || size == 0xFFFFFFFF || begin == 0xFFFFFFFF) {  // they did not fit: zip64
    const std::uint64_t locator_at = tail_at + end;
    if (locator_at < kEnd64LocatorSize) {
      complain_("the zip archive's end record is wrong");
    }
    const std::string locator = file_.read(locator_at - kEnd64LocatorSize, kEnd64LocatorSize);
    const std::uint64_t at = number_at<std::uint64_t>(locator, 8);
    if (number_at<std::uint32_t>(locator, 0) != kEnd64Locator || file_.size() < kEnd64Size ||
        at > file_.size() - kEnd64Size) {
      complain_("the zip archive's end record is wrong");
    }
    const std::string end64 = file_.read(at, kEnd64Size);
    if (number_at<std::uint32_t>(end64, 0) != kEnd64) {
      complain_("the zip archive's end record is wrong");
    }
    count = number_at<std::uint64_t>(end64, 32);
    size = number_at<std::uint64_t>(end64, 40);
    begin = number_at<std::uint64_t>(end64, 48);
  }
  if (size > file_.size() || begin > file_.size() - size || size > kMaxDirectory ||
      count > size / kDirectoryEntrySize) {
    complain_("the zip archive's directory lies outside of the file");
  }
  const std::string directory = file_.read(begin, size);
  std::uint64_t at = 0, packed = 0, unpacked = 0;
  const std::uint64_t most = 16 * file_.size() + (64 << 20);
  std::map<std::string, int> times;
  for (std::uint64_t i = 0; i < count; ++i) {
    entries_.push_back(read_entry(directory, at));
    const Entry& entry = entries_.back();
    packed += entry.packed;
    if (packed > file_.size()) {
      complain_(concat_text("the entries of the zip archive overlap (at '", entry.name, "')"));
    }
    unpacked += std::min(entry.size, most);
    if (unpacked > most) {
      complain_(concat_text("the zip archive's ", file_.size(), " bytes would unpack to more than ", most,
                            " (at '", entry.name, "'); weights do not, and it is refused"));
    }
    if (++times[entry.name] > 1) {
      complain_(concat_text("the zip archive has '", entry.name, "' twice"));
    }
  }
}

ZipArchive::Entry ZipArchive::read_entry(const std::string& directory, std::uint64_t& at) const {
  const auto cut_short = [&](std::uint64_t need) {
    if (directory.size() - at < need) {
      complain_("the zip archive's directory is cut short");
    }
  };
  cut_short(kDirectoryEntrySize);
  if (number_at<std::uint32_t>(directory, at) != kDirectoryEntry) {
    complain_("the zip archive's directory is wrong");
  }
  const auto flags = number_at<std::uint16_t>(directory, at + 8);
  const auto method = number_at<std::uint16_t>(directory, at + 10);
  const std::size_t name = number_at<std::uint16_t>(directory, at + 28);
  const std::size_t extra = number_at<std::uint16_t>(directory, at + 30);
  const std::size_t comment = number_at<std::uint16_t>(directory, at + 32);
  cut_short(kDirectoryEntrySize + name + extra + comment);
  Entry entry;
  entry.name = directory.substr(at + kDirectoryEntrySize, name);
  entry.checksum = number_at<std::uint32_t>(directory, at + 16);
  entry.packed = number_at<std::uint32_t>(directory, at + 20);
  entry.size = number_at<std::uint32_t>(directory, at + 24);
  std::uint64_t header = number_at<std::uint32_t>(directory, at + 42);
  // Field 1 of the extra fields holds, in this order, those numbers that did not fit.
  const std::size_t extra_begin = at + kDirectoryEntrySize + name, extra_end = extra_begin + extra;
  for (std::size_t field = extra_begin; field + 4 <= extra_end;) {
    const auto id = number_at<std::uint16_t>(directory, field);
    const std::size_t next = field + 4 + number_at<std::uint16_t>(directory, field + 2);
    std::size_t value = field + 4;
    for (std::uint64_t* number : {&entry.size, &entry.packed, &header}) {
      if (id == 1 && *number == 0xFFFFFFFF && value + 8 <= std::min(next, extra_end)) {
        *number = number_at<std::uint64_t>(directory, value);
        value += 8;
      }
    }
    field = next;
  }
  if ((flags & 1) != 0) {
    complain_(concat_text("'", entry.name, "' in the zip archive is encrypted"));
  }
  if (method != 0 && method != 8) {
    complain_(concat_text("'", entry.name, "' in the zip archive is packed by method ", method,
                          "; gesso reads 0 (stored) and 8 (deflated)"));
  }
  entry.deflated = method == 8;
  if (!entry.deflated && entry.size != entry.packed) {
    complain_(concat_text("'", entry.name, "' in the zip archive has two different sizes"));
  }
  find_bytes(entry, header);
  at += kDirectoryEntrySize + name + extra + comment;
  return entry;
}

// An entry's bytes come after a header of its own, which repeats its name.
void ZipArchive::find_bytes(Entry& entry, std::uint64_t header) const {
  if (file_.size() < kLocalHeaderSize || header > file_.size() - kLocalHeaderSize) {
    complain_(concat_text("'", entry.name, "' lies outside of the zip archive (it is truncated)"));
  }
  const std::string local = file_.read(header, kLocalHeaderSize);
  if (number_at<std::uint32_t>(local, 0) != kLocalHeader) {
    complain_(concat_text("'", entry.name, "' is not where the zip archive's directory says"));
  }
  entry.at =
      header + kLocalHeaderSize + number_at<std::uint16_t>(local, 26) + number_at<std::uint16_t>(local, 28);
  if (entry.at > file_.size() || entry.packed > file_.size() - entry.at) {
    complain_(concat_text("'", entry.name, "' lies outside of the zip archive (it is truncated)"));
  }
}

const ZipArchive::Entry* ZipArchive::find(std::string_view name) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

// Hands what the entry unpacks to, in pieces, to take().
template <class Take>
void ZipArchive::unpack(const Entry& entry, Take take) const {
  std::uint32_t sum = 0;
  std::uint64_t size = 0;
  const auto count = [&](std::string_view bytes) {
    sum = crc32(sum, bytes);
    size += bytes.size();
    if (size <= entry.size) {
      take(bytes);
    }
    return size <= entry.size;
  };
  bool whole = true;
  if (entry.deflated) {
    if (!can_inflate()) {
      complain_(concat_text("'", entry.name,
                            "' is deflated, and this build of gesso has no zlib (Debian: zlib1g-dev)"));
    }
    std::uint64_t at = 0;
    whole = inflate(
        [&]() {
          const std::uint64_t piece = std::min(kPiece, entry.packed - at);
          at += piece;
          return file_.read(entry.at + at - piece, piece);
        },
        count);
  } else {
    for (std::uint64_t at = 0; at < entry.size; at += kPiece) {
      count(file_.read(entry.at + at, std::min(kPiece, entry.size - at)));
    }
  }
  if (!whole || size != entry.size) {
    complain_(concat_text("'", entry.name, "' in the zip archive does not unpack: it is damaged"));
  }
  if (has_checksums() && sum != entry.checksum) {
    complain_(concat_text("the checksum of '", entry.name,
                          "' in the zip archive is wrong: it was damaged, or written under "
                          "torch.serialization.set_crc32_options(False); save it again with True"));
  }
}

std::string ZipArchive::read(const Entry& entry) const {
  std::string bytes;
  bytes.reserve(entry.size);
  unpack(entry, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

void ZipArchive::verify(const Entry& entry) const {
  unpack(entry, [](std::string_view) {});
}

}  // namespace gesso::detail
