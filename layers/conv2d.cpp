#include "gesso/layers/conv2d.h"

#include "gesso/layers/init.h"

namespace gesso {
namespace {

// "3", or "(3, 5)" when height and width differ.
std::string text(const Size2d& size) {
  return size.height == size.width ? std::to_string(size.height)
                                   : concat_text('(', size.height, ", ", size.width, ')');
}

// ", name=value", or nothing for the default.
std::string option_text(const char* name, const Size2d& value, const Size2d& usual) {
  return value == usual ? "" : concat_text(", ", name, '=', text(value));
}

bool at_least(const Size2d& size, Index least) { return size.height >= least && size.width >= least; }

void check_layer(const char* layer, Index in, Index out, Size2d kernel, Size2d stride, Size2d padding,
                 Size2d dilation, Index groups) {
  require(in >= 1 && out >= 1, layer, ": ", in, " input and ", out,
          " output channels; both must be at least 1");
  require(at_least(kernel, 1) && at_least(stride, 1) && at_least(dilation, 1) && at_least(padding, 0), layer,
          ": kernel ", kernel, ", stride ", stride, " and dilation ", dilation,
          " must be at least 1 and padding ", padding, " not negative");
  require(groups >= 1 && in % groups == 0 && out % groups == 0, layer, ": ", groups, " groups do not divide ",
          in, " input and ", out, " output channels");
}

}  // namespace

Conv2d::Conv2d(Index in, Index out, Size2d kernel, const Conv2dOptions& options, Generator& rng)
    : options_{.stride = options.stride,
               .padding = options.padding,
               .dilation = options.dilation,
               .groups = options.groups,
               .padding_mode = options.padding_mode,
               .same = options.same} {
  check_layer("Conv2d", in, out, kernel, options.stride, options.padding, options.dilation, options.groups);
  weight =
      register_parameter("weight", Tensor::empty({out, in / options.groups, kernel.height, kernel.width}));
  bias = register_parameter("bias", options.bias ? Tensor::empty({out}) : Tensor());
  init::default_layer_(weight, bias, rng);
}

Tensor Conv2d::forward(const Tensor& x) {
  return conv2d(x, effective_weight(), bias, options_, activation());
}

std::string Conv2d::extra_repr() const {
  std::string repr = concat_text(weight.size(1) * options_.groups, ", ", weight.size(0),
                                 ", kernel_size=", text({weight.size(2), weight.size(3)}));
  repr += option_text("stride", options_.stride, 1) +
          (options_.same ? ", padding=same" : option_text("padding", options_.padding, 0)) +
          option_text("dilation", options_.dilation, 1) + option_text("groups", options_.groups, 1);
  if (!bias.defined()) {
    repr += ", bias=false";
  }
  if (options_.padding_mode != PaddingMode::zeros) {
    repr += concat_text(", padding_mode=", name_of(options_.padding_mode));
  }
  return repr + activation_text();
}

ConvTranspose2d::ConvTranspose2d(Index in, Index out, Size2d kernel, const ConvTranspose2dOptions& options,
                                 Generator& rng)
    : options_{.stride = options.stride,
               .padding = options.padding,
               .output_padding = options.output_padding,
               .groups = options.groups,
               .dilation = options.dilation} {
  check_layer("ConvTranspose2d", in, out, kernel, options.stride, options.padding, options.dilation,
              options.groups);
  require(at_least(options.output_padding, 0), "ConvTranspose2d: output_padding ", options.output_padding,
          " must not be negative");
  weight =
      register_parameter("weight", Tensor::empty({in, out / options.groups, kernel.height, kernel.width}));
  bias = register_parameter("bias", options.bias ? Tensor::empty({out}) : Tensor());
  init::default_layer_(weight, bias, rng);
}

Tensor ConvTranspose2d::forward(const Tensor& x) {
  return conv_transpose2d(x, effective_weight(), bias, options_);
}

std::string ConvTranspose2d::extra_repr() const {
  std::string repr = concat_text(weight.size(0), ", ", weight.size(1) * options_.groups,
                                 ", kernel_size=", text({weight.size(2), weight.size(3)}));
  repr += option_text("stride", options_.stride, 1) + option_text("padding", options_.padding, 0) +
          option_text("output_padding", options_.output_padding, 0) +
          option_text("groups", options_.groups, 1);
  if (!bias.defined()) {
    repr += ", bias=false";
  }
  return repr + option_text("dilation", options_.dilation, 1);
}

}  // namespace gesso
