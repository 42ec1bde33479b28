#include "measures.h"

#include <algorithm>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "painting/memory_need.h"
#include "photographs.h"
#include "quality.h"

namespace gesso {
namespace {

Tensor load_style(const TrainSettings& settings) {
  return resize_short_side(load_picture(settings.styles.at(0)), settings.style_size);
}

// As the pictures are shown.
double visible_change(const Tensor& a, const Tensor& b) {
  return mean(abs(clamp(a, 0, 1) - clamp(b, 0, 1))).item();
}

// Mean absolute difference of neighbouring pixels, as the pictures are shown.
double roughness(const Tensor& pictures) {
  const Tensor shown = clamp(pictures, 0, 1);
  const Index height = shown.size(2), width = shown.size(3);
  const double across =
      visible_change(crop(shown, 0, 1, height, width - 1), crop(shown, 0, 0, height, width - 1));
  const double down =
      visible_change(crop(shown, 1, 0, height - 1, width), crop(shown, 0, 0, height - 1, width));
  return (across + down) / 2;
}

}  // namespace

LossJudge::LossJudge(const TrainSettings& settings)
    : weights_(settings.weights),
      network_(make_loss_network(settings.loss_network)),
      target_(*network_, {load_style(settings)}, style_statistic(settings.style_loss)) {}

LossValues LossJudge::losses(const Tensor& outputs, const Tensor& photographs) const {
  const NoGradGuard no_grad;
  LossValues sum;
  const Index count = outputs.size(0);
  for (Index i = 0; i < count; ++i) {
    const Losses one = style_transfer_losses(*network_, target_, outputs.slice(i, i + 1),
                                             photographs.slice(i, i + 1), weights_);
    sum.total += one.total.item() / static_cast<double>(count);
    sum.content += one.content / static_cast<double>(count);
    sum.style += one.style / static_cast<double>(count);
  }
  return sum;
}

double LossJudge::feature_distance(const Tensor& a, const Tensor& b) const {
  const NoGradGuard no_grad;
  double sum = 0;
  for (Index i = 0; i < a.size(0); ++i) {
    sum += content_loss(network_->taps(a.slice(i, i + 1)), network_->content(b.slice(i, i + 1))).item();
  }
  return sum / static_cast<double>(a.size(0));
}

double LossJudge::step_megabytes(StyleNetwork& network, const Shape& shape) const {
  network.train();
  network.zero_grad();
  const Tensor batch = Tensor::full(shape, 0.5);
  const double taken = peak_memory_of([&] {
    style_transfer_losses(*network_, target_, network(batch), batch, weights_).total.backward();
    network.zero_grad();
  });
  return taken / 1e6;
}

Tensor repaint(StyleNetwork& network, const Tensor& photographs, Index batch) {
  const NoGradGuard no_grad;
  const Index count = photographs.size(0);
  std::vector<Tensor> outputs;
  for (Index begin = 0; begin < count; begin += batch) {
    std::vector<Tensor> pictures;
    for (Index i = begin; i < begin + batch; ++i) {
      pictures.push_back(photographs.slice(i % count, i % count + 1));
    }
    outputs.push_back(network(concat(pictures, 0)).slice(0, std::min(batch, count - begin)));
  }
  return concat(outputs, 0);
}

double leak(StyleNetwork& network, const Tensor& photographs) {
  const NoGradGuard no_grad;
  const Index others = std::min<Index>(photographs.size(0), 4) - 1;
  require(others >= 1, "leak: one photograph has no neighbours");
  const Tensor before = network(photographs.slice(0, others + 1)).slice(0, others);
  const Tensor after =
      network(concat({photographs.slice(0, others), photographs.slice(0, 1)}, 0)).slice(0, others);
  return visible_change(after, before);
}

const std::vector<double>& contrasts() {
  static const std::vector<double> factors = {0.25, 0.5, 1, 2};
  return factors;
}

std::vector<ContrastMeasure> measure_contrasts(StyleNetwork& network, const LossJudge& judge,
                                               const Tensor& photographs) {
  const NoGradGuard no_grad;
  network.eval();
  const Tensor reference = repaint(network, photographs, 1);
  std::vector<ContrastMeasure> measures;
  for (const double factor : contrasts()) {
    const Tensor changed =
        each_picture(photographs, [&](const Tensor& picture) { return with_contrast(picture, factor); });
    const Tensor output = factor == 1 ? reference : repaint(network, changed, 1);
    measures.push_back({.contrast = factor,
                        .pixel_change = visible_change(output, reference),
                        .feature_change = judge.feature_distance(output, reference),
                        .losses = judge.losses(output, photographs)});
  }
  return measures;
}

void measure(StyleNetwork& network, const LossJudge& judge, const QualityJudge& quality,
             const Tensor& photographs, ComparisonRun& run) {
  // Eval mode first: forwards in training mode move running statistics.
  network.eval();
  const Tensor painted = repaint(network, photographs, 1);
  run.test = judge.losses(painted, photographs);
  run.quality = quality.judge(painted, photographs);
  run.roughness = roughness(painted);
  run.scale_change = visible_change(repaint(network, photographs * 0.5 + 0.25, 1), painted);
  run.leak_eval = leak(network, photographs);
  network.train();
  run.test_train_mode = judge.losses(repaint(network, photographs, run.batch), photographs);
  run.leak = leak(network, photographs);
  const Index side = photographs.size(2);
  run.peak_megabytes = judge.step_megabytes(network, {run.batch, 3, side, side});
}

}  // namespace gesso
