#include "gesso/core/convolution/window.h"

#include <algorithm>

#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

// to[q] = from[stride * q]. The stride that matters most has a loop of its own, which the compiler can
// vectorise.
template <class T>
GESSO_SIMD void collect(const T* from, Index count, Index stride, T* to) {
  if (stride == 1) {
    std::copy_n(from, count, to);
  } else if (stride == 2) {
    for (Index q = 0; q < count; ++q) to[q] = from[2 * q];
  } else {
    for (Index q = 0; q < count; ++q) to[q] = from[stride * q];
  }
}

// to[q] = number first + stride * q of a row for 0 <= q < count, and what the mode says where that is outside 0 to
// size; read(begin, count, to) gives numbers begin, begin + stride, ... of the row.
template <class T, class Read>
void copy_row(Index size, PaddingMode mode, Index first, Index stride, Index count, T* to, Read read) {
  const auto show_padding = [&](Index begin, Index end) {
    for (Index q = begin; q < end; ++q) {
      const Index source = padding_source(first + stride * q, size, mode);
      if (source < 0) {
        to[q] = T{0};
      } else {
        read(source, 1, to + q);
      }
    }
  };
  const auto positions_below = [&](Index limit) {
    return limit <= first ? 0 : std::min(divide_up(limit - first, stride), count);
  };
  const Index begin = positions_below(0), end = positions_below(size);
  show_padding(0, begin);
  read(first + stride * begin, end - begin, to + begin);
  show_padding(end, count);
}

// read(c, begin, count, to) gives pixels begin, begin + stride, ... of channel c, which may go on in the next row.
template <class T, class Read>
void fill(const Window& w, Index row, Index column, T* window, Read read) {
  const Index first_row = w.rows.stride * row - w.rows.padding;
  const Index first_column = w.columns.stride * column - w.columns.padding;
  for (Index c = 0; c < w.channels; ++c) {
    for (Index a = 0; a < w.rows.phases; ++a) {
      for (Index b = 0; b < w.columns.phases; ++b) {
        for (Index r = 0; r < w.height; ++r, window += w.pitch) {
          const Index k = padding_source(first_row + w.rows.stride * r + a, w.rows.source, w.rows.mode);
          if (k < 0) {
            std::fill_n(window, w.pitch, T{0});
          } else {
            copy_row(
                w.columns.source, w.columns.mode, first_column + b, w.columns.stride, w.pitch, window,
                [&](Index begin, Index count, T* to) { read(c, k * w.columns.source + begin, count, to); });
          }
        }
      }
    }
  }
}

WindowAxis forward_axis(Index source, Index kernel, Index stride, Index padding, Index dilation,
                        PaddingMode mode) {
  const Index span = dilation * (kernel - 1);
  return {source, stride, padding, std::min(stride, span + 1), span / stride, mode};
}

// The length of equal pieces of `size`, each at most `most`.
Index even_piece(Index size, Index most) {
  return divide_up(size, divide_up(size, std::max<Index>(most, 1)));
}

}  // namespace

template <class T>
void fill_window(const Window& w, const T* source, Index row, Index column, T* window) {
  const Index plane = w.rows.source * w.columns.source;
  fill(w, row, column, window, [&](Index c, Index begin, Index count, T* to) {
    collect(source + c * plane + begin, count, w.columns.stride, to);
  });
}

template <class T>
void fill_window(const Window& w, const T* source, Index row, Index column, const ReluMask& mask, Index n,
                 Index first_channel, T* window) {
  const Index plane = w.rows.source * w.columns.source;
  fill(w, row, column, window, [&](Index c, Index begin, Index count, T* to) {
    mask_pixels(mask, n, first_channel + c, begin, count, source + c * plane, to);
  });
}

WindowAxis forward_rows(const ConvolutionShape& s) {
  return forward_axis(s.in.height, s.kernel.height, s.stride.height, s.padding.height, s.dilation.height,
                      s.padding_mode);
}

WindowAxis forward_columns(const ConvolutionShape& s) {
  return forward_axis(s.in.width, s.kernel.width, s.stride.width, s.padding.width, s.dilation.width,
                      s.padding_mode);
}

std::vector<Index> forward_offsets(const ConvolutionShape& s, const Window& window) {
  std::vector<Index> offsets;
  offsets.reserve(window.channels * s.taps());
  for (Index c = 0; c < window.channels; ++c) {
    for (Index u = 0; u < s.kernel.height; ++u) {
      for (Index v = 0; v < s.kernel.width; ++v) {
        const Index row = s.dilation.height * u, column = s.dilation.width * v;
        offsets.push_back(window.at(c, {row % s.stride.height, column % s.stride.width},
                                    row / s.stride.height, column / s.stride.width));
      }
    }
  }
  return offsets;
}

Tile Tiles::operator[](Index index) const {
  const Index row = index / across * rows;
  const Index column = index % across * columns;
  return {row, column, std::min(rows, picture.height - row), std::min(columns, picture.width - column)};
}

Tiles cut_into_tiles(Size2d picture, const WindowAxis& rows, const WindowAxis& columns, Index depth,
                     Index most_rows, std::size_t element_bytes) {
  constexpr Index most_columns = 256, few_columns = 64, few_rows = 4;
  constexpr Index step = 16;  // cut columns are a multiple of the registers' lanes
  const Index elements = Window::cache_bytes / static_cast<Index>(element_bytes);
  const auto rows_that_fit = [&](Index width) {
    return elements / (depth * (width + columns.reach)) - rows.reach;
  };
  Tiles tiles{picture, 1, picture.width, 1, 1};
  if (picture.width > most_columns) {
    tiles.columns = divide_up(even_piece(picture.width, most_columns), step) * step;
  }
  // Rows are worth more than columns while each row is read `reach` times more often.
  while (tiles.columns > few_columns && rows_that_fit(tiles.columns) < std::min(few_rows, picture.height)) {
    tiles.columns = divide_up(tiles.columns / 2, step) * step;
  }
  tiles.rows = even_piece(picture.height, std::min(rows_that_fit(tiles.columns), most_rows));
  tiles.down = divide_up(picture.height, tiles.rows);
  tiles.across = divide_up(picture.width, tiles.columns);
  return tiles;
}

template void fill_window(const Window&, const float*, Index, Index, float*);
template void fill_window(const Window&, const double*, Index, Index, double*);
template void fill_window(const Window&, const float*, Index, Index, const ReluMask&, Index, Index, float*);
template void fill_window(const Window&, const double*, Index, Index, const ReluMask&, Index, Index, double*);

}  // namespace gesso
