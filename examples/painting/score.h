// How well a repainted picture has the style of one picture and the content of another, by measures of its
// pixels: no loss network decides them. Style is measured by the same kind of distance that training reduces,
// of other features: see docs/loss_networks.md.
#pragma once

#include <cstdint>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

struct ScoreOptions {
  Index patch = 7;         ///< side of the patches, pixels
  int scales = 3;          ///< the picture itself, halved, halved again, ...
  Index samples = 4096;    ///< patches drawn from each picture, with repetition
  Index directions = 128;  ///< random projections
  std::uint64_t seed = 1;  ///< decides which patches and which directions
};

/// The sliced Wasserstein distance (Rabin et al. 2011) between the patches of two pictures (1, 3, H, W) in
/// [0, 1] of any sizes: patches are points in 3 patch^2 dimensions; projected on a random direction u, |u| =
/// 1, two sets of equally many points are as far apart as their sorted projections are on average,
///
///     mean over u of mean over i of |sort(a u)_i - sort(b u)_i|
///
/// 0 for equal sets. It compares whole distributions, as the style loss does with a loss network's features.
/// Uses patch, samples, directions and seed of `options`. Throws ArgumentError for other shapes, pictures
/// smaller than a patch and options below 1.
double sliced_wasserstein(const Tensor& a, const Tensor& b, const ScoreOptions& options = {});

/// The correlation of two pictures' edges: of the gradient magnitudes of their luminance (central
/// differences) over all inner pixels. 1 for the same edges, about 0 for unrelated pictures; contrast and
/// brightness do not matter. 0 where one has no edges. Throws ArgumentError unless both are (1, 3, H, W) with
/// the same H and W of at least 3.
double edge_agreement(const Tensor& a, const Tensor& b);

/// How much of a photograph's structure a painting of it keeps: the mean edge_agreement() of both halved once and
/// twice, which single strokes do not decide. Throws ArgumentError as that does; H and W must be at least 12.
double structure_kept(const Tensor& painting, const Tensor& photograph);

struct PictureScore {
  double palette;               ///< sliced_wasserstein() of single pixels: colours alone
  std::vector<double> patches;  ///< sliced_wasserstein() by scale, fine to coarse
  double style;                 ///< their mean: the lower, the more like the style picture
  std::vector<double> edges;    ///< edge_agreement() of the pictures halved once and twice
  double content;  ///< their mean, structure_kept(): the higher, the more of the photograph is kept
};

/// Scores `result` against a style picture and the photograph it was made from, which is scaled to the
/// result's size. All are (1, 3, H, W) in [0, 1]. Throws ArgumentError as the two above do, in particular
/// when a picture is too small for the coarsest scale.
PictureScore score_picture(const Tensor& result, const Tensor& style, const Tensor& photograph,
                           const ScoreOptions& options = {});

}  // namespace gesso
