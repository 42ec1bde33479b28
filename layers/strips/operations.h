// What networks are made of, on pictures that go by in strips. Each operation gives the bits that it gives
// for the whole picture (for convolutions: see core/convolution/strips.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gesso/layers/conv2d.h"
#include "gesso/layers/normalization/layer.h"
#include "gesso/layers/strips/row_stream.h"

namespace gesso {

/// An operation of a StripGraph on inputs of known sizes.
class StripOperation {
 public:
  StripOperation(std::string name, const PlanesSize& result) : name_(std::move(name)), result_(result) {}
  virtual ~StripOperation() = default;

  const std::string& name() const { return name_; }
  const PlanesSize& result() const { return result_; }
  /// Products for each number of the result.
  virtual double products() const { return 0; }

  /// The result from the top, in strips of `rows` (a multiple of 4), of inputs in such strips.
  virtual RowStreamPointer stream(std::vector<RowStreamPointer> inputs, Index rows) const = 0;

 private:
  std::string name_;
  PlanesSize result_;
};

/// Strip by strip: `compute` gets a strip of each input (all have one height) and the number of its first row.
std::unique_ptr<StripOperation> pointwise_strips(
    std::string name, const PlanesSize& result,
    std::function<Tensor(const std::vector<Tensor>& strips, Index first_row)> compute);

/// A Conv2d whose padding is the same on both sides.
std::unique_ptr<StripOperation> convolution_strips(const Conv2d& layer, const PlanesSize& x);

/// The two steps of upsample_conv2d() with the parameters of a Conv2d (autograd/upsampled_convolution.h).
std::unique_ptr<StripOperation> phase_convolution_strips(const Conv2d& layer, const PlanesSize& x);
std::unique_ptr<StripOperation> join_phases_strips(const PlanesSize& phases);

/// Each pixel as scale x scale pixels.
std::unique_ptr<StripOperation> upsample_strips(const PlanesSize& x, Index scale);

/// Rows and columns more (their border repeated) or fewer, at the bottom and right.
std::unique_ptr<StripOperation> resize_canvas_strips(const PlanesSize& x, Index height, Index width);

/// An operation that needs to have seen all of its input before it can give its first row.
class MeasuringStrips : public StripOperation {
 public:
  using StripOperation::StripOperation;

  /// Whether it does; with running statistics a normalization does not.
  virtual bool measures() const { return true; }
  virtual void begin_measuring() = 0;
  /// The next strip of the input.
  virtual void measure(const Tensor& strip) = 0;
  virtual void finish_measuring() = 0;
  /// What another one of the same kind has measured, of a smaller copy of the picture, is taken for what this
  /// one would: measures() is false from then on.
  virtual void adopt(const MeasuringStrips& from) = 0;
};

/// A normalization by the statistics of its input. Throws ArgumentError for a layer that normalizes with other pictures
/// (Statistics::per_batch) or has a gamma and beta for each pixel.
std::unique_ptr<MeasuringStrips> normalization_strips(NormalizationLayer& layer, const PlanesSize& x);

/// resize_picture(), which needs to know the range of its input.
std::unique_ptr<MeasuringStrips> resize_strips(const PlanesSize& x, Index height, Index width);

}  // namespace gesso
