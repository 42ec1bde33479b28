// JSON to text and back. nlohmann's library does it; what costs the compiler most, its parser and its writer, is
// compiled once, in json.cpp.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace gesso {

/// A JSON value; the entries of objects stay in the order they were given.
using Json = nlohmann::ordered_json;

/// Throws Json::parse_error for what is not JSON.
Json parse_json(std::string_view text);

/// On one line, or indented by `indent` blanks. Bytes that are no UTF-8 (in the name of a file, say) become U+FFFD.
std::string json_text(const Json& value, int indent = -1);

}  // namespace gesso
