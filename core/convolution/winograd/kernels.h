// The inner loops of Winograd's convolution (core/convolution/winograd/winograd.h), compiled for AVX-512,
// AVX2 and plain x86-64 (or any other CPU); the choice is made when the program runs.
//
// Transformed numbers come in 36 matrices, one for each product of a tile. Their rows are cut into groups of
// 16 channels, so that a group of a tile is one vector (or two, or four) for every matrix:
//
//     tiles[matrix][channel / 16][tile][channel % 16]                    of the input, of dy, of y
//     weights[matrix][out channel / 32][in channel][out channel % 32]    panels, as the products read them
//     sums[matrix][in channel][out channel]                              for the gradient to the weight
//
// A "strip" is a run of tiles side by side.
#pragma once

#include <cstdint>
#include <type_traits>

#include "gesso/core/index.h"
#include "gesso/core/kernels/panel_products.h"
#include "gesso/core/padding_mode.h"
#include "gesso/core/size2d.h"

namespace gesso::winograd {

inline constexpr int kTile = 4;       ///< rows and columns of a tile of the result
inline constexpr int kMatrices = 36;  ///< 6 x 6 products for each tile
inline constexpr int kStrip = 16;     ///< most tiles in a strip

/// A channel that is a copy of a picture, moved: its pixel (i, j) is pixel (i + row, j + column) of the plane. Such copies
/// are read where the picture is and never made.
struct ShiftedCopy {
  Index plane, row, column;
};

/// The pictures of up to a group's channels.
template <class T>
struct Planes {
  using Mask = std::conditional_t<std::is_const_v<T>, const std::uint8_t, std::uint8_t>;

  T* data;     ///< (channels, size.height, size.width), or the planes that `copies` are of
  Mask* mask;  ///< null, or the rows of a relu mask (core/convolution/relu_mask.h) from the first plane on
  int channels;
  Size2d size;
  PaddingMode mode = PaddingMode::zeros;  ///< what is read outside
  const ShiftedCopy* copies = nullptr;    ///< for each channel, or null: channel c is plane c

  ShiftedCopy copy(int channel) const {
    return copies == nullptr ? ShiftedCopy{channel, 0, 0} : copies[channel];
  }
};

/// Where a group of a strip is in the 36 matrices: matrix k begins at data + k * stride.
template <class T>
struct TileGroup {
  T* data;
  Index stride;
};

struct Kernels {
  /// The transform of `tiles` input tiles, whose first begins at (row, column) of the pictures; outside of
  /// them is what their padding shows. What the mask does not let through counts as zero.
  void (*input)(const Planes<const float>& x, Index row, Index column, int tiles, TileGroup<float> to);
  /// The same for tiles of dy in the gradient to the weight, 4 x 4 numbers each.
  void (*gradient)(const Planes<const float>& dy, Index row, Index column, int tiles, TileGroup<float> to);
  /// The result of `tiles` tiles, plus a bias (null: none) for each channel, with negative numbers set to
  /// zero if `relu`. Numbers beyond the pictures are dropped. The mask is written if there is one. If
  /// `stream`, whole cache lines of y are written past the caches, and simd::finish_streams() must come
  /// before others read y.
  void (*result)(TileGroup<const float> from, int tiles, const float* bias, bool relu, bool stream,
                 const Planes<float>& y, Index row, Index column);
  /// to[matrix * stride + lane], lane < 16: the transform of kernels of 3 x 3 taps, one in each lane, at
  /// w + lane * lane_stride. Lanes from `lanes` on are zeros. `mirrored`: both dimensions of each kernel.
  void (*weights)(const float* w, Index lane_stride, int lanes, bool mirrored, TileGroup<float> to);
  /// dw[lane * lane_stride + tap] = the gradient to the taps of `lanes` kernels from sums[matrix * stride +
  /// lane] added over `parts` parts, part_stride apart.
  void (*taps)(TileGroup<const float> sums, Index parts, Index part_stride, int lanes, float* dw,
               Index lane_stride);
};

/// The kernels for this CPU.
const Kernels& kernels();

}  // namespace gesso::winograd
