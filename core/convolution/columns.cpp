#include "gesso/core/convolution/columns.h"

#include <algorithm>

#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

// ceil(a / b) for b > 0 and any a.
std::int64_t divide_up(std::int64_t a, std::int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// A run of columns in one row of the matrix that reads one row of the picture: `left` columns that read the
// padding, `length` that read pixels of the row, `right` that read the padding again.
struct Piece {
  std::int64_t at;   // offset into the columns
  std::int64_t row;  // offset into x of the row; negative when all is zero
  std::int64_t
      column;  // of x that the first reads; each reads shape.stride.width further than the one before
  std::int64_t left, length, right;
};

template <class Visit>
inline __attribute__((always_inline)) void for_each_piece(const ConvolutionShape& s, std::int64_t channels,
                                                          std::int64_t begin, std::int64_t end, Visit visit) {
  std::int64_t at = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t u = 0; u < s.kernel.height; ++u) {
      for (std::int64_t v = 0; v < s.kernel.width; ++v, at += end - begin) {
        const std::int64_t shift = s.dilation.width * v - s.padding.width;  // x column read by y column 0
        const std::int64_t inside_begin = divide_up(-shift, s.stride.width);
        const std::int64_t inside_end = divide_up(s.in.width - shift, s.stride.width);
        for (std::int64_t p = begin; p < end;) {
          const std::int64_t i = p / s.out.width;
          const std::int64_t j = p % s.out.width;
          const std::int64_t j_end = std::min(s.out.width, j + end - p);
          const std::int64_t k = padding_source(
              s.stride.height * i - s.padding.height + s.dilation.height * u, s.in.height, s.padding_mode);
          const std::int64_t from = std::clamp(inside_begin, j, j_end);
          const std::int64_t to = std::clamp(inside_end, from, j_end);
          visit(Piece{at + p - begin, k < 0 ? -1 : (c * s.in.height + k) * s.in.width,
                      shift + s.stride.width * j, from - j, to - from, j_end - to});
          p += j_end - j;
        }
      }
    }
  }
}

template <class T>
GESSO_SIMD void gather(const ConvolutionShape& s, const T* x, std::int64_t channels, std::int64_t begin,
                       std::int64_t end, T* columns) {
  const std::int64_t stride = s.stride.width;
  for_each_piece(s, channels, begin, end, [&](const Piece& piece) {
    T* to = columns + piece.at;
    const std::int64_t right = piece.left + piece.length;
    if (piece.row < 0) {
      std::fill_n(to, right + piece.right, T{0});
      return;
    }
    const T* row = x + piece.row;
    const auto show_padding = [&](std::int64_t q, std::int64_t q_end) {
      for (; q < q_end; ++q) {
        const std::int64_t source = padding_source(piece.column + stride * q, s.in.width, s.padding_mode);
        to[q] = source < 0 ? T{0} : row[source];
      }
    };
    show_padding(0, piece.left);
    if (stride == 1) {
      std::copy_n(row + piece.column + piece.left, piece.length, to + piece.left);
    } else {
      for (std::int64_t q = piece.left; q < right; ++q) to[q] = row[piece.column + stride * q];
    }
    show_padding(right, right + piece.right);
  });
}

template <class T>
GESSO_SIMD void scatter(const ConvolutionShape& s, const T* columns, std::int64_t channels,
                        std::int64_t begin, std::int64_t end, T* dx) {
  const std::int64_t stride = s.stride.width;
  for_each_piece(s, channels, begin, end, [&](const Piece& piece) {
    if (piece.row < 0) {
      return;
    }
    const T* from = columns + piece.at + piece.left;
    T* to = dx + piece.row + piece.column + stride * piece.left;
    if (stride == 1) {
      for (std::int64_t i = 0; i < piece.length; ++i) to[i] += from[i];
    } else {
      for (std::int64_t i = 0; i < piece.length; ++i) to[stride * i] += from[i];
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
