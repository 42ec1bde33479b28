#include "judge.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/pictures/resize.h"
#include "losses.h"

namespace gesso {
namespace {

const SqueezeNetOptions kAll{.fires = 9};
constexpr std::size_t kFirstJudge = 6;  // fire7 in SqueezeNet::features()
constexpr std::uint64_t kDraws = 4;     // of directions

double distance(const StyleTarget& target, const std::vector<Tap>& taps, std::uint64_t draws) {
  double sum = 0;
  for (std::uint64_t number = 0; number < draws; ++number) {
    sum += target.loss(taps, {0}, number).item() / static_cast<double>(draws);
  }
  return sum;
}

double cosine(const Tensor& a, const Tensor& b) {
  return sum(a * b).item() / std::sqrt(sum(square(a)).item() * sum(square(b)).item() + 1e-30);
}

}  // namespace

Judge::Deep::Deep(const std::string& weights) : network_(kAll, load_squeezenet_weights(weights, kAll)) {}

std::vector<Tap> Judge::Deep::taps(const Tensor& pictures) const {
  const std::vector<Tensor> all = network_.features(pictures);
  std::vector<Tap> taps;
  for (std::size_t i = kFirstJudge; i < all.size(); ++i) {
    taps.push_back({.style = all[i], .content = {}});
  }
  return taps;
}

std::vector<Tensor> Judge::Deep::content(const Tensor& pictures) const {
  return {network_.features(pictures).back()};
}

Judge::Judge(const std::string& weights, const std::vector<Tensor>& others)
    : network_(weights), others_(others) {
  require(!others.empty(), "Judge: there are no other photographs to compare with");
}

Judgement Judge::judge(const Tensor& painting, const Tensor& style, const Tensor& photograph) const {
  const NoGradGuard no_grad;
  for (const Tensor* picture : {&painting, &style, &photograph}) {
    require(picture->rank() == 4 && picture->size(0) == 1 && picture->size(1) == 3 &&
                picture->size(2) >= 64 && picture->size(3) >= 64,
            "Judge: a picture has shape ", picture->shape(),
            "; it must be (1, 3, H, W) with H and W of at least 64");
  }
  check_texture(style);
  const Index height = style.size(2), width = style.size(3);
  const bool wide = width >= height;
  const Tensor first = wide ? crop(style, 0, 0, height, width / 2) : crop(style, 0, 0, height / 2, width);
  const Tensor second = wide ? crop(style, 0, width - width / 2, height, width / 2)
                             : crop(style, height - height / 2, 0, height / 2, width);
  const std::vector<Tap> taps = network_.taps(painting), of_half = network_.taps(second);
  Judgement judgement{};
  for (const StyleStatistic statistic : {StyleStatistic::gram, StyleStatistic::wasserstein}) {
    const std::uint64_t draws = statistic == StyleStatistic::gram ? 1 : kDraws;
    const double whole = distance(StyleTarget(network_, {style}, statistic), taps, draws);
    // Of a pattern whose halves are the same, rounding is left.
    const double halves = std::max(1e-6, distance(StyleTarget(network_, {first}, statistic), of_half, draws));
    (statistic == StyleStatistic::gram ? judgement.gram : judgement.wasserstein) = whole / halves;
  }
  const Tensor& own = taps.back().style;
  const auto compare = [&](const Tensor& other) {
    return cosine(own, network_.content(resize_picture(other, painting.size(2), painting.size(3))).front());
  };
  double with_others = 0;
  for (const Tensor& other : others_) {
    with_others += compare(other) / static_cast<double>(others_.size());
  }
  judgement.content = compare(photograph) - with_others;
  return judgement;
}

}  // namespace gesso
