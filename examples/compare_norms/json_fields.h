// Structs as JSON: each is an object with the names of its members, vectors are arrays, enumerations are words, and a map
// of texts (settings) has numbers where they are numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"

namespace gesso {

/// A struct's names and members, std::tuple{std::pair{"total", &LossValues::total}, ...}: to be specialised.
template <class Struct>
inline constexpr auto kFields = nullptr;

/// An enumeration's values and their words, std::array{std::pair{NormPlace::after_relu, "after ReLU"}, ...}: to be
/// specialised.
template <class Enum>
inline constexpr auto kWords = nullptr;

/// The word of a value.
template <class Enum>
const char* word_of(Enum value) {
  return std::find_if(kWords<Enum>.begin(), kWords<Enum>.end(),
                      [&](const auto& each) { return each.first == value; })
      ->second;
}

namespace detail {

template <class T>
constexpr bool is_struct = !std::is_null_pointer_v<std::remove_const_t<decltype(kFields<T>)>>;

template <class T>
constexpr bool is_vector = false;
template <class T>
constexpr bool is_vector<std::vector<T>> = true;

using Settings = std::map<std::string, std::string>;

// A number if its text comes back from it, else the text.
inline Json setting_to_json(const std::string& text) {
  const Json number = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return number.is_number() && json_text(number) == text ? number : Json(text);
}

template <class T>
Json to_json(const T& value) {
  if constexpr (is_struct<T>) {
    Json json = Json::object();
    std::apply([&](const auto&... field) { ((json[field.first] = to_json(value.*field.second)), ...); },
               kFields<T>);
    return json;
  } else if constexpr (is_vector<T>) {
    Json json = Json::array();
    for (const auto& element : value) {
      json.push_back(to_json(element));
    }
    return json;
  } else if constexpr (std::is_same_v<T, Settings>) {
    Json json = Json::object();
    for (const auto& [name, text] : value) {
      json[name] = setting_to_json(text);
    }
    return json;
  } else if constexpr (std::is_enum_v<T>) {
    return word_of(value);
  } else if constexpr (std::is_same_v<T, double>) {
    if (!std::isfinite(value)) {
      return nullptr;
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.7g", value);  // as exact as the float32 that most of them were
    return std::strtod(text, nullptr);
  } else {
    return value;
  }
}

inline void from_json_setting(const Json& json, std::string& text) {
  text = json.is_string() ? json.get<std::string>() : json_text(json);
}

template <class T>
void from_json(const Json& json, T& value) {
  if constexpr (is_struct<T>) {
    std::apply([&](const auto&... field) { (from_json(json.at(field.first), value.*field.second), ...); },
               kFields<T>);
  } else if constexpr (is_vector<T>) {
    value.clear();
    for (const Json& element : json.get_ref<const Json::array_t&>()) {
      from_json(element, value.emplace_back());
    }
  } else if constexpr (std::is_same_v<T, Settings>) {
    value.clear();
    for (const auto& [name, setting] : json.get_ref<const Json::object_t&>()) {
      from_json_setting(setting, value[name]);
    }
  } else if constexpr (std::is_enum_v<T>) {
    const auto known = std::find_if(kWords<T>.begin(), kWords<T>.end(),
                                    [&](const auto& each) { return json == each.second; });
    if (known == kWords<T>.end()) {
      throw Json::other_error::create(501, "unknown word " + json_text(json), &json);
    }
    value = known->first;
  } else if constexpr (std::is_same_v<T, double>) {
    value = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
  } else {
    value = json.get<T>();
  }
}

// The JSON schema of a type.
template <class T>
Json schema_of() {
  if constexpr (is_struct<T>) {
    Json properties = Json::object(), required = Json::array();
    const auto add = [&]<class Member>(const char* name, Member T::*) {
      properties[name] = schema_of<Member>();
      required.push_back(name);
    };
    std::apply([&](const auto&... field) { (add(field.first, field.second), ...); }, kFields<T>);
    return {{"type", "object"}, {"properties", properties}, {"required", required}};
  } else if constexpr (is_vector<T>) {
    return {{"type", "array"}, {"items", schema_of<typename T::value_type>()}};
  } else if constexpr (std::is_same_v<T, Settings>) {
    return {{"type", "object"}, {"additionalProperties", {{"type", {"string", "number"}}}}};
  } else if constexpr (std::is_enum_v<T>) {
    Json words = Json::array();
    for (const auto& [value, word] : kWords<T>) {
      words.push_back(word);
    }
    return {{"enum", words}};
  } else if constexpr (std::is_same_v<T, double>) {
    return {{"type", {"number", "null"}}};
  } else if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_integral_v<T>) {
    return {{"type", "integer"}};
  } else {
    static_assert(std::is_same_v<T, std::string>);
    return {{"type", "string"}};
  }
}

}  // namespace detail

/// Losses and curves keep seven digits; a number that is not finite is null.
template <class Struct>
Json json_of(const Struct& value) {
  return detail::to_json(value);
}

/// Throws Json::exception where `json` is not what json_of() makes.
template <class Struct>
Struct struct_of(const Json& json) {
  Struct value;
  detail::from_json(json, value);
  return value;
}

/// The JSON schema (draft 2020-12) of json_of()'s results.
template <class Struct>
Json json_schema(const std::string& title) {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  schema.update(detail::schema_of<Struct>());
  return schema;
}

/// Writes `value` to `path`, and beside it results.schema.json, its schema with that title, which it names. Each file
/// appears complete or not at all. Throws FileError when one cannot be written.
template <class Struct>
void write_struct(const Struct& value, const std::filesystem::path& path, const std::string& title) {
  const std::filesystem::path schema = path.parent_path() / "results.schema.json";
  write_file_atomically(schema.string(), json_text(json_schema<Struct>(title), 1) + "\n");
  Json json = {{"$schema", schema.filename().string()}};
  json.update(json_of(value));
  write_file_atomically(path.string(), json_text(json) + "\n");
}

/// Reads what write_struct() wrote. Throws FileError, naming the file and saying that it is no `what`, for another one.
template <class Struct>
Struct read_struct(const std::filesystem::path& path, const std::string& what) {
  const std::string text = read_file(path.string());
  try {
    return struct_of<Struct>(parse_json(text));
  } catch (const Json::exception& error) {
    throw FileError(concat_text(path.string(), ": it is no ", what, ": ", error.what()));
  }
}

}  // namespace gesso
