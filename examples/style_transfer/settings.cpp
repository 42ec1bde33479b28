#include "settings.h"

#include <charconv>
#include <type_traits>

namespace gesso {
namespace {

// Calls visit(name, field) for every setting: the one list that writing, reading and checking share.
template <class Settings, class Visit>
void for_each_setting(Settings& s, Visit visit) {
  visit("style", s.style);
  visit("content", s.content);
  visit("width", s.network.width);
  visit("blocks", s.network.blocks);
  visit("normalization", s.network.normalization);
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

void parse(const std::string& name, const std::string& text, std::string& value) {
  (void)name;
  value = text;
}

template <class Number>
void parse(const std::string& name, const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size(), "setting ", name, ": '", text,
          "' is not a number in range");
}

}  // namespace

void TrainSettings::check() const {
  const auto range = [](const char* name, double value, double low, double high) {
    require(value >= low && value <= high, name, " is ", value, "; it must be from ", low, " to ", high);
  };
  range("steps", static_cast<double>(steps), 1, 1e7);
  range("batch", static_cast<double>(batch), 1, 64);
  range("crop", static_cast<double>(crop), 32, 2048);
  require(crop % 4 == 0, "crop is ", crop, "; it must be a multiple of 4, as the network halves sizes twice");
  range("style-size", static_cast<double>(style_size), 32, 4096);
  range("lr", learning_rate, 1e-7, 1);
  range("content-weight", weights.content, 0, 1e6);
  range("style-weight", weights.style, 0, 1e6);
  range("tv-weight", weights.tv, 0, 1e6);
  range("range-weight", weights.range, 0, 1e6);
  loss_network.check();
  check_normalization(network.normalization);
  range("width", network.width, 1, 512);
  range("blocks", network.blocks, 0, 64);
}

std::map<std::string, std::string> TrainSettings::to_metadata() const {
  std::map<std::string, std::string> metadata;
  for_each_setting(*this, [&](const char* name, const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
      metadata[name] = value;
    } else {
      char text[32];
      const auto end =
          std::to_chars(text, text + sizeof text, value).ptr;  // the shortest text that reads back equal
      metadata[name] = std::string(text, end);
    }
  });
  return metadata;
}

TrainSettings TrainSettings::from_metadata(const std::map<std::string, std::string>& metadata) {
  TrainSettings settings;
  for_each_setting(settings, [&](const char* name, auto& value) {
    const auto found = metadata.find(name);
    require(found != metadata.end(), "setting ", name, " is missing");
    parse(name, found->second, value);
  });
  settings.check();
  return settings;
}

}  // namespace gesso
