// Structs as lines of CSV, by the names of json_fields.h: a column for each member; those of a struct inside it as
// "test.loss"; a vector as numbers with spaces between. Numbers that are not finite are left empty.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "json_fields.h"

namespace gesso {
namespace detail {

std::string csv_text(double value);
std::string csv_text(const std::string& text);  // in quotes where it needs them

template <class T>
void add_csv_names(const std::string& prefix, std::vector<std::string>& names) {
  const auto add = [&]<class Member>(const char* name, Member T::*) {
    if constexpr (is_struct<Member>) {
      add_csv_names<Member>(prefix + name + ".", names);
    } else {
      names.push_back(prefix + name);
    }
  };
  std::apply([&](const auto&... field) { (add(field.first, field.second), ...); }, kFields<T>);
}

template <class T>
void add_csv_values(const T& value, std::vector<std::string>& values) {
  if constexpr (is_struct<T>) {
    std::apply([&](const auto&... field) { (add_csv_values(value.*field.second, values), ...); }, kFields<T>);
  } else if constexpr (is_vector<T>) {
    std::vector<std::string> each;
    for (const auto& element : value) {
      add_csv_values(element, each);
    }
    std::string text;
    for (const std::string& one : each) {
      text += (text.empty() ? "" : " ") + one;
    }
    values.push_back(text);
  } else if constexpr (std::is_enum_v<T>) {
    values.push_back(csv_text(std::string(word_of(value))));
  } else if constexpr (std::is_same_v<T, std::string>) {
    values.push_back(csv_text(value));
  } else if constexpr (std::is_same_v<T, double>) {
    values.push_back(csv_text(value));
  } else {
    values.push_back(std::to_string(value));
  }
}

std::string csv_line(const std::vector<std::string>& cells);

}  // namespace detail

/// A line of names, then one for each of the structs.
template <class Struct>
std::string csv_of(const std::vector<Struct>& list) {
  std::vector<std::string> names;
  detail::add_csv_names<Struct>("", names);
  std::string text = detail::csv_line(names);
  for (const Struct& each : list) {
    std::vector<std::string> values;
    detail::add_csv_values(each, values);
    text += detail::csv_line(values);
  }
  return text;
}

}  // namespace gesso
