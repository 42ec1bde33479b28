#include "settings.h"

#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <type_traits>

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

// A list is a JSON array: file names may hold any character.
void parse(const std::string& name, const std::string& text, std::vector<std::string>& value) {
  try {
    value = nlohmann::json::parse(text).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw ArgumentError(concat_text("setting ", name, ": '", text, "' is not a list of names"));
  }
}

void parse(const std::string& name, const std::string& text, bool& value) {
  require(text == "true" || text == "false", "setting ", name, ": '", text, "' is not true or false");
  value = text == "true";
}

template <class Number>
void parse(const std::string& name, const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size(), "setting ", name, ": '", text,
          "' is not a number in range");
}

}  // namespace

std::string style_name(const std::string& file) { return std::filesystem::path(file).stem().string(); }

void TrainSettings::count_rows() {
  network.styles = static_cast<int>(row_of_style(static_cast<std::int64_t>(styles.size())));
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
  range("lr", learning_rate, 1e-7, 1);
  range("content-weight", weights.content, 0, 1e6);
  range("style-weight", weights.style, 0, 1e6);
  range("tv-weight", weights.tv, 0, 1e6);
  range("range-weight", weights.range, 0, 1e6);
  loss_network.check();
  check_normalization(network.normalization);
  require(!styles.empty(), "style: there is no style picture");
  require(row_of_style(static_cast<std::int64_t>(styles.size())) == network.styles, "style: there are ",
          styles.size(), " style pictures for a network of ", network.styles, " rows");
  require(network.styles == 1 || network.normalization == "instance",
          "norm: ", strength ? "strength needs" : "several styles in one network need",
          " instance normalization, not ", network.normalization);
  range("added_styles", added_styles, 0, static_cast<double>(styles.size()) - 1);
  range("width", network.width, 1, 512);
  range("blocks", network.blocks, 0, 64);
}

std::map<std::string, std::string> TrainSettings::to_metadata() const {
  std::map<std::string, std::string> metadata;
  for_each_setting(*this, [&](const char* name, const auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, std::string>) {
      metadata[name] = value;
    } else if constexpr (std::is_same_v<Value, bool>) {
      metadata[name] = value ? "true" : "false";
    } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
      metadata[name] = nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
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
  settings.count_rows();
  settings.check();
  return settings;
}

}  // namespace gesso
