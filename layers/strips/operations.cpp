#include "gesso/layers/strips/operations.h"

#include <algorithm>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/padding.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/autograd/upsampled_convolution.h"
#include "gesso/autograd/upsampling.h"
#include "gesso/core/convolution/strips.h"
#include "gesso/core/error.h"
#include "gesso/layers/strips/row_window.h"

namespace gesso {
namespace {

// A stream that computes rows [begin, end) of its result when they are wanted.
template <class Compute>
class ComputedStream : public RowStream {
 public:
  ComputedStream(const PlanesSize& size, Index rows, Compute compute)
      : RowStream(size), rows_(rows), compute_(std::move(compute)) {}

  Tensor next() override {
    const NoGradGuard no_grad;
    const Index begin = at_;
    at_ = std::min(size().height, begin + rows_);
    return compute_(begin, at_);
  }

 private:
  Index rows_, at_ = 0;
  Compute compute_;
};

template <class Compute>
RowStreamPointer computed_stream(const PlanesSize& size, Index rows, Compute compute) {
  return std::make_unique<ComputedStream<Compute>>(size, rows, std::move(compute));
}

class Pointwise : public StripOperation {
 public:
  using Compute = std::function<Tensor(const std::vector<Tensor>&, Index)>;
  Pointwise(std::string name, const PlanesSize& size, Compute compute)
      : StripOperation(std::move(name), size), compute_(std::move(compute)) {}

  RowStreamPointer stream(std::vector<RowStreamPointer> inputs, Index rows) const override {
    return computed_stream(result(), rows,
                           [inputs = std::move(inputs), compute = compute_](Index begin, Index) {
                             std::vector<Tensor> strips;
                             for (const RowStreamPointer& input : inputs) {
                               strips.push_back(input->next());
                             }
                             return compute(strips, begin);
                           });
  }

 private:
  Compute compute_;
};

// What conv2d() is called with.
struct ConvolutionArguments {
  Tensor weight, bias;
  Conv2dFunctionOptions options;
  Activation activation = Activation::none;
};

ConvolutionShape shape_of(const ConvolutionArguments& arguments, const PlanesSize& x) {
  const Conv2dFunctionOptions& o = arguments.options;
  const Size2d kernel(arguments.weight.size(2), arguments.weight.size(3)), in(x.height, x.width);
  return {.in_channels = x.channels,
          .out_channels = arguments.weight.size(0),
          .groups = o.groups,
          .in = in,
          .out = convolution_output_size(in, kernel, o.stride, o.padding, o.dilation),
          .kernel = kernel,
          .stride = o.stride,
          .padding = o.padding,
          .dilation = o.dilation,
          .padding_mode = o.padding_mode};
}

PlanesSize result_of(const ConvolutionArguments& arguments, const PlanesSize& x) {
  const ConvolutionShape shape = shape_of(arguments, x);
  return {shape.out_channels, shape.out.height, shape.out.width};
}

class Convolution : public StripOperation {
 public:
  // `layer` is for errors.
  Convolution(const Conv2d& layer, const ConvolutionArguments& arguments, const PlanesSize& x)
      : StripOperation("Conv2d", result_of(arguments, x)),
        arguments_(arguments),
        shape_(shape_of(arguments, x)) {
    require(!layer.options().same, "strips: Conv2d(", layer.extra_repr(), "): `same` is not for strips");
    require(arguments.weight.size(1) * shape_.groups == x.channels, "strips: Conv2d(", layer.extra_repr(),
            ") gets a picture of ", x.channels, " channels");
    require(shape_.out.height > 0 && shape_.out.width > 0, "strips: Conv2d(", layer.extra_repr(),
            ") gets a picture of ", x.height, " x ", x.width, " pixels, too small for its kernel");
    require_can_pad(
        {1, x.channels, x.height, x.width},
        {shape_.padding.width, shape_.padding.width, shape_.padding.height, shape_.padding.height},
        shape_.padding_mode, "strips");
  }

  double products() const override { return static_cast<double>(shape_.fan_in()); }

  RowStreamPointer stream(std::vector<RowStreamPointer> inputs, Index rows) const override {
    const ConvolutionStrips strips = convolution_strips(shape_);
    ConvolutionArguments arguments = arguments_;
    arguments.options.padding.height = 0;  // its rows are read from the window
    return computed_stream(
        result(), rows,
        [source = std::make_shared<RowWindow>(std::move(inputs.front())), strips, arguments, shape = shape_](
            Index begin, Index end) {
          const auto first_read = [&](Index row) { return row * shape.stride.height - shape.padding.height; };
          const Index reach = shape.dilation.height * (shape.kernel.height - 1);
          const Index last = begin + strips.rows_to_compute(end - begin) - 1;
          const Tensor x = source->rows(first_read(begin), first_read(last) + reach + 1, shape.padding_mode);
          // At the bottom, rows that a reflection shows are read again.
          source->forget_before(first_read(end) - reach - strips.multiple - strips.beyond);
          const ConvolutionAlgorithmGuard guard(strips.algorithm);
          const Tensor y =
              conv2d(x, arguments.weight, arguments.bias, arguments.options, arguments.activation);
          return y.size(2) == end - begin ? y : slice(y, 2, 0, end - begin);
        });
  }

 private:
  ConvolutionArguments arguments_;
  ConvolutionShape shape_;
};

// The second step of an upsampled convolution (autograd/upsampled_convolution.h).
class JoinPhases : public StripOperation {
 public:
  explicit JoinPhases(const PlanesSize& phases)
      : StripOperation("phases", {phases.channels / 4, 2 * phases.height, 2 * phases.width}) {}

  RowStreamPointer stream(std::vector<RowStreamPointer> inputs, Index rows) const override {
    return computed_stream(
        result(), rows,
        [source = std::make_shared<RowWindow>(std::move(inputs.front()))](Index begin, Index end) {
          const Tensor y = join_phases(source->rows(begin / 2, divide_up(end, 2)));
          source->forget_before(end / 2);
          const Index from = begin % 2;
          return y.size(2) == end - begin ? y : slice(y, 2, from, from + end - begin);
        });
  }
};

class UpsampleNearest : public StripOperation {
 public:
  UpsampleNearest(const PlanesSize& x, Index scale)
      : StripOperation("Upsample", {x.channels, scale * x.height, scale * x.width}), scale_(scale) {}

  RowStreamPointer stream(std::vector<RowStreamPointer> inputs, Index rows) const override {
    return computed_stream(result(), rows,
                           [source = std::make_shared<RowWindow>(std::move(inputs.front())), scale = scale_](
                               Index begin, Index end) {
                             const Index first = begin / scale;
                             const Tensor y =
                                 upsample_nearest2d(source->rows(first, divide_up(end, scale)), scale);
                             source->forget_before(end / scale);
                             const Index from = begin - first * scale;
                             return y.size(2) == end - begin ? y : slice(y, 2, from, from + end - begin);
                           });
  }

 private:
  Index scale_;
};

class ResizeCanvas : public StripOperation {
 public:
  ResizeCanvas(const PlanesSize& x, Index height, Index width)
      : StripOperation("canvas", {x.channels, height, width}) {}

  RowStreamPointer stream(std::vector<RowStreamPointer> inputs, Index rows) const override {
    return computed_stream(result(), rows,
                           [source = std::make_shared<RowWindow>(std::move(inputs.front())),
                            width = result().width](Index begin, Index end) {
                             const Tensor x = source->rows(begin, end, PaddingMode::replicate);
                             const Index last = source->size().height - 1;
                             source->forget_before(std::min(end, last));
                             const Index more = width - x.size(3);
                             return more > 0   ? pad2d(x, {0, more, 0, 0}, PaddingMode::replicate)
                                    : more < 0 ? slice(x, 3, 0, width)
                                               : x;
                           });
  }
};

}  // namespace

std::unique_ptr<StripOperation> pointwise_strips(
    std::string name, const PlanesSize& result,
    std::function<Tensor(const std::vector<Tensor>& strips, Index first_row)> compute) {
  return std::make_unique<Pointwise>(std::move(name), result, std::move(compute));
}

std::unique_ptr<StripOperation> convolution_strips(const Conv2d& layer, const PlanesSize& x) {
  return std::make_unique<Convolution>(
      layer, ConvolutionArguments{layer.effective_weight(), layer.bias, layer.options(), layer.activation()},
      x);
}

std::unique_ptr<StripOperation> phase_convolution_strips(const Conv2d& layer, const PlanesSize& x) {
  const NoGradGuard no_grad;
  const Conv2dFunctionOptions& o = layer.options();
  require(o.padding == 1 && o.stride == 1 && o.dilation == 1 && o.groups == 1, "strips: Conv2d(",
          layer.extra_repr(), ") after upsampling must have padding 1 and stride, dilation and groups of 1");
  const PhaseConvolution phases = phase_convolution(layer.effective_weight(), layer.bias, o.padding_mode);
  return std::make_unique<Convolution>(
      layer, ConvolutionArguments{phases.weight, phases.bias, phases.options, layer.activation()}, x);
}

std::unique_ptr<StripOperation> join_phases_strips(const PlanesSize& phases) {
  return std::make_unique<JoinPhases>(phases);
}

std::unique_ptr<StripOperation> upsample_strips(const PlanesSize& x, Index scale) {
  require(scale >= 1, "strips: pictures are enlarged by whole numbers from 1 on, not ", scale);
  return std::make_unique<UpsampleNearest>(x, scale);
}

std::unique_ptr<StripOperation> resize_canvas_strips(const PlanesSize& x, Index height, Index width) {
  require(height >= 1 && width >= 1, "strips: a canvas of ", width, " x ", height, " pixels");
  return std::make_unique<ResizeCanvas>(x, height, width);
}

}  // namespace gesso
