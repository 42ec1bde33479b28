// The forward half of normalization.h.
#include "gesso/core/normalization/normalization.h"

#include <cmath>
#include <vector>

#include "gesso/core/normalization/batch_parts.h"
#include "gesso/core/normalization/planes.h"
#include "gesso/core/normalization/wide.h"
#include "gesso/core/simd/clones.h"

namespace gesso {

void inverse_std(const double* variance, Index count, double eps, double* inv_std) {
  for (Index s = 0; s < count; ++s) {
    inv_std[s] = 1 / std::sqrt(variance[s] + eps);
  }
}

namespace {

using namespace detail;

// Statistic s of numbers whose squares are beyond float64 (1e160), in long double: 1 / std is a float64 where
// the variance is none. What is not finite stays so.
void write_wide_statistic(const NormalizationAxes& axes, Index s, const double* x, double eps,
                          StatisticsOut out) {
  const Index count = axes.elements_per_statistic();
  long double sum = 0, squares = 0;
  for (Index k = 0; k < count && axes.centred; ++k) {
    sum += x[axes.element(s, k)];
  }
  const long double mean = sum / static_cast<long double>(count);
  for (Index k = 0; k < count; ++k) {
    const long double deviation = x[axes.element(s, k)] - mean;
    squares += deviation * deviation;
  }
  const long double variance = squares / static_cast<long double>(count);
  out.mean[s] = static_cast<double>(mean);
  out.variance[s] = static_cast<double>(variance);
  out.inv_std[s] = static_cast<double>(1 / std::sqrt(variance + static_cast<long double>(eps)));
}

// Statistic s of x, from the moments of its runs, which are merged in order.
template <class T, class RunMoments>
void write_statistic(const NormalizationAxes& axes, Index s, const T* x, double eps, StatisticsOut out,
                     RunMoments&& moments_of_run) {
  Moments m;
  for (Index r = 0; r < axes.runs(); ++r) {
    m.merge(moments_of_run(r));
  }
  if (!axes.centred) {
    m = m.about_zero();
  }
  if constexpr (std::is_same_v<T, double>) {
    if (!std::isfinite(m.m2)) {
      write_wide_statistic(axes, s, x, eps, out);
      return;
    }
  }
  out.mean[s] = m.mean;
  out.variance[s] = m.variance();
  inverse_std(&out.variance[s], 1, eps, &out.inv_std[s]);
}

// Elements begin <= i < end of one plane of y.
template <class T>
GESSO_SIMD void write_y(const T* x, const Plane<T>& plane, bool relu, bool stream, Index begin, Index end,
                        T* y) {
  const Plane<T> p = plane;
  with_flags(
      relu, p.gamma, [=](auto with_relu, auto with_rows) __attribute__((always_inline)) {
        const auto value = [=](Index i) __attribute__((always_inline)) {
          const T z = p.template z_of<with_rows()>(x, i);
          return with_relu && z < 0 ? T{0} : z;  // NaN stays NaN
        };
        if (stream) {
          stream_elements(y, begin, end, value);
          return;
        }
        for (Index i = begin; i < end; ++i) {
          y[i] = value(i);
        }
      });
}

// moments() of `count` rows of `length` elements each, row r beginning at element offset(r), in pieces on all threads.
template <class T, class Offset>
std::vector<Moments> moments_of_rows(const T* x, Index count, Index length, Offset offset) {
  const Index per_row = pieces_in(length);
  std::vector<Moments> pieces(count * per_row), rows(count);
  for_each_piece(count, length, [&](Index row, Index begin, Index end) {
    pieces[row * per_row + begin / kPiece] = moments(x + offset(row) + begin, end - begin);
  });
  for (Index p = 0; p < count * per_row; ++p) {
    rows[p / per_row].merge(pieces[p]);
  }
  return rows;
}

}  // namespace

template <class T>
void compute_statistics(const NormalizationAxes& axes, const T* x, double eps, StatisticsOut out) {
  const Index runs = axes.runs(), length = axes.run_length();
  if (fits_in_cache(axes)) {
    for_each_statistic(axes, [&](Index s) {
      write_statistic(axes, s, x, eps, out,
                      [&](Index r) { return moments(x + axes.run_offset(s, r), length); });
    });
    return;
  }
  // Large statistics: pieces in parallel, merged in the order of moments().
  const std::vector<Moments> of_runs = moments_of_rows(x, axes.statistics() * runs, length, [&](Index run) {
    return axes.run_offset(run / runs, run % runs);
  });
  for (Index s = 0; s < axes.statistics(); ++s) {
    write_statistic(axes, s, x, eps, out, [&](Index r) { return of_runs[s * runs + r]; });
  }
}

template <class T>
void plane_moments(const NormalizationAxes& axes, const T* x, Moments* of_planes) {
  const std::vector<Moments> all =
      moments_of_rows(x, axes.planes(), axes.inner, [&](Index plane) { return plane * axes.inner; });
  std::copy(all.begin(), all.end(), of_planes);
}

void merge_plane_moments(const NormalizationAxes& axes, const Moments* of_planes, double eps,
                         StatisticsOut out) {
  for (Index s = 0; s < axes.statistics(); ++s) {
    Moments m;
    for_each_plane(axes, s, [&](Index plane) { m.merge(of_planes[plane]); });
    out.mean[s] = m.mean;
    out.variance[s] = m.variance();
    inverse_std(&out.variance[s], 1, eps, &out.inv_std[s]);
  }
}

template <class T>
void normalize_with(const NormalizationAxes& axes, const T* x, StatisticsIn statistics, const T* gamma,
                    const T* beta, Activation activation, T* y) {
  const Narrowed<T> narrowed(axes, x, statistics);
  const Index together = axes.rows == AffineRows::per_element ? axes.planes() : 1;
  for_each_piece(axes.planes(), axes.inner, together, [&](Index plane, Index begin, Index end) {
    const Index offset = plane * axes.inner;
    write_y(narrowed.x() + offset, Plane<T>(axes, narrowed.statistics(), gamma, beta, plane),
            activation == Activation::relu, streams<T>(axes), begin, end, y + offset);
  });
}

template <class T>
void normalize_forward(const NormalizationAxes& axes, const T* x, double eps, const T* gamma, const T* beta,
                       Activation activation, T* y, StatisticsOut out) {
  const StatisticsIn statistics{out.mean, out.inv_std};
  if (!fits_in_cache(axes)) {
    compute_statistics(axes, x, eps, out);
    normalize_with(axes, x, statistics, gamma, beta, activation, y);
    return;
  }
  for_each_statistic(axes, [&](Index s) {
    write_statistic(axes, s, x, eps, out,
                    [&](Index r) { return moments(x + axes.run_offset(s, r), axes.run_length()); });
    for_each_plane(axes, s, [&](Index plane) {
      const Index offset = plane * axes.inner;
      write_y(x + offset, Plane<T>(axes, statistics, gamma, beta, plane), activation == Activation::relu,
              streams<T>(axes), 0, axes.inner, y + offset);
    });
  });
  if (too_wide<T>(axes, statistics)) {
    normalize_with(axes, x, statistics, gamma, beta, activation, y);
  }
}

template void plane_moments(const NormalizationAxes&, const float*, Moments*);
template void plane_moments(const NormalizationAxes&, const double*, Moments*);
template void compute_statistics(const NormalizationAxes&, const float*, double, StatisticsOut);
template void compute_statistics(const NormalizationAxes&, const double*, double, StatisticsOut);
template void normalize_with(const NormalizationAxes&, const float*, StatisticsIn, const float*, const float*,
                             Activation, float*);
template void normalize_with(const NormalizationAxes&, const double*, StatisticsIn, const double*,
                             const double*, Activation, double*);
template void normalize_forward(const NormalizationAxes&, const float*, double, const float*, const float*,
                                Activation, float*, StatisticsOut);
template void normalize_forward(const NormalizationAxes&, const double*, double, const double*, const double*,
                                Activation, double*, StatisticsOut);

}  // namespace gesso
