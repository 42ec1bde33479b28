// The default loss network: an analytic filter bank on an image pyramid. It needs no weights file, and every
// one of its filters can be explained. Each level of the pyramid (blurred and halved from the one before) is
// measured by
//
//   luminance   12 even and 12 odd Gabor filters, 7x7: 6 orientations x 2 frequencies (0.25 cycles a pixel
//               with sigma 1.3, 0.14 with sigma 1.9): lines and edges, thin and broad; and a Gaussian:
//               brightness
//   colour      on each of two opponent axes, red-green and yellow-blue: a Gaussian and 4 odd Gabors: hue and
//               its edges
//
// Each response is split into its positive and its negative part (so that dark-to-light and light-to-dark
// edges, or red and green, are features of their own) and scaled to mean 1 on photographs. Each level gives
// two taps: the responses, and its colours averaged over 2x2 pixels, whose statistics are the palette. The
// luminance responses of the second and third level are the content: the first is left to the strokes. Gabor
// 1946; Heeger and Bergen 1995; Portilla and Simoncelli 2000.
//
// Levels smaller than 8 pixels are left out: too few places for statistics. All five need pictures of 113
// pixels, four 57.
#pragma once

#include <vector>

#include "gesso/core/files/safetensors.h"
#include "loss_network.h"

namespace gesso {

class FilterBank : public LossNetwork {
 public:
  static constexpr int levels = 5;
  static constexpr int first_content_level = 1;  ///< the finest is left to the strokes
  static constexpr int content_levels = 2;
  static constexpr Index min_level_size = 8;    ///< smaller levels are not measured
  static constexpr int luminance_filters = 25;  ///< 24 Gabors and a Gaussian
  static constexpr int colour_filters = 5;      ///< a Gaussian and 4 odd Gabors, on each colour axis
  static constexpr int filters = luminance_filters + 2 * colour_filters;
  static constexpr int kernel = 7;

  /// Responses scaled to mean 1 on the bundled photographs, by the table in filter_bank_means.inc.
  FilterBank();
  /// Responses divided by `means`: levels rows of 2 * filters numbers: 25 positive parts of luminance, 25
  /// negative ones, 10 positive and 10 negative ones of colour. Throws ArgumentError unless all are positive.
  explicit FilterBank(const std::vector<double>& means);

  std::vector<Tap> taps(const Tensor& pictures) const override;
  std::vector<Tensor> content(const Tensor& pictures) const override;
  Index min_size() const override { return 32; }

  /// All filters and scales, by name, for those who want to compute the same elsewhere.
  NamedTensors constants() const;

  /// The mean of each positive and negative part on `pictures`, as the constructor takes them.
  static std::vector<double> measure_means(const std::vector<Tensor>& pictures);

 private:
  struct Scales {
    Tensor luminance;  // (2 * 25): 1 / mean of each positive, then each negative part
    Tensor colour;     // (2 * 10)
  };

  Tensor first_level(const Tensor& pictures) const;
  Tensor next_level(const Tensor& level) const;
  Tensor texture(const Tensor& level, int i) const;

  Tensor luminance_of_rgb_;   // (1, 3, 1, 1)
  Tensor opponent_of_rgb_;    // (2, 3, 1, 1): red-green, yellow-blue
  Tensor blur_;               // (3, 1, 5, 5): what comes before halving
  Tensor luminance_filters_;  // (25, 1, 7, 7)
  Tensor colour_filters_;     // (5, 1, 7, 7), for both colour axes
  std::vector<Scales> scales_;
};

}  // namespace gesso
