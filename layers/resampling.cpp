#include "gesso/layers/resampling.h"

#include <cmath>

#include "gesso/autograd/upsampling.h"

namespace gesso {
namespace {

// "3", or "(3, 5)" when height and width differ.
std::string text(const Size2d& size) {
  return size.height == size.width ? std::to_string(size.height)
                                   : concat_text('(', size.height, ", ", size.width, ')');
}

std::string pool_text(const Pool2dOptions& options) {
  return concat_text("kernel_size=", text(options.kernel), ", stride=", text(options.stride),
                     ", padding=", text(options.padding), options.ceil_mode ? ", ceil_mode=True" : "");
}

}  // namespace

std::string MaxPool2d::extra_repr() const { return pool_text(options_); }

std::string AvgPool2d::extra_repr() const { return pool_text(options_); }

std::string AdaptiveAvgPool2d::extra_repr() const { return "output_size=" + text(size_); }

Upsample::Upsample(const UpsampleOptions& options) : options_(options) {
  require(options.scale > 0 && std::isfinite(options.scale), "Upsample: scale ", options.scale,
          " must be positive");
  if (options.mode == UpsampleMode::nearest) {
    require(options.scale == std::floor(options.scale), "Upsample: mode nearest repeats pixels, scale ",
            options.scale, " must be a whole number; use mode bilinear for others");
    require(!options.align_corners, "Upsample: align_corners has a meaning only with mode bilinear");
  }
}

Tensor Upsample::forward(const Tensor& x) {
  if (options_.mode == UpsampleMode::nearest) {
    return upsample_nearest2d(x, static_cast<Index>(options_.scale));
  }
  return upsample_bilinear2d(x, {.scale = options_.scale, .align_corners = options_.align_corners});
}

std::string Upsample::extra_repr() const {
  return concat_text("scale_factor=", options_.scale,
                     ", mode=", options_.mode == UpsampleMode::nearest ? "nearest" : "bilinear",
                     options_.align_corners ? ", align_corners=true" : "");
}

ReflectionPad2d::ReflectionPad2d(const Padding2d& padding) : padding_(padding) {
  require(padding.left >= 0 && padding.right >= 0 && padding.top >= 0 && padding.bottom >= 0,
          "ReflectionPad2d: padding ", extra_repr(), " must not be negative");
}

std::string ReflectionPad2d::extra_repr() const {
  return concat_text('(', padding_.left, ", ", padding_.right, ", ", padding_.top, ", ", padding_.bottom,
                     ')');
}

Tensor Flatten::forward(const Tensor& x) {
  require(x.rank() >= 1, "Flatten: a scalar has no first dimension to keep");
  return x.reshape(Shape{x.size(0), x.shape().numel(1, x.rank())});
}

}  // namespace gesso
