#include "memory_need.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/system_limits.h"
#include "program/usage_error.h"
#include "training_run.h"

namespace gesso {
namespace {

constexpr Index kMostSlender = 64;
constexpr Index kCrop = 96, kBatch = 2;  // of the step that is measured

double area(Index side) { return static_cast<double>(side) * static_cast<double>(side); }

double pixels(const TrainSettings& settings) {
  return static_cast<double>(settings.batch) * area(settings.crop);
}

double pixels(const AnyStyleSettings& settings) {  // each photograph comes with a style picture
  return static_cast<double>(settings.batch) * (area(settings.crop) + area(settings.style_size));
}

}  // namespace

std::string gigabytes(double bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), bytes < 1e8 ? "%.2f GB" : "%.1f GB", bytes / 1e9);
  return text.data();
}

std::string in_about(double bytes) {
  return bytes > 0 ? ", in about " + gigabytes(bytes) + " of memory" : "";
}

double peak_memory_of(const std::function<void()>& work) {
  const std::size_t before = memory_stats().current_bytes;
  reset_peak_memory();
  work();
  return static_cast<double>(memory_stats().peak_bytes - before);
}

double memory_for_training(const TrainSettings& settings, const std::vector<std::string>& photographs) {
  for (const std::string& style :
       settings.styles) {  // scaled to a short side, a strip of pixels would be huge
    const Size2d size = read_picture_size(style);
    const Index longer = std::max(size.height, size.width), shorter = std::min(size.height, size.width);
    if (longer > kMostSlender * shorter) {
      throw FileError(concat_text(style, ": the style picture of ", size.width, " x ", size.height,
                                  " pixels is too narrow; cut it to at most ", kMostSlender,
                                  " times as long as wide"));
    }
  }
  TrainSettings small = settings;
  small.crop = std::min(settings.crop, kCrop);
  small.batch = std::min(settings.batch, kBatch);
  small.style_size = std::min<Index>(settings.style_size, kCrop);
  if (pixels(small) == pixels(settings)) {
    return 0;
  }
  TrainingRun run(small, photographs);
  const double taken = peak_memory_of([&] { run.training().step(); });
  return taken / pixels(small) * pixels(settings);
}

double memory_for_training(const AnyStyleSettings& settings) {
  AnyStyleSettings small = settings;
  small.crop = std::min(settings.crop, kCrop);
  small.batch = std::min(settings.batch, kBatch);
  small.style_size = std::min<Index>(settings.style_size, std::max(kCrop, AnyStyleNetwork::min_style_size));
  if (pixels(small) == pixels(settings)) {
    return 0;
  }
  AnyStyleTraining training(small);
  const double taken = peak_memory_of([&] { training.training().step(); });
  return taken / pixels(small) * pixels(settings);
}

void require_memory_for_training(const StepSize& step, double need) {
  const auto available = static_cast<double>(available_memory());
  if (need <= available) {
    return;
  }
  const auto batch = static_cast<Index>(available / need * static_cast<double>(step.batch));
  const auto crop = static_cast<Index>(static_cast<double>(step.crop) * std::sqrt(available / need)) /
                    step.crop_step * step.crop_step;
  throw UsageError(concat_text(
      step.batch_option, " ", step.batch, " --crop ", step.crop, ": a step takes ", gigabytes(need),
      " of memory, and there are ", gigabytes(available),
      batch >= step.least_batch ? concat_text("; ", step.batch_option, " ", batch, " fits, or --crop ", crop)
                                : concat_text("; --crop ", crop, " fits")));
}

}  // namespace gesso
