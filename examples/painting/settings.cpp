#include "settings.h"

#include <filesystem>

#include "gesso/training/settings.h"

namespace gesso {
namespace {

// Calls visit(name, field) for every setting: the one list that writing, reading and checking share.
template <class Settings, class Visit>
void for_each_setting(Settings& s, Visit visit) {
  visit("styles", s.styles);
  visit("strength", s.strength);
  visit("added_styles", s.added_styles);
  visit("content", s.content);
  visit("width", s.network.width);
  visit("blocks", s.network.blocks);
  visit("normalization", s.network.normalization);
  visit("noise", s.network.noise);
  visit("skips", s.network.skips);
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

}  // namespace

std::string style_name(const std::string& file) { return std::filesystem::path(file).stem().string(); }

void TrainSettings::count_rows() {
  network.styles = static_cast<int>(row_of_style(static_cast<Index>(styles.size())));
}

void TrainSettings::check() const {
  const auto range = [](const char* name, double value, double low, double high) {
    require(value >= low && value <= high, name, " is ", value, "; it must be from ", low, " to ", high);
  };
  range("steps", static_cast<double>(steps), 1, 1e7);
  range("batch", static_cast<double>(batch), 1, 64);
  range("crop", static_cast<double>(crop), 32, 2048);
  require(crop % 4 == 0, "crop is ", crop, "; it must be a multiple of 4, as the network halves sizes twice");
  range("style-size", static_cast<double>(style_size), 32, 4096);
  range("noise", network.noise, 0, 1);
  range("lr", learning_rate, 1e-7, 1);
  range("content-weight", weights.content, 0, 1e6);
  range("style-weight", weights.style, 0, 1e6);
  range("tv-weight", weights.tv, 0, 1e6);
  range("range-weight", weights.range, 0, 1e6);
  loss_network.check();
  check_normalization(network.normalization);
  require(!styles.empty(), "style: there is no style picture");
  require(row_of_style(static_cast<Index>(styles.size())) == network.styles, "style: there are ",
          styles.size(), " style pictures for a network of ", network.styles, " rows");
  require(network.styles == 1 || network.normalization == "instance",
          "norm: ", strength ? "strength needs" : "several styles in one network need",
          " instance normalization, not ", network.normalization);
  range("added_styles", added_styles, 0, static_cast<double>(styles.size()) - 1);
  range("width", network.width, 1, 512);
  range("blocks", network.blocks, 0, 64);
}

std::map<std::string, std::string> TrainSettings::to_metadata() const {
  return settings_to_metadata([&](auto visit) { for_each_setting(*this, visit); });
}

TrainSettings TrainSettings::from_metadata(const std::map<std::string, std::string>& metadata) {
  TrainSettings settings;
  settings_from_metadata(metadata, [&](auto visit) { for_each_setting(settings, visit); });
  settings.count_rows();
  settings.check();
  return settings;
}

}  // namespace gesso
