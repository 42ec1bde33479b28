#include "results.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"

namespace gesso {
namespace {

// Each struct's names and members, for writing and reading.
template <class Struct>
constexpr auto kFields = nullptr;

template <>
constexpr auto kFields<LossValues> =
    std::tuple{std::pair{"total", &LossValues::total}, std::pair{"content", &LossValues::content},
               std::pair{"style", &LossValues::style}};

template <>
constexpr auto kFields<ContrastMeasure> =
    std::tuple{std::pair{"contrast", &ContrastMeasure::contrast},
               std::pair{"pixel_change", &ContrastMeasure::pixel_change},
               std::pair{"feature_change", &ContrastMeasure::feature_change},
               std::pair{"losses", &ContrastMeasure::losses},
               std::pair{"photograph", &ContrastMeasure::photograph},
               std::pair{"picture", &ContrastMeasure::picture}};

template <>
constexpr auto kFields<ComparisonRun> =
    std::tuple{std::pair{"normalization", &ComparisonRun::normalization},
               std::pair{"batch", &ComparisonRun::batch},
               std::pair{"seed", &ComparisonRun::seed},
               std::pair{"photographs", &ComparisonRun::photographs},
               std::pair{"step", &ComparisonRun::step},
               std::pair{"total", &ComparisonRun::total},
               std::pair{"content", &ComparisonRun::content},
               std::pair{"style", &ComparisonRun::style},
               std::pair{"training", &ComparisonRun::training},
               std::pair{"test_train_mode", &ComparisonRun::test_train_mode},
               std::pair{"test", &ComparisonRun::test},
               std::pair{"contrast", &ComparisonRun::contrast},
               std::pair{"roughness", &ComparisonRun::roughness},
               std::pair{"scale_change", &ComparisonRun::scale_change},
               std::pair{"leak", &ComparisonRun::leak},
               std::pair{"leak_eval", &ComparisonRun::leak_eval},
               std::pair{"seconds_per_step", &ComparisonRun::seconds_per_step},
               std::pair{"peak_megabytes", &ComparisonRun::peak_megabytes},
               std::pair{"pictures", &ComparisonRun::pictures},
               std::pair{"normalization_record", &ComparisonRun::normalization_record}};

template <>
constexpr auto kFields<ClassificationRun> =
    std::tuple{std::pair{"normalization", &ClassificationRun::normalization},
               std::pair{"seed", &ClassificationRun::seed},
               std::pair{"step", &ClassificationRun::step},
               std::pair{"loss", &ClassificationRun::loss},
               std::pair{"train_accuracy", &ClassificationRun::train_accuracy},
               std::pair{"training_set_accuracy", &ClassificationRun::training_set_accuracy},
               std::pair{"test_accuracy", &ClassificationRun::test_accuracy}};

template <>
constexpr auto kFields<FailedTraining> =
    std::tuple{std::pair{"classifier", &FailedTraining::classifier},
               std::pair{"normalization", &FailedTraining::normalization},
               std::pair{"batch", &FailedTraining::batch},
               std::pair{"seed", &FailedTraining::seed},
               std::pair{"photographs", &FailedTraining::photographs},
               std::pair{"reason", &FailedTraining::reason}};

template <>
constexpr auto kFields<ComparisonOrigin> = std::tuple{
    std::pair{"version", &ComparisonOrigin::version}, std::pair{"compiler", &ComparisonOrigin::compiler},
    std::pair{"simd", &ComparisonOrigin::simd},       std::pair{"blas", &ComparisonOrigin::blas},
    std::pair{"threads", &ComparisonOrigin::threads}, std::pair{"begun", &ComparisonOrigin::begun}};

template <>
constexpr auto kFields<Comparison> =
    std::tuple{std::pair{"origin", &Comparison::origin},
               std::pair{"settings", &Comparison::settings},
               std::pair{"test_photographs", &Comparison::test_photographs},
               std::pair{"style_picture", &Comparison::style_picture},
               std::pair{"runs", &Comparison::runs},
               std::pair{"classification_task", &Comparison::classification_task},
               std::pair{"classification", &Comparison::classification},
               std::pair{"failures", &Comparison::failures}};

template <class T>
constexpr bool is_struct = !std::is_null_pointer_v<std::remove_const_t<decltype(kFields<T>)>>;

template <class T>
constexpr bool is_vector = false;
template <class T>
constexpr bool is_vector<std::vector<T>> = true;

using Settings = std::map<std::string, std::string>;

// A number if its text comes back from it, else the text.
Json setting_to_json(const std::string& text) {
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

void from_json_setting(const Json& json, std::string& text) {
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

}  // namespace

ComparisonOrigin ComparisonOrigin::now() {
  const BuildInfo info = build_info();
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char begun[32];
  std::strftime(begun, sizeof begun, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {info.version, info.compiler, info.simd, info.blas, info.threads, begun};
}

std::string FailedTraining::str() const {
  const std::string which = classifier ? concat_text("classifier with ", normalization, " norm, seed ", seed)
                                       : concat_text(normalization, " norm, batch ", batch, ", seed ", seed);
  return which + (photographs == "plain" ? "" : ", " + photographs) + ": " + reason;
}

void write_results(const Comparison& comparison, const std::filesystem::path& path) {
  const std::filesystem::path schema_path = path.parent_path() / "results.schema.json";
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "results.json of gesso's compare-norms"}};
  schema.update(schema_of<Comparison>());
  write_file_atomically(schema_path.string(), json_text(schema, 1) + "\n");
  Json json = {{"$schema", schema_path.filename().string()}};
  json.update(to_json(comparison));
  write_file_atomically(path.string(), json_text(json) + "\n");
}

Comparison read_results(const std::filesystem::path& path) {
  const std::string text = read_file(path.string());
  try {
    Comparison comparison;
    from_json(parse_json(text), comparison);
    return comparison;
  } catch (const Json::exception& error) {
    throw FileError(concat_text(path.string(), ": it is no results.json of compare-norms: ", error.what()));
  }
}

}  // namespace gesso
