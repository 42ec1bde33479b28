#include "settings.h"

#include <filesystem>

namespace gesso {
namespace {

SettingList list(TrainSettings& s) {
  return SettingList{{"styles", &s.styles},
                     {"strength", &s.strength},
                     {"added_styles", &s.added_styles},
                     {"normalization", &s.network.normalization},
                     {"noise", &s.network.noise, 0, 1},
                     {"style_size", &s.style_size, 32, 4096},
                     {"style_loss", &s.style_loss},
                     {"steadiness", &s.weights.steadiness, 0, 1e6}} +
         painting_settings(s);
}

}  // namespace

std::string style_name(const std::string& file) { return std::filesystem::path(file).stem().string(); }

void TrainSettings::count_rows() {
  network.styles = static_cast<int>(row_of_style(static_cast<Index>(styles.size())));
}

void TrainSettings::check() const {
  check_painting();
  loss_network.check();
  style_statistic(style_loss);
}

void TrainSettings::check_painting() const {
  TrainSettings settings = *this;
  list(settings).check();
  require(crop % 4 == 0, "crop is ", crop, "; it must be a multiple of 4, as the network halves sizes twice");
  check_normalization(network.normalization);
  require(!styles.empty(), "style: there is no style picture");
  require(row_of_style(static_cast<Index>(styles.size())) == network.styles, "style: there are ",
          styles.size(), " style pictures for a network of ", network.styles, " rows");
  require(network.styles == 1 || network.normalization == "instance",
          "norm: ", strength ? "strength needs" : "several styles in one network need",
          " instance normalization, not ", network.normalization);
  const auto added = static_cast<std::size_t>(added_styles);
  require(added_styles >= 0 && added < styles.size(), "added-styles is ", added_styles,
          "; it must be from 0 to ", styles.size() - 1);
}

std::map<std::string, std::string> TrainSettings::to_metadata() const {
  TrainSettings settings = *this;
  return list(settings).to_metadata();
}

TrainSettings TrainSettings::from_metadata(const std::map<std::string, std::string>& metadata) {
  const auto skips = metadata.find("skips");
  require(skips == metadata.end() || skips->second == "false",
          "it was trained with --skips, which there is no longer; train it again");
  TrainSettings settings;
  settings.style_loss = "wasserstein";  // what those that do not say were trained by
  list(settings).from_metadata(metadata);
  settings.count_rows();
  settings.check_painting();
  return settings;
}

}  // namespace gesso
