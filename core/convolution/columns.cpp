#include "gesso/core/convolution/columns.h"

#include <algorithm>

#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

// ceil(a / b) for b > 0 and any a.
Index ceiling(Index a, Index b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// A run of columns in one row of the matrix that reads one row of the picture: `left` columns that read the
// padding, `length` that read pixels of the row, `right` that read the padding again.
struct Piece {
  Index at;      // offset into the columns
  Index row;     // offset into x of the row; negative when all is zero
  Index column;  // of x that the first reads; each reads shape.stride.width further than the one before
  Index left, length, right;
};

template <class Visit>
inline __attribute__((always_inline)) void for_each_piece(const ConvolutionShape& s, Index channels,
                                                          Index begin, Index end, Visit visit) {
  Index at = 0;
  for (Index c = 0; c < channels; ++c) {
    for (Index u = 0; u < s.kernel.height; ++u) {
      for (Index v = 0; v < s.kernel.width; ++v, at += end - begin) {
        const Index shift = s.dilation.width * v - s.padding.width;  // x column read by y column 0
        const Index inside_begin = ceiling(-shift, s.stride.width);
        const Index inside_end = ceiling(s.in.width - shift, s.stride.width);
        for (Index p = begin; p < end;) {
          const Index i = p / s.out.width;
          const Index j = p % s.out.width;
          const Index j_end = std::min(s.out.width, j + end - p);
          const Index k = padding_source(s.stride.height * i - s.padding.height + s.dilation.height * u,
                                         s.in.height, s.padding_mode);
          const Index from = std::clamp(inside_begin, j, j_end);
          const Index to = std::clamp(inside_end, from, j_end);
          visit(Piece{at + p - begin, k < 0 ? -1 : (c * s.in.height + k) * s.in.width,
                      shift + s.stride.width * j, from - j, to - from, j_end - to});
          p += j_end - j;
        }
      }
    }
  }
}

template <class T>
GESSO_SIMD void gather(const ConvolutionShape& s, const T* x, Index channels, Index begin, Index end,
                       T* columns) {
  const Index stride = s.stride.width;
  for_each_piece(s, channels, begin, end, [&](const Piece& piece) {
    T* to = columns + piece.at;
    const Index right = piece.left + piece.length;
    if (piece.row < 0) {
      std::fill_n(to, right + piece.right, T{0});
      return;
    }
    const T* row = x + piece.row;
    const auto show_padding = [&](Index q, Index q_end) {
      for (; q < q_end; ++q) {
        const Index source = padding_source(piece.column + stride * q, s.in.width, s.padding_mode);
        to[q] = source < 0 ? T{0} : row[source];
      }
    };
    show_padding(0, piece.left);
    if (stride == 1) {
      std::copy_n(row + piece.column + piece.left, piece.length, to + piece.left);
    } else {
      for (Index q = piece.left; q < right; ++q) to[q] = row[piece.column + stride * q];
    }
    show_padding(right, right + piece.right);
  });
}

template <class T>
GESSO_SIMD void scatter(const ConvolutionShape& s, const T* columns, Index channels, Index begin, Index end,
                        T* dx) {
  const Index stride = s.stride.width;
  for_each_piece(s, channels, begin, end, [&](const Piece& piece) {
    if (piece.row < 0) {
      return;
    }
    const T* from = columns + piece.at + piece.left;
    T* to = dx + piece.row + piece.column + stride * piece.left;
    if (stride == 1) {
      for (Index i = 0; i < piece.length; ++i) to[i] += from[i];
    } else {
      for (Index i = 0; i < piece.length; ++i) to[stride * i] += from[i];
    }
  });
}

}  // namespace

template <class T>
void im2col(const ConvolutionShape& shape, const T* x, Index channels, Index begin, Index end, T* columns) {
  gather(shape, x, channels, begin, end, columns);
}

template <class T>
void add_col2im(const ConvolutionShape& shape, const T* columns, Index channels, Index begin, Index end,
                T* dx) {
  scatter(shape, columns, channels, begin, end, dx);
}

template void im2col(const ConvolutionShape&, const float*, Index, Index, Index, float*);
template void im2col(const ConvolutionShape&, const double*, Index, Index, Index, double*);
template void add_col2im(const ConvolutionShape&, const float*, Index, Index, Index, float*);
template void add_col2im(const ConvolutionShape&, const double*, Index, Index, Index, double*);

}  // namespace gesso
