#include "gesso/core/convolution_frame.h"

#include <algorithm>
#include <vector>

#include "gesso/core/convolution_direct.h"
#include "gesso/core/dtype.h"
#include "gesso/core/parallel.h"
#include "gesso/core/tensor.h"

namespace gesso {
namespace {

// One dimension of a convolution.
struct Axis {
  std::int64_t in, out, kernel, stride, padding, dilation;
};

// A run of positions of the padded picture, with the taps of the kernel that read any of them.
struct Run {
  std::int64_t begin = 0, count = 0, first_tap = 0, taps = 0;
};

// What is read of positions begin <= k < end: k = stride i + dilation u for a result i and a tap u.
Run read_part(const Axis& a, std::int64_t begin, std::int64_t end) {
  std::int64_t first = end, last = begin, first_tap = a.kernel, last_tap = 0;
  for (std::int64_t u = 0; u < a.kernel; ++u) {
    for (std::int64_t k = begin; k < end; ++k) {
      const std::int64_t from_tap = k - a.dilation * u;
      if (from_tap >= 0 && from_tap % a.stride == 0 && from_tap / a.stride < a.out) {
        first = std::min(first, k);
        last = std::max(last, k);
        first_tap = std::min(first_tap, u);
        last_tap = u;
      }
    }
  }
  return first == end ? Run{} : Run{first, last - first + 1, first_tap, last_tap - first_tap + 1};
}

// For each position of a run the position of x that it shows.
std::vector<std::int64_t> shown_by(const Run& run, const Axis& a, PaddingMode mode) {
  std::vector<std::int64_t> shown(run.count);
  for (std::int64_t k = 0; k < run.count; ++k) {
    shown[k] = padding_source(run.begin + k - a.padding, a.in, mode);
  }
  return shown;
}

// The taps of every kernel that read a strip.
template <class T>
Tensor cut_weight(const ConvolutionShape& s, const Run& rows, const Run& columns, const T* w) {
  Tensor part = Tensor::empty({s.out_channels, s.group_in(), rows.taps, columns.taps}, dtype_of<T>);
  T* to = part.mutable_data<T>();
  for (std::int64_t kernel = 0; kernel < s.out_channels * s.group_in(); ++kernel, w += s.taps()) {
    for (std::int64_t u = rows.first_tap; u < rows.first_tap + rows.taps; ++u) {
      to = std::copy_n(w + u * s.kernel.width + columns.first_tap, columns.taps, to);
    }
  }
  return part;
}

}  // namespace

template <class T>
void add_frame_gradient(const ConvolutionShape& s, const T* dy, const T* w, T* dx) {
  if (s.padding_mode == PaddingMode::zeros) {
    return;
  }
  const Axis vertical{s.in.height,     s.out.height,     s.kernel.height,
                      s.stride.height, s.padding.height, s.dilation.height};
  const Axis horizontal{s.in.width,     s.out.width,     s.kernel.width,
                        s.stride.width, s.padding.width, s.dilation.width};
  const auto add_strip = [&](const Run& rows, const Run& columns) {
    if (rows.count == 0 || columns.count == 0) {
      return;
    }
    // As if the strip were all of x. Its first row is row rows.begin of the padded picture: what it is read
    // by is counted from there.
    ConvolutionShape strip = s;
    strip.in = {rows.count, columns.count};
    strip.kernel = {rows.taps, columns.taps};
    strip.padding = {rows.begin - s.dilation.height * rows.first_tap,
                     columns.begin - s.dilation.width * columns.first_tap};
    strip.padding_mode = PaddingMode::zeros;
    const Tensor weight = cut_weight(s, rows, columns, w);
    Tensor gradient = Tensor::empty({s.batch, s.in_channels, rows.count, columns.count}, dtype_of<T>);
    direct_convolution::input_gradient(strip, dy, weight.data<T>(), gradient.mutable_data<T>());
    const std::vector<std::int64_t> row_shown = shown_by(rows, vertical, s.padding_mode);
    const std::vector<std::int64_t> column_shown = shown_by(columns, horizontal, s.padding_mode);
    parallel_for(s.batch * s.in_channels, 16, [&](std::int64_t begin, std::int64_t end) {
      const T* from = gradient.data<T>() + begin * strip.in_pixels();
      for (std::int64_t plane = begin; plane < end; ++plane) {
        for (const std::int64_t row : row_shown) {
          T* to = dx + plane * s.in_pixels() + row * s.in.width;
          for (const std::int64_t column : column_shown) to[column] += *from++;
        }
      }
    });
  };
  const auto [top, left] = s.padding;
  const std::int64_t bottom = top + s.in.height, right = left + s.in.width;
  const Run all_columns = read_part(horizontal, 0, right + left);
  const Run middle_rows = read_part(vertical, top, bottom);
  add_strip(read_part(vertical, 0, top), all_columns);
  add_strip(read_part(vertical, bottom, bottom + top), all_columns);
  add_strip(middle_rows, read_part(horizontal, 0, left));
  add_strip(middle_rows, read_part(horizontal, right, right + left));
}

template void add_frame_gradient(const ConvolutionShape&, const float*, const float*, float*);
template void add_frame_gradient(const ConvolutionShape&, const double*, const double*, double*);

}  // namespace gesso
