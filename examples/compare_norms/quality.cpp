#include "quality.h"

#include <algorithm>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "painting/score.h"
#include "painting/spectrum.h"

namespace gesso {
namespace {

std::string other_network(const TrainSettings& settings) {
  return settings.loss_network.name == "distilled" ? "filters" : "distilled";
}

TrainSettings judged_by(TrainSettings settings, const std::string& network) {
  settings.loss_network = {.name = network};
  settings.style_loss = settings.style_loss == "gram" ? "wasserstein" : "gram";
  return settings;
}

double weave_of(const Tensor& picture) {
  const PictureSpectrum spectrum = measure_spectrum(picture);
  return std::max(spectrum.upright, spectrum.level);
}

}  // namespace

QualityJudge::QualityJudge(const TrainSettings& settings)
    : network_(other_network(settings)),
      losses_(judged_by(settings, network_)),
      weave_of_style_(weave_of(resize_short_side(load_picture(settings.styles.at(0)), settings.style_size))) {
}

PictureQuality QualityJudge::judge(const Tensor& paintings, const Tensor& photographs) const {
  const NoGradGuard no_grad;
  const Tensor shown = clamp(paintings, 0, 1);
  const LossValues losses = losses_.losses(shown, photographs);
  PictureQuality quality{.content = losses.content, .style = losses.style};
  const Index count = shown.size(0);
  for (Index i = 0; i < count; ++i) {
    const Tensor painting = shown.slice(i, i + 1);
    quality.structure += structure_kept(painting, photographs.slice(i, i + 1)) / static_cast<double>(count);
    quality.weave += weave_of(painting) / weave_of_style_ / static_cast<double>(count);
  }
  return quality;
}

}  // namespace gesso
