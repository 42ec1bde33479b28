#include "results.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

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
constexpr auto kFields<Comparison> =
    std::tuple{std::pair{"settings", &Comparison::settings},
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
  } else if constexpr (std::is_same_v<T, double>) {
    value = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
  } else {
    value = json.get<T>();
  }
}

}  // namespace

std::string FailedTraining::str() const {
  const std::string which = classifier ? concat_text("classifier with ", normalization, " norm, seed ", seed)
                                       : concat_text(normalization, " norm, batch ", batch, ", seed ", seed);
  return which + (photographs == "plain" ? "" : ", " + photographs) + ": " + reason;
}

void write_results(const Comparison& comparison, const std::filesystem::path& path) {
  write_file_atomically(path.string(), json_text(to_json(comparison)) + "\n");
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
