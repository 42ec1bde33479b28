#include "gesso/autograd/upsampled_convolution.h"

#include "gesso/autograd/graph.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/convolution/upsampled.h"

namespace gesso {
namespace {

// k as in core/convolution/upsampled.h; dw is the sum of dk over the taps of k that w was added to.
Tensor kernels_of_phases(const Tensor& weight) {
  const Index out = weight.size(0), in = weight.size(1);
  Tensor k = Tensor::empty({4 * out, in, 3, 3}, weight.dtype());
  with_dtype(weight.dtype(),
             [&]<class T>() { phase_kernels(out, in, weight.data<T>(), k.mutable_data<T>()); });
  return record("phase_kernels", k, {weight}, [out, in](const Tensor& dk, Gradients& d) {
    d(0, [&] {
      Tensor dw = Tensor::empty({out, in, 3, 3}, dk.dtype());
      with_dtype(dk.dtype(),
                 [&]<class T>() { phase_kernels_gradient(out, in, dk.data<T>(), dw.mutable_data<T>()); });
      return dw;
    });
  });
}

}  // namespace

PhaseConvolution phase_convolution(const Tensor& weight, const Tensor& bias, PaddingMode mode) {
  require_defined(weight, "upsample_conv2d", "weight");
  require(weight.rank() == 4 && weight.size(2) == 3 && weight.size(3) == 3,
          "upsample_conv2d: weight must have shape (out channels, in channels, 3, 3); it has ",
          weight.shape(), "; for other kernels use conv2d after upsample_nearest2d");
  require(!bias.defined() || bias.shape() == Shape{weight.size(0)}, "upsample_conv2d: bias must have shape (",
          weight.size(0), "), one number for each channel of the result; it has ",
          bias.defined() ? bias.shape() : Shape{});
  return {kernels_of_phases(weight),
          bias.defined() ? concat({bias, bias, bias, bias}, 0) : Tensor(),
          {.padding = 1, .padding_mode = mode == PaddingMode::zeros ? mode : PaddingMode::replicate}};
}

// y is a permutation of the phases, dphases the inverse of dy.
Tensor join_phases(const Tensor& phases) {
  require(phases.rank() == 4 && phases.size(1) % 4 == 0,
          "join_phases: phases must have shape (N, 4 C, H, W); they have ", phases.shape());
  const Index batch = phases.size(0), channels = phases.size(1) / 4;
  const Size2d size(phases.size(2), phases.size(3));
  Tensor y = Tensor::empty({batch, channels, 2 * size.height, 2 * size.width}, phases.dtype());
  with_dtype(y.dtype(),
             [&]<class T>() { join_phases(batch, channels, size, phases.data<T>(), y.mutable_data<T>()); });
  return record("join_phases", y, {phases}, [batch, channels, size](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      Tensor dphases = Tensor::empty({batch, 4 * channels, size.height, size.width}, dy.dtype());
      with_dtype(dy.dtype(), [&]<class T>() {
        split_phases(batch, channels, size, dy.data<T>(), dphases.mutable_data<T>());
      });
      return dphases;
    });
  });
}

Tensor upsample_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, PaddingMode mode) {
  require_defined(x, "upsample_conv2d", "x");
  require(x.rank() == 4, "upsample_conv2d: x must have shape (N, C, H, W); it has ", x.shape());
  const PhaseConvolution phases = phase_convolution(weight, bias, mode);
  return join_phases(conv2d(x, phases.weight, phases.bias, phases.options));
}

}  // namespace gesso
