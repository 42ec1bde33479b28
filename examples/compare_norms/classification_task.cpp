#include "classification_task.h"

#include <algorithm>
#include <cmath>

#include "drawn_shapes.h"
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
constexpr Index kTrainingPictures = 2000, kTestPictures = 1000, kShapes = 1000;

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

// At most `most` of the pictures, evenly spread.
LabelledPictures some_of(const LabelledPictures& data, Index most) {
  const Index count = std::min(most, data.size());
  LabelledPictures some{.channels = data.channels, .height = data.height, .width = data.width};
  some.classes = data.classes;
  const Index size = data.channels * data.height * data.width;
  for (Index k = 0; k < count; ++k) {
    const Index i = k * data.size() / count;
    some.pixels.insert(some.pixels.end(), data.pixels.begin() + i * size,
                       data.pixels.begin() + (i + 1) * size);
    some.labels.push_back(data.labels[static_cast<std::size_t>(i)]);
  }
  return some;
}

}  // namespace

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
  task.words = concat_text("Which of ", classes, " photographs does a crop of ", kCrop, " x ", kCrop,
                           " pixels come from? The ", kTrainingCrops,
                           " training crops of each are from the first 60 % of its longer side, the ",
                           kTestCrops, " test crops from the rest.");
  return task;
}

ClassificationTask labelled_task(const std::filesystem::path& folder) {
  ClassificationTask task;
  std::string what;
  if (folder.empty()) {
    task.training = draw_shapes(kShapes, 1);
    task.test = draw_shapes(kShapes, 2);
    what =
        "Which of ten shapes does a picture show? The pictures are drawn by this program, not photographed: shapes of "
        "any colour on a background of any colour. With --data FOLDER they are MNIST's, CIFAR-10's or CIFAR-100's.";
  } else {
    const LabelledPictures training = load_data_set(folder, DataSplit::training);
    LabelledPictures test = load_data_set(folder, DataSplit::test);
    if (test.channels != training.channels || test.height != training.height ||
        test.width != training.width) {
      throw FileError(concat_text(
          "cannot use '", folder.string(), "': its pictures to test with are of another size (", test.height,
          " x ", test.width, ") than those to learn from (", training.height, " x ", training.width, ")"));
    }
    test.classes = training.classes;
    task.training = some_of(training, kTrainingPictures);
    task.test = some_of(test, kTestPictures);
    what = concat_text(
        "What does a picture of ",
        folder.filename().empty() ? folder.parent_path().filename().string() : folder.filename().string(),
        " show? It has ", training.classes.size(), " classes, ", training.size(),
        " pictures to learn from and ", test.size(),
        " to test with; evenly spread over them are those used here.");
  }
  task.words = concat_text(what, " Learned from ", task.training.size(), ", tested with ", task.test.size(),
                           " pictures of ", task.training.height, " x ", task.training.width, " pixels.");
  return task;
}

}  // namespace gesso
