#include "filter_bank.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/pooling.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "split_signs.h"

namespace gesso {
namespace {

constexpr int kRadius = FilterBank::kernel / 2;

// What the committed table holds: see measure_filter_bank.cpp.
constexpr double kMeans[] = {
#include "filter_bank_means.inc"
};

// One 7x7 filter from its formula f(x, y), x to the right and y down, appended to `weights`.
void add_filter(std::vector<double>& weights, const std::function<double(double, double)>& f, bool centred) {
  std::vector<double> values;
  double sum = 0;
  for (int y = -kRadius; y <= kRadius; ++y) {
    for (int x = -kRadius; x <= kRadius; ++x) {
      values.push_back(f(x, y));
      sum += values.back();
    }
  }
  double norm = 0;
  for (double& value : values) {
    if (centred) {
      value -= sum / static_cast<double>(values.size());  // a flat patch gives no response
    }
    norm += std::abs(value);
  }
  for (double value : values) {
    weights.push_back(value / norm);
  }
}

// exp(-r^2 / 2 sigma^2) cos(2 pi f u + phase), u being the coordinate along direction `angle`.
void add_gabor(std::vector<double>& weights, double frequency, double sigma, double angle, bool odd) {
  add_filter(
      weights,
      [=](double x, double y) {
        const double wave = 2 * std::numbers::pi * frequency * (x * std::cos(angle) + y * std::sin(angle));
        return std::exp(-(x * x + y * y) / (2 * sigma * sigma)) * (odd ? std::sin(wave) : std::cos(wave));
      },
      true);
}

void add_gaussian(std::vector<double>& weights, double sigma) {
  add_filter(
      weights, [=](double x, double y) { return std::exp(-(x * x + y * y) / (2 * sigma * sigma)); }, false);
}

Tensor luminance_filters() {
  std::vector<double> weights;
  for (const auto& [frequency, sigma] : {std::pair{0.25, 1.3}, std::pair{0.14, 1.9}}) {
    for (int orientation = 0; orientation < 6; ++orientation) {
      for (bool odd : {false, true}) {
        add_gabor(weights, frequency, sigma, orientation * std::numbers::pi / 6, odd);
      }
    }
  }
  add_gaussian(weights, 1.3);
  return Tensor::from(weights, {FilterBank::luminance_filters, 1, FilterBank::kernel, FilterBank::kernel});
}

Tensor colour_filters() {
  std::vector<double> weights;
  add_gaussian(weights, 1.3);
  for (int orientation = 0; orientation < 4; ++orientation) {
    add_gabor(weights, 0.14, 1.9, orientation * std::numbers::pi / 4, true);
  }
  return Tensor::from(weights, {FilterBank::colour_filters, 1, FilterBank::kernel, FilterBank::kernel});
}

// The binomial filter (1 4 6 4 1) / 16 in both directions, for each colour.
Tensor blur_filter() {
  const double binomial[] = {1, 4, 6, 4, 1};
  std::vector<double> weights;
  for (int colour = 0; colour < 3; ++colour) {
    for (double a : binomial) {
      for (double b : binomial) {
        weights.push_back(a * b / 256);
      }
    }
  }
  return Tensor::from(weights, {3, 1, 5, 5});
}

Tensor scale_of(const double* means, int count) {
  std::vector<double> scales;
  for (int i = 0; i < count; ++i) {
    scales.push_back(1 / means[i]);
  }
  return Tensor::from(scales, {count});
}

}  // namespace

FilterBank::FilterBank() : FilterBank(std::vector<double>(std::begin(kMeans), std::end(kMeans))) {}

FilterBank::FilterBank(const std::vector<double>& means)
    : luminance_of_rgb_(Tensor::full({1, 3, 1, 1}, 1.0 / 3)),
      opponent_of_rgb_(Tensor::from({0.5, -0.5, 0, 0.25, 0.25, -0.5}, {2, 3, 1, 1})),
      blur_(blur_filter()),
      luminance_filters_(gesso::luminance_filters()),
      colour_filters_(gesso::colour_filters()) {
  require(means.size() == levels * 2 * filters, "FilterBank: ", means.size(), " means were given; there are ",
          levels, " levels of 2 x ", filters, " responses");
  for (double mean : means) {
    require(mean > 0, "FilterBank: a response has mean ", mean, "; means must be positive");
  }
  for (int level = 0; level < levels; ++level) {
    const double* row = means.data() + level * 2 * filters;
    scales_.push_back({scale_of(row, 2 * luminance_filters),
                       scale_of(row + 2 * luminance_filters, 2 * 2 * colour_filters)});
  }
}

namespace {

bool is_content(int level) {
  return level >= FilterBank::first_content_level &&
         level < FilterBank::first_content_level + FilterBank::content_levels;
}

const Conv2dFunctionOptions kSame{.padding = kRadius, .padding_mode = PaddingMode::reflect};

}  // namespace

Tensor FilterBank::first_level(const Tensor& pictures) const {
  require(pictures.rank() == 4 && pictures.size(1) == 3 && pictures.size(2) >= min_size() &&
              pictures.size(3) >= min_size(),
          "FilterBank: pictures have shape ", pictures.shape(),
          "; they must be (N, 3, H, W) with H and W of at least ", min_size());
  return pictures - 0.5;
}

Tensor FilterBank::next_level(const Tensor& level) const {
  return conv2d(level, blur_, {},
                {.stride = 2, .padding = 2, .groups = 3, .padding_mode = PaddingMode::reflect});
}

// The luminance responses of level i.
Tensor FilterBank::texture(const Tensor& level, int i) const {
  return split_signs(conv2d(conv2d(level, luminance_of_rgb_, {}), luminance_filters_, {}, kSame),
                     scales_[i].luminance);
}

std::vector<Tap> FilterBank::taps(const Tensor& pictures) const {
  const Index count = pictures.size(0);
  std::vector<Tap> result;
  Tensor level = first_level(pictures);
  for (int i = 0; i < levels; ++i) {
    if (i > 0) {
      level = next_level(level);
    }
    const Index height = level.size(2), width = level.size(3);
    if (std::min(height, width) < min_level_size) {
      result.resize(2 * levels);
      break;
    }
    const Tensor luminance = texture(level, i);
    // Both colour axes go through the same filters: (N, 2, H, W) seen as (2N, 1, H, W).
    const Tensor opponents = conv2d(level, opponent_of_rgb_, {}).reshape({2 * count, 1, height, width});
    const Tensor colour =
        conv2d(opponents, colour_filters_, {}, kSame).reshape({count, 2 * colour_filters, height, width});

    result.push_back({.style = concat({luminance, split_signs(colour, scales_[i].colour)}, 1),
                      .content = is_content(i) ? luminance : Tensor()});
    result.push_back({.style = avg_pool2d(level, {.kernel = 2}), .content = {}});
  }
  return result;
}

std::vector<Tensor> FilterBank::content(const Tensor& pictures) const {
  std::vector<Tensor> result;
  Tensor level = first_level(pictures);
  for (int i = 0; i < first_content_level + content_levels; ++i) {
    if (i > 0) {
      level = next_level(level);
    }
    if (is_content(i)) {
      result.push_back(texture(level, i));
    }
  }
  return result;
}

NamedTensors FilterBank::constants() const {
  NamedTensors all = {{"luminance_of_rgb", luminance_of_rgb_},
                      {"opponent_of_rgb", opponent_of_rgb_},
                      {"blur", blur_},
                      {"luminance_filters", luminance_filters_},
                      {"colour_filters", colour_filters_}};
  for (int level = 0; level < levels; ++level) {
    all.emplace_back(concat_text("luminance_scale.", level), scales_[level].luminance);
    all.emplace_back(concat_text("colour_scale.", level), scales_[level].colour);
  }
  return all;
}

std::vector<double> FilterBank::measure_means(const std::vector<Tensor>& pictures) {
  const NoGradGuard no_grad;
  const FilterBank unscaled(std::vector<double>(levels * 2 * filters, 1.0));
  std::vector<double> means(levels * 2 * filters, 0.0);
  for (const Tensor& picture : pictures) {
    const std::vector<Tap> taps = unscaled.taps(picture);
    require(taps.back().style.defined(), "FilterBank::measure_means: a picture of shape ", picture.shape(),
            " is too small for ", levels, " levels");
    for (int level = 0; level < levels; ++level) {
      const Tensor mean_of_channel = mean(taps[2 * level].style, {0, 2, 3});
      for (int i = 0; i < 2 * filters; ++i) {
        means[level * 2 * filters + i] += mean_of_channel.at({i}) / static_cast<double>(pictures.size());
      }
    }
  }
  return means;
}

}  // namespace gesso
