#include "losses.h"

#include <algorithm>
#include <map>

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/channel_moments.h"
#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/optimal_transport.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/normalization/moments.h"
#include "gesso/core/parallel.h"

namespace gesso {

namespace {

// Of what a distance is divided by, lest a nearly black or empty style picture weigh without bound.
constexpr double kLeastScale = 1e-6;

// The features (V, C, H, W) at up to StyleTarget::kStylePlaces positions, as (1, C, 1, positions): one at
// random in each of as many stretches of equal length, so that no period of the picture is met or missed.
Tensor features_at_places(const Tensor& features) {
  const Index channels = features.size(1), pixels = features.size(2) * features.size(3);
  const Index all = features.size(0) * pixels, places = std::min(all, StyleTarget::kStylePlaces);
  Generator rng(1);
  std::vector<Index> chosen;  // of the first channel
  for (Index i = 0; i < places; ++i) {
    const Index begin = i * all / places, end = (i + 1) * all / places;
    const Index at = begin + rng.below(end - begin);
    chosen.push_back(at / pixels * channels * pixels + at % pixels);
  }
  Tensor result = Tensor::empty({1, channels, 1, places}, features.dtype());
  with_dtype(features.dtype(), [&]<class T>() {
    const T* from = features.data<T>();
    T* to = result.mutable_data<T>();
    for (Index c = 0; c < channels; ++c, from += pixels) {
      for (const Index place : chosen) {
        *to++ = from[place];
      }
    }
  });
  return result;
}

// Which samples of the whole batch x has, and how many there are in all.
struct Samples {
  explicit Samples(const Tensor& x) : total(x.size(0)), end(total) {
    if (const auto share = BatchShare::current()) {
      total = share->total();
      first = share->first();
      end = first + share->count();
    }
  }
  Index total, first = 0, end;
};

// The variance of x (N, C, H, W) over the positions of the whole batch, channel by channel; of those the mean.
double mean_variance(const Tensor& x) {
  const Index samples = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  std::vector<double> rows(static_cast<std::size_t>(3 * samples * channels));  // count, mean, m2
  with_dtype(x.dtype(), [&]<class T>() {
    parallel_for(samples * channels, 1, [&](Index plane, Index) {
      const Moments m = moments(x.data<T>() + plane * pixels, pixels);
      double* row = &rows[static_cast<std::size_t>(3 * plane)];
      row[0] = static_cast<double>(m.count);
      row[1] = m.mean;
      row[2] = m.m2;
    });
  });
  if (const auto share = BatchShare::current()) {
    rows = share->gather("content_loss", samples, rows)();
  }
  double sum = 0;
  for (Index c = 0; c < channels; ++c) {
    Moments all;
    for (std::size_t i = static_cast<std::size_t>(3 * c); i < rows.size();
         i += static_cast<std::size_t>(3 * channels)) {
      all.merge({static_cast<Index>(rows[i]), rows[i + 1], rows[i + 2]});
    }
    sum += all.variance();
  }
  return sum / static_cast<double>(channels);
}

// squared_wasserstein() of each sample to its own target, of any number of positions; a single one is for
// all.
Tensor distances_to(const std::vector<Tensor>& targets, const Tensor& x) {
  if (targets.size() == 1) {
    return squared_wasserstein(x, targets.front());
  }
  std::vector<Tensor> all;
  for (std::size_t n = 0; n < targets.size(); ++n) {
    const auto at = static_cast<Index>(n);
    all.push_back(squared_wasserstein(slice(x, 0, at, at + 1), targets[n]));
  }
  return concat(all, 0);
}

}  // namespace

const std::vector<std::string>& known_style_losses() {
  static const std::vector<std::string> names = {"gram", "wasserstein"};
  return names;
}

StyleStatistic style_statistic(const std::string& name) {
  require(name == "gram" || name == "wasserstein", "style-loss: unknown loss '", name,
          "'; known are gram, wasserstein");
  return name == "gram" ? StyleStatistic::gram : StyleStatistic::wasserstein;
}

void check_texture(const Tensor& picture) {
  require(mean(variance(picture, {0, 2, 3}, {.unbiased = false})).item() > 0,
          "style picture: it is all one colour; choose a picture with some texture");
}

StyleTarget::StyleTarget(const LossNetwork& network, const std::vector<Tensor>& pictures,
                         StyleStatistic statistic)
    : statistic_(statistic) {
  require(!pictures.empty(), "style picture: there is none");
  const NoGradGuard no_grad;
  for (const Tensor& picture : pictures) {
    require(picture.rank() == 4 && picture.size(0) >= 1, "style picture: it has shape ", picture.shape(),
            "; it must be one picture or several views of one, (V, 3, H, W)");
    const std::vector<Tap> taps = network.taps(picture);
    taps_.resize(taps.size());
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const Tensor& features = taps[i].style;
      if (!features.defined()) {
        continue;
      }
      if (statistic == StyleStatistic::gram) {
        const Tensor gram = mean(gram_matrix(features, GramNormalizer::pixels), {0}, true);
        taps_[i].styles.push_back(gram);
        taps_[i].weights.push_back(1 / std::max(kLeastScale, mean(square(gram)).item()));
      } else {
        taps_[i].styles.push_back(features_at_places(features));
        const double mean_variance = mean(variance(features, {0, 2, 3}, {.unbiased = false})).item();
        taps_[i].weights.push_back(1 / std::max(kLeastScale, mean_variance));
      }
    }
  }
  for (Features& of_tap : taps_) {
    if (of_tap.styles.size() < pictures.size()) {
      of_tap = {};
    }
  }
}

// Unit vectors in C dimensions, as the weights of a 1x1 convolution: projecting is one matrix product.
Tensor StyleTarget::directions(std::size_t i, std::uint64_t number) const {
  const Tensor& features = taps_[i].styles.front();
  Generator rng(number * taps_.size() + i);
  const Tensor normal = Tensor::randn({kDirections, features.size(1), 1, 1}, rng, features.dtype());
  return normal / sqrt(sum(square(normal), {1}, true));
}

NamedTensors StyleTarget::constants(std::uint64_t number) const {
  NamedTensors all;
  for (std::size_t i = 0; i < taps_.size(); ++i) {
    for (std::size_t s = 0; s < taps_[i].styles.size(); ++s) {
      all.emplace_back(concat_text("features.", i, ".", s), taps_[i].styles[s]);
      all.emplace_back(concat_text("weight.", i, ".", s), Tensor::scalar(taps_[i].weights[s]));
    }
    if (statistic_ == StyleStatistic::wasserstein && !taps_[i].styles.empty()) {
      all.emplace_back(concat_text("directions.", i), directions(i, number));
    }
  }
  return all;
}

Tensor StyleTarget::gram_distances(std::size_t i, const Tensor& features,
                                   const std::vector<Index>& styles) const {
  const double samples = static_cast<double>(styles.size());
  const Index channels = features.size(1);
  std::map<Index, double> members;  // of each style, how many samples
  for (const Index style : styles) {
    if (style != kNoStyle) {
      members[style] += 1;
    }
  }
  const Tensor grams = gram_matrix(features, GramNormalizer::pixels);
  Tensor total = Tensor::scalar(0, features.dtype());
  for (const auto& [style, count] : members) {
    std::vector<double> shares;  // of each sample in the style's mean
    for (const Index each : styles) {
      shares.push_back(each == style ? 1 / count : 0);
    }
    const Tensor gram = sum_samples(grams, shares).reshape({1, channels, channels});
    const double weight =
        taps_[i].weights[style] * count / samples / static_cast<double>(channels * channels);
    total = total + sum(square(gram - taps_[i].styles[style])) * weight;
  }
  return total;
}

Tensor StyleTarget::wasserstein_distances(std::size_t i, const Tensor& features,
                                          const std::vector<Index>& styles, std::uint64_t number) const {
  const Tensor slices = directions(i, number);
  const Samples samples(features);
  std::vector<Tensor> wanted;        // by this process's samples
  std::map<Index, Tensor> of_style;  // what samples of a style share
  std::vector<double> weights;       // of all
  {
    const NoGradGuard no_grad;
    for (Index n = 0; n < samples.total; ++n) {
      const Index style = styles[static_cast<std::size_t>(n)], row = style == kNoStyle ? 0 : style;
      if (n >= samples.first && n < samples.end) {
        const auto [entry, is_new] = of_style.try_emplace(row);
        if (is_new) {
          entry->second = conv2d(taps_[i].styles[row], slices, {});
        }
        wanted.push_back(entry->second);
      }
      weights.push_back(style == kNoStyle ? 0 : taps_[i].weights[row]);
    }
  }
  if (of_style.size() == 1) {
    wanted.resize(1);
  }
  const Tensor of_directions = Tensor::from(weights, {samples.total, 1}, features.dtype()) *
                               (1 / static_cast<double>(kDirections * samples.total));
  return sum(gather_samples(distances_to(wanted, conv2d(features, slices, {}))) * of_directions);
}

Tensor StyleTarget::loss(const std::vector<Tap>& taps, const std::vector<Index>& styles,
                         std::uint64_t number) const {
  require(taps.size() == taps_.size(), "StyleTarget::loss: ", taps.size(), " taps for a style picture of ",
          taps_.size(), "; they must be of the same loss network");
  Tensor total;
  int count = 0;
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const Tensor& features = taps[i].style;
    const Features& target = taps_[i];
    if (!features.defined() || target.styles.empty()) {
      continue;
    }
    const Index samples = Samples(features).total;
    require(styles.size() == 1 || static_cast<Index>(styles.size()) == samples,
            "StyleTarget::loss: ", styles.size(), " styles for a batch of ", samples,
            "; give one for each sample, or one for all");
    std::vector<Index> of_samples = styles;
    of_samples.resize(samples, styles.front());
    for (const Index style : of_samples) {
      require(style == kNoStyle || (style >= 0 && style < static_cast<Index>(target.styles.size())),
              "StyleTarget::loss: there is no style ", style, "; there are ", target.styles.size(),
              " style pictures");
    }
    const Tensor term = statistic_ == StyleStatistic::gram
                            ? gram_distances(i, features, of_samples)
                            : wasserstein_distances(i, features, of_samples, number);
    total = total.defined() ? total + term : term;
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
    const double scale = mean_variance(target) + 1e-3;
    const Tensor term = mean(gather_samples(mse_of_samples(tap.content, target))) * (1 / scale);
    total = total.defined() ? total + term : term;
    ++count;
  }
  require(count > 0, "content_loss: the loss network has no content taps");
  return total * (1 / static_cast<double>(count));
}

Tensor range_loss(const Tensor& pictures) {
  const Tensor outside = relu(abs(pictures - 0.5) - 0.5);
  return mean(gather_samples(mse_of_samples(outside, Tensor::zeros(outside.shape(), outside.dtype()))));
}

Tensor photograph_loss(const Tensor& output, const Tensor& photographs, const std::vector<Index>& styles) {
  std::vector<double> counts;
  for (const Index style : styles) {
    counts.push_back(style == kNoStyle ? 1 : 0);
  }
  const Tensor weights = Tensor::from(counts, {static_cast<Index>(counts.size())}, output.dtype());
  return mean(gather_samples(mse_of_samples(output, photographs)) * weights);
}

Losses style_transfer_losses(const LossNetwork& network, const StyleTarget& style, const Tensor& output,
                             const Tensor& photographs, const LossWeights& weights,
                             const std::vector<Index>& styles, std::uint64_t number) {
  std::vector<Tensor> photograph_content;
  {
    const NoGradGuard no_grad;
    photograph_content = network.content(photographs);
  }
  const std::vector<Tap> taps = network.taps(output);
  const Tensor content = content_loss(taps, photograph_content);
  const Tensor style_term = style.loss(taps, styles, number);
  const Tensor tv = mean(gather_samples(total_variation_of_samples(output)));
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

}  // namespace gesso
