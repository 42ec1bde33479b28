#include "training_run.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/core/pictures/turn.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/training/settings.h"
#include "steadiness.h"
#include "style_training.h"

namespace gesso {
namespace {

std::vector<Tensor> load_styles(const TrainSettings& settings) {
  std::vector<Tensor> pictures;
  for (const std::string& file : settings.styles) {
    pictures.push_back(resize_short_side(load_picture(file), settings.style_size));
    check_texture(pictures.back());
  }
  return pictures;
}

// Each picture as it is, and turned a little to both sides at other sizes: a style has strokes in more
// directions, and of more sizes, than one picture happens to show.
std::vector<Tensor> with_views(const std::vector<Tensor>& pictures) {
  constexpr struct {
    double size, degrees;
  } kViews[TrainingRun::views - 1] = {{1, 15}, {1.2, -15}, {0.85, 0}};
  std::vector<Tensor> all;
  for (const Tensor& picture : pictures) {
    const Index height = picture.size(2), width = picture.size(3);
    std::vector<Tensor> views = {picture};
    for (const auto& [size, degrees] : kViews) {
      const auto scaled = [size = size](Index side) {
        return std::max<Index>(1, std::llround(size * static_cast<double>(side)));
      };
      views.push_back(turn_picture(resize_picture(picture, scaled(height), scaled(width)),
                                   degrees * std::numbers::pi / 180, height, width));
    }
    all.push_back(concat(views, 0));
  }
  return all;
}

// What is trained: all parameters or, where styles are added, gamma and beta, of which only the rows of the
// styles in use get a gradient; the rest is frozen.
std::vector<Tensor> trained_parameters(StyleNetwork& network, const TrainSettings& settings) {
  if (settings.added_styles == 0) {
    return network.parameters();
  }
  for (Tensor parameter : network.parameters()) {
    parameter.requires_grad_(false);
  }
  std::vector<Tensor> trained;
  for (const auto& [name, module] : network.named_modules()) {
    if (auto* norm = dynamic_cast<ConditionalInstanceNorm2d*>(module)) {
      for (Tensor parameter : norm->parameters()) {
        parameter.requires_grad_(true);
        trained.push_back(parameter);
      }
    }
  }
  return trained;
}

// `table` (styles, C), or (C) of a single style, with rows added that hold the mean of the others.
Tensor with_rows_added(const Tensor& table, Index styles) {
  const Index channels = table.size(-1), before = table.numel() / channels;
  const Tensor rows = table.reshape({before, channels});
  std::vector<Tensor> all = {rows};
  for (Index s = before; s < styles; ++s) {
    all.push_back(mean(rows, {0}).reshape({1, channels}));
  }
  return concat(all, 0);
}

}  // namespace

TrainingRun::TrainingRun(const TrainSettings& settings, ProcessGroup& ranks)
    : TrainingRun(settings, pictures_in(settings.content), ranks) {}

TrainingRun::TrainingRun(const TrainSettings& settings, std::vector<std::string> photographs,
                         ProcessGroup& ranks)
    : settings_(checked(settings)),
      ranks_(ranks),
      rng_(settings.seed),
      network_(settings.network, rng_),
      loss_network_(make_loss_network(settings.loss_network)),
      styles_(load_styles(settings)),
      target_(*loss_network_, with_views(styles_), style_statistic(settings.style_loss)),
      photographs_(std::move(photographs),
                   {.crop = settings.crop, .batch = settings.batch, .seed = settings.seed}),
      optimizer_(trained_parameters(network_, settings), {.lr = settings.learning_rate}),
      training_(network_, optimizer_,
                {.steps = settings.steps,
                 .schedule = style_schedule(settings.steps),
                 .command = "train",
                 .metadata = settings.to_metadata(),
                 .ranks = &ranks,
                 .batch = settings.batch},
                [this] { return next_loss(); }) {
  training_.keep("photographs", photographs_);
}

void TrainingRun::start_from(const StateDict& base) {
  const NoGradGuard no_grad;
  StateDict state = base;
  std::set<std::string> tables;
  for (const auto& [name, module] : network_.named_modules()) {
    if (dynamic_cast<ConditionalInstanceNorm2d*>(module) != nullptr) {
      tables.insert({name + ".weight", name + ".bias"});
    }
  }
  for (auto& [name, tensor] : state) {
    if (tables.contains(name)) {
      tensor = with_rows_added(tensor, settings_.network.styles);
    }
  }
  network_.load_state_dict(state);
}

std::vector<Index> TrainingRun::styles_of_next_batch() const {
  const Index all = static_cast<Index>(settings_.styles.size());
  const Index count = settings_.added_styles > 0 ? settings_.added_styles : all;
  std::vector<Index> styles;
  for (Index n = 0; n < settings_.batch; ++n) {
    const Index crop = training_.steps_done() * settings_.batch + n;
    const bool stays = settings_.strength && settings_.added_styles == 0 && crop % 8 == 7;
    styles.push_back(stays ? kNoStyle : all - count + crop % count);
  }
  return styles;
}

BatchLoss TrainingRun::next_loss() {
  const Tensor batch = photographs_.next();
  const std::vector<Index> styles = styles_of_next_batch();
  std::vector<Index> rows;
  std::vector<double> noise;
  for (const Index style : styles) {
    rows.push_back(style == kNoStyle ? 0 : settings_.row_of_style(style));
    noise.push_back(style == kNoStyle ? 0 : 1);  // what stays a photograph shall not be cleaned of noise
  }
  network_.set_styles(rows);
  const auto number = static_cast<std::uint64_t>(training_.steps_done());
  network_.set_noise(number, noise);
  const Tensor output = network_(batch);
  Losses losses =
      style_transfer_losses(*loss_network_, target_, output, batch, settings_.weights, styles, number);
  if (settings_.weights.steadiness > 0) {
    add_steadiness(losses, batch, output, rows, noise);
  }
  return batch_loss(losses);
}

void TrainingRun::add_steadiness(Losses& losses, const Tensor& batch, const Tensor& output,
                                 const std::vector<Index>& rows, const std::vector<double>& noise) {
  const auto number = static_cast<std::uint64_t>(training_.steps_done());
  const Index half = (settings_.batch + 1) / 2;
  Generator rng(settings_.seed ^ (number << 20));
  const BatchShareGuard first_samples(half);
  const Index own = BatchShare::current()->count();  // of that half, be it none
  const NextFrame next = next_frame(batch.slice(0, own), rng);
  network_.set_styles({rows.begin(), rows.begin() + half});
  network_.set_noise(number, {noise.begin(), noise.begin() + half});
  const Tensor steadiness = steadiness_loss(slice(output, 0, 0, own), network_(next.photographs), next);
  // It counts fully from the middle of the training on. From the start it can win over the content while that
  // still means little, and what came out was a negative: calm, but dark where the photograph is light.
  const double grown = std::min(1.0, 2 * static_cast<double>(number) / static_cast<double>(settings_.steps));
  losses.total = losses.total + steadiness * (grown * settings_.weights.steadiness);
  losses.steadiness = steadiness.item();
}

}  // namespace gesso
