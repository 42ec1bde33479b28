// Pictures: a normalization of one, a style network that paints it, and what reaches the network's
// normalizations. Pictures are float32 numbers from 0 to 1, (3, H, W), red, green, blue.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "painting/model_file.h"

namespace lab {

/// Normalizes `pixels`, which a request describes: {"norm", "groups", "shape": [N, 3, H, W], "eps"}, with
/// gamma 1 and beta 0. `y` becomes the result, of the same size; the answer is {"statistics": [their names],
/// "mean", "variance"}. Throws ArgumentError for what the norm cannot take.
std::string normalize_picture(const std::string& request, const std::vector<float>& pixels,
                              std::vector<float>& y);

/// A style network.
class Painter {
 public:
  /// `file`: a model that style-transfer train wrote. Throws FileError as load_style_network() does.
  explicit Painter(const std::string& file) : loaded_(gesso::load_style_network(file)) {}

  /// The network's picture of `pixels`, of a request {"height", "width", "strength": 0 to 1, "styleIndex":
  /// 0}. Throws ArgumentError as stylize() does, and for a style that the network does not have.
  std::vector<float> stylize(const std::string& request, const std::vector<float>& pixels);

  /// What reaches each normalization of the network when it paints `pixels`, of a request {"height",
  /// "width"}: [{"name", "mean": [of each channel], "variance": [...]}, ...] in the order of the network's
  /// layers.
  std::string layer_statistics(const std::string& request, const std::vector<float>& pixels);

 private:
  gesso::LoadedStyleNetwork loaded_;
};

}  // namespace lab
