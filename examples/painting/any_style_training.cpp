#include "any_style_training.h"

#include <algorithm>
#include <filesystem>

#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/settings.h"

namespace gesso {
namespace {

template <class Settings, class Visit>
void for_each_setting(Settings& s, Visit visit) {
  visit("styles", s.styles);
  visit("content", s.content);
  visit("width", s.network.width);
  visit("blocks", s.network.blocks);
  visit("manners", s.network.manners);
  visit("hidden", s.network.hidden);
  visit("steps", s.steps);
  visit("batch", s.batch);
  visit("crop", s.crop);
  visit("style_size", s.style_size);
  visit("learning_rate", s.learning_rate);
  visit("content_weight", s.weights.content);
  visit("style_weight", s.weights.style);
  visit("tv_weight", s.weights.tv);
  visit("range_weight", s.weights.range);
  visit("loss_network", s.loss_network.name);
  visit("loss_weights", s.loss_network.weights);
  visit("content_layer", s.loss_network.content_layer);
  visit("seed", s.seed);
}

const AnyStyleSettings& checked(const AnyStyleSettings& settings) {
  settings.check();
  return settings;
}

// Every second picture with its colours in another order.
Tensor exchange_colours(const Tensor& pictures, Generator& rng) {
  std::vector<Tensor> all;
  for (Index n = 0; n < pictures.size(0); ++n) {
    std::vector<int> order = {0, 1, 2};
    if (rng.below(2) == 1) {
      for (Index c = 2; c > 0; --c) {
        std::swap(order[c], order[rng.below(c + 1)]);
      }
    }
    std::vector<Tensor> colours;
    for (const int c : order) {
      colours.push_back(slice(pictures.slice(n, n + 1), 1, c, c + 1));
    }
    all.push_back(concat(colours, 1));
  }
  return concat(all, 0);
}

}  // namespace

void AnyStyleSettings::check() const {
  const auto range = [](const char* name, double value, double low, double high) {
    require(value >= low && value <= high, name, " is ", value, "; it must be from ", low, " to ", high);
  };
  range("steps", static_cast<double>(steps), 1, 1e7);
  range("batch", static_cast<double>(batch), 1, 64);
  range("crop", static_cast<double>(crop), 32, 2048);
  require(crop % 4 == 0, "crop is ", crop, "; it must be a multiple of 4, as the network halves sizes twice");
  range("style-size", static_cast<double>(style_size), AnyStyleNetwork::min_style_size, 4096);
  range("lr", learning_rate, 1e-7, 1);
  range("content-weight", weights.content, 0, 1e6);
  range("style-weight", weights.style, 0, 1e6);
  range("tv-weight", weights.tv, 0, 1e6);
  range("range-weight", weights.range, 0, 1e6);
  range("width", network.width, 1, 512);
  range("blocks", network.blocks, 0, 64);
  range("manners", network.manners, 1, 998);
  range("hidden", network.hidden, 1, 4096);
  loss_network.check();
}

std::map<std::string, std::string> AnyStyleSettings::to_metadata() const {
  return settings_to_metadata([&](auto visit) { for_each_setting(*this, visit); });
}

AnyStyleSettings AnyStyleSettings::from_metadata(const std::map<std::string, std::string>& metadata) {
  AnyStyleSettings settings;
  settings_from_metadata(metadata, [&](auto visit) { for_each_setting(settings, visit); });
  settings.check();
  return settings;
}

AnyStyleTraining::AnyStyleTraining(const AnyStyleSettings& settings)
    : StyleTraining(checked(settings).steps, settings.learning_rate),
      settings_(settings),
      rng_(settings.seed),
      network_(settings.network, rng_),
      loss_network_(make_loss_network(settings.loss_network)),
      photographs_(settings.content, {.crop = settings.crop, .batch = settings.batch, .seed = settings.seed}),
      styles_(settings.styles, {.crop = settings.style_size,
                                .batch = settings.batch,
                                .min_scale = 0.6,
                                .seed = settings.seed + 1}) {
  optimize(network_.parameters());
}

std::vector<AnyStyleTraining::StylePicture> AnyStyleTraining::some_styles(std::size_t count) const {
  const std::vector<std::string>& files = styles_.files();
  count = std::min(count, files.size());
  std::vector<StylePicture> pictures;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& file = files[i * files.size() / count];
    try {
      pictures.push_back(
          {std::filesystem::path(file).stem().string(), load_style_picture(file, settings_.style_size)});
    } catch (const FileError&) {
      // take_warnings() names it when its turn comes.
    }
  }
  if (pictures.empty()) {
    throw FileError(settings_.styles + ": none of the style pictures can be read");
  }
  return pictures;
}

void AnyStyleTraining::measure_styles() {
  std::vector<Tensor> pictures;
  for (const StylePicture& style : some_styles(64)) {
    pictures.push_back(style.picture);
  }
  network_.measure_styles(pictures);
}

std::vector<std::string> AnyStyleTraining::take_warnings() {
  std::vector<std::string> warnings = photographs_.take_warnings();
  for (std::string& warning : styles_.take_warnings()) {
    warnings.push_back(std::move(warning));
  }
  return warnings;
}

Losses AnyStyleTraining::losses_of_next_batch() {
  const Tensor photographs = photographs_.next();
  Generator rng(settings_.seed ^ (static_cast<std::uint64_t>(steps_done()) << 20));
  const Tensor pictures = exchange_colours(styles_.next(), rng);
  const Tensor mix = network_.mix_of(pictures);
  std::vector<Index> styles;
  std::vector<Tensor> rows;
  for (Index n = 0; n < settings_.batch; ++n) {
    const bool stays = (steps_done() * settings_.batch + n) % 8 == 7;
    styles.push_back(stays ? kNoStyle : n);
    rows.push_back(stays ? network_.mix_of_photographs() : slice(mix, 0, n, n + 1));
  }
  const Tensor output = network_.paint(photographs, concat(rows, 0));
  return any_style_losses(*loss_network_, pictures, output, photographs, settings_.weights, styles);
}

std::map<std::string, std::string> AnyStyleTraining::metadata() const {
  std::map<std::string, std::string> metadata = settings_.to_metadata();
  metadata["command"] = "train-any";
  metadata["photographs drawn"] = std::to_string(photographs_.state().crops);
  metadata["styles drawn"] = std::to_string(styles_.state().crops);
  return metadata;
}

void AnyStyleTraining::set_positions(const std::map<std::string, std::string>& metadata) {
  photographs_.set_state({std::stoll(metadata.at("photographs drawn"))});
  styles_.set_state({std::stoll(metadata.at("styles drawn"))});
}

Tensor load_style_picture(const std::string& file, Index style_size) {
  return resize_short_side(load_picture(file), style_size * 5 / 4);
}

}  // namespace gesso
