#include "gesso/core/files/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>

#include "gesso/core/bit_cast.h"
#include "gesso/core/files/checksum.h"
#include "gesso/core/files/elements.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors_header.h"

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

namespace gesso {
namespace {

using detail::kMetadataKey;
using nlohmann::json;

constexpr std::uint64_t kMaxHeader = 100'000'000;  // bytes; the limit of the reference implementation
constexpr double kExactBelow = 0x1p53;             // float64 holds every whole number below
// The metadata that holds the checksum: of all bytes of the file, its own digits taken as zeros.
constexpr const char* kChecksum = "checksum";
constexpr std::string_view kNoDigits = "crc32:00000000";
constexpr std::size_t kDigits = 8;

// ---- writing

// The nearest half, ties to even. The value must be below 65520 in magnitude, or the result is not finite.
std::uint16_t to_half(float value) {
  const std::uint32_t bits = bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 31 << 15);
  const std::uint32_t size = bits & 0x7FFFFFFFu;
  if (size < 0x38800000u) {  // below 2^-14: a whole number of 2^-24
    return sign | static_cast<std::uint16_t>(std::nearbyint(bit_cast<float>(size) * 0x1p24f));
  }
  const std::uint32_t rounded = size + 0xFFFu + (size >> 13 & 1);
  return sign | static_cast<std::uint16_t>((rounded >> 13) - ((127u - 15u) << 10));
}

constexpr double kHalfLimit = 65520;  // from here on the nearest half is infinity

std::vector<std::uint16_t> to_halves(const std::string& name, const Tensor& tensor) {
  std::vector<std::uint16_t> halves;
  for (const double value : tensor.to_vector()) {
    require(std::fabs(value) < kHalfLimit, "save_safetensors: '", name,
            "' is to be written as F16, but has the value ", value, ", which is too large for it");
    halves.push_back(to_half(static_cast<float>(value)));
  }
  return halves;
}

bool is_whole(double value) { return std::fabs(value) < kExactBelow && std::trunc(value) == value; }

std::vector<Index> to_int64(const std::string& name, const Tensor& tensor) {
  std::vector<Index> numbers;
  for (const double value : tensor.to_vector()) {
    require(is_whole(value), "save_safetensors: '", name, "' is to be written as I64, but has the value ",
            value);
    numbers.push_back(static_cast<Index>(value));
  }
  return numbers;
}

// How an element is written.
struct Form {
  const char* dtype;
  std::uint64_t bytes;
};

Form form_of(const std::string& name, const Tensor& tensor, const SafetensorsOptions& options) {
  return options.int64.contains(name)     ? Form{"I64", 8}
         : options.float16.contains(name) ? Form{"F16", 2}
         : tensor.dtype() == float64      ? Form{"F64", 8}
                                          : Form{"F32", 4};
}

std::string header_text(const NamedTensors& tensors, const Metadata& metadata,
                        const SafetensorsOptions& options, const std::vector<std::size_t>& data_order) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> offsets(tensors.size());
  std::uint64_t at = 0;
  for (const std::size_t i : data_order) {
    const auto& [name, tensor] = tensors[i];
    offsets[i] = {at, at + form_of(name, tensor, options).bytes * static_cast<std::uint64_t>(tensor.numel())};
    at = offsets[i].second;
  }
  // Joined by hand, so that the entries stay in the order given.
  std::string text = "{";
  const auto add = [&](const std::string& key, const json& value) {
    text += text.size() == 1 ? "" : ",";
    text += json(key).dump() + ":" + value.dump();
  };
  if (!metadata.empty()) {
    add(kMetadataKey, metadata);
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    add(name, {{"dtype", form_of(name, tensor, options).dtype},
               {"shape", std::vector<Index>(tensor.shape().begin(), tensor.shape().end())},
               {"data_offsets", {offsets[i].first, offsets[i].second}}});
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins at a multiple of 8
  return text;
}

// Where the digits of the checksum stand in a header, or npos.
std::size_t find_digits(std::string_view header, std::string_view checksum) {
  const std::string entry = concat_text('"', kChecksum, "\":\"", checksum, '"');
  const std::size_t at = header.find(entry);
  return at == std::string_view::npos ? at : at + entry.size() - 1 - kDigits;
}

std::string digits_of(std::uint32_t value) {
  std::string digits;
  for (int shift = 28; shift >= 0; shift -= 4) {
    digits += "0123456789abcdef"[value >> shift & 15];
  }
  return digits;
}

template <class T>
std::string_view bytes_of(const T* values, Index count) {
  return {reinterpret_cast<const char*>(values), static_cast<std::size_t>(count) * sizeof(T)};
}

// ---- reading

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw FileError(concat_text("cannot read '", path, "': ", why));
}

[[noreturn]] void fail(const std::string& path, const std::string& entry, const std::string& why) {
  fail(path, concat_text("entry '", entry, "': ", why));
}

SafetensorsReader::Entry checked_entry(const std::string& path,
                                       const detail::SafetensorsHeader::Entry& read) {
  const std::string& name = read.name;
  if (!read.dtype || !read.shape || !read.data_offsets || read.data_offsets->size() != 2) {
    fail(path, name, "it must have a dtype, a shape and two data_offsets");
  }
  SafetensorsReader::Entry entry;
  entry.dtype = *read.dtype;
  entry.begin = read.data_offsets->at(0);
  entry.end = read.data_offsets->at(1);
  std::vector<Index> sizes;
  for (const std::uint64_t count : *read.shape) {
    if (count > std::uint64_t{1} << 62) {
      fail(path, name, concat_text("the size ", count, " in its shape is too large"));
    }
    sizes.push_back(static_cast<Index>(count));
  }
  try {
    entry.shape = Shape(sizes);
  } catch (const ArgumentError& error) {
    fail(path, name, error.what());
  }
  // A dtype that the format gained later says nothing of its size: such an entry can be seen, and not loaded.
  const detail::ElementFormat* format = detail::find_element_format(entry.dtype);
  const auto elements = static_cast<std::uint64_t>(entry.shape.numel());
  constexpr std::uint64_t many = std::uint64_t{1}
                                 << 56;  // no file has so many; products below do not overflow
  const std::uint64_t bytes = entry.end - entry.begin;
  const bool fits =
      format == nullptr || (elements < many && bytes < many && elements * format->bits == bytes * 8);
  if (entry.end < entry.begin || !fits) {
    fail(path, name,
         concat_text("shape ", entry.shape, " of ", entry.dtype, " does not fit its bytes ", entry.begin,
                     " to ", entry.end));
  }
  return entry;
}

}  // namespace

bool fits_float16(const Tensor& tensor) {
  const std::vector<double> values = tensor.to_vector();
  return std::all_of(values.begin(), values.end(), [](double v) { return std::fabs(v) < kHalfLimit; });
}

void save_safetensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata,
                      const SafetensorsOptions& options) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    require(name != kMetadataKey, "save_safetensors: a tensor cannot be named ", kMetadataKey);
    require(names.insert(name).second, "save_safetensors: the name '", name, "' is given twice");
    require(tensor.defined(), "save_safetensors: the tensor '", name, "' is undefined");
  }
  for (const std::string& name : options.int64) {
    require(names.contains(name), "save_safetensors: '", name,
            "' is to be written as I64, but is not among the ", tensors.size(), " tensors");
  }
  for (const std::string& name : options.float16) {
    require(names.contains(name) && !options.int64.contains(name), "save_safetensors: '", name,
            "' is to be written as F16, but is ",
            names.contains(name) ? "also to be written as I64" : "not among the tensors");
  }
  const bool with_checksum = options.checksum && has_checksums();
  Metadata all = metadata;
  require(!options.checksum || !all.contains(kChecksum), "save_safetensors: the metadata '", kChecksum,
          "' is the file's own");
  if (with_checksum) {
    all[kChecksum] = kNoDigits;
  }
  // Large elements first, so that all are aligned for those who map the file.
  std::vector<std::size_t> data_order;
  for (const std::uint64_t bytes : {8, 4, 2}) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (form_of(tensors[i].first, tensors[i].second, options).bytes == bytes) {
        data_order.push_back(i);
      }
    }
  }
  std::string header;
  try {
    header = header_text(tensors, all, options, data_order);
  } catch (const json::type_error&) {
    throw ArgumentError("save_safetensors: a name or the metadata is not valid UTF-8");
  }
  const auto each_piece = [&](const std::function<void(std::string_view)>& take) {
    const auto length = static_cast<std::uint64_t>(header.size());
    take(bytes_of(&length, 1));
    take(header);
    for (const std::size_t i : data_order) {
      const auto& [name, tensor] = tensors[i];
      if (options.int64.contains(name)) {
        const std::vector<Index> numbers = to_int64(name, tensor);
        take(bytes_of(numbers.data(), static_cast<Index>(numbers.size())));
      } else if (options.float16.contains(name)) {
        const std::vector<std::uint16_t> halves = to_halves(name, tensor);
        take(bytes_of(halves.data(), static_cast<Index>(halves.size())));
      } else {
        with_dtype(tensor.dtype(),
                   [&, &t = tensor]<class T>() { take(bytes_of(t.template data<T>(), t.numel())); });
      }
    }
  };
  if (with_checksum) {
    std::uint32_t sum = 0;
    each_piece([&](std::string_view bytes) { sum = crc32(sum, bytes); });
    header.replace(find_digits(header, kNoDigits), kDigits, digits_of(sum));
  }
  AtomicFile file(path);
  each_piece([&](std::string_view bytes) { file.write(bytes); });
  file.commit();
}

struct SafetensorsReader::Contents {
  std::string path;
  InputFile file;
  std::string header;      // with the 8 bytes of its length
  std::uint64_t size = 0;  // of the data, which follows the header
  Metadata metadata;
  std::string checksum;  // "crc32:" and its digits, if it has one
  std::vector<std::string> names;
  std::unordered_map<std::string, Entry> entries;

  explicit Contents(const std::string& file_path) : path(file_path), file(file_path) {
    std::uint64_t length = 0;
    if (file.size() < sizeof length) {
      fail(path, "it is too short for a safetensors file");
    }
    file.read(0, &length, sizeof length);
    if (length > kMaxHeader || file.size() < sizeof length + 2 || file.read(sizeof length, 1) != "{") {
      fail(path, "it is not a safetensors file");
    }
    if (length > file.size() - sizeof length) {
      fail(path, "the file ends before its header does (it is truncated)");
    }
    header = file.read(0, sizeof length + length);
    size = file.size() - header.size();
    const std::string_view text = std::string_view(header).substr(sizeof length);
    detail::SafetensorsHeader read =
        detail::parse_safetensors_header(text, [&](const std::string& entry, const std::string& why) {
          entry.empty() ? fail(path, why) : fail(path, entry, why);
        });
    for (const detail::SafetensorsHeader::Entry& entry : read.entries) {
      names.push_back(entry.name);
      entries.emplace(entry.name, checked_entry(path, entry));
    }
    metadata = std::move(read.metadata);
    const auto found = metadata.find(kChecksum);
    if (found != metadata.end() && found->second.size() == kNoDigits.size() &&
        found->second.starts_with(kNoDigits.substr(0, kNoDigits.size() - kDigits))) {
      checksum = found->second;
      metadata.erase(found);
    }
    check_layout();
  }

  // Every byte of the data belongs to exactly one entry.
  void check_layout() const {
    std::vector<std::pair<const Entry*, const std::string*>> order;
    for (const std::string& name : names) {
      order.emplace_back(&entries.at(name), &name);
    }
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
      return std::pair(a.first->begin, a.first->end) < std::pair(b.first->begin, b.first->end);
    });
    std::uint64_t end = 0;
    for (const auto& [entry, name] : order) {
      if (entry->begin != end) {
        fail(path, *name,
             entry->begin < end ? "its bytes overlap with those of another" : "there is a gap before it");
      }
      end = entry->end;
      if (end > size) {
        fail(path, *name, "the file ends before its data does (it is truncated)");
      }
    }
    if (end != size) {
      fail(path, concat_text(size - end, " bytes at its end belong to no tensor"));
    }
  }

  void verify() const {
    if (checksum.empty() || !has_checksums()) {
      return;
    }
    const std::size_t digits = find_digits(header, checksum);
    if (digits == std::string::npos) {
      fail(path, "its header was written anew by another program, without a new checksum");
    }
    std::string zeroed = header;
    zeroed.replace(digits, kDigits, kDigits, '0');
    std::uint32_t sum = crc32(0, zeroed);
    for_each_chunk(0, size, [&](std::string_view bytes) { sum = crc32(sum, bytes); });
    if (header.substr(digits, kDigits) != digits_of(sum)) {
      fail(path, "its checksum is wrong: the file was damaged after it was written");
    }
  }

  // Reads bytes begin ... end - 1 of the data in pieces, of whole elements, and hands each to take().
  template <class Take>
  void for_each_chunk(std::uint64_t begin, std::uint64_t end, Take take) const {
    constexpr std::uint64_t chunk = 1 << 20;
    for (std::uint64_t at = begin; at < end; at += chunk) {
      take(file.read(header.size() + at, static_cast<std::size_t>(std::min(chunk, end - at))));
    }
  }
};

SafetensorsReader::SafetensorsReader(const std::string& path)
    : contents_(std::make_unique<const Contents>(path)) {}

SafetensorsReader::~SafetensorsReader() = default;

const Metadata& SafetensorsReader::metadata() const { return contents_->metadata; }

bool SafetensorsReader::has_checksum() const { return !contents_->checksum.empty(); }

const std::vector<std::string>& SafetensorsReader::names() const { return contents_->names; }

bool SafetensorsReader::contains(const std::string& name) const { return contents_->entries.contains(name); }

const SafetensorsReader::Entry& SafetensorsReader::entry(const std::string& name) const {
  const auto found = contents_->entries.find(name);
  if (found == contents_->entries.end()) {
    fail(contents_->path, concat_text("it has no tensor '", name, "'"));
  }
  return found->second;
}

void SafetensorsReader::verify() const { contents_->verify(); }

Tensor SafetensorsReader::load(const std::string& name) const {
  const Entry& e = entry(name);
  const detail::ElementFormat* format = detail::find_element_format(e.dtype);
  const auto complain = [&](const std::string& why) { fail(contents_->path, name, why); };
  if (format == nullptr) {
    complain(concat_text("its dtype is ", e.dtype, "; gesso reads ", detail::readable_element_formats()));
  }
  const std::uint64_t begin = contents_->header.size() + e.begin;
  return detail::read_elements(
      *format, e.shape,
      [&](std::uint64_t offset, void* to, std::size_t count) {
        contents_->file.read(begin + offset, to, count);
      },
      complain);
}

SafetensorsFile load_safetensors(const std::string& path) {
  const SafetensorsReader reader(path);
  reader.verify();
  SafetensorsFile file;
  file.metadata = reader.metadata();
  file.checksum = reader.has_checksum();
  for (const std::string& name : reader.names()) {
    file.tensors.emplace_back(name, reader.load(name));
  }
  return file;
}

}  // namespace gesso
