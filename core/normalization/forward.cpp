#include "gesso/core/normalization/normalization.h"

#include <cmath>
#include <type_traits>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/normalization/planes.h"
#include "gesso/core/simd/clones.h"

namespace gesso {

// ---- which elements belong together

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

Index NormalizationAxes::affine_size() const {
  return rows == AffineRows::per_channel ? channels : rows == AffineRows::per_plane ? planes() : inner;
}

// ---- forward

void inverse_std(const double* variance, Index count, double eps, double* inv_std) {
  for (Index s = 0; s < count; ++s) {
    inv_std[s] = 1 / std::sqrt(variance[s] + eps);
  }
}

namespace {

using namespace detail;

void write_statistic(const Moments& m, double eps, Index s, StatisticsOut out) {
  out.mean[s] = m.mean;
  out.variance[s] = m.variance();
  inverse_std(&out.variance[s], 1, eps, &out.inv_std[s]);
}

template <class T>
Moments statistic_moments(const NormalizationAxes& axes, const T* x, Index s) {
  Moments all;
  for (Index r = 0; r < axes.runs(); ++r) {
    all.merge(moments(x + axes.run_offset(s, r), axes.run_length()));
  }
  return all;
}

template <class T>
GESSO_SIMD void forward_piece(const T* x, const Plane<T>& plane, ElementRows<T> rows, bool relu, bool stream,
                              Index begin, Index end, T* y) {
  const Plane<T> p = plane;
  const auto fill = [=](auto with_relu, auto value) __attribute__((always_inline)) {
    fill_elements(
        stream, y, begin, end, [=](Index i) __attribute__((always_inline)) {
          const T z = value(i);
          return with_relu && z < 0 ? T{0} : z;  // NaN stays NaN
        });
  };
  if (rows.gamma) {
    const auto z = [=](Index i) __attribute__((always_inline)) {
      return affine(x[i], p, rows.gamma[i], rows.beta[i]);
    };
    relu ? fill(std::true_type{}, z) : fill(std::false_type{}, z);
  } else {
    const auto z = [=](Index i) __attribute__((always_inline)) { return affine(x[i], p); };
    relu ? fill(std::true_type{}, z) : fill(std::false_type{}, z);
  }
}

// Elements begin <= i < end of one plane of y.
template <class T>
void forward_plane(const NormalizationAxes& axes, const T* x, StatisticsIn statistics, const T* gamma,
                   const T* beta, bool relu, T* y, Index plane, Index begin, Index end) {
  const Index offset = plane * axes.inner;
  forward_piece(x + offset, plane_at(axes, statistics, gamma, beta, plane), element_rows(axes, gamma, beta),
                relu, streams<T>(axes), begin, end, y + offset);
}

}  // namespace

template <class T>
void compute_statistics(const NormalizationAxes& axes, const T* x, double eps, StatisticsOut out) {
  if (fits_in_cache(axes)) {
    for_each_statistic(axes, [&](Index s) { write_statistic(statistic_moments(axes, x, s), eps, s, out); });
    return;
  }
  // Large statistics: pieces in parallel, merged in the same order as above.
  const Index runs = axes.statistics() * axes.runs();
  const Index per_run = pieces_in(axes.run_length());
  std::vector<Moments> piece(runs * per_run);
  for_each_piece(runs, axes.run_length(), [&](Index run, Index begin, Index end) {
    const T* from = x + axes.run_offset(run / axes.runs(), run % axes.runs());
    piece[run * per_run + begin / kPiece] = moments(from + begin, end - begin);
  });
  for (Index s = 0; s < axes.statistics(); ++s) {
    Moments all;
    for (Index run = s * axes.runs(); run < (s + 1) * axes.runs(); ++run) {
      Moments one;
      for (Index p = run * per_run; p < (run + 1) * per_run; ++p) {
        one.merge(piece[p]);
      }
      all.merge(one);
    }
    write_statistic(all, eps, s, out);
  }
}

template <class T>
void normalize_with(const NormalizationAxes& axes, const T* x, StatisticsIn statistics, const T* gamma,
                    const T* beta, bool relu, T* y) {
  for_each_piece(axes.planes(), axes.inner, [&](Index plane, Index begin, Index end) {
    forward_plane(axes, x, statistics, gamma, beta, relu, y, plane, begin, end);
  });
}

template <class T>
void normalize_forward(const NormalizationAxes& axes, const T* x, double eps, const T* gamma, const T* beta,
                       bool relu, T* y, StatisticsOut out) {
  const StatisticsIn statistics{out.mean, out.inv_std};
  if (!fits_in_cache(axes)) {
    compute_statistics(axes, x, eps, out);
    normalize_with(axes, x, statistics, gamma, beta, relu, y);
    return;
  }
  for_each_statistic(axes, [&](Index s) {
    write_statistic(statistic_moments(axes, x, s), eps, s, out);
    for_each_plane(axes, s, [&](Index plane) {
      forward_plane(axes, x, statistics, gamma, beta, relu, y, plane, 0, axes.inner);
    });
  });
}

template void compute_statistics(const NormalizationAxes&, const float*, double, StatisticsOut);
template void compute_statistics(const NormalizationAxes&, const double*, double, StatisticsOut);
template void normalize_with(const NormalizationAxes&, const float*, StatisticsIn, const float*, const float*,
                             bool, float*);
template void normalize_with(const NormalizationAxes&, const double*, StatisticsIn, const double*,
                             const double*, bool, double*);
template void normalize_forward(const NormalizationAxes&, const float*, double, const float*, const float*,
                                bool, float*, StatisticsOut);
template void normalize_forward(const NormalizationAxes&, const double*, double, const double*, const double*,
                                bool, double*, StatisticsOut);
}  // namespace gesso
