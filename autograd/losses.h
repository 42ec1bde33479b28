// Losses: one number, shape (), that says how far something is from where it should be. Each is computed in
// one pass over its arguments; sums are added up in float64.
#pragma once

#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

/// mean((x - target)^2). Throws ArgumentError unless shapes and dtypes are equal (broadcasting a loss is
/// nearly always a mistake) and there is at least one element.
Tensor mse_loss(const Tensor& x, const Tensor& target);

/// mse_loss() of each sample of x (N, ...) by itself: (N). Where the samples of a batch are in several processes,
/// mean(gather_samples(mse_of_samples(x, target))) is the loss of them all (batch_share.h). Throws as mse_loss() does, but
/// for an empty batch, and below one dimension.
Tensor mse_of_samples(const Tensor& x, const Tensor& target);

/// mean(|x - target|), with gradient 0 where the two are equal. Throws as mse_loss does.
Tensor l1_loss(const Tensor& x, const Tensor& target);

struct CrossEntropyOptions {
  /// From 0 to 1: how much of the target is spread evenly over all classes instead of on the label (Szegedy et al.
  /// 2015, arXiv 1512.00567, section 7), against certainty beyond reason.
  double label_smoothing = 0;
};

/// The mean over samples of -sum over c of t[c] log softmax(logits)[c], for logits (N, C) and N labels from 0 to
/// C - 1; t is 1 at the label and 0 elsewhere, or, smoothed by s, s / C everywhere and 1 - s more at the label. Rows
/// are shifted by their largest logit, so nothing overflows. Throws ArgumentError for wrong shapes, N or C of 0, a
/// label out of range, and a smoothing that is not from 0 to 1.
Tensor cross_entropy(const Tensor& logits, const std::vector<Index>& labels,
                     const CrossEntropyOptions& options = {});

enum class TotalVariation {
  squared,  ///< differences squared: smooth, spreads edges
  absolute  ///< absolute differences: keeps edges; gradient 0 where neighbours are equal
};

/// How rough pictures (..., H, W) are: the mean of f(right - here) and f(below - here) over all pairs of
/// neighbours,
///     (sum f(x[i, j+1] - x[i, j]) + sum f(x[i+1, j] - x[i, j])) / (horizontal pairs + vertical pairs)
/// with f(d) = d^2 or |d|; 0 where no pixel has a neighbour. Throws ArgumentError below two dimensions.
Tensor total_variation(const Tensor& x, TotalVariation kind = TotalVariation::squared);

/// total_variation() of each sample of x (N, ..., H, W) by itself: (N). Throws ArgumentError below three dimensions.
Tensor total_variation_of_samples(const Tensor& x, TotalVariation kind = TotalVariation::squared);

}  // namespace gesso
