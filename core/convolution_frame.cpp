#include "gesso/core/convolution_frame.h"

#include <algorithm>
#include <vector>

#include "gesso/core/convolution_direct.h"
#include "gesso/core/dtype.h"
#include "gesso/core/parallel.h"
#include "gesso/core/tensor.h"

namespace gesso {
namespace {

// One dimension of a convolution; steps: from one position to the next in x, in dy and in a kernel.
struct Axis {
  std::int64_t in, out, kernel, stride, padding, dilation, x_step, dy_step, tap_step;
};

// Positions first <= k < first + count of the padded picture, and the taps u and the results i that read any
// of them: k = stride i + dilation u.
struct Run {
  std::int64_t begin = 0, count = 0, first_tap = 0, taps = 0, first_out = 0, outs = 0;
};

// What is read of positions begin <= k < end.
Run read_part(const Axis& a, std::int64_t begin, std::int64_t end) {
  std::int64_t first = end, last = begin, first_tap = a.kernel, last_tap = 0, first_out = a.out, last_out = 0;
  for (std::int64_t u = 0; u < a.kernel; ++u) {
    for (std::int64_t k = begin; k < end; ++k) {
      const std::int64_t from_tap = k - a.dilation * u, i = from_tap / a.stride;
      if (from_tap >= 0 && from_tap % a.stride == 0 && i < a.out) {
        first = std::min(first, k);
        last = std::max(last, k);
        first_tap = std::min(first_tap, u);
        last_tap = u;
        first_out = std::min(first_out, i);
        last_out = std::max(last_out, i);
      }
    }
  }
  return first == end ? Run{} : Run{first,     last - first + 1,        first_tap, last_tap - first_tap + 1,
                                    first_out, last_out - first_out + 1};
}

// For each position of a run the position of x that it shows.
std::vector<std::int64_t> shown_by(const Run& run, const Axis& a, PaddingMode mode) {
  std::vector<std::int64_t> shown(run.count);
  for (std::int64_t k = 0; k < run.count; ++k) {
    shown[k] = padding_source(run.begin + k - a.padding, a.in, mode);
  }
  return shown;
}

// Of each plane of `from`, `size` numbers, those at begin + step k for 0 <= k < count, down and across.
template <class T>
Tensor cut(const T* from, Shape shape, std::int64_t size, Size2d begin, Size2d step) {
  Tensor part = Tensor::empty(shape, dtype_of<T>);
  T* const to = part.mutable_data<T>();
  const std::int64_t rows = shape[2], columns = shape[3];
  parallel_for(shape[0] * shape[1], 64, [&](std::int64_t first, std::int64_t last) {
    T* next = to + first * rows * columns;
    for (std::int64_t plane = first; plane < last; ++plane) {
      for (std::int64_t i = 0; i < rows; ++i) {
        const T* row = from + plane * size + (begin.height + i) * step.height + begin.width * step.width;
        for (std::int64_t j = 0; j < columns; ++j) *next++ = row[j * step.width];
      }
    }
  });
  return part;
}

}  // namespace

template <class T>
void add_frame_gradient(const ConvolutionShape& s, const T* dy, const T* w, T* dx) {
  if (s.padding_mode == PaddingMode::zeros) {
    return;
  }
  const Axis vertical{s.in.height,       s.out.height, s.kernel.height, s.stride.height, s.padding.height,
                      s.dilation.height, s.in.width,   s.out.width,     s.kernel.width};
  const Axis horizontal{
      s.in.width, s.out.width, s.kernel.width, s.stride.width, s.padding.width, s.dilation.width, 1, 1, 1};
  // A strip of the frame, `narrow` positions of the axis across it by `wide` ones of the axis along it. It is
  // computed lying, wherever it is: the direct convolution is fast along rows.
  const auto add_strip = [&](const Axis& across, const Run& narrow, const Axis& along, const Run& wide) {
    if (narrow.count == 0 || wide.count == 0) {
      return;
    }
    // As if the strip were all of x, and the results that read it all of y.
    ConvolutionShape strip = s;
    strip.in = {narrow.count, wide.count};
    strip.out = {narrow.outs, wide.outs};
    strip.kernel = {narrow.taps, wide.taps};
    strip.stride = {across.stride, along.stride};
    strip.dilation = {across.dilation, along.dilation};
    const auto padding = [](const Axis& a, const Run& run) {
      return run.begin - a.stride * run.first_out - a.dilation * run.first_tap;
    };
    strip.padding = {padding(across, narrow), padding(along, wide)};
    strip.padding_mode = PaddingMode::zeros;
    const Tensor weight = cut(w, {s.out_channels, s.group_in(), narrow.taps, wide.taps}, s.taps(),
                              {narrow.first_tap, wide.first_tap}, {across.tap_step, along.tap_step});
    const Tensor results = cut(dy, {s.batch, s.out_channels, narrow.outs, wide.outs}, s.out_pixels(),
                               {narrow.first_out, wide.first_out}, {across.dy_step, along.dy_step});
    Tensor gradient = Tensor::empty({s.batch, s.in_channels, narrow.count, wide.count}, dtype_of<T>);
    direct_convolution::input_gradient(strip, results.data<T>(), weight.data<T>(),
                                       gradient.mutable_data<T>());
    const std::vector<std::int64_t> narrow_shown = shown_by(narrow, across, s.padding_mode);
    const std::vector<std::int64_t> wide_shown = shown_by(wide, along, s.padding_mode);
    parallel_for(s.batch * s.in_channels, 16, [&](std::int64_t begin, std::int64_t end) {
      const T* from = gradient.data<T>() + begin * strip.in_pixels();
      for (std::int64_t plane = begin; plane < end; ++plane) {
        for (const std::int64_t i : narrow_shown) {
          T* to = dx + plane * s.in_pixels() + i * across.x_step;
          for (const std::int64_t j : wide_shown) to[j * along.x_step] += *from++;
        }
      }
    });
  };
  const auto [top, left] = s.padding;
  const std::int64_t bottom = top + s.in.height, right = left + s.in.width;
  const Run all_columns = read_part(horizontal, 0, right + left);
  const Run middle_rows = read_part(vertical, top, bottom);
  add_strip(vertical, read_part(vertical, 0, top), horizontal, all_columns);
  add_strip(vertical, read_part(vertical, bottom, bottom + top), horizontal, all_columns);
  add_strip(horizontal, read_part(horizontal, 0, left), vertical, middle_rows);
  add_strip(horizontal, read_part(horizontal, right, right + left), vertical, middle_rows);
}

template void add_frame_gradient(const ConvolutionShape&, const float*, const float*, float*);
template void add_frame_gradient(const ConvolutionShape&, const double*, const double*, double*);

}  // namespace gesso
