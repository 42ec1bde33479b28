// The losses of style transfer: content, style, total variation and range. Where a batch is shared out among processes
// (autograd/batch_share.h), pictures and features are of the process's own samples, lists of styles and the losses
// themselves of the whole batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gesso/core/files/safetensors.h"
#include "loss_network.h"

namespace gesso {

/// How much each loss counts.
struct LossWeights {
  double content = 1;
  double style = 5;
  double tv = 0.05;
  double range = 20;
  double photograph = 800;  ///< of samples that are to stay as they are
  double steadiness = 0;    ///< of a disturbed copy of half the batch: see steadiness.h
};

/// The losses of one batch, unweighted, and their weighted sum to train on.
struct Losses {
  Tensor total;  ///< scalar, differentiable
  double content = 0;
  double style = 0;
  double tv = 0;
  double range = 0;
  double photograph = 0;
  double steadiness = 0;
};

/// For a sample that is painted in no style but stays a photograph.
inline constexpr Index kNoStyle = -1;

/// What of a picture's features is its style.
enum class StyleStatistic {
  /// The Gram matrix: how strongly channels are present, and with which others (Gatys et al. 2015).
  gram,
  /// The distribution of features, compared by the sliced Wasserstein distance (Heitz et al. 2021, arXiv
  /// 2006.07229): Gram matrices cannot tell a few bright stars from an even haze. It presses the palette
  /// harder, and more of the photograph's own colours out.
  wasserstein
};

/// "gram", "wasserstein".
const std::vector<std::string>& known_style_losses();

/// The one of that name. Throws ArgumentError for other names.
StyleStatistic style_statistic(const std::string& name);

/// Throws ArgumentError for a picture (1, 3, H, W) of one colour, which has no style to learn.
void check_texture(const Tensor& picture);

/// What is kept of style pictures.
class StyleTarget {
 public:
  static constexpr Index kStylePlaces = 4096;
  static constexpr Index kDirections = 16;

  /// Each picture is (V, 3, H, W): V views of it, whose statistics count alike. Throws ArgumentError for one
  /// that is too small.
  StyleTarget(const LossNetwork& network, const std::vector<Tensor>& pictures,
              StyleStatistic statistic = StyleStatistic::gram);

  /// How far pictures with these taps are from the style: 0 only for equal statistics, and of a scale that
  /// suits every picture, every tap and every loss network, so that the same weight does. The mean over taps
  /// and samples of, with f the tap's features, (C, places), and f_s those of the style picture,
  ///
  ///     gram:         mean((G - G_s)^2) / mean(G_s^2),   G = f f^T / places, averaged over all samples
  ///                   of the same style: a batch shall have the style, not every crop all of it, so a clear
  ///                   sky may stay clear
  ///     wasserstein:  the mean over kDirections random unit vectors u of W(u f, u f_s)^2 / (tr(cov_s) / C)
  ///
  /// W is the Wasserstein distance between the projections over all places (squared_wasserstein(); of the
  /// style up to kStylePlaces are kept, evenly spread), and tr(cov_s) / C is the mean variance of the style's
  /// projections. `number` chooses the directions: the same number, the same directions. Sample n is compared
  /// with style styles[n], or with none if that is kNoStyle; a single entry is for all.
  Tensor loss(const std::vector<Tap>& taps, const std::vector<Index>& styles = {0},
              std::uint64_t number = 0) const;

  /// What loss(..., number) computes with, for those who want to compute the same elsewhere: for tap i and
  /// style s, "features.i.s" ((1, C, 1, places), or the Gram matrix, (1, C, C)) and "weight.i.s" (); for
  /// wasserstein also "directions.i", (kDirections, C, 1, 1).
  NamedTensors constants(std::uint64_t number = 0) const;

 private:
  struct Features {
    std::vector<Tensor> styles;   // of each style: (1, C, 1, places) or (1, C, C)
    std::vector<double> weights;  // of each style: C / tr(cov) or 1 / mean(G^2)
  };
  // Those of tap i, whatever other taps there are.
  Tensor directions(std::size_t i, std::uint64_t number) const;
  // The mean over samples of their distances from their styles in tap i.
  Tensor gram_distances(std::size_t i, const Tensor& features, const std::vector<Index>& styles) const;
  Tensor wasserstein_distances(std::size_t i, const Tensor& features, const std::vector<Index>& styles,
                               std::uint64_t number) const;

  StyleStatistic statistic_;
  std::vector<Features> taps_;  // of all taps; empty without a style, or for too small a picture
};

/// Mean over the content taps of mean((f - f_c)^2) / mean(var(f_c)), where f_c is the photographs' content
/// and var their variance over all positions of the batch, channel by channel: 0 for the photographs
/// themselves, about 2 for unrelated ones.
Tensor content_loss(const std::vector<Tap>& taps, const std::vector<Tensor>& photograph_content);

/// mean(relu(|y - 0.5| - 0.5)^2): what leaves [0, 1] cannot be shown, and costs.
Tensor range_loss(const Tensor& pictures);

/// Mean square difference from the photographs of those samples of `output` whose style is kNoStyle, averaged
/// over the batch.
Tensor photograph_loss(const Tensor& output, const Tensor& photographs, const std::vector<Index>& styles);

/// All losses of the network's `output` (N, 3, H, W) for `photographs` of the same shape, sample n painted in
/// style styles[n] (a single entry is for all), `number` as StyleTarget::loss() takes it.
Losses style_transfer_losses(const LossNetwork& network, const StyleTarget& style, const Tensor& output,
                             const Tensor& photographs, const LossWeights& weights,
                             const std::vector<Index>& styles = {0}, std::uint64_t number = 0);

}  // namespace gesso
