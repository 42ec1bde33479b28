#include "gesso/core/normalization/axes.h"

#include "gesso/core/error.h"

namespace gesso {

NormalizationAxes NormalizationAxes::instance(const Shape& x, AffineRows rows) {
  return {x[0], x[1], x.numel(2, x.rank()), x[1], false, rows};
}

NormalizationAxes NormalizationAxes::batch(const Shape& x) {
  return {x[0], x[1], x.numel(2, x.rank()), x[1], true, AffineRows::per_channel};
}

NormalizationAxes NormalizationAxes::group(const Shape& x, Index groups) {
  require(groups > 0 && x[1] % groups == 0, "group norm: ", x[1], " channels cannot be cut into ", groups,
          " groups of one size");
  return {x[0], x[1], x.numel(2, x.rank()), groups, false, AffineRows::per_channel};
}

NormalizationAxes NormalizationAxes::layer(const Shape& x, int rank) {
  return {x.numel(0, x.rank() - rank), 1, x.numel(x.rank() - rank, x.rank()), 1, false,
          AffineRows::per_element};
}

NormalizationAxes NormalizationAxes::rms(const Shape& x, int rank) {
  NormalizationAxes axes = layer(x, rank);
  axes.centred = false;
  return axes;
}

Index NormalizationAxes::affine_size() const {
  return rows == AffineRows::per_channel ? channels : rows == AffineRows::per_plane ? planes() : inner;
}

}  // namespace gesso
