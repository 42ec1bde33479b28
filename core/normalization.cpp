// Built with -ffp-contract=off (CMakeLists.txt): no multiplication is fused into an addition, so a value
// computed in two places is the same number in both.
#include "gesso/core/normalization.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/lanes.h"
#include "gesso/core/moments.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd.h"
#include "gesso/core/stream.h"

namespace gesso {

// ---- which elements belong together --------------------------------------------------------------------

NormalizationAxes NormalizationAxes::instance(const Shape& x, AffineRows rows) {
  return {x[0], x[1], x.numel(2, x.rank()), x[1], false, rows};
}

NormalizationAxes NormalizationAxes::batch(const Shape& x) {
  return {x[0], x[1], x.numel(2, x.rank()), x[1], true, AffineRows::per_channel};
}

NormalizationAxes NormalizationAxes::group(const Shape& x, std::int64_t groups) {
  require(groups > 0 && x[1] % groups == 0, "group norm: ", x[1], " channels cannot be cut into ", groups,
          " groups of one size");
  return {x[0], x[1], x.numel(2, x.rank()), groups, false, AffineRows::per_channel};
}

NormalizationAxes NormalizationAxes::layer(const Shape& x, int rank) {
  return {x.numel(0, x.rank() - rank), 1, x.numel(x.rank() - rank, x.rank()), 1, false,
          AffineRows::per_element};
}

std::int64_t NormalizationAxes::affine_size() const {
  return rows == AffineRows::per_channel ? channels : rows == AffineRows::per_plane ? planes() : inner;
}

namespace {

constexpr std::int64_t kPiece = kMomentsPiece;  // elements whose sums are one term of a plane's sum
constexpr std::int64_t kTask = 1 << 15;         // elements that are worth a parallel block
constexpr std::int64_t kCacheElements = 1
                                        << 18;  // elements of a statistic that stay in L2 (1 MiB of float32)

std::int64_t pieces_in(std::int64_t length) { return (length + kPiece - 1) / kPiece; }

// Small statistics: one thread gathers the sums of one and uses them while its elements are in the cache.
bool fits_in_cache(const NormalizationAxes& axes) { return axes.elements_per_statistic() <= kCacheElements; }

// Results that no cache holds until they are read go straight to memory.
template <class T>
bool streams(const NormalizationAxes& axes) {
  return axes.numel() * static_cast<std::int64_t>(sizeof(T)) >= kStreamBytes;
}

// y[i] = value(i) for begin <= i < end.
template <class T, class Value>
GESSO_INLINE void fill_elements(bool stream, T* y, std::int64_t begin, std::int64_t end, Value value) {
  if (stream) {
    stream_elements(y, begin, end, value);
  } else {
    for (std::int64_t i = begin; i < end; ++i) {
      y[i] = value(i);
    }
  }
}

template <class Body>
void for_each_statistic(const NormalizationAxes& axes, Body&& body) {
  const std::int64_t block =
      std::max<std::int64_t>(1, kTask / std::max<std::int64_t>(1, axes.elements_per_statistic()));
  parallel_for(axes.statistics(), block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t s = begin; s < end; ++s) {
      body(s);
    }
  });
}

// body(plane) for the planes of statistic s, in order.
template <class Body>
void for_each_plane(const NormalizationAxes& axes, std::int64_t s, Body&& body) {
  const std::int64_t planes_per_run = axes.channels / axes.groups;
  for (std::int64_t r = 0; r < axes.runs(); ++r) {
    const std::int64_t first = (axes.share_samples ? r * axes.groups + s : s) * planes_per_run;
    for (std::int64_t plane = first; plane < first + planes_per_run; ++plane) {
      body(plane);
    }
  }
}

// body(row, begin, end) for every piece begin <= i < end of `count` rows of `length` elements, in parallel.
template <class Body>
void for_each_piece(std::int64_t count, std::int64_t length, Body&& body) {
  const std::int64_t per_row = pieces_in(length);
  const std::int64_t block =
      std::max<std::int64_t>(1, kTask / std::max<std::int64_t>(1, std::min(length, kPiece)));
  parallel_for(count * per_row, block, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t p = first; p < last; ++p) {
      const std::int64_t begin = p % per_row * kPiece;
      body(p / per_row, begin, std::min(length, begin + kPiece));
    }
  });
}

// ---- forward --------------------------------------------------------------------------------------------

void write_statistic(const Moments& m, double eps, std::int64_t s, StatisticsOut out) {
  out.mean[s] = m.mean;
  out.variance[s] = m.variance();
  out.inv_std[s] = 1 / std::sqrt(out.variance[s] + eps);
}

template <class T>
Moments statistic_moments(const NormalizationAxes& axes, const T* x, std::int64_t s) {
  Moments all;
  for (std::int64_t r = 0; r < axes.runs(); ++r) {
    all.merge(moments(x + axes.run_offset(s, r), axes.run_length()));
  }
  return all;
}

// What a plane's elements have in common, so that the loops over them are short. The mean is split in two
// numbers of type T, high + low: x - high is exact where x is close to the mean (Sterbenz), and low, which
// float32 could not hold beside high, is taken off afterwards. Without it an input with mean / std = 1e6
// would be off by the rounding of its mean, 0.03 std.
template <class T>
struct Plane {
  T high, low, inv_std;
  T scale;  // gamma inv_std
  T shift;  // beta - low scale
  T gamma;

  Plane(StatisticsIn statistics, std::int64_t s, double gamma_value, double beta_value)
      : high(static_cast<T>(statistics.mean[s])),
        low(static_cast<T>(statistics.mean[s] - static_cast<double>(high))),
        inv_std(static_cast<T>(statistics.inv_std[s])),
        scale(static_cast<T>(gamma_value * statistics.inv_std[s])),
        shift(static_cast<T>(beta_value - static_cast<double>(low) * gamma_value * statistics.inv_std[s])),
        gamma(static_cast<T>(gamma_value)) {}
};

// gamma and beta of each element of one plane; null where all elements have the same.
template <class T>
struct ElementRows {
  const T* gamma = nullptr;
  const T* beta = nullptr;
};

template <class T>
ElementRows<T> element_rows(const NormalizationAxes& axes, const T* gamma, const T* beta) {
  return axes.rows == AffineRows::per_element ? ElementRows<T>{gamma, beta} : ElementRows<T>{};
}

template <class T>
Plane<T> plane_at(const NormalizationAxes& axes, StatisticsIn statistics, const T* gamma, const T* beta,
                  std::int64_t plane) {
  const bool per_element = axes.rows == AffineRows::per_element;  // then gamma and beta are read in the loops
  const std::int64_t row = axes.affine_index(plane, 0);
  return Plane<T>(statistics, axes.statistic(plane), gamma && !per_element ? gamma[row] : T{1},
                  beta && !per_element ? beta[row] : T{0});
}

// z = gamma (x - mean) inv_std + beta, written once for numbers and for packs of them: forward computes it,
// and backward computes the same bits again to know where the relu was open.
template <class T, class V>
GESSO_INLINE V affine(V x, const Plane<T>& p) {
  return (x - p.high) * p.scale + p.shift;
}
template <class T, class V>
GESSO_INLINE V affine(V x, const Plane<T>& p, V gamma, V beta) {
  return affine(x, p) * gamma + beta;
}

template <class T>
GESSO_SIMD void forward_piece(const T* x, const Plane<T>& plane, ElementRows<T> rows, bool relu, bool stream,
                              std::int64_t begin, std::int64_t end, T* y) {
  const Plane<T> p = plane;
  const auto fill = [=](auto with_relu, auto value) __attribute__((always_inline)) {
    fill_elements(
        stream, y, begin, end, [=](std::int64_t i) __attribute__((always_inline)) {
          const T z = value(i);
          return with_relu && z < 0 ? T{0} : z;  // NaN stays NaN
        });
  };
  if (rows.gamma) {
    const auto z = [=](std::int64_t i) __attribute__((always_inline)) {
      return affine(x[i], p, rows.gamma[i], rows.beta[i]);
    };
    relu ? fill(std::true_type{}, z) : fill(std::false_type{}, z);
  } else {
    const auto z = [=](std::int64_t i) __attribute__((always_inline)) { return affine(x[i], p); };
    relu ? fill(std::true_type{}, z) : fill(std::false_type{}, z);
  }
}

// Elements begin <= i < end of one plane of y.
template <class T>
void forward_plane(const NormalizationAxes& axes, const T* x, StatisticsIn statistics, const T* gamma,
                   const T* beta, bool relu, T* y, std::int64_t plane, std::int64_t begin, std::int64_t end) {
  const std::int64_t offset = plane * axes.inner;
  forward_piece(x + offset, plane_at(axes, statistics, gamma, beta, plane), element_rows(axes, gamma, beta),
                relu, streams<T>(axes), begin, end, y + offset);
}

}  // namespace

template <class T>
void compute_statistics(const NormalizationAxes& axes, const T* x, double eps, StatisticsOut out) {
  if (fits_in_cache(axes)) {
    for_each_statistic(axes,
                       [&](std::int64_t s) { write_statistic(statistic_moments(axes, x, s), eps, s, out); });
    return;
  }
  // Large statistics: pieces in parallel, merged in the same order as above.
  const std::int64_t runs = axes.statistics() * axes.runs();
  const std::int64_t per_run = pieces_in(axes.run_length());
  std::vector<Moments> piece(runs * per_run);
  for_each_piece(runs, axes.run_length(), [&](std::int64_t run, std::int64_t begin, std::int64_t end) {
    const T* from = x + axes.run_offset(run / axes.runs(), run % axes.runs());
    piece[run * per_run + begin / kPiece] = moments(from + begin, end - begin);
  });
  for (std::int64_t s = 0; s < axes.statistics(); ++s) {
    Moments all;
    for (std::int64_t run = s * axes.runs(); run < (s + 1) * axes.runs(); ++run) {
      Moments one;
      for (std::int64_t p = run * per_run; p < (run + 1) * per_run; ++p) {
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
  for_each_piece(axes.planes(), axes.inner, [&](std::int64_t plane, std::int64_t begin, std::int64_t end) {
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
  for_each_statistic(axes, [&](std::int64_t s) {
    write_statistic(statistic_moments(axes, x, s), eps, s, out);
    for_each_plane(axes, s, [&](std::int64_t plane) {
      forward_plane(axes, x, statistics, gamma, beta, relu, y, plane, 0, axes.inner);
    });
  });
}

// ---- backward -------------------------------------------------------------------------------------------

namespace {

// Two sums over elements of one statistic: of g = gamma dy, and of g (x - mean).
struct GradientSums {
  double g = 0;
  double g_deviation = 0;

  GradientSums& operator+=(const GradientSums& other) {
    g += other.g;
    g_deviation += other.g_deviation;
    return *this;
  }
};

// The sums over a piece of a plane. A gamma that the plane's elements share is left out, so that the sums are
// dbeta and dgamma / inv_std as well; gammas of single elements are in.
template <class T>
GESSO_SIMD GradientSums gradient_sums(const T* x, const T* dy, const Plane<T>& plane, double mean,
                                      ElementRows<T> rows, bool relu, std::int64_t begin, std::int64_t end) {
  using detail::Lanes;
  const Plane<T> p = plane;
  double sums[2];
  // Both flags are types, so that each combination becomes a loop of its own.
  const auto add_up = [&](auto with_relu, auto with_rows) __attribute__((always_inline)) {
    const T* x0 = x + begin;
    const T* dy0 = dy + begin;
    const T* gamma = with_rows ? rows.gamma + begin : nullptr;
    const T* beta = with_relu && with_rows ? rows.beta + begin : nullptr;
    detail::sum_terms(
        end - begin, sums, [=](auto at, Lanes(&t)[2]) __attribute__((always_inline)) {
          const auto v = at.load(x0);
          auto g = at.load(dy0);
          if constexpr (with_relu && with_rows) {
            g = affine(v, p, at.load(gamma), at.load(beta)) > 0 ? g : decltype(g){};
          } else if constexpr (with_relu) {
            g = affine(v, p) > 0 ? g : decltype(g){};
          }
          if constexpr (with_rows) {
            g *= at.load(gamma);
          }
          t[0] = detail::widen(g);
          t[1] = t[0] * (detail::widen(v) - mean);
        });
  };
  if (rows.gamma) {
    relu ? add_up(std::true_type{}, std::true_type{}) : add_up(std::false_type{}, std::true_type{});
  } else {
    relu ? add_up(std::true_type{}, std::false_type{}) : add_up(std::false_type{}, std::false_type{});
  }
  return {sums[0], sums[1]};
}

// The two constants of dx in one statistic: inv_std g + mean_term + x-hat * xhat_factor.
template <class T>
struct DxTerms {
  T mean_term = 0;    // -inv_std mean(g)
  T xhat_factor = 0;  // -inv_std mean(g x-hat)

  DxTerms() = default;
  DxTerms(const GradientSums& sums, double inv_std, std::int64_t count)
      : mean_term(static_cast<T>(-inv_std * (sums.g / static_cast<double>(count)))),
        xhat_factor(static_cast<T>(-inv_std * (sums.g_deviation * inv_std / static_cast<double>(count)))) {}
};

template <class T>
GESSO_SIMD void dx_piece(const T* x, const T* dy, const Plane<T>& plane, const DxTerms<T>* terms,
                         ElementRows<T> rows, bool relu, bool stream, std::int64_t begin, std::int64_t end,
                         T* dx) {
  const Plane<T> p = plane;
  const DxTerms<T> k = terms ? *terms : DxTerms<T>{};
  // The three flags are types, so that each combination becomes a loop of its own.
  const auto fill = [&](auto with_relu, auto with_rows, auto with_terms) __attribute__((always_inline)) {
    fill_elements(
        stream, dx, begin, end, [=](std::int64_t i) __attribute__((always_inline)) {
          T g = dy[i];
          if constexpr (with_relu && with_rows) {
            g = affine(x[i], p, rows.gamma[i], rows.beta[i]) > 0 ? g : T{0};
          } else if constexpr (with_relu) {
            g = affine(x[i], p) > 0 ? g : T{0};
          }
          if constexpr (with_rows) {
            g = g * rows.gamma[i] * p.inv_std;
          } else {
            g = g * p.scale;
          }
          if constexpr (with_terms) {
            const T xhat = ((x[i] - p.high) - p.low) * p.inv_std;
            g = (g + k.mean_term) + xhat * k.xhat_factor;
          }
          return g;
        });
  };
  constexpr std::true_type yes;
  constexpr std::false_type no;
  if (!terms) {
    rows.gamma ? (relu ? fill(yes, yes, no) : fill(no, yes, no))
               : (relu ? fill(yes, no, no) : fill(no, no, no));
  } else {
    rows.gamma ? (relu ? fill(yes, yes, yes) : fill(no, yes, yes))
               : (relu ? fill(yes, no, yes) : fill(no, no, yes));
  }
}

// sums[i] += dy x-hat and dy of element i of one sample, for rows per element.
template <class T>
GESSO_SIMD void add_element_gradients(const T* x, const T* dy, const Plane<T>& plane, double mean,
                                      double inv_std, ElementRows<T> rows, bool relu, std::int64_t begin,
                                      std::int64_t end, double* dgamma, double* dbeta) {
  const Plane<T> p = plane;
  for (std::int64_t i = begin; i < end; ++i) {
    const T z = rows.gamma ? affine(x[i], p, rows.gamma[i], rows.beta[i]) : affine(x[i], p);
    const double g = !relu || z > 0 ? dy[i] : T{0};
    dgamma[i] += g * ((x[i] - mean) * inv_std);
    dbeta[i] += g;
  }
}

// dgamma and dbeta where every element has its own: sums over the samples. Groups of samples are added up in
// parallel, then the groups in order.
template <class T>
void element_row_gradients(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                           const NormalizeBackwardOut<T>& out) {
  const std::int64_t size = axes.inner;
  const std::int64_t group = std::max<std::int64_t>(64, (axes.samples + 15) / 16);
  const std::int64_t groups = (axes.samples + group - 1) / group;
  std::vector<double> sums(2 * groups * size);
  for_each_piece(groups, size, [&](std::int64_t k, std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = k * group; n < std::min(axes.samples, (k + 1) * group); ++n) {
      add_element_gradients(in.x + n * size, in.dy + n * size,
                            plane_at(axes, in.statistics, in.gamma, in.beta, n), in.statistics.mean[n],
                            in.statistics.inv_std[n], element_rows(axes, in.gamma, in.beta), in.relu, begin,
                            end, &sums[2 * k * size], &sums[(2 * k + 1) * size]);
    }
  });
  for_each_piece(1, size, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      double dgamma = 0, dbeta = 0;
      for (std::int64_t k = 0; k < groups; ++k) {
        dgamma += sums[2 * k * size + i];
        dbeta += sums[(2 * k + 1) * size + i];
      }
      if (out.dgamma) {
        out.dgamma[i] = static_cast<T>(dgamma);
      }
      if (out.dbeta) {
        out.dbeta[i] = static_cast<T>(dbeta);
      }
    }
  });
}

// dgamma and dbeta from the sums of each plane. A row per channel adds up its planes in order.
template <class T>
void plane_row_gradients(const NormalizationAxes& axes, const std::vector<GradientSums>& sums,
                         const NormalizeBackwardIn<T>& in, const NormalizeBackwardOut<T>& out) {
  for (std::int64_t row = 0; row < axes.affine_size(); ++row) {
    double dgamma = 0, dbeta = 0;
    for (std::int64_t plane = row; plane < axes.planes(); plane += axes.affine_size()) {
      dgamma += sums[plane].g_deviation * in.statistics.inv_std[axes.statistic(plane)];
      dbeta += sums[plane].g;
    }
    if (out.dgamma) {
      out.dgamma[row] = static_cast<T>(dgamma);
    }
    if (out.dbeta) {
      out.dbeta[row] = static_cast<T>(dbeta);
    }
  }
}

}  // namespace

template <class T>
void normalize_backward(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                        const NormalizeBackwardOut<T>& out) {
  const bool per_element = axes.rows == AffineRows::per_element;
  const bool rows_wanted = out.dgamma || out.dbeta;
  const bool sums_for_dx = out.dx && in.statistics_of_x;
  const bool sums_needed = sums_for_dx || (rows_wanted && !per_element);
  std::vector<GradientSums> plane_sums(sums_needed ? axes.planes() : 0);
  std::vector<DxTerms<T>> terms(axes.statistics());

  const auto piece_sums = [&](std::int64_t plane, std::int64_t begin, std::int64_t end) {
    const std::int64_t offset = plane * axes.inner;
    return gradient_sums(in.x + offset, in.dy + offset,
                         plane_at(axes, in.statistics, in.gamma, in.beta, plane),
                         in.statistics.mean[axes.statistic(plane)], element_rows(axes, in.gamma, in.beta),
                         in.relu, begin, end);
  };
  const auto set_terms = [&](std::int64_t s) {
    GradientSums sums;
    for_each_plane(axes, s, [&](std::int64_t plane) {
      const double gamma = in.gamma && !per_element ? in.gamma[axes.affine_index(plane, 0)] : 1;
      sums += {gamma * plane_sums[plane].g, gamma * plane_sums[plane].g_deviation};
    });
    terms[s] = DxTerms<T>(sums, in.statistics.inv_std[s], axes.elements_per_statistic());
  };
  const auto write_dx = [&](std::int64_t plane, std::int64_t begin, std::int64_t end) {
    const std::int64_t offset = plane * axes.inner;
    dx_piece(in.x + offset, in.dy + offset, plane_at(axes, in.statistics, in.gamma, in.beta, plane),
             in.statistics_of_x ? &terms[axes.statistic(plane)] : nullptr,
             element_rows(axes, in.gamma, in.beta), in.relu, streams<T>(axes), begin, end, out.dx + offset);
  };

  if (sums_needed && fits_in_cache(axes)) {
    for_each_statistic(axes, [&](std::int64_t s) {
      for_each_plane(axes, s, [&](std::int64_t plane) {
        for (std::int64_t i = 0; i < axes.inner; i += kPiece) {
          plane_sums[plane] += piece_sums(plane, i, std::min(axes.inner, i + kPiece));
        }
      });
      if (sums_for_dx) {
        set_terms(s);
      }
      if (out.dx) {
        for_each_plane(axes, s, [&](std::int64_t plane) { write_dx(plane, 0, axes.inner); });
      }
    });
  } else {
    if (sums_needed) {
      const std::int64_t per_plane = pieces_in(axes.inner);
      std::vector<GradientSums> sums(axes.planes() * per_plane);
      for_each_piece(axes.planes(), axes.inner,
                     [&](std::int64_t plane, std::int64_t begin, std::int64_t end) {
                       sums[plane * per_plane + begin / kPiece] = piece_sums(plane, begin, end);
                     });
      for (std::int64_t p = 0; p < axes.planes() * per_plane; ++p) {
        plane_sums[p / per_plane] += sums[p];
      }
    }
    for (std::int64_t s = 0; sums_for_dx && s < axes.statistics(); ++s) {
      set_terms(s);
    }
    if (out.dx) {
      for_each_piece(axes.planes(), axes.inner, write_dx);
    }
  }

  if (rows_wanted) {
    per_element ? element_row_gradients(axes, in, out) : plane_row_gradients(axes, plane_sums, in, out);
  }
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
template void normalize_backward(const NormalizationAxes&, const NormalizeBackwardIn<float>&,
                                 const NormalizeBackwardOut<float>&);
template void normalize_backward(const NormalizationAxes&, const NormalizeBackwardIn<double>&,
                                 const NormalizeBackwardOut<double>&);

}  // namespace gesso
