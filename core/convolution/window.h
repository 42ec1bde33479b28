// How a convolution is cut into pieces: the result into tiles, and for each tile a window, a padded copy of
// what the tile reads, in which every tap of the kernel is a fixed offset. The direct convolution works on
// them (core/convolution/direct/direct.h).
//
// A stride s makes neighbouring results read pixels s apart. In a window these are neighbours: it holds s
// smaller pictures ("phases") in each dimension, phase a with the pixels a, a + s, a + 2 s, ...
#pragma once

#include <cstddef>
#include <vector>

#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/convolution/shape.h"
#include "gesso/core/index.h"

namespace gesso {

/// One dimension of a window. Position q of phase a is position stride * (first + q) + a - padding of the
/// source picture, for a tile that begins at `first`; a tile of n positions reads n + reach of every phase.
struct WindowAxis {
  Index source;  ///< size of the source picture
  Index stride, padding, phases, reach;
  PaddingMode mode = PaddingMode::zeros;  ///< what is read outside it
};

/// `channels` pictures, each as rows.phases * columns.phases smaller ones of `height` rows, `pitch` numbers
/// each.
struct Window {
  /// The bytes that everything a tile works on may take: half of a second-level cache of 1 MiB.
  static constexpr Index cache_bytes = 512 << 10;

  WindowAxis rows, columns;
  Index channels;
  Index height = 0, pitch = 0;

  Index phases() const { return rows.phases * columns.phases; }
  Index size() const { return channels * phases() * height * pitch; }
  /// Elements behind the window that a kernel may read (without using them) when it takes all rows as one and
  /// goes on to the end of a register of `lanes`.
  Index slack(Index lanes) const { return columns.reach + lanes; }
  /// The offset in the window of position (row, column) of a phase of a channel.
  Index at(Index channel, Size2d phase, Index row, Index column) const {
    return (((channel * rows.phases + phase.height) * columns.phases + phase.width) * height + row) * pitch +
           column;
  }
};

/// Fills `window` (window.size() elements) with what the tile at (row, column) reads of the pictures at
/// `source` (channels, rows.source, columns.source).
template <class T>
void fill_window(const Window& shape, const T* source, Index row, Index column, T* window);

/// The same of pictures that a mask lets through: channels from `first_channel` on of sample n, at a stride of 1. A picture of
/// the mask may have other rows, and as many pixels.
template <class T>
void fill_window(const Window& shape, const T* source, Index row, Index column, const ReluMask& mask, Index n,
                 Index first_channel, T* window);

/// The axes of a convolution's windows over x: row i of y reads row stride i + dilation u - padding of x,
/// which is position i + dilation u / stride of phase dilation u mod stride.
WindowAxis forward_rows(const ConvolutionShape& shape);
WindowAxis forward_columns(const ConvolutionShape& shape);

/// For each channel of `window` and tap of the kernel, in the order of a row of the weight, the offset in the
/// window from position (0, 0) of a tile to what the tap reads.
std::vector<Index> forward_offsets(const ConvolutionShape& shape, const Window& window);

/// A part of the result.
struct Tile {
  Index row, column, rows, columns;
};

/// How pictures of the result are cut into tiles: by their sizes alone.
struct Tiles {
  Size2d picture = 0;
  Index rows = 0, columns = 0;  ///< of one tile; the last may have fewer
  Index down = 0, across = 0;   ///< how many

  Index count() const { return down * across; }
  Tile operator[](Index index) const;
};

/// Tiles of at most `most_rows` rows whose working set, `depth` pictures of the size of a tile with its
/// reach, stays in the second-level cache.
Tiles cut_into_tiles(Size2d picture, const WindowAxis& rows, const WindowAxis& columns, Index depth,
                     Index most_rows, std::size_t element_bytes);

}  // namespace gesso
