// The names that the structs of experiment_results.h have in files.
#pragma once

#include <tuple>
#include <utility>

#include "compare_norms/json_fields.h"
#include "experiment_results.h"

namespace gesso {

template <>
inline constexpr auto kWords<InitialWeights> =
    std::array{std::pair{InitialWeights::pytorch, "pytorch"}, std::pair{InitialWeights::he, "he"}};

template <>
inline constexpr auto kWords<NormPlace> = std::array{std::pair{NormPlace::before_relu, "before ReLU"},
                                                     std::pair{NormPlace::after_relu, "after ReLU"}};

template <>
inline constexpr auto kWords<NormalizedLayers> =
    std::array{std::pair{NormalizedLayers::all, "all"}, std::pair{NormalizedLayers::first_half, "first half"},
               std::pair{NormalizedLayers::second_half, "second half"},
               std::pair{NormalizedLayers::every_other, "every other"}};

template <>
inline constexpr auto kFields<ConvStackOptions> =
    std::tuple{std::pair{"normalization", &ConvStackOptions::normalization},
               std::pair{"weights", &ConvStackOptions::weights},
               std::pair{"depth", &ConvStackOptions::depth},
               std::pair{"width", &ConvStackOptions::width},
               std::pair{"place", &ConvStackOptions::place},
               std::pair{"normalized", &ConvStackOptions::normalized},
               std::pair{"eps", &ConvStackOptions::eps},
               std::pair{"momentum", &ConvStackOptions::momentum},
               std::pair{"affine", &ConvStackOptions::affine}};

template <>
inline constexpr auto kFields<StackTraining> =
    std::tuple{std::pair{"batch", &StackTraining::batch}, std::pair{"steps", &StackTraining::steps},
               std::pair{"lr", &StackTraining::lr}, std::pair{"seed", &StackTraining::seed}};

template <>
inline constexpr auto kFields<StackScore> =
    std::tuple{std::pair{"loss", &StackScore::loss}, std::pair{"error", &StackScore::error}};

template <>
inline constexpr auto kFields<StackResult> =
    std::tuple{std::pair{"first_gradients", &StackResult::first_gradients},
               std::pair{"later_gradients", &StackResult::later_gradients},
               std::pair{"training_loss", &StackResult::training_loss},
               std::pair{"training_error", &StackResult::training_error},
               std::pair{"test", &StackResult::test},
               std::pair{"test_in_batches", &StackResult::test_in_batches},
               std::pair{"guess_loss", &StackResult::guess_loss},
               std::pair{"diverged_at", &StackResult::diverged_at}};

template <>
inline constexpr auto kFields<StackRun> =
    std::tuple{std::pair{"name", &StackRun::name}, std::pair{"network", &StackRun::network},
               std::pair{"training", &StackRun::training}, std::pair{"result", &StackRun::result}};

template <>
inline constexpr auto kFields<LandscapeRun> =
    std::tuple{std::pair{"name", &LandscapeRun::name},
               std::pair{"network", &LandscapeRun::network},
               std::pair{"training", &LandscapeRun::training},
               std::pair{"step", &LandscapeRun::step},
               std::pair{"loss", &LandscapeRun::loss},
               std::pair{"lowest", &LandscapeRun::lowest},
               std::pair{"highest", &LandscapeRun::highest},
               std::pair{"gradient_norm", &LandscapeRun::gradient_norm},
               std::pair{"gradient_change", &LandscapeRun::gradient_change},
               std::pair{"smoothness", &LandscapeRun::smoothness},
               std::pair{"first_gradients", &LandscapeRun::first_gradients},
               std::pair{"last_gradients", &LandscapeRun::last_gradients},
               std::pair{"diverged_at", &LandscapeRun::diverged_at}};

template <>
inline constexpr auto kFields<GrowthRun> = std::tuple{
    std::pair{"name", &GrowthRun::name},       std::pair{"optimizer", &GrowthRun::optimizer},
    std::pair{"network", &GrowthRun::network}, std::pair{"training", &GrowthRun::training},
    std::pair{"step", &GrowthRun::step},       std::pair{"loss", &GrowthRun::loss},
    std::pair{"growth", &GrowthRun::growth},   std::pair{"effective_rate", &GrowthRun::effective_rate},
    std::pair{"along", &GrowthRun::along},     std::pair{"diverged_at", &GrowthRun::diverged_at}};

template <>
inline constexpr auto kFields<ExperimentResults> =
    std::tuple{std::pair{"batch_size", &ExperimentResults::batch_size},
               std::pair{"learning_rate", &ExperimentResults::learning_rate},
               std::pair{"depth", &ExperimentResults::depth},
               std::pair{"place", &ExperimentResults::place},
               std::pair{"constants", &ExperimentResults::constants},
               std::pair{"landscape", &ExperimentResults::landscape},
               std::pair{"weight_growth", &ExperimentResults::weight_growth}};

}  // namespace gesso
