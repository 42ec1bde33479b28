#include "losses.h"

#include "gesso/autograd/channel_moments.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/node.h"
#include "gesso/autograd/reduce.h"

namespace gesso {

StyleTarget::StyleTarget(const LossNetwork& network, const Tensor& picture) {
  require(picture.rank() == 4 && picture.size(0) == 1, "style picture: it has shape ", picture.shape(),
          "; it must be one picture, (1, 3, H, W)");
  const NoGradGuard no_grad;
  for (const Tap& tap : network.taps(picture)) {
    if (!tap.style.defined()) {
      continue;
    }
    Statistics statistics;
    const ChannelMoments moments = channel_moments(tap.style);
    statistics.mean = moments.mean;
    statistics.covariance = moments.covariance;
    const std::int64_t channels = tap.style.size(1);
    for (std::int64_t c = 0; c < channels; ++c) {
      statistics.variance += statistics.covariance.at({0, c, c});
    }
    statistics.energy = sum(square(statistics.covariance)).item();
    require(statistics.energy > 0 && statistics.variance > 0,
            "style picture: it is all one colour; choose a picture with some texture");
    taps_.push_back(statistics);
  }
}

Tensor StyleTarget::loss(const std::vector<Tap>& taps) const {
  Tensor total;
  std::size_t i = 0;
  for (const Tap& tap : taps) {
    if (!tap.style.defined()) {
      continue;
    }
    require(i < taps_.size(), "StyleTarget::loss: there are more style taps than the style picture's ",
            taps_.size());
    const Statistics& target = taps_[i++];
    const double count = static_cast<double>(tap.style.size(0) * static_cast<std::int64_t>(taps_.size()));
    const ChannelMoments moments = channel_moments(tap.style);
    const Tensor mean_term = sum(square(moments.mean - target.mean)) * (1 / (target.variance * count));
    const Tensor covariance_term =
        sum(square(moments.covariance - target.covariance)) * (1 / (target.energy * count));
    const Tensor both = mean_term + covariance_term;
    total = total.defined() ? total + both : both;
  }
  require(i == taps_.size(), "StyleTarget::loss: ", i, " style taps for a style picture of ", taps_.size());
  return total;
}

Tensor content_loss(const std::vector<Tap>& taps, const std::vector<Tensor>& photograph_content) {
  Tensor total;
  std::size_t count = 0;
  for (const Tap& tap : taps) {
    if (!tap.content.defined()) {
      continue;
    }
    require(count < photograph_content.size(),
            "content_loss: there are more content taps than the photographs' ", photograph_content.size());
    const Tensor& target = photograph_content[count];
    // The mean variance of a channel; the small number keeps a batch of blank photographs finite.
    const double scale = mean(variance(target, {0, 2, 3}, {.unbiased = false})).item() + 1e-3;
    const Tensor term = mse_loss(tap.content, target) * (1 / scale);
    total = total.defined() ? total + term : term;
    ++count;
  }
  require(count > 0, "content_loss: the loss network has no content taps");
  return total * (1 / static_cast<double>(count));
}

Tensor range_loss(const Tensor& pictures) { return mean(square(relu(abs(pictures - 0.5) - 0.5))); }

Losses style_transfer_losses(const LossNetwork& network, const StyleTarget& style, const Tensor& output,
                             const Tensor& photographs, const LossWeights& weights) {
  std::vector<Tensor> photograph_content;
  {
    const NoGradGuard no_grad;
    photograph_content = network.content(photographs);
  }
  const std::vector<Tap> taps = network.taps(output);
  const Tensor content = content_loss(taps, photograph_content);
  const Tensor style_term = style.loss(taps);
  const Tensor tv = total_variation(output);
  const Tensor range = range_loss(output);
  Losses losses;
  losses.total =
      content * weights.content + style_term * weights.style + tv * weights.tv + range * weights.range;
  losses.content = content.item();
  losses.style = style_term.item();
  losses.tv = tv.item();
  losses.range = range.item();
  return losses;
}

}  // namespace gesso
