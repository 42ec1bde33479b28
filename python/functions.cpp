// The differentiable operations, as functions; those that PyTorch has as methods too, as both.
#include "bindings.h"

namespace gesso::python {
namespace {

using Elementwise = Tensor (*)(const Tensor&);
struct ElementwiseFunction {
  const char* name;
  Elementwise function;
  const char* doc;
};
constexpr ElementwiseFunction kElementwise[] = {
    {"exp", &exp, "e to the power of x."},
    {"log", &log, "The natural logarithm."},
    {"sqrt", &sqrt, "The square root; its gradient is infinite at 0."},
    {"square", &square, "x times x."},
    {"abs", &abs, "The absolute value; gradient 0 at 0."},
    {"relu", &relu, "max(x, 0)."},
    {"sigmoid", &sigmoid, "1 / (1 + exp(-x))."},
    {"tanh", &tanh, "The hyperbolic tangent."},
    {"softplus", &softplus, "log(1 + exp(x)), without overflow."},
    {"silu", &silu, "x sigmoid(x), also called swish."},
};

void bind_elementwise(nb::module_& m, nb::class_<Tensor>& tensor) {
  for (const auto& [name, function, doc] : kElementwise) {
    m.def(name, function, "x"_a, Unlocked(), doc);
    tensor.def(name, function, Unlocked(), doc);
  }
  m.def("leaky_relu", &leaky_relu, "x"_a, "negative_slope"_a = 0.01, Unlocked(),
        "x where it is positive, else negative_slope times x.");
  m.def(
      "gelu",
      [](const Tensor& x, const std::string& approximate) {
        return gelu(x, choose<GeluApproximation>(
                           "gelu: approximate", approximate,
                           {{"none", GeluApproximation::none}, {"tanh", GeluApproximation::tanh}}));
      },
      "x"_a, "approximate"_a = "none", Unlocked(),
      "x times the normal distribution at x, or an approximation by \"tanh\".");
  m.def("clamp", &clamp, "x"_a, "low"_a, "high"_a, Unlocked(), "x limited to [low, high].");
  m.def("maximum", &maximum, "a"_a, "b"_a, Unlocked(), "The larger of a and b, element by element.");
  m.def("minimum", &minimum, "a"_a, "b"_a, Unlocked(), "The smaller of a and b, element by element.");
  m.def("where", &where, "condition"_a, "a"_a, "b"_a, Unlocked(), "a where the condition is not 0, else b.");
  m.def("softmax", &softmax, "x"_a, "dim"_a, Unlocked(), "exp(x) divided by its sum along dim.");
  m.def("log_softmax", &log_softmax, "x"_a, "dim"_a, Unlocked(), "The logarithm of softmax.");
}

void bind_reductions(nb::module_& m, nb::class_<Tensor>& tensor) {
  const auto both = [&](const char* name, auto function, const char* doc) {
    m.def(name, function, "x"_a, "dim"_a = nb::none(), "keepdim"_a = false, Unlocked(), doc);
    tensor.def(name, function, "dim"_a = nb::none(), "keepdim"_a = false, Unlocked(), doc);
  };
  both(
      "sum", [](const Tensor& x, const Dims& dim, bool keepdim) { return sum(x, dims_of(dim), keepdim); },
      "The sum over dim: a number, several, or None for all. With keepdim these stay with size 1.");
  both(
      "mean", [](const Tensor& x, const Dims& dim, bool keepdim) { return mean(x, dims_of(dim), keepdim); },
      "The mean over dim: a number, several, or None for all. With keepdim these stay with size 1.");
  const auto var = [](const Tensor& x, const Dims& dim, bool unbiased, bool keepdim) {
    return variance(x, dims_of(dim), {.unbiased = unbiased, .keepdim = keepdim});
  };
  const char* doc =
      "The variance over dim: squared deviations divided by n - 1, or by n with unbiased=False.";
  m.def("var", var, "x"_a, "dim"_a = nb::none(), "unbiased"_a = true, "keepdim"_a = false, Unlocked(), doc);
  tensor.def("var", var, "dim"_a = nb::none(), "unbiased"_a = true, "keepdim"_a = false, Unlocked(), doc);
}

void bind_shape_functions(nb::module_& m, nb::class_<Tensor>& tensor) {
  const char* doc = "The dimensions dim0 and dim1 exchanged (a copy).";
  m.def("transpose", &transpose, "x"_a, "dim0"_a, "dim1"_a, Unlocked(), doc);
  tensor.def("transpose", &transpose, "dim0"_a, "dim1"_a, Unlocked(), doc);
  doc =
      "The dimensions in another order (a copy): permute((0, 2, 3, 1)) turns (N, C, H, W) into (N, H, W, C).";
  m.def("permute", &permute, "x"_a, "dims"_a, Unlocked(), doc);
  tensor.def("permute", &permute, "dims"_a, Unlocked(), doc);
  doc = "Dimensions first to last, both included, as one. Shares memory.";
  m.def("flatten", &flatten, "x"_a, "first"_a = 0, "last"_a = -1, doc);
  tensor.def("flatten", &flatten, "first"_a = 0, "last"_a = -1, doc);
  m.def("cat", &concat, "tensors"_a, "dim"_a = 0, Unlocked(), "The tensors one after the other along dim.");
  m.def("stack", &stack, "tensors"_a, "dim"_a = 0, Unlocked(),
        "The tensors beside each other along a new dimension.");
}

void bind_products(nb::module_& m) {
  m.def("matmul", &matmul, "a"_a, "b"_a, Unlocked(),
        "The product of matrices, a @ b; dimensions before the last two broadcast.");
  m.def(
      "linear",
      [](const Tensor& x, const Tensor& weight, const MaybeTensor& bias) {
        return linear(x, weight, tensor_of(bias));
      },
      "x"_a, "weight"_a, "bias"_a = nb::none(), Unlocked(),
      "x weight^T + bias, for x (..., in) and weight (out, in).");
  m.def(
      "conv2d",
      [](const Tensor& x, const Tensor& weight, const MaybeTensor& bias, const IntOrPair& stride,
         const IntOrPair& padding, const IntOrPair& dilation, Index groups, const std::string& padding_mode) {
        return conv2d(x, weight, tensor_of(bias),
                      {.stride = size2d_of(stride),
                       .padding = size2d_of(padding),
                       .dilation = size2d_of(dilation),
                       .groups = groups,
                       .padding_mode = padding_mode_of(padding_mode)});
      },
      "x"_a, "weight"_a, "bias"_a = nb::none(), "stride"_a = 1, "padding"_a = 0, "dilation"_a = 1,
      "groups"_a = 1, "padding_mode"_a = "zeros", Unlocked(),
      R"(The convolution of x (N, C, H, W) with weight (out, C / groups, kernel height, kernel width).

stride, padding and dilation: one number, or (height, width). padding_mode: "zeros", "reflect" or
"replicate".)");
  m.def(
      "conv_transpose2d",
      [](const Tensor& x, const Tensor& weight, const MaybeTensor& bias, const IntOrPair& stride,
         const IntOrPair& padding, const IntOrPair& output_padding, Index groups, const IntOrPair& dilation) {
        return conv_transpose2d(x, weight, tensor_of(bias),
                                {.stride = size2d_of(stride),
                                 .padding = size2d_of(padding),
                                 .output_padding = size2d_of(output_padding),
                                 .groups = groups,
                                 .dilation = size2d_of(dilation)});
      },
      "x"_a, "weight"_a, "bias"_a = nb::none(), "stride"_a = 1, "padding"_a = 0, "output_padding"_a = 0,
      "groups"_a = 1, "dilation"_a = 1, Unlocked(),
      "The transposed convolution: what conv2d does to gradients, as an operation; it enlarges.");
}

void bind_pictures(nb::module_& m) {
  const auto pool = [&](const char* name, Tensor (*function)(const Tensor&, const Pool2dOptions&),
                        const char* doc) {
    m.def(
        name,
        [function](const Tensor& x, const IntOrPair& kernel_size, const std::optional<IntOrPair>& stride,
                   const IntOrPair& padding, bool ceil_mode) {
          return function(x, {.kernel = size2d_of(kernel_size),
                              .stride = size2d_of(stride.value_or(kernel_size)),
                              .padding = size2d_of(padding),
                              .ceil_mode = ceil_mode});
        },
        "x"_a, "kernel_size"_a, "stride"_a = nb::none(), "padding"_a = 0, "ceil_mode"_a = false, Unlocked(),
        doc);
  };
  pool("max_pool2d", &max_pool2d, "The largest value of each window; stride None: the kernel's size.");
  pool("avg_pool2d", &avg_pool2d, "The mean of each window; stride None: the kernel's size.");
  m.def(
      "adaptive_avg_pool2d",
      [](const Tensor& x, const IntOrPair& size) { return adaptive_avg_pool2d(x, size2d_of(size)); }, "x"_a,
      "output_size"_a, Unlocked(), "Means of windows that make planes of output_size.");
  m.def("upsample_nearest2d", &upsample_nearest2d, "x"_a, "scale"_a = 2, Unlocked(),
        "Each pixel as a block of equal pixels.");
  m.def(
      "upsample_bilinear2d",
      [](const Tensor& x, double scale, bool align_corners) {
        return upsample_bilinear2d(x, {.scale = scale, .align_corners = align_corners});
      },
      "x"_a, "scale"_a = 2.0, "align_corners"_a = false, Unlocked(),
      "Blended linearly between the four nearest pixels.");
  m.def(
      "pad2d",
      [](const Tensor& x, const IntOrList& padding, const std::string& mode) {
        return pad2d(x, padding2d_of(padding), padding_mode_of(mode));
      },
      "x"_a, "padding"_a, "mode"_a = "zeros", Unlocked(),
      "A frame around pictures: one number, or (left, right, top, bottom), of \"zeros\", \"reflect\" or "
      "\"replicate\".");
}

void bind_normalization(nb::module_& m) {
  m.def(
      "instance_norm",
      [](const Tensor& x, const MaybeTensor& running_mean, const MaybeTensor& running_var,
         const MaybeTensor& weight, const MaybeTensor& bias, bool use_input_stats, double momentum,
         double eps) {
        return instance_norm(x, tensor_of(weight), tensor_of(bias),
                             {tensor_of(running_mean), tensor_of(running_var)}, use_input_stats,
                             {.eps = eps, .momentum = momentum});
      },
      "x"_a, "running_mean"_a = nb::none(), "running_var"_a = nb::none(), "weight"_a = nb::none(),
      "bias"_a = nb::none(), "use_input_stats"_a = true, "momentum"_a = 0.1, "eps"_a = 1e-5, Unlocked(),
      R"(Each plane (n, c) of x (N, C, ...) by its own mean and variance (Ulyanov et al. 2016):

    y = weight (x - mean) / sqrt(variance + eps) + bias

weight and bias have shape (C), or (N, C) to give every sample a row of its own. Running statistics that are
given are updated; with use_input_stats=False they take the place of x's own.)");
  m.def(
      "batch_norm",
      [](const Tensor& x, const MaybeTensor& running_mean, const MaybeTensor& running_var,
         const MaybeTensor& weight, const MaybeTensor& bias, bool training, double momentum, double eps) {
        return batch_norm(x, {tensor_of(running_mean), tensor_of(running_var)}, tensor_of(weight),
                          tensor_of(bias), training, {.eps = eps, .momentum = momentum});
      },
      "x"_a, "running_mean"_a.none(), "running_var"_a.none(), "weight"_a = nb::none(), "bias"_a = nb::none(),
      "training"_a = false, "momentum"_a = 0.1, "eps"_a = 1e-5, Unlocked(),
      R"(Each channel of x (N, C, ...) by its mean and variance over all samples if training, else by the
running ones (Ioffe and Szegedy 2015).)");
  m.def(
      "group_norm",
      [](const Tensor& x, Index groups, const MaybeTensor& weight, const MaybeTensor& bias, double eps) {
        return group_norm(x, groups, tensor_of(weight), tensor_of(bias), {.eps = eps});
      },
      "x"_a, "num_groups"_a, "weight"_a = nb::none(), "bias"_a = nb::none(), "eps"_a = 1e-5, Unlocked(),
      "The channels of a sample in groups, each by its own mean and variance (Wu and He 2018).");
  m.def(
      "layer_norm",
      [](const Tensor& x, const IntOrList& shape, const MaybeTensor& weight, const MaybeTensor& bias,
         double eps) {
        return layer_norm(x, shape_of(shape), tensor_of(weight), tensor_of(bias), {.eps = eps});
      },
      "x"_a, "normalized_shape"_a, "weight"_a = nb::none(), "bias"_a = nb::none(), "eps"_a = 1e-5, Unlocked(),
      "The last dimensions, of sizes normalized_shape, by their own mean and variance (Ba et al. 2016).");
  m.def(
      "rms_norm",
      [](const Tensor& x, const IntOrList& shape, const MaybeTensor& weight, std::optional<double> eps) {
        return rms_norm(x, shape_of(shape), tensor_of(weight), eps);
      },
      "x"_a, "normalized_shape"_a, "weight"_a = nb::none(), "eps"_a = nb::none(), Unlocked(),
      "The last dimensions, of sizes normalized_shape, divided by their root mean square (Zhang and Sennrich "
      "2019). eps None: the machine epsilon of x's dtype.");
  m.def(
      "adaptive_instance_norm",
      [](const Tensor& content, const Tensor& style, double eps) {
        return adaptive_instance_norm(content, style, {.eps = eps});
      },
      "content"_a, "style"_a, "eps"_a = 1e-5, Unlocked(),
      R"(The planes of content (N, C, ...) with the mean and the standard deviation of those of style, (N, C,
...) or (1, C, ...) (Huang and Belongie 2017):

    y = std(style) (content - mean(content)) / std(content) + mean(style))");
}

void bind_losses(nb::module_& m) {
  m.def("mse_loss", &mse_loss, "x"_a, "target"_a, Unlocked(), "mean((x - target)^2), for equal shapes.");
  m.def("l1_loss", &l1_loss, "x"_a, "target"_a, Unlocked(), "mean(|x - target|), for equal shapes.");
  m.def(
      "cross_entropy",
      [](const Tensor& logits, const std::vector<Index>& labels, double label_smoothing) {
        return cross_entropy(logits, labels, {.label_smoothing = label_smoothing});
      },
      "logits"_a, "labels"_a, "label_smoothing"_a = 0.0, Unlocked(),
      "The mean of -log softmax(logits)[label], for logits (N, C) and N labels from 0 to C - 1.");
  m.def(
      "gram_matrix", [](const Tensor& x) { return gram_matrix(x); }, "x"_a, Unlocked(),
      "F F^T / (C H W) of each sample, F being its C channels as rows of H W pixels: (N, C, C).");
}

}  // namespace

void bind_functions(nb::module_& m, nb::class_<Tensor>& tensor) {
  bind_elementwise(m, tensor);
  bind_reductions(m, tensor);
  bind_shape_functions(m, tensor);
  bind_products(m);
  bind_pictures(m);
  bind_normalization(m);
  bind_losses(m);
}

}  // namespace gesso::python
