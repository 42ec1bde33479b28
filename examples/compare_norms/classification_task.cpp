#include "classification_task.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "gesso/autograd/shape_ops.h"
#include "gesso/core/error.h"
#include "gesso/core/generator.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"

namespace gesso {
namespace {

constexpr std::size_t kMostClasses = 20;
constexpr Index kShortSide = 96;  // of the photographs
constexpr Index kCrop = 32;
constexpr Index kTrainingCrops = 16, kTestCrops = 16;  // of each photograph

// The first `share` of a picture's longer side, or what is after it.
Tensor part_of(const Tensor& picture, double share, bool first) {
  const Index height = picture.size(2), width = picture.size(3);
  const bool wide = width >= height;
  const Index length = wide ? width : height;
  const auto border = static_cast<Index>(share * static_cast<double>(length));
  const Index begin = first ? 0 : border, size = first ? border : length - border;
  return wide ? crop(picture, 0, begin, height, size) : crop(picture, begin, 0, size, width);
}

// A square crop at a random place.
Tensor random_crop(const Tensor& picture, Generator& rng) {
  const Index top = rng.below(picture.size(2) - kCrop + 1);
  const Index left = rng.below(picture.size(3) - kCrop + 1);
  return crop(picture, top, left, kCrop, kCrop);
}

// `count` random crops of a picture, whose class is named after its file.
void add_crops(const Tensor& picture, Index count, const std::string& file, Generator& rng,
               LabelledPictures& set) {
  for (Index k = 0; k < count; ++k) {
    for (const double value : random_crop(picture, rng).to_vector()) {
      set.pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0))));
    }
    set.labels.push_back(static_cast<Index>(set.classes.size()));
  }
  set.classes.push_back(std::filesystem::path(file).stem().string());
}

}  // namespace

std::string ClassificationTask::describe() const {
  return concat_text("Which of ", training.classes.size(), " photographs does a crop of ", kCrop, " x ",
                     kCrop, " pixels come from? The ", kTrainingCrops,
                     " training crops of each are from the first 60 % of its longer side, the ", kTestCrops,
                     " test crops from the rest.");
}

ClassificationTask make_classification_task(const std::vector<std::string>& files) {
  Generator rng(1);  // the crops are the same for every seed
  const std::size_t classes = std::min(kMostClasses, files.size());
  ClassificationTask task;
  for (LabelledPictures* set : {&task.training, &task.test}) {
    *set = {.channels = 3, .height = kCrop, .width = kCrop};
  }
  for (std::size_t i = 0; i < classes; ++i) {
    const std::string& file = files[i * files.size() / classes];
    const Tensor picture = load_picture(file);
    const auto scaled = [&](bool first) {  // parted before it is scaled, so that no pixel mixes both parts
      const Tensor part = part_of(picture, 0.6, first);
      const double factor =
          static_cast<double>(kShortSide) / static_cast<double>(std::min(picture.size(2), picture.size(3)));
      const auto size = [&](int dim) {
        return std::max<Index>(kCrop, std::llround(factor * static_cast<double>(part.size(dim))));
      };
      return resize_picture(part, size(2), size(3));
    };
    add_crops(scaled(true), kTrainingCrops, file, rng, task.training);
    add_crops(scaled(false), kTestCrops, file, rng, task.test);
  }
  return task;
}

}  // namespace gesso
