// The walk through one normalization layer, forward and backward, with the numbers of an example.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gesso/core/index.h"

#include "gesso/layers/normalization/inspect.h"
#include "lab.h"

namespace norm_lab {

enum class Norm { instance, batch, layer, group };

/// "instance", "batch", "layer", "group"
const char* name_of(Norm norm);

/// A batch and the gradient that arrives at the layer's result; float64.
struct Example {
  gesso::Tensor x, upstream;         ///< (N, C, H, W)
  std::vector<std::string> samples;  ///< what the samples show, if they are pictures
  std::string about_upstream = {};   ///< where those numbers come from, in a sentence
};

/// 2 x 2 x 3 x 3 small numbers, chosen so that instance norm's means are whole, and so that its x-hat term
/// removes all of one plane's gradient and its mean term all of another's.
Example number_example();

/// A picture, scaled to `short_side` pixels, and beside it the same picture in fog: 0.35 x + 0.55. Upstream
/// is the batch's mirror image. Throws FileError as load_picture() does.
Example picture_example(const std::string& path, gesso::Index short_side);

/// What a layer is made with. A gamma and a beta for each channel, or for layer norm for each element of a
/// sample; empty: gamma 2, 0.5, 2, ... and beta 1, -1, 1, ... by channel.
struct AffineNumbers {
  std::vector<double> gamma = {}, beta = {};
  double eps = 1e-5;
};

/// The statistics that a layer normalizes with in evaluation, one of each channel; empty: mean 0, variance 1,
/// as a new layer has them.
struct RunningNumbers {
  std::vector<double> mean = {}, variance = {};
};

/// A layer for x of that shape, in training, or with `running` in evaluation. `groups` is for group norm.
/// Throws ArgumentError if it does not divide the channels, and for running statistics that the norm does not
/// have.
std::unique_ptr<gesso::NormalizationLayer> make_layer(Norm norm, const gesso::Shape& x, gesso::Index groups,
                                                      const AffineNumbers& affine = {},
                                                      const std::optional<RunningNumbers>& running = {});

/// "n=0 c=1", "c=1", "n=0": what the elements of statistic s have in common. `x` is the shape of x.
std::string statistic_name(const gesso::NormalizationAxes& axes, const gesso::Shape& x, gesso::Index s);

/// The layer's gradients by its own backward, beside the inspection.
struct Gradients {
  gesso::NormalizationInspection seen;
  gesso::Tensor dx, dgamma, dbeta;  ///< from layer.forward() and backward()
  double difference;                ///< largest |dx - sum of the three terms|
};
Gradients gradients_of(gesso::NormalizationLayer& layer, const Example& example);

/// The walk: statistics, normalized values, gradient terms.
std::vector<Section> walk(gesso::NormalizationLayer& layer, const Example& example);

}  // namespace norm_lab
