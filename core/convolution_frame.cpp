#include "gesso/core/convolution_frame.h"

#include <algorithm>
#include <vector>

#include "gesso/core/dtype.h"
#include "gesso/core/gemm.h"
#include "gesso/core/parallel.h"
#include "gesso/core/scratch.h"
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

// For each tap of a run and each of its positions the row (or column) of dy where they meet, or -1.
std::vector<std::int64_t> results_of(const Run& run, const Axis& a) {
  std::vector<std::int64_t> results;
  for (std::int64_t u = run.first_tap; u < run.first_tap + run.taps; ++u) {
    for (std::int64_t k = run.begin; k < run.begin + run.count; ++k) {
      const std::int64_t from_tap = k - a.dilation * u;
      const bool meet = from_tap >= 0 && from_tap % a.stride == 0 && from_tap / a.stride < a.out;
      results.push_back(meet ? from_tap / a.stride : -1);
    }
  }
  return results;
}

// A part of the frame: its positions are those of all samples, numbered sample by sample, row by row.
struct Strip {
  Run rows, columns;
  std::vector<std::int64_t> row_results, column_results;  // of results_of()

  std::int64_t positions() const { return rows.count * columns.count; }
  std::int64_t taps() const { return rows.taps * columns.taps; }
};

// part[g, o, u, v, c] = w[g, o, c, first tap + u, first tap + v], the taps that read a strip.
template <class T>
Tensor cut_weight(const ConvolutionShape& s, const Strip& strip, const T* w) {
  Tensor part = Tensor::empty({s.out_channels * strip.taps(), s.group_in()}, dtype_of<T>);
  T* to = part.mutable_data<T>();
  for (std::int64_t o = 0; o < s.out_channels; ++o, w += s.fan_in()) {
    for (std::int64_t u = strip.rows.first_tap; u < strip.rows.first_tap + strip.rows.taps; ++u) {
      for (std::int64_t v = strip.columns.first_tap; v < strip.columns.first_tap + strip.columns.taps; ++v) {
        const T* tap = w + u * s.kernel.width + v;
        for (std::int64_t c = 0; c < s.group_in(); ++c) *to++ = tap[c * s.taps()];
      }
    }
  }
  return part;
}

// columns[o, u, v, p - begin] = what of dy meets tap (u, v) at position begin <= p < end of a strip.
template <class T>
void gather(const ConvolutionShape& s, const Strip& strip, const T* dy, std::int64_t group,
            std::int64_t begin, std::int64_t end, T* columns) {
  const std::int64_t first_sample = begin / strip.positions(), in_sample = begin % strip.positions();
  const std::int64_t first_row = in_sample / strip.columns.count,
                     first_column = in_sample % strip.columns.count;
  for (std::int64_t o = group * s.group_out(); o < (group + 1) * s.group_out(); ++o) {
    for (std::int64_t u = 0; u < strip.rows.taps; ++u) {
      const std::int64_t* rows = &strip.row_results[u * strip.rows.count];
      for (std::int64_t v = 0; v < strip.columns.taps; ++v) {
        const std::int64_t* column = &strip.column_results[v * strip.columns.count];
        std::int64_t n = first_sample, row = first_row, l = first_column;
        for (std::int64_t left = end - begin; left > 0;) {
          const std::int64_t stop = std::min(strip.columns.count, l + left), i = rows[row];
          left -= stop - l;
          if (i < 0) {
            columns = std::fill_n(columns, stop - l, T{0});
          } else {
            const T* from = dy + ((n * s.out_channels + o) * s.out.height + i) * s.out.width;
            for (; l < stop; ++l) *columns++ = column[l] < 0 ? T{0} : from[column[l]];
          }
          l = 0;
          if (++row == strip.rows.count) {
            row = 0;
            ++n;
          }
        }
      }
    }
  }
}

// gradient[c, p], for the channels of x and the positions of a strip: a product of matrices for each group
// and block of positions.
template <class T>
void strip_gradient(const ConvolutionShape& s, const Strip& strip, const T* dy, const T* w, T* gradient) {
  constexpr std::int64_t cache_elements = (512 << 10) / sizeof(T), fewest = 64;
  const std::int64_t terms = s.group_out() * strip.taps(), positions = s.batch * strip.positions();
  const std::int64_t block = std::min(std::max(cache_elements / terms / 16 * 16, fewest), positions);
  const std::int64_t blocks = (positions + block - 1) / block;
  const Tensor weight = cut_weight(s, strip, w);
  parallel_for(s.groups * blocks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t group = task / blocks, begin = task % blocks * block;
    const std::int64_t end = std::min(begin + block, positions);
    T* columns = scratch<T>(terms * (end - begin));
    gather(s, strip, dy, group, begin, end, columns);
    gemm<T>(true, false, s.group_in(), end - begin, terms, 1, weight.data<T>() + group * terms * s.group_in(),
            s.group_in(), columns, end - begin, 0, gradient + group * s.group_in() * positions + begin,
            positions);
  });
}

}  // namespace

template <class T>
void add_frame_gradient(const ConvolutionShape& s, const T* dy, const T* w, T* dx) {
  if (s.padding_mode == PaddingMode::zeros || s.batch == 0) {
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
    const Strip strip{rows, columns, results_of(rows, vertical), results_of(columns, horizontal)};
    Tensor gradient = Tensor::empty({s.in_channels, s.batch, strip.positions()}, dtype_of<T>);
    strip_gradient(s, strip, dy, w, gradient.mutable_data<T>());
    const std::vector<std::int64_t> row_shown = shown_by(rows, vertical, s.padding_mode);
    const std::vector<std::int64_t> column_shown = shown_by(columns, horizontal, s.padding_mode);
    parallel_for(s.batch * s.in_channels, 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane) {
        const std::int64_t n = plane / s.in_channels, c = plane % s.in_channels;
        const T* from = gradient.data<T>() + (c * s.batch + n) * strip.positions();
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
