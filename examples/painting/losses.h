// The losses of style transfer: content, style, total variation and range.
#pragma once

#include <cstdint>
#include <vector>

#include "gesso/core/files/safetensors.h"
#include "loss_network.h"

namespace gesso {

/// How much each loss counts.
struct LossWeights {
  double content = 1;
  double style = 60;
  double tv = 0.05;
  double range = 20;
  double photograph = 800;  ///< of samples that are to stay as they are
};

/// The losses of one batch, unweighted, and their weighted sum to train on.
struct Losses {
  Tensor total;  ///< scalar, differentiable
  double content = 0;
  double style = 0;
  double tv = 0;
  double range = 0;
  double photograph = 0;
};

/// For a sample that is painted in no style but stays a photograph.
inline constexpr Index kNoStyle = -1;

/// What is kept of style pictures: for each style tap, the features at up to kStylePlaces positions, evenly
/// spread.
class StyleTarget {
 public:
  static constexpr Index kStylePlaces = 4096;
  static constexpr Index kDirections = 16;

  /// Each picture is (1, 3, H, W). Throws ArgumentError for a style picture without any texture (all its taps
  /// constant), or one that is too small.
  StyleTarget(const LossNetwork& network, const std::vector<Tensor>& pictures);

  /// The sliced Wasserstein distance of features (Heitz et al. 2021, arXiv 2006.07229): the mean over taps
  /// and over kDirections random unit vectors u of W(u f, u f_s)^2 / (tr(cov_s) / C), averaged over the
  /// batch. W is the Wasserstein distance between the projections of the features f and of the style
  /// picture's f_s over all positions (squared_wasserstein()), and tr(cov_s) / C is the mean variance of the
  /// style's projections, so that the same weight suits every picture, every tap and every loss network. It
  /// is 0 only for equal distributions; means and covariances (Gatys et al. 2015) cannot tell a few bright
  /// stars from an even haze. Sample n is compared with style styles[n], or with none if that is kNoStyle; a
  /// single entry is for all. `number` chooses the directions: the same number, the same directions.
  Tensor loss(const std::vector<Tap>& taps, const std::vector<Index>& styles = {0},
              std::uint64_t number = 0) const;

  /// What loss(..., number) computes with, for those who want to compute the same elsewhere: for tap i and
  /// style s, "features.i.s", (1, C, 1, positions); "weight.i.s", (); "directions.i", (kDirections, C, 1, 1).
  NamedTensors constants(std::uint64_t number = 0) const;

 private:
  struct Features {
    std::vector<Tensor> styles;   // S times (1, C, 1, positions)
    std::vector<double> weights;  // C / tr(cov)
  };
  // Those of tap i, whatever other taps there are.
  Tensor directions(std::size_t i, std::uint64_t number) const;

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

/// For style pictures that change with every batch, so that no scale can be found for each beforehand: the
/// mean over taps of |mean - mean_s|^2 / (v + v_s) + |cov - cov_s|^2 / (e + e_s), averaged over the batch,
/// where v and v_s are the traces of both covariances, e and e_s the sums of their squares, all four taken as
/// constants. A blurred style picture, with next to no variance in fine taps, then costs as little as any.
/// Sample n of `taps` is compared with sample n of `style_taps`, or with none if styles[n] is kNoStyle.
Tensor bounded_style_loss(const std::vector<Tap>& taps, const std::vector<Tap>& style_taps,
                          const std::vector<Index>& styles);

/// As style_transfer_losses(), sample n in the style of style_pictures[n], by bounded_style_loss().
Losses any_style_losses(const LossNetwork& network, const Tensor& style_pictures, const Tensor& output,
                        const Tensor& photographs, const LossWeights& weights,
                        const std::vector<Index>& styles);

}  // namespace gesso
