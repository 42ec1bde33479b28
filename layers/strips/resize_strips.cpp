#include <algorithm>
#include <limits>

#include "gesso/core/parallel.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/layers/strips/operations.h"
#include "gesso/layers/strips/row_window.h"

namespace gesso {
namespace {

struct Range {
  float low = std::numeric_limits<float>::infinity(), high = -low;
};

// What is not a number stays so.
void clamp_planes(const std::vector<Range>& ranges, Tensor& x) {
  const Index plane = x.size(2) * x.size(3);
  float* const values = x.mutable_data<float>();
  parallel_for(x.size(1), 1, [&](Index c, Index) {
    const auto [low, high] = ranges[c];
    for (float* v = values + c * plane; v != values + (c + 1) * plane; ++v) {
      *v = *v < low ? low : *v > high ? high : *v;
    }
  });
}

class ResizeStream : public RowStream {
 public:
  ResizeStream(const PlanesSize& size, const ResizeOfRows& resize, const std::vector<Range>& ranges,
               RowStreamPointer source, Index rows)
      : RowStream(size), resize_(resize), ranges_(ranges), source_(std::move(source)), rows_(rows) {}

  Tensor next() override {
    const ResizeOfRows::Rows wanted{at_, std::min(size().height, at_ + rows_)};
    const auto [begin, end] = resize_.rows_for(wanted);
    Tensor strip = resize_.resized(source_.rows(begin, end), wanted);
    clamp_planes(ranges_, strip);
    source_.forget_before(begin);
    at_ = wanted.end;
    return strip;
  }

 private:
  const ResizeOfRows& resize_;
  const std::vector<Range>& ranges_;
  RowWindow source_;
  Index rows_, at_ = 0;
};

class Resize : public MeasuringStrips {
 public:
  Resize(const PlanesSize& x, Index height, Index width)
      : MeasuringStrips("resize", {x.channels, height, width}),
        resize_({x.height, x.width}, {height, width}),
        ranges_(static_cast<std::size_t>(x.channels)) {}

  bool measures() const override { return !adopted_; }
  // Of a smaller copy the range says little: that of pictures.
  void adopt(const MeasuringStrips&) override {
    std::fill(ranges_.begin(), ranges_.end(), Range{0, 1});
    adopted_ = true;
  }

  void begin_measuring() override { std::fill(ranges_.begin(), ranges_.end(), Range()); }

  void measure(const Tensor& strip) override {
    const Index plane = strip.size(2) * strip.size(3);
    const float* const values = strip.data<float>();
    parallel_for(strip.size(1), 1, [&](Index c, Index) {
      Range& range = ranges_[c];
      for (const float* v = values + c * plane; v != values + (c + 1) * plane; ++v) {
        range.low = *v < range.low ? *v : range.low;
        range.high = *v > range.high ? *v : range.high;
      }
    });
  }

  void finish_measuring() override {}

  RowStreamPointer stream(std::vector<RowStreamPointer> inputs, Index rows) const override {
    return std::make_unique<ResizeStream>(result(), resize_, ranges_, std::move(inputs.front()), rows);
  }

 private:
  ResizeOfRows resize_;
  std::vector<Range> ranges_;
  bool adopted_ = false;
};

}  // namespace

std::unique_ptr<MeasuringStrips> resize_strips(const PlanesSize& x, Index height, Index width) {
  return std::make_unique<Resize>(x, height, width);
}

}  // namespace gesso
