#include "gesso/core/im2col.h"

#include <algorithm>

#include "gesso/core/simd.h"

namespace gesso {
namespace {

// ceil(a / b) for b > 0 and any a.
std::int64_t divide_up(std::int64_t a, std::int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// Cuts the columns into pieces of one row of the matrix and one row of the picture, and calls for each
//     piece(offset into columns, zeros on the left, offset into x, length, zeros on the right)
// where `length` columns read pixels of x that are shape.stride.width apart and the others read padding.
template <class Piece>
inline __attribute__((always_inline)) void for_each_piece(const ConvolutionShape& s, std::int64_t channels,
                                                          std::int64_t begin, std::int64_t end, Piece piece) {
  std::int64_t row = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t u = 0; u < s.kernel.height; ++u) {
      for (std::int64_t v = 0; v < s.kernel.width; ++v, row += end - begin) {
        const std::int64_t shift = s.dilation.width * v - s.padding.width;  // x column read by y column 0
        const std::int64_t inside_begin = divide_up(-shift, s.stride.width);
        const std::int64_t inside_end = divide_up(s.in.width - shift, s.stride.width);
        for (std::int64_t p = begin; p < end;) {
          const std::int64_t i = p / s.out.width;
          const std::int64_t j = p % s.out.width;
          const std::int64_t j_end = std::min(s.out.width, j + end - p);
          const std::int64_t k = s.stride.height * i - s.padding.height + s.dilation.height * u;
          std::int64_t from = j, to = j;  // the columns that read inside x
          if (0 <= k && k < s.in.height) {
            from = std::clamp(inside_begin, j, j_end);
            to = std::clamp(inside_end, from, j_end);
          }
          piece(row + p - begin, from - j, (c * s.in.height + k) * s.in.width + shift + s.stride.width * from,
                to - from, j_end - to);
          p += j_end - j;
        }
      }
    }
  }
}

template <class T>
GESSO_SIMD void gather(const ConvolutionShape& s, const T* x, std::int64_t channels, std::int64_t begin,
                       std::int64_t end, T* columns) {
  for_each_piece(
      s, channels, begin, end,
      [&](std::int64_t at, std::int64_t left, std::int64_t source, std::int64_t length, std::int64_t right) {
        T* to = std::fill_n(columns + at, left, T{0});
        if (s.stride.width == 1) {
          to = std::copy_n(x + source, length, to);
        } else {
          for (std::int64_t i = 0; i < length; ++i) *to++ = x[source + s.stride.width * i];
        }
        std::fill_n(to, right, T{0});
      });
}

template <class T>
GESSO_SIMD void scatter(const ConvolutionShape& s, const T* columns, std::int64_t channels,
                        std::int64_t begin, std::int64_t end, T* dx) {
  for_each_piece(
      s, channels, begin, end,
      [&](std::int64_t at, std::int64_t left, std::int64_t target, std::int64_t length, std::int64_t) {
        const T* from = columns + at + left;
        T* to = dx + target;
        if (s.stride.width == 1) {
          for (std::int64_t i = 0; i < length; ++i) to[i] += from[i];
        } else {
          for (std::int64_t i = 0; i < length; ++i) to[s.stride.width * i] += from[i];
        }
      });
}

}  // namespace

template <class T>
void im2col(const ConvolutionShape& shape, const T* x, std::int64_t channels, std::int64_t begin,
            std::int64_t end, T* columns) {
  gather(shape, x, channels, begin, end, columns);
}

template <class T>
void add_col2im(const ConvolutionShape& shape, const T* columns, std::int64_t channels, std::int64_t begin,
                std::int64_t end, T* dx) {
  scatter(shape, columns, channels, begin, end, dx);
}

template void im2col(const ConvolutionShape&, const float*, std::int64_t, std::int64_t, std::int64_t, float*);
template void im2col(const ConvolutionShape&, const double*, std::int64_t, std::int64_t, std::int64_t,
                     double*);
template void add_col2im(const ConvolutionShape&, const float*, std::int64_t, std::int64_t, std::int64_t,
                         float*);
template void add_col2im(const ConvolutionShape&, const double*, std::int64_t, std::int64_t, std::int64_t,
                         double*);

}  // namespace gesso
