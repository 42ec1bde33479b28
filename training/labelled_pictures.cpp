#include "gesso/training/labelled_pictures.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "gesso/autograd/graph.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/picture_folder.h"

namespace gesso {

namespace fs = std::filesystem;

Tensor LabelledPictures::pictures(Index begin, Index end) const {
  require(0 <= begin && begin <= end && end <= size(), "LabelledPictures: pictures ", begin, " to ", end,
          " of ", size(), " were asked for");
  const Index each = channels * height * width;
  Tensor result = Tensor::empty({end - begin, channels, height, width});
  float* to = result.mutable_data<float>();
  std::transform(pixels.begin() + begin * each, pixels.begin() + end * each, to,
                 [](std::uint8_t value) { return static_cast<float>(value) / 255; });
  return result;
}

LabelledPictures load_image_folder(const fs::path& folder, Index side) {
  require(side >= 1 && side <= 1024, "load_image_folder: side ", side, " is not from 1 to 1024");
  std::error_code error;
  std::set<std::string> classes;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(".") && fs::is_directory(entry->path(), error)) {
      classes.insert(name);
    }
  }
  if (error || classes.empty()) {
    throw FileError(concat_text("cannot read '", folder.string(), "': ",
                                error ? error.message() : "it has no folders inside, one for each class"));
  }
  const NoGradGuard no_grad;
  LabelledPictures data{
      .channels = 3, .height = side, .width = side, .classes = {classes.begin(), classes.end()}};
  for (std::size_t label = 0; label < data.classes.size(); ++label) {
    for (const std::string& file : pictures_in(folder / data.classes[label])) {
      const Tensor scaled = resize_short_side(load_picture(file), side);
      const Tensor square =
          crop(scaled, (scaled.size(2) - side) / 2, (scaled.size(3) - side) / 2, side, side);
      const float* values = square.data<float>();
      std::transform(values, values + square.numel(), std::back_inserter(data.pixels), [](float value) {
        return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0f, 1.0f)));
      });
      data.labels.push_back(static_cast<Index>(label));
    }
  }
  return data;
}

LabelledBatches::LabelledBatches(const LabelledPictures& data, const LabelledBatchesOptions& options)
    : data_(data), options_(options) {
  require(data.size() > 0, "LabelledBatches: there are no pictures");
  require(options.batch >= 1, "LabelledBatches: batch is ", options.batch, "; it must be at least 1");
  require(options.shift >= 0 && options.shift < std::min(data.height, data.width),
          "LabelledBatches: shift is ", options.shift,
          "; it must be from 0 to less than a side of the pictures of ", data.height, " x ", data.width);
}

void LabelledBatches::set_position(Index position) {
  require(position >= 0, "LabelledBatches: position ", position, " is negative");
  position_ = position;
}

// The order of the epoch that the position is in.
void LabelledBatches::prepare_order() {
  const Index epoch = position_ / data_.size();
  if (epoch == epoch_of_order_) {
    return;
  }
  epoch_of_order_ = epoch;
  order_.resize(static_cast<std::size_t>(data_.size()));
  std::iota(order_.begin(), order_.end(), Index{0});
  if (options_.shuffle) {
    // A number of its own for each epoch, so that none need be drawn before it.
    Generator rng(Generator::State{options_.seed, static_cast<std::uint64_t>(epoch) << 32});
    for (Index i = data_.size() - 1; i > 0; --i) {
      std::swap(order_[static_cast<std::size_t>(i)], order_[static_cast<std::size_t>(rng.below(i + 1))]);
    }
  }
}

LabelledBatch LabelledBatches::next() {
  const auto& [channels, height, width, pixels, labels, classes] = data_;
  const Index each = channels * height * width;
  LabelledBatch batch{.pictures = Tensor::zeros({options_.batch, channels, height, width}), .labels = {}};
  float* to = batch.pictures.mutable_data<float>();
  for (Index n = 0; n < options_.batch; ++n, ++position_, to += each) {
    prepare_order();
    const Index chosen = order_[static_cast<std::size_t>(position_ % data_.size())];
    batch.labels.push_back(labels[static_cast<std::size_t>(chosen)]);
    Generator rng(Generator::State{~options_.seed, static_cast<std::uint64_t>(position_) << 8});
    const bool mirrored = options_.flip && rng.uniform() < 0.5;
    const Index down = rng.below(2 * options_.shift + 1) - options_.shift;
    const Index right = rng.below(2 * options_.shift + 1) - options_.shift;
    const std::uint8_t* from = pixels.data() + chosen * each;
    for (Index c = 0; c < channels; ++c) {
      for (Index i = std::max<Index>(0, down); i < std::min(height, height + down); ++i) {
        for (Index j = std::max<Index>(0, right); j < std::min(width, width + right); ++j) {
          const Index column = mirrored ? width - 1 - (j - right) : j - right;
          to[(c * height + i) * width + j] =
              static_cast<float>(from[(c * height + i - down) * width + column]) / 255;
        }
      }
    }
  }
  return batch;
}

}  // namespace gesso
