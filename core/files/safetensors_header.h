// The JSON header of a safetensors file, read in one pass. Not for use outside of core/files: safetensors.h is the
// door.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gesso::detail {

/// What a header says, as it says it: only its form is checked.
struct SafetensorsHeader {
  struct Entry {
    std::string name;
    // Missing where the header has something else in their place.
    std::optional<std::string> dtype;
    std::optional<std::vector<std::uint64_t>> shape, data_offsets;
  };
  std::vector<Entry> entries;  ///< in order
  std::map<std::string, std::string> metadata;
};

inline constexpr const char* kMetadataKey = "__metadata__";  ///< of the metadata among the entries

/// What to do with a header that is wrong: `entry` is the entry at fault, or empty. Must throw.
using HeaderComplaint = std::function<void(const std::string& entry, const std::string& why)>;

/// Reads `text`, in time and memory proportional to its length. Complains of what is not JSON, of a key that is
/// there twice, of deep nesting, and of metadata that are not texts.
SafetensorsHeader parse_safetensors_header(std::string_view text, const HeaderComplaint& complain);

}  // namespace gesso::detail
