// The names that the structs of results.h have in files.
#pragma once

#include <tuple>
#include <utility>

#include "experiments/experiment_fields.h"
#include "json_fields.h"
#include "results.h"

namespace gesso {

template <>
inline constexpr auto kFields<LossValues> =
    std::tuple{std::pair{"total", &LossValues::total}, std::pair{"content", &LossValues::content},
               std::pair{"style", &LossValues::style}};

template <>
inline constexpr auto kFields<ContrastMeasure> =
    std::tuple{std::pair{"contrast", &ContrastMeasure::contrast},
               std::pair{"pixel_change", &ContrastMeasure::pixel_change},
               std::pair{"feature_change", &ContrastMeasure::feature_change},
               std::pair{"losses", &ContrastMeasure::losses},
               std::pair{"photograph", &ContrastMeasure::photograph},
               std::pair{"picture", &ContrastMeasure::picture}};

template <>
inline constexpr auto kFields<PictureQuality> =
    std::tuple{std::pair{"structure", &PictureQuality::structure}, std::pair{"weave", &PictureQuality::weave},
               std::pair{"content", &PictureQuality::content}, std::pair{"style", &PictureQuality::style}};

template <>
inline constexpr auto kFields<SamplePicture> =
    std::tuple{std::pair{"step", &SamplePicture::step}, std::pair{"picture", &SamplePicture::picture}};

template <>
inline constexpr auto kFields<ComparisonRun> =
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
               std::pair{"quality", &ComparisonRun::quality},
               std::pair{"contrast", &ComparisonRun::contrast},
               std::pair{"roughness", &ComparisonRun::roughness},
               std::pair{"scale_change", &ComparisonRun::scale_change},
               std::pair{"leak", &ComparisonRun::leak},
               std::pair{"leak_eval", &ComparisonRun::leak_eval},
               std::pair{"seconds_per_step", &ComparisonRun::seconds_per_step},
               std::pair{"peak_megabytes", &ComparisonRun::peak_megabytes},
               std::pair{"pictures", &ComparisonRun::pictures},
               std::pair{"samples", &ComparisonRun::samples},
               std::pair{"normalization_record", &ComparisonRun::normalization_record}};

template <>
inline constexpr auto kFields<ClassificationTaskRecord> = std::tuple{
    std::pair{"name", &ClassificationTaskRecord::name}, std::pair{"words", &ClassificationTaskRecord::words},
    std::pair{"pictures", &ClassificationTaskRecord::pictures},
    std::pair{"classes", &ClassificationTaskRecord::classes}};

template <>
inline constexpr auto kFields<ClassificationRun> =
    std::tuple{std::pair{"task", &ClassificationRun::task},
               std::pair{"normalization", &ClassificationRun::normalization},
               std::pair{"seed", &ClassificationRun::seed},
               std::pair{"step", &ClassificationRun::step},
               std::pair{"loss", &ClassificationRun::loss},
               std::pair{"train_accuracy", &ClassificationRun::train_accuracy},
               std::pair{"training_set_accuracy", &ClassificationRun::training_set_accuracy},
               std::pair{"test_accuracy", &ClassificationRun::test_accuracy}};

template <>
inline constexpr auto kFields<FailedTraining> =
    std::tuple{std::pair{"task", &FailedTraining::task},
               std::pair{"normalization", &FailedTraining::normalization},
               std::pair{"batch", &FailedTraining::batch},
               std::pair{"seed", &FailedTraining::seed},
               std::pair{"photographs", &FailedTraining::photographs},
               std::pair{"reason", &FailedTraining::reason}};

template <>
inline constexpr auto kFields<ComparisonOrigin> = std::tuple{
    std::pair{"version", &ComparisonOrigin::version}, std::pair{"compiler", &ComparisonOrigin::compiler},
    std::pair{"simd", &ComparisonOrigin::simd},       std::pair{"blas", &ComparisonOrigin::blas},
    std::pair{"threads", &ComparisonOrigin::threads}, std::pair{"begun", &ComparisonOrigin::begun}};

template <>
inline constexpr auto kFields<Comparison> =
    std::tuple{std::pair{"origin", &Comparison::origin},
               std::pair{"settings", &Comparison::settings},
               std::pair{"test_photographs", &Comparison::test_photographs},
               std::pair{"style_picture", &Comparison::style_picture},
               std::pair{"quality_network", &Comparison::quality_network},
               std::pair{"runs", &Comparison::runs},
               std::pair{"classification_tasks", &Comparison::classification_tasks},
               std::pair{"classification", &Comparison::classification},
               std::pair{"failures", &Comparison::failures},
               std::pair{"experiments", &Comparison::experiments}};

}  // namespace gesso
