#include "any_style_training.h"

#include <algorithm>
#include <filesystem>

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "program/assets.h"
#include "settings.h"
#include "style_training.h"

namespace gesso {
namespace {

SettingList list(AnyStyleSettings& s) {
  return SettingList{{"styles", &s.styles},
                     {"manners", &s.network.manners, 1, 998},
                     {"hidden", &s.network.hidden, 1, 4096},
                     {"style_size", &s.style_size, AnyStyleNetwork::min_style_size, 4096}} +
         painting_settings(s);
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
  AnyStyleSettings settings = *this;
  list(settings).check();
  require(crop % 4 == 0, "crop is ", crop, "; it must be a multiple of 4, as the network halves sizes twice");
  loss_network.check();
}

std::map<std::string, std::string> AnyStyleSettings::to_metadata() const {
  AnyStyleSettings settings = *this;
  return list(settings).to_metadata();
}

AnyStyleSettings AnyStyleSettings::from_metadata(const std::map<std::string, std::string>& metadata) {
  AnyStyleSettings settings;
  list(settings).from_metadata(metadata);
  settings.check();
  return settings;
}

AnyStyleTraining::AnyStyleTraining(const AnyStyleSettings& settings, ProcessGroup& ranks)
    : settings_(checked(settings)),
      rng_(settings.seed),
      network_(settings.network, rng_),
      loss_network_(make_loss_network(settings.loss_network)),
      photographs_(settings.content, {.crop = settings.crop, .batch = settings.batch, .seed = settings.seed}),
      styles_(settings.styles, {.crop = settings.style_size,
                                .batch = settings.batch,
                                .min_scale = 0.6,
                                .seed = settings.seed + 1}),
      optimizer_(network_.parameters(), {.lr = settings.learning_rate}),
      training_(network_, optimizer_,
                {.steps = settings.steps,
                 .schedule = style_schedule(settings.steps),
                 .command = "train-any",
                 .metadata = settings.to_metadata(),
                 .ranks = &ranks,
                 .batch = settings.batch},
                [this] { return next_loss(); }) {
  training_.keep("photographs drawn", photographs_);
  training_.keep("styles drawn", styles_, Given::all);  // the style loss compares samples with all of them
}

void AnyStyleTraining::show_styles(std::size_t count, const std::function<void(StylePicture)>& show) const {
  const std::vector<std::string>& files = styles_.files();
  count = std::min(count, files.size());
  bool shown = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& file = files[i * files.size() / count];
    try {
      show({std::filesystem::path(file).stem().string(), load_style_picture(file, settings_.style_size)});
      shown = true;
    } catch (const FileError&) {
      // Training::take_warnings() names it when its turn comes.
    }
  }
  if (!shown) {
    throw FileError(settings_.styles + ": none of the style pictures can be read");
  }
}

std::vector<AnyStyleTraining::StylePicture> AnyStyleTraining::some_styles(std::size_t count) const {
  std::vector<StylePicture> pictures;
  show_styles(count, [&](StylePicture style) { pictures.push_back(std::move(style)); });
  return pictures;
}

void AnyStyleTraining::begin() {
  network_.load_encoder(asset("loss_network/loss_network.safetensors"));
  std::vector<Tensor> statistics;
  show_styles(64,
              [&](const StylePicture& style) { statistics.push_back(network_.statistics(style.picture)); });
  network_.measure_styles(statistics);
}

BatchLoss AnyStyleTraining::next_loss() {
  const Tensor photographs = photographs_.next();
  Generator rng(settings_.seed ^ (static_cast<std::uint64_t>(training_.steps_done()) << 20));
  const Tensor pictures = exchange_colours(styles_.next(), rng);
  const BatchShare& share = *BatchShare::current();
  const Tensor mix = network_.mix_of(pictures.slice(share.first(), share.first() + share.count()));
  std::vector<Index> styles;
  std::vector<Tensor> targets;
  for (Index n = 0; n < settings_.batch; ++n) {
    styles.push_back(n);
    targets.push_back(pictures.slice(n, n + 1));
  }
  const auto number = static_cast<std::uint64_t>(training_.steps_done());
  network_.network().set_noise(number);
  const Tensor output = network_.paint(photographs, mix);
  return batch_loss(style_transfer_losses(*loss_network_, StyleTarget(*loss_network_, targets), output,
                                          photographs, settings_.weights, styles, number));
}

Tensor load_style_picture(const std::string& file, Index style_size) {
  return resize_short_side(load_picture(file), style_size * 5 / 4);
}

}  // namespace gesso
