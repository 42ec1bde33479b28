#include "losses.h"

#include <algorithm>

#include "gesso/autograd/channel_moments.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/node.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"

namespace gesso {

namespace {

// The rows of `table` for each sample, of zeros for kNoStyle; a single row stays one and is for all.
Tensor rows_of(const Tensor& table, const std::vector<std::int64_t>& rows) {
  std::vector<Tensor> picked;
  for (const std::int64_t row : rows) {
    picked.push_back(row == kNoStyle ? Tensor::zeros(table.slice(0, 1).shape(), table.dtype())
                                     : table.slice(row, row + 1));
  }
  return picked.size() == 1 ? picked.front() : concat(picked, 0);
}

}  // namespace

StyleTarget::StyleTarget(const LossNetwork& network, const std::vector<Tensor>& pictures) {
  require(!pictures.empty(), "style picture: there is none");
  const NoGradGuard no_grad;
  std::vector<std::vector<ChannelMoments>> moments;  // by tap and picture; left out where there are none
  for (const Tensor& picture : pictures) {
    require(picture.rank() == 4 && picture.size(0) == 1, "style picture: it has shape ", picture.shape(),
            "; it must be one picture, (1, 3, H, W)");
    const std::vector<Tap> taps = network.taps(picture);
    moments.resize(taps.size());
    for (std::size_t i = 0; i < taps.size(); ++i) {
      if (taps[i].style.defined()) {
        moments[i].push_back(channel_moments(taps[i].style));
      }
    }
  }
  for (const std::vector<ChannelMoments>& of_tap : moments) {
    if (of_tap.size() < pictures.size()) {
      taps_.emplace_back();
      continue;
    }
    std::vector<Tensor> means, covariances;
    std::vector<double> mean_weights, covariance_weights;
    for (const auto& [mean, covariance] : of_tap) {
      double variance = 0;
      for (std::int64_t c = 0; c < covariance.size(1); ++c) {
        variance += covariance.at({0, c, c});
      }
      const double energy = sum(square(covariance)).item();
      require(energy > 0 && variance > 0,
              "style picture: it is all one colour; choose a picture with some texture");
      means.push_back(mean);
      covariances.push_back(covariance);
      mean_weights.push_back(1 / variance);
      covariance_weights.push_back(1 / energy);
    }
    const std::int64_t count = static_cast<std::int64_t>(pictures.size());
    const DType dtype = means.front().dtype();
    taps_.push_back({concat(means, 0), concat(covariances, 0), Tensor::from(mean_weights, {count, 1}, dtype),
                     Tensor::from(covariance_weights, {count, 1, 1}, dtype)});
  }
}

Tensor StyleTarget::loss(const std::vector<Tap>& taps, const std::vector<std::int64_t>& styles) const {
  require(taps.size() == taps_.size(), "StyleTarget::loss: ", taps.size(), " taps for a style picture of ",
          taps_.size(), "; they must be of the same loss network");
  Tensor total;
  int count = 0;
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const Tensor& features = taps[i].style;
    const Statistics& target = taps_[i];
    if (!features.defined() || !target.mean.defined()) {
      continue;
    }
    const std::int64_t samples = features.size(0);
    require(styles.size() == 1 || static_cast<std::int64_t>(styles.size()) == samples,
            "StyleTarget::loss: ", styles.size(), " styles for a batch of ", samples,
            "; give one for each sample, or one for all");
    const ChannelMoments moments = channel_moments(features);
    const Tensor mean_term =
        sum(square(moments.mean - rows_of(target.mean, styles)) * rows_of(target.mean_weight, styles));
    const Tensor covariance_term = sum(square(moments.covariance - rows_of(target.covariance, styles)) *
                                       rows_of(target.covariance_weight, styles));
    const Tensor both = (mean_term + covariance_term) * (1 / static_cast<double>(samples));
    total = total.defined() ? total + both : both;
    ++count;
  }
  require(total.defined(),
          "StyleTarget::loss: the pictures and the style pictures have no style tap in common");
  return total * (1.0 / count);
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

Tensor photograph_loss(const Tensor& output, const Tensor& photographs,
                       const std::vector<std::int64_t>& styles) {
  std::vector<double> counts;
  for (const std::int64_t style : styles) {
    counts.push_back(style == kNoStyle ? 1 : 0);
  }
  const Tensor weights =
      Tensor::from(counts, {static_cast<std::int64_t>(counts.size()), 1, 1, 1}, output.dtype());
  return mean(square(output - photographs) * weights);
}

namespace {

// All losses, the style's being style_loss(taps of the output).
template <class StyleLoss>
Losses losses_with(const LossNetwork& network, StyleLoss style_loss, const Tensor& output,
                   const Tensor& photographs, const LossWeights& weights,
                   const std::vector<std::int64_t>& styles) {
  std::vector<Tensor> photograph_content;
  {
    const NoGradGuard no_grad;
    photograph_content = network.content(photographs);
  }
  const std::vector<Tap> taps = network.taps(output);
  const Tensor content = content_loss(taps, photograph_content);
  const Tensor style_term = style_loss(taps);
  const Tensor tv = total_variation(output);
  const Tensor range = range_loss(output);
  Losses losses;
  losses.total =
      content * weights.content + style_term * weights.style + tv * weights.tv + range * weights.range;
  if (std::find(styles.begin(), styles.end(), kNoStyle) != styles.end()) {
    const Tensor photograph = photograph_loss(output, photographs, styles);
    losses.total = losses.total + photograph * weights.photograph;
    losses.photograph = photograph.item();
  }
  losses.content = content.item();
  losses.style = style_term.item();
  losses.tv = tv.item();
  losses.range = range.item();
  return losses;
}

}  // namespace

Losses style_transfer_losses(const LossNetwork& network, const StyleTarget& style, const Tensor& output,
                             const Tensor& photographs, const LossWeights& weights,
                             const std::vector<std::int64_t>& styles) {
  return losses_with(
      network, [&](const std::vector<Tap>& taps) { return style.loss(taps, styles); }, output, photographs,
      weights, styles);
}

Tensor bounded_style_loss(const std::vector<Tap>& taps, const std::vector<Tap>& style_taps,
                          const std::vector<std::int64_t>& styles) {
  require(taps.size() == style_taps.size(), "bounded_style_loss: ", taps.size(), " taps and ",
          style_taps.size(), " of the style pictures; they must be of the same loss network");
  Tensor total;
  int count = 0;
  for (std::size_t i = 0; i < taps.size(); ++i) {
    if (!taps[i].style.defined() || !style_taps[i].style.defined()) {
      continue;
    }
    const std::int64_t samples = taps[i].style.size(0), channels = taps[i].style.size(1);
    require(samples == static_cast<std::int64_t>(styles.size()) && samples == style_taps[i].style.size(0),
            "bounded_style_loss: ", samples, " pictures, ", style_taps[i].style.size(0),
            " style pictures and ", styles.size(), " styles; there must be one for each");
    const ChannelMoments own = channel_moments(taps[i].style);
    ChannelMoments style;
    Tensor mean_weight, covariance_weight;
    {
      const NoGradGuard no_grad;
      style = channel_moments(style_taps[i].style);
      std::vector<double> mean_weights, covariance_weights;
      for (std::int64_t n = 0; n < samples; ++n) {
        // What cannot be seen counts as nothing: two gray pictures, whose colours vary by rounding, are
        // alike.
        double variance = 1e-3, energy = 1e-6;
        for (const Tensor& covariance : {own.covariance, style.covariance}) {
          energy += sum(square(covariance.slice(n, n + 1))).item();
          for (std::int64_t c = 0; c < channels; ++c) {
            variance += covariance.at({n, c, c});
          }
        }
        const double counts = styles[n] == kNoStyle ? 0 : 1 / static_cast<double>(samples);
        mean_weights.push_back(counts / variance);
        covariance_weights.push_back(counts / energy);
      }
      mean_weight = Tensor::from(mean_weights, {samples, 1}, own.mean.dtype());
      covariance_weight = Tensor::from(covariance_weights, {samples, 1, 1}, own.mean.dtype());
    }
    const Tensor term = sum(square(own.mean - style.mean) * mean_weight) +
                        sum(square(own.covariance - style.covariance) * covariance_weight);
    total = total.defined() ? total + term : term;
    ++count;
  }
  require(total.defined(), "bounded_style_loss: the pictures have no style tap in common");
  return total * (1.0 / count);
}

Losses any_style_losses(const LossNetwork& network, const Tensor& style_pictures, const Tensor& output,
                        const Tensor& photographs, const LossWeights& weights,
                        const std::vector<std::int64_t>& styles) {
  std::vector<Tap> style_taps;
  {
    const NoGradGuard no_grad;
    style_taps = network.taps(style_pictures);
  }
  return losses_with(
      network, [&](const std::vector<Tap>& taps) { return bounded_style_loss(taps, style_taps, styles); },
      output, photographs, weights, styles);
}

}  // namespace gesso
