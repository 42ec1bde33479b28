#include "gesso/autograd/convolution.h"

#include <algorithm>

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/convolution/bias.h"
#include "gesso/core/convolution/convolution.h"
#include "gesso/core/convolution/relu_mask.h"

namespace gesso {
namespace {

constexpr Index kLargestOption = 1 << 30;  // so that sizes cannot overflow

void require_in(const char* operation, const char* option, const Size2d& value, Index least) {
  require(least <= value.height && value.height <= kLargestOption && least <= value.width &&
              value.width <= kLargestOption,
          operation, ": ", option, " ", value, " (height x width) is not in ", least, " to 2^30");
}

// What conv2d and conv_transpose2d both check: ranks, dtypes, and options that make sense by themselves.
template <class Options>
void check_arguments(const char* operation, const Tensor& x, const Tensor& weight, const Tensor& bias,
                     const Options& options) {
  require_defined(x, operation, "x");
  require_defined(weight, operation, "weight");
  require(x.rank() == 4 || x.rank() == 3, operation, ": x must have shape (N, C, H, W) or (C, H, W); it has ",
          x.shape());
  require(weight.rank() == 4, operation, ": weight must have four dimensions; it has shape ", weight.shape());
  require(weight.numel() > 0, operation, ": weight of shape ", weight.shape(), " has no elements");
  require_same_dtype(x, weight, operation);
  require_in(operation, "stride", options.stride, 1);
  require_in(operation, "padding", options.padding, 0);
  require_in(operation, "dilation", options.dilation, 1);
  require(options.groups >= 1, operation, ": groups ", options.groups, " must be at least 1");
  require(x.size(-2) <= kLargestOption && x.size(-1) <= kLargestOption, operation, ": pictures of x, shape ",
          x.shape(), ", are too large");
  if (bias.defined()) {
    require_same_dtype(x, bias, operation);
  }
}

void check_bias(const char* operation, const Tensor& bias, Index out_channels) {
  require(!bias.defined() || bias.shape() == Shape{out_channels}, operation, ": bias must have shape (",
          out_channels, "), one number for each channel of the result; it has ",
          bias.defined() ? bias.shape() : Shape{});
}

// The shape of x with other channels and size: of a batch or of one picture, as x is.
Shape like(const Tensor& x, Index channels, Size2d size) {
  return x.rank() == 4 ? Shape{x.size(0), channels, size.height, size.width}
                       : Shape{channels, size.height, size.width};
}

// Sets the gradient of the bias, input 2: the sum of dy over samples and pixels.
void set_bias_gradient(Gradients& d, const std::shared_ptr<BatchShare>& share, const char* operation,
                       const Tensor& dy, Index batch, Index channels, Index pixels) {
  set_sum_over_samples(d, 2, share, operation, batch, {channels}, dy.dtype(), [&](Index first, Index count) {
    Tensor db = Tensor::empty({channels}, dy.dtype());
    with_dtype(dy.dtype(), [&]<class T>() {
      bias_gradient(count, channels, pixels, dy.data<T>() + first * channels * pixels, db.mutable_data<T>());
    });
    return db;
  });
}

// Sets the gradient of the weight, input 1: of the convolution `s` that reads x and whose result has the gradient dy.
void set_weight_gradient(Gradients& d, const std::shared_ptr<BatchShare>& share, const char* operation,
                         const ConvolutionShape& s, const Shape& weight, const Tensor& x, const Tensor& dy) {
  set_sum_over_samples(d, 1, share, operation, s.batch, weight, dy.dtype(), [&](Index first, Index count) {
    ConvolutionShape part = s;
    part.batch = count;
    part.whole_batch = 0;
    Tensor dw = Tensor::empty(weight, dy.dtype());
    with_dtype(dy.dtype(), [&]<class T>() {
      convolution_weight_gradient(part, x.data<T>() + first * s.in_channels * s.in_pixels(),
                                  dy.data<T>() + first * s.out_channels * s.out_pixels(),
                                  dw.mutable_data<T>());
    });
    return dw;
  });
}

}  // namespace

// ---- conv2d

namespace {

// Checks all arguments.
ConvolutionShape conv2d_shape(const Tensor& x, const Tensor& weight, const Tensor& bias,
                              const Conv2dFunctionOptions& options) {
  check_arguments("conv2d", x, weight, bias, options);
  ConvolutionShape s;
  s.batch = x.rank() == 4 ? x.size(0) : 1;
  s.in_channels = x.size(-3);
  s.out_channels = weight.size(0);
  s.groups = options.groups;
  s.in = {x.size(-2), x.size(-1)};
  s.kernel = {weight.size(2), weight.size(3)};
  s.stride = options.stride;
  s.padding = options.padding;
  s.dilation = options.dilation;
  s.padding_mode = options.padding_mode;
  require(s.in_channels % s.groups == 0 && s.out_channels % s.groups == 0, "conv2d: groups ", s.groups,
          " must divide the ", s.in_channels, " channels of x ", x.shape(), " and the ", s.out_channels,
          " of weight ", weight.shape());
  require(weight.size(1) == s.group_in(), "conv2d: x ", x.shape(), " has ", s.in_channels,
          " channels, weight ", weight.shape(), " with groups ", s.groups, " reads ",
          weight.size(1) * s.groups);
  check_bias("conv2d", bias, s.out_channels);
  require_in("conv2d", "the kernel's size", s.kernel, 1);
  s.out = convolution_output_size(s.in, s.kernel, s.stride, s.padding, s.dilation);
  require(s.out.height >= 1 && s.out.width >= 1, "conv2d: the kernel of ", s.kernel, " with dilation ",
          s.dilation, " is larger than the picture of ", s.in, " with padding ", s.padding,
          " (height x width); use larger pictures, a smaller kernel or more padding");
  const auto [rows, columns] = options.padding;
  require_can_pad(x.shape(), {columns, columns, rows, rows}, options.padding_mode, "conv2d");
  return s;
}

// dy where the mask is set, 0 elsewhere.
Tensor masked(const Tensor& dy, const ReluMask& mask) {
  Tensor dz = Tensor::empty(dy.shape(), dy.dtype());
  with_dtype(dy.dtype(), [&]<class T>() { apply_relu_mask(mask, dy.data<T>(), dz.mutable_data<T>()); });
  return dz;
}

}  // namespace

namespace {

// The conv2d that `options`, with `same`, mean for x: with padding that is even on both sides of x, or after padding x.
Tensor conv2d_same(const Tensor& x, const Tensor& weight, const Tensor& bias, Conv2dFunctionOptions options,
                   Activation activation) {
  check_arguments("conv2d", x, weight, bias, options);
  require(options.padding == Size2d(0), "conv2d: padding ", options.padding,
          " (height x width) with `same`, which pads by itself; leave one of them out");
  const auto around = [](Index size, Index kernel, Index stride, Index dilation) {
    const Index read = (divide_up(size, stride) - 1) * stride + dilation * (kernel - 1) + 1;
    return std::max<Index>(0, read - size);
  };
  const Index rows = around(x.size(-2), weight.size(2), options.stride.height, options.dilation.height);
  const Index columns = around(x.size(-1), weight.size(3), options.stride.width, options.dilation.width);
  options.same = false;
  if (rows % 2 == 0 && columns % 2 == 0) {
    options.padding = {rows / 2, columns / 2};
    return conv2d(x, weight, bias, options, activation);
  }
  const Padding2d padding = {columns / 2, columns - columns / 2, rows / 2, rows - rows / 2};
  return conv2d(pad2d(x, padding, options.padding_mode), weight, bias, options, activation);
}

}  // namespace

// y = w * x + b; dx, dw and db as in core/convolution/convolution.h. With the relu, y = max(z, 0) for that z,
// and backward begins with dz = dy where z > 0, else 0. Of z it keeps that alone, as a bit for each number.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dFunctionOptions& options,
              Activation activation) {
  if (options.same) {
    return conv2d_same(x, weight, bias, options, activation);
  }
  ConvolutionShape s = conv2d_shape(x, weight, bias, options);
  const std::shared_ptr<BatchShare> share = BatchShare::current();
  s.whole_batch = share ? share->total() : 0;
  const bool relu = activation == Activation::relu;
  const bool keep_mask =
      relu && (needs_grad(x) || needs_grad(weight) || (bias.defined() && needs_grad(bias)));
  ReluMask mask = keep_mask ? ReluMask(s.batch, s.out_channels, s.out) : ReluMask();
  Tensor y = Tensor::empty(like(x, s.out_channels, s.out), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    convolution_forward(s, x.data<T>(), weight.data<T>(), bias.defined() ? bias.data<T>() : nullptr,
                        y.mutable_data<T>(), ConvolutionAlgorithm::automatic,
                        {relu, keep_mask ? &mask : nullptr});
  });
  return record("conv2d", y, {x, weight, bias},
                [s, share, x = save(x, needs_grad(weight)), weight = save(weight, needs_grad(x)), mask](
                    const Tensor& dy, Gradients& d) {
                  if (share) {
                    share->progress();
                  }
                  // A frozen layer needs only dx, whose kernel reads dy through the mask; otherwise dz is
                  // computed once.
                  const bool only_dx = d.wanted(0) && !d.wanted(1) && !d.wanted(2);
                  const ReluMask through = only_dx ? mask : ReluMask();
                  const Tensor dz = mask.defined() && !only_dx ? masked(dy, mask) : dy;
                  d(0, [&] {
                    Tensor dx = Tensor::empty(x.shape(), dy.dtype());
                    with_dtype(dy.dtype(), [&]<class T>() {
                      convolution_input_gradient(s, dz.data<T>(), weight().data<T>(), dx.mutable_data<T>(),
                                                 ConvolutionAlgorithm::automatic, through);
                    });
                    return dx;
                  });
                  if (d.wanted(1)) {
                    set_weight_gradient(d, share, "conv2d", s, weight.shape(), x(), dz);
                  }
                  set_bias_gradient(d, share, "conv2d", dz, s.batch, s.out_channels, s.out_pixels());
                });
}

// ---- conv_transpose2d

namespace {

// Checks all arguments. The shape is that of the convolution which this one transposes: `in` and in_channels
// are those of the result, `out` and out_channels those of x.
ConvolutionShape conv_transpose2d_shape(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                        const ConvTranspose2dFunctionOptions& options) {
  check_arguments("conv_transpose2d", x, weight, bias, options);
  require_in("conv_transpose2d", "output_padding", options.output_padding, 0);
  const auto less_than_either = [](Index a, Index b, Index c) { return a < b || a < c; };
  require(less_than_either(options.output_padding.height, options.stride.height, options.dilation.height) &&
              less_than_either(options.output_padding.width, options.stride.width, options.dilation.width),
          "conv_transpose2d: output_padding ", options.output_padding, " must be smaller than stride ",
          options.stride, " or dilation ", options.dilation, " (height x width)");
  ConvolutionShape s;
  s.batch = x.rank() == 4 ? x.size(0) : 1;
  s.in_channels = weight.size(1) * options.groups;
  s.out_channels = x.size(-3);
  s.groups = options.groups;
  s.out = {x.size(-2), x.size(-1)};
  s.kernel = {weight.size(2), weight.size(3)};
  s.stride = options.stride;
  s.padding = options.padding;
  s.dilation = options.dilation;
  require(weight.size(0) == s.out_channels, "conv_transpose2d: x ", x.shape(), " has ", s.out_channels,
          " channels, weight ", weight.shape(), " reads ", weight.size(0));
  require(s.out_channels % s.groups == 0, "conv_transpose2d: groups ", s.groups, " must divide the ",
          s.out_channels, " channels of x ", x.shape());
  check_bias("conv_transpose2d", bias, s.in_channels);
  require_in("conv_transpose2d", "the kernel's size", s.kernel, 1);
  require(s.out.height >= 1 && s.out.width >= 1, "conv_transpose2d: x ", x.shape(), " has no pixels");
  const auto size = [](Index n, Index stride, Index padding, Index dilation, Index kernel, Index extra) {
    return (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1;
  };
  s.in = {size(s.out.height, s.stride.height, s.padding.height, s.dilation.height, s.kernel.height,
               options.output_padding.height),
          size(s.out.width, s.stride.width, s.padding.width, s.dilation.width, s.kernel.width,
               options.output_padding.width)};
  require(s.in.height >= 1 && s.in.width >= 1, "conv_transpose2d: padding ", s.padding,
          " leaves nothing of the result for x ", x.shape(), " and weight ", weight.shape(),
          "; use less padding");
  return s;
}

}  // namespace

// With C the matrix of the convolution that is transposed: y = C^T x + b and dx = C dy; the gradient to the
// weight is that of a convolution which reads dy and whose result has the gradient x.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dFunctionOptions& options) {
  ConvolutionShape s = conv_transpose2d_shape(x, weight, bias, options);
  const std::shared_ptr<BatchShare> share = BatchShare::current();
  s.whole_batch = share ? share->total() : 0;
  Tensor y = Tensor::empty(like(x, s.in_channels, s.in), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    convolution_input_gradient(s, x.data<T>(), weight.data<T>(), y.mutable_data<T>());
    if (bias.defined()) {
      add_bias(s.batch, s.in_channels, s.in_pixels(), bias.data<T>(), y.mutable_data<T>());
    }
  });
  return record("conv_transpose2d", y, {x, weight, bias},
                [s, share, x = save(x, needs_grad(weight)), weight = save(weight, needs_grad(x))](
                    const Tensor& dy, Gradients& d) {
                  if (share) {
                    share->progress();
                  }
                  d(0, [&] {
                    Tensor dx = Tensor::empty(x.shape(), dy.dtype());
                    with_dtype(dy.dtype(), [&]<class T>() {
                      convolution_forward<T>(s, dy.data<T>(), weight().data<T>(), nullptr,
                                             dx.mutable_data<T>());
                    });
                    return dx;
                  });
                  if (d.wanted(1)) {
                    set_weight_gradient(d, share, "conv_transpose2d", s, weight.shape(), dy, x());
                  }
                  set_bias_gradient(d, share, "conv_transpose2d", dy, s.batch, s.in_channels, s.in_pixels());
                });
}

}  // namespace gesso
