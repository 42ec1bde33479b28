#include "gesso/core/files/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>

#include "gesso/core/files/file.h"
#include "gesso/core/parallel.h"

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

namespace gesso {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxHeader = 100'000'000;  // bytes; the limit of the reference implementation
constexpr double kExactBelow = 0x1p53;             // float64 holds every whole number below
constexpr const char* kMetadataKey = "__metadata__";

// Bytes of one element of the dtypes that the format defines; 0 for an unknown name.
std::uint64_t element_size(const std::string& dtype) {
  static const std::map<std::string, std::uint64_t> sizes = {
      {"F64", 8}, {"I64", 8}, {"U64", 8},     {"F32", 4},     {"I32", 4},
      {"U32", 4}, {"F16", 2}, {"BF16", 2},    {"I16", 2},     {"U16", 2},
      {"I8", 1},  {"U8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"BOOL", 1},
  };
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

// IEEE 754 half precision: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits.
float from_half(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits} >> 15 << 31;
  const std::uint32_t exponent = bits >> 10 & 31;
  const std::uint32_t fraction = bits & 1023;
  if (exponent == 31) {  // infinity, NaN
    return std::bit_cast<float>(sign | 0x7F800000u | fraction << 13);
  }
  if (exponent == 0) {  // zero, subnormal: fraction * 2^-24
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  return std::bit_cast<float>(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

// ---- writing

// The nearest half, ties to even. The value must be below 65520 in magnitude, or the result is not finite.
std::uint16_t to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 31 << 15);
  const std::uint32_t size = bits & 0x7FFFFFFFu;
  if (size < 0x38800000u) {  // below 2^-14: a whole number of 2^-24
    return sign | static_cast<std::uint16_t>(std::nearbyint(std::bit_cast<float>(size) * 0x1p24f));
  }
  const std::uint32_t rounded = size + 0xFFFu + (size >> 13 & 1);
  return sign | static_cast<std::uint16_t>((rounded >> 13) - ((127u - 15u) << 10));
}

std::vector<std::uint16_t> to_halves(const std::string& name, const Tensor& tensor) {
  std::vector<std::uint16_t> halves;
  for (const double value : tensor.to_vector()) {
    require(std::fabs(value) < 65520, "save_safetensors: '", name,
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

std::string header_text(const NamedTensors& tensors, const Metadata& metadata,
                        const std::set<std::string>& int64, const std::set<std::string>& float16,
                        const std::vector<std::size_t>& data_order) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> offsets(tensors.size());
  std::uint64_t at = 0;
  for (const std::size_t i : data_order) {
    const Tensor& tensor = tensors[i].second;
    const std::uint64_t size = int64.contains(tensors[i].first)     ? 8
                               : float16.contains(tensors[i].first) ? 2
                                                                    : size_of(tensor.dtype());
    offsets[i] = {at, at + size * static_cast<std::uint64_t>(tensor.numel())};
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
    const char* dtype = int64.contains(name)        ? "I64"
                        : float16.contains(name)    ? "F16"
                        : tensor.dtype() == float64 ? "F64"
                                                    : "F32";
    add(name, {{"dtype", dtype},
               {"shape", std::vector<Index>(tensor.shape().begin(), tensor.shape().end())},
               {"data_offsets", {offsets[i].first, offsets[i].second}}});
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins at a multiple of 8
  return text;
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

// Parses the header, whose keys it returns in order. Keys given twice and deep nesting, which the JSON
// library would let through, are refused.
json parse_header(const std::string& path, std::string_view text, std::vector<std::string>& keys) {
  std::set<std::string> seen[2];  // of the file, of the object inside
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
      if (depth > 2) {
        fail(path, "its header is nested too deeply");
      }
      if (depth == 1) {
        seen[1].clear();
      }
    } else if (event == json::parse_event_t::key && depth <= 2) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!seen[depth - 1].insert(key).second) {
        fail(path, key, "it is there twice");
      }
      if (depth == 1 && key != kMetadataKey) {
        keys.push_back(key);
      }
    }
    return true;
  };
  try {
    json header = json::parse(text, check);
    if (!header.is_object()) {
      fail(path, "its header is not a JSON object");
    }
    return header;
  } catch (const json::parse_error& error) {
    fail(path, concat_text("its header is not valid JSON (byte ", error.byte, ")"));
  }
}

bool is_list_of_counts(const json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const json& item) { return item.is_number_unsigned(); });
}

SafetensorsReader::Entry parse_entry(const std::string& path, const std::string& name, const json& value) {
  const auto field = [&](const char* key) -> const json& {
    static const json none;
    const auto found = value.find(key);
    return found == value.end() ? none : *found;
  };
  if (!value.is_object() || !field("dtype").is_string() || !is_list_of_counts(field("shape")) ||
      !is_list_of_counts(field("data_offsets")) || field("data_offsets").size() != 2) {
    fail(path, name, "it must have a dtype, a shape and two data_offsets");
  }
  SafetensorsReader::Entry entry;
  entry.dtype = field("dtype").get<std::string>();
  const std::uint64_t size = element_size(entry.dtype);
  if (size == 0) {
    fail(path, name, concat_text("the dtype '", entry.dtype, "' is not known"));
  }
  entry.begin = field("data_offsets")[0].get<std::uint64_t>();
  entry.end = field("data_offsets")[1].get<std::uint64_t>();
  std::vector<Index> sizes;
  for (const json& item : field("shape")) {
    const auto count = item.get<std::uint64_t>();
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
  const auto elements = static_cast<std::uint64_t>(entry.shape.numel());
  // Dividing, as the product may overflow.
  if (entry.end < entry.begin || (entry.end - entry.begin) % size != 0 ||
      (entry.end - entry.begin) / size != elements) {
    fail(path, name,
         concat_text("shape ", entry.shape, " of ", entry.dtype, " does not fit its bytes ", entry.begin,
                     " to ", entry.end));
  }
  return entry;
}

}  // namespace

void save_safetensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata,
                      const std::set<std::string>& int64, const std::set<std::string>& float16) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    require(name != kMetadataKey, "save_safetensors: a tensor cannot be named ", kMetadataKey);
    require(names.insert(name).second, "save_safetensors: the name '", name, "' is given twice");
    require(tensor.defined(), "save_safetensors: the tensor '", name, "' is undefined");
  }
  for (const std::string& name : int64) {
    require(names.contains(name), "save_safetensors: '", name,
            "' is to be written as I64, but is not among the ", tensors.size(), " tensors");
  }
  for (const std::string& name : float16) {
    require(names.contains(name) && !int64.contains(name), "save_safetensors: '", name,
            "' is to be written as F16, but is ",
            names.contains(name) ? "also to be written as I64" : "not among the tensors");
  }
  // Large elements first, so that all are aligned for those who map the file.
  const auto element_bytes = [&](std::size_t i) {
    const auto& [name, tensor] = tensors[i];
    return float16.contains(name) ? 2 : tensor.dtype() == float64 || int64.contains(name) ? 8 : 4;
  };
  std::vector<std::size_t> data_order;
  for (const int bytes : {8, 4, 2}) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (element_bytes(i) == bytes) {
        data_order.push_back(i);
      }
    }
  }
  std::string header;
  try {
    header = header_text(tensors, metadata, int64, float16, data_order);
  } catch (const json::type_error&) {
    throw ArgumentError("save_safetensors: a name or the metadata is not valid UTF-8");
  }
  const auto length = static_cast<std::uint64_t>(header.size());
  AtomicFile file(path);
  file.write(bytes_of(&length, 1));
  file.write(header);
  for (const std::size_t i : data_order) {
    const auto& [name, tensor] = tensors[i];
    if (int64.contains(name)) {
      const std::vector<Index> numbers = to_int64(name, tensor);
      file.write(bytes_of(numbers.data(), static_cast<Index>(numbers.size())));
    } else if (float16.contains(name)) {
      const std::vector<std::uint16_t> halves = to_halves(name, tensor);
      file.write(bytes_of(halves.data(), static_cast<Index>(halves.size())));
    } else {
      with_dtype(tensor.dtype(),
                 [&, &t = tensor]<class T>() { file.write(bytes_of(t.template data<T>(), t.numel())); });
    }
  }
  file.commit();
}

struct SafetensorsReader::Contents {
  std::string path;
  MappedFile file;
  std::string_view data;  // what follows the header
  Metadata metadata;
  std::vector<std::string> names;
  std::unordered_map<std::string, Entry> entries;

  explicit Contents(const std::string& file_path) : path(file_path), file(file_path) {
    const std::string_view bytes = file.bytes();
    std::uint64_t length = 0;
    if (bytes.size() < sizeof length) {
      fail(path, "it is too short for a safetensors file");
    }
    std::memcpy(&length, bytes.data(), sizeof length);
    if (length > kMaxHeader || bytes.size() < sizeof length + 2 || bytes[sizeof length] != '{') {
      fail(path, "it is not a safetensors file");
    }
    if (length > bytes.size() - sizeof length) {
      fail(path, "the file ends before its header does (it is truncated)");
    }
    data = bytes.substr(sizeof length + length);
    const json header = parse_header(path, bytes.substr(sizeof length, length), names);
    for (const std::string& name : names) {
      entries.emplace(name, parse_entry(path, name, header.at(name)));
    }
    read_metadata(header);
    check_layout();
  }

  void read_metadata(const json& header) {
    const auto found = header.find(kMetadataKey);
    if (found == header.end()) {
      return;
    }
    if (!found->is_object()) {
      fail(path, "its metadata is not a JSON object");
    }
    for (const auto& [key, value] : found->items()) {
      if (!value.is_string()) {
        fail(path, concat_text("the metadata '", key, "' is not text"));
      }
      metadata[key] = value.get<std::string>();
    }
  }

  // Every byte of the data belongs to exactly one entry.
  void check_layout() const {
    std::vector<std::string> order = names;
    std::sort(order.begin(), order.end(), [&](const std::string& a, const std::string& b) {
      const Entry &x = entries.at(a), &y = entries.at(b);
      return std::pair(x.begin, x.end) < std::pair(y.begin, y.end);
    });
    std::uint64_t end = 0;
    for (const std::string& name : order) {
      const Entry& entry = entries.at(name);
      if (entry.begin != end) {
        fail(path, name,
             entry.begin < end ? "its bytes overlap with those of another" : "there is a gap before it");
      }
      end = entry.end;
      if (end > data.size()) {
        fail(path, name, "the file ends before its data does (it is truncated)");
      }
    }
    if (end != data.size()) {
      fail(path, concat_text(data.size() - end, " bytes at its end belong to no tensor"));
    }
  }
};

SafetensorsReader::SafetensorsReader(const std::string& path)
    : contents_(std::make_unique<const Contents>(path)) {}

SafetensorsReader::~SafetensorsReader() = default;

const Metadata& SafetensorsReader::metadata() const { return contents_->metadata; }

const std::vector<std::string>& SafetensorsReader::names() const { return contents_->names; }

bool SafetensorsReader::contains(const std::string& name) const { return contents_->entries.contains(name); }

const SafetensorsReader::Entry& SafetensorsReader::entry(const std::string& name) const {
  const auto found = contents_->entries.find(name);
  if (found == contents_->entries.end()) {
    fail(contents_->path, concat_text("it has no tensor '", name, "'"));
  }
  return found->second;
}

Tensor SafetensorsReader::load(const std::string& name) const {
  const Entry& e = entry(name);
  const char* source = contents_->data.data() + e.begin;
  const Index count = e.shape.numel();
  Tensor tensor = Tensor::empty(e.shape, e.dtype == "F64" || e.dtype == "I64" ? float64 : float32);
  // The numbers may begin at any byte of the mapping, so they are copied rather than pointed at.
  const auto convert = [&]<class From, class To>(To (*value)(From)) {
    To* out = tensor.mutable_data<To>("load");
    parallel_for(count, 1 << 16, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        From number;
        std::memcpy(&number, source + i * static_cast<Index>(sizeof number), sizeof number);
        out[i] = value(number);
      }
    });
  };
  if (e.dtype == "F32" || e.dtype == "F64") {
    with_dtype(tensor.dtype(), [&]<class T>() {
      if (count > 0) {
        std::memcpy(tensor.mutable_data<T>("load"), source, static_cast<std::size_t>(count) * sizeof(T));
      }
    });
  } else if (e.dtype == "F16") {
    convert(from_half);
  } else if (e.dtype == "BF16") {
    convert(from_bfloat16);
  } else if (e.dtype == "I64") {
    convert(+[](Index v) { return static_cast<double>(v); });
    const double* values = tensor.data<double>();
    if (!std::all_of(values, values + count, is_whole)) {
      fail(contents_->path, name, "it has whole numbers of 2^53 or more, which float64 cannot hold exactly");
    }
  } else {
    fail(contents_->path, name,
         concat_text("its dtype is ", e.dtype, "; gesso reads F32, F64, F16, BF16 and I64"));
  }
  return tensor;
}

SafetensorsFile load_safetensors(const std::string& path) {
  const SafetensorsReader reader(path);
  SafetensorsFile file;
  file.metadata = reader.metadata();
  for (const std::string& name : reader.names()) {
    file.tensors.emplace_back(name, reader.load(name));
  }
  return file;
}

}  // namespace gesso
