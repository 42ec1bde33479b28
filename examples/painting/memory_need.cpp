#include "memory_need.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "gesso/core/generator.h"
#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/system_limits.h"
#include "gesso/training/picture_folder.h"
#include "program/usage_error.h"
#include "training_run.h"

namespace gesso {
namespace {

constexpr Index kMostSlender = 64;
// Of the step that is measured. What a pixel takes differs by a third from smaller ones to those that are trained on.
constexpr Index kCrop = 256, kBatch = 2, kStyleSize = 416;
// Smaller trainings take next to nothing, and measuring as long as some of their steps.
constexpr Index kFewRows = 96;
constexpr double kFewPixels = 2 * kFewRows * kFewRows;

double area(Index side) { return static_cast<double>(side) * static_cast<double>(side); }

double pixels(const TrainSettings& settings) {
  return static_cast<double>(settings.batch) * area(settings.crop);
}

double pixels(const AnyStyleSettings& settings) {  // each photograph comes with a style picture
  return static_cast<double>(settings.batch) * (area(settings.crop) + area(settings.style_size));
}

// A step that is not the first one, which also makes what is kept: gradients, and averages of them.
double memory_of_step(Training& training) {
  training.step();
  return peak_memory_of([&] { training.step(); });
}

// What a loss network takes to look at a square style picture, as TrainingRun does before the first step.
double memory_of_look(const TrainSettings& settings, Index side) {
  const auto network = make_loss_network(settings.loss_network);
  Generator rng(1);
  const Tensor views = Tensor::uniform({TrainingRun::views, 3, side, side}, rng);
  return peak_memory_of([&] { StyleTarget(*network, {views}, style_statistic(settings.style_loss)); });
}

// What PictureFolder keeps: pictures of 4 : 3 whose short side is two crops.
double memory_of_photographs(std::size_t count, Index crop) {
  return std::min(static_cast<double>(PictureFolderOptions{}.cache_bytes),
                  static_cast<double>(count) * 12 * 4 / 3 * area(2 * crop));
}

}  // namespace

std::string gigabytes(double bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), bytes < 1e8 ? "%.2f GB" : "%.1f GB", bytes / 1e9);
  return text.data();
}

std::string MemoryNeed::in_about() const {
  return total() > 0 ? ", in about " + gigabytes(total()) + " of memory" : "";
}

double peak_memory_of(const std::function<void()>& work) {
  const std::size_t before = memory_stats().current_bytes;
  reset_peak_memory();
  work();
  return static_cast<double>(memory_stats().peak_bytes - before);
}

MemoryNeed memory_of_process(double steps, double start, double pictures, const Module& model) {
  constexpr double of_pool = 1.15, of_program = 5e7;
  double parameters = 0;
  for (const Tensor& parameter : model.parameters()) {  // their gradients, and the two averages of Adam
    parameters += 4 * 4 * static_cast<double>(parameter.numel());
  }
  return {of_pool * steps, of_pool * start, pictures + parameters + of_program};
}

MemoryNeed memory_for_training(const TrainSettings& settings, const std::vector<std::string>& photographs) {
  double style_pixels = 0;
  for (const std::string& style : settings.styles) {
    const Size2d size = read_picture_size(style);
    const double shorter = static_cast<double>(std::min(size.height, size.width)),
                 longer = static_cast<double>(std::max(size.height, size.width));
    if (longer > kMostSlender * shorter) {  // scaled to a short side, a strip of pixels would be huge
      throw FileError(concat_text(style, ": the style picture of ", size.width, " x ", size.height,
                                  " pixels is too narrow; cut it to at most ", kMostSlender,
                                  " times as long as wide"));
    }
    style_pixels = std::max(style_pixels, area(settings.style_size) * longer / shorter);
  }
  TrainSettings small = settings;
  small.crop = std::min(settings.crop, kCrop);
  small.batch = std::min(settings.batch, kBatch);
  small.style_size = std::min(settings.style_size, kFewRows);
  if (pixels(settings) <= kFewPixels && small.style_size == settings.style_size) {
    return {};
  }
  TrainingRun run(small, photographs);
  const Index side = std::min(settings.style_size, kStyleSize);
  const double look = memory_of_look(settings, side) / area(side) * style_pixels,
               step = memory_of_step(run.training()) / pixels(small) * pixels(settings);
  return memory_of_process(step, look, memory_of_photographs(photographs.size(), settings.crop),
                           run.network());
}

MemoryNeed memory_for_training(const AnyStyleSettings& settings) {
  AnyStyleSettings small = settings;
  small.crop = std::min(settings.crop, kCrop);
  small.batch = std::min(settings.batch, kBatch);
  small.style_size = std::min(settings.style_size, kStyleSize);
  if (pixels(settings) <= kFewPixels) {
    return {};
  }
  AnyStyleTraining run(small);
  const double step = memory_of_step(run.training()) / pixels(small) * pixels(settings);
  return memory_of_process(step, 0,
                           memory_of_photographs(run.photographs().files().size(), settings.crop) +
                               memory_of_photographs(run.styles().files().size(), settings.style_size),
                           run.network());
}

void require_memory_for_training(const StepSize& step, const MemoryNeed& need) {
  const auto available = static_cast<double>(available_memory());
  if (need.total() <= available) {
    return;
  }
  const double room = std::max(0.0, available - need.kept);
  const std::string takes = concat_text(": the training takes ", gigabytes(need.total()),
                                        " of memory, and there are ", gigabytes(available));
  std::vector<std::string> remedies;
  const auto offer = [&](const char* option, double value, Index least, Index multiple) {
    const Index fits = static_cast<Index>(value) / multiple * multiple;
    if (fits >= least) {
      remedies.push_back(concat_text(option, " ", fits));
    }
  };
  const auto refuse = [&](const std::string& settings) {
    throw UsageError(concat_text(settings, takes,
                                 remedies.empty() ? ""
                                 : remedies.size() > 1
                                     ? concat_text("; ", remedies[0], " fits, or ", remedies[1])
                                     : concat_text("; ", remedies[0], " fits")));
  };
  if (need.start > need.steps) {
    const bool style = step.style_size > 0;
    const char* const option = style ? "--style-size" : "--crop";
    const Index size = style ? step.style_size : step.crop;
    offer(option, static_cast<double>(size) * std::sqrt(room / need.start), 32, style ? 1 : step.crop_step);
    refuse(concat_text(option, " ", size));
  }
  const double share = room / need.steps, beside = step.styles_in_steps ? area(step.style_size) : 0;
  offer(step.batch_option, share * static_cast<double>(step.batch), step.least_batch, 1);
  offer("--crop", std::sqrt(std::max(0.0, share * (area(step.crop) + beside) - beside)), 32, step.crop_step);
  refuse(concat_text(step.batch_option, " ", step.batch,
                     step.crop > 0 ? concat_text(" --crop ", step.crop) : ""));
}

}  // namespace gesso
