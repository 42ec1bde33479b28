#include "memory_need.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/system_limits.h"
#include "painting/training_run.h"
#include "program/usage_error.h"

namespace gesso {
namespace {

constexpr Index kMostSlender = 64;
constexpr Index kCrop = 96, kBatch = 2;  // of the step that is measured

double pixels(const TrainSettings& settings) {
  return static_cast<double>(settings.batch * settings.crop * settings.crop);
}

}  // namespace

std::string gigabytes(double bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), bytes < 1e8 ? "%.2f GB" : "%.1f GB", bytes / 1e9);
  return text.data();
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
  const MemoryStats before = memory_stats();
  reset_peak_memory();
  run.training().step();
  const auto taken = static_cast<double>(memory_stats().peak_bytes - before.current_bytes);
  return taken / pixels(small) * pixels(settings);
}

void require_memory_for_training(const TrainSettings& settings, double need) {
  const auto available = static_cast<double>(available_memory());
  if (need <= available) {
    return;
  }
  const double per_crop = need / static_cast<double>(settings.batch);
  const auto batch = static_cast<Index>(available / per_crop);
  const auto crop =
      static_cast<Index>(static_cast<double>(settings.crop) * std::sqrt(available / need)) / 4 * 4;
  throw UsageError(concat_text("--batch ", settings.batch, " --crop ", settings.crop, ": a step takes ",
                               gigabytes(need), " of memory, and there are ", gigabytes(available),
                               batch >= 1 ? concat_text("; --batch ", batch, " fits, or --crop ", crop)
                                          : concat_text("; --crop ", crop, " fits")));
}

}  // namespace gesso
