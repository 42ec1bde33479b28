// The backward half of normalization.h.
#include "gesso/core/normalization/normalization.h"

#include <vector>

#include "gesso/core/normalization/batch_parts.h"
#include "gesso/core/normalization/planes.h"
#include "gesso/core/normalization/wide.h"
#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

using namespace detail;

// ---- sums

// The sums over elements begin <= i < end of a plane. A gamma that the plane's elements share is left out, so
// that the sums are dbeta and dgamma / inv_std as well; gammas of single elements are included.
template <class T>
GESSO_SIMD GradientSums gradient_sums(const T* x, const T* dy, const Plane<T>& plane, double mean, bool relu,
                                      Index begin, Index end) {
  const Plane<T> p = plane;
  double sums[2];
  with_flags(
      relu, p.gamma, [&](auto with_relu, auto with_rows) __attribute__((always_inline)) {
        const T* x0 = x + begin;
        const T* dy0 = dy + begin;
        const T* gamma = with_rows ? p.gamma + begin : nullptr;
        const T* beta = with_relu && with_rows ? p.beta + begin : nullptr;
        sum_terms(
            end - begin, sums, [=](auto at, Lanes(&t)[2]) __attribute__((always_inline)) {
              const auto v = at.load(x0);
              auto g = at.load(dy0);
              if constexpr (with_relu && with_rows) {
                g = p.z(v, at.load(gamma), at.load(beta)) <= 0 ? decltype(g){} : g;
              } else if constexpr (with_relu) {
                g = p.z(v) <= 0 ? decltype(g){} : g;
              }
              if constexpr (with_rows) {
                g *= at.load(gamma);
              }
              t[0] = widen(g);
              t[1] = t[0] * (widen(v) - mean);
            });
      });
  return {sums[0], sums[1]};
}

template <class T>
Plane<T> plane_of(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in, Index plane) {
  return Plane<T>(axes, in.statistics, in.gamma, in.beta, plane);
}

template <class T>
GradientSums piece_sums(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in, Index plane,
                        Index begin, Index end) {
  const Index offset = plane * axes.inner;
  return gradient_sums(in.x + offset, in.dy + offset, plane_of(axes, in, plane),
                       in.statistics.mean[axes.statistic(plane)], in.activation == Activation::relu, begin,
                       end);
}

// A plane's sums, piece by piece in order.
template <class T>
GradientSums plane_sums(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in, Index plane) {
  GradientSums sums;
  for (Index i = 0; i < axes.inner; i += kPiece) {
    sums += piece_sums(axes, in, plane, i, std::min(axes.inner, i + kPiece));
  }
  return sums;
}

// The sums of all pieces, gathered in any order, and what they add up to.
class SumsOfPieces {
 public:
  explicit SumsOfPieces(const NormalizationAxes& axes)
      : per_plane_(pieces_in(axes.inner)), pieces_(axes.planes() * per_plane_) {}

  template <class T>
  void gather(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in, Index plane, Index begin,
              Index end) {
    pieces_[plane * per_plane_ + begin / kPiece] = piece_sums(axes, in, plane, begin, end);
  }
  void add_up(GradientSums* planes) const {
    for (Index p = 0; p < std::ssize(pieces_); ++p) {  // in the order of plane_sums()
      planes[p / per_plane_] += pieces_[p];
    }
  }

 private:
  Index per_plane_;
  std::vector<GradientSums> pieces_;
};

// Those of all planes, piece by piece on all threads.
template <class T>
void sums_of_all_planes(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in, GradientSums* sums) {
  SumsOfPieces pieces(axes);
  for_each_piece(axes.planes(), axes.inner,
                 [&](Index plane, Index begin, Index end) { pieces.gather(axes, in, plane, begin, end); });
  pieces.add_up(sums);
}

// ---- dx

// The two constants of dx in one statistic: dx = inv_std g + mean_term + x-hat * xhat_factor.
template <class T>
struct DxTerms {
  T mean_term = 0;    // -inv_std mean(g)
  T xhat_factor = 0;  // -inv_std mean(g x-hat)
};

// Those of statistic s, from the sums of its planes.
template <class T>
DxTerms<T> dx_terms(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                    const GradientSums* sums_of_planes, Index s) {
  GradientSums sums;
  for_each_plane(axes, s, [&](Index plane) {
    const bool shared_gamma = in.gamma && axes.rows != AffineRows::per_element;
    const double gamma = shared_gamma ? in.gamma[axes.row(plane, 0)] : 1;
    sums += {gamma * sums_of_planes[plane].g, gamma * sums_of_planes[plane].g_deviation};
  });
  const double inv_std = in.statistics.inv_std[s];
  const double count = static_cast<double>(axes.elements_per_statistic());
  return {axes.centred ? static_cast<T>(-inv_std * (sums.g / count)) : T{0},
          static_cast<T>(-inv_std * (sums.g_deviation * inv_std / count))};
}

// dz: dy where the relu was open (NaN leaves it open).
template <bool with_relu, bool with_rows, class T>
GESSO_INLINE T open_gradient(const T* x, const T* dy, const Plane<T>& p, Index i) {
  const T g = dy[i];
  if constexpr (with_relu) {
    return p.template z_of<with_rows>(x, i) <= 0 ? T{0} : g;
  } else {
    return g;
  }
}

// inv_std g of element i
template <bool with_relu, bool with_rows, class T>
GESSO_INLINE T upstream_term(const T* x, const T* dy, const Plane<T>& p, Index i) {
  const T dz = open_gradient<with_relu, with_rows>(x, dy, p, i);
  if constexpr (with_rows) {
    return dz * p.gamma[i] * p.inv_std;
  } else {
    return dz * p.scale;
  }
}

template <class T>
GESSO_INLINE T x_hat(T x, const Plane<T>& p) {
  return ((x - p.high) - p.low) * p.inv_std;
}

// dx of elements begin <= i < end of a plane; `terms` is null for statistics that do not depend on x.
template <class T>
GESSO_SIMD void write_dx(const T* x, const T* dy, const Plane<T>& plane, const DxTerms<T>* terms, bool relu,
                         bool stream, Index begin, Index end, T* dx) {
  const Plane<T> p = plane;
  const auto write = [=](auto value) __attribute__((always_inline)) {
    if (stream) {
      stream_elements(dx, begin, end, value);
      return;
    }
    for (Index i = begin; i < end; ++i) {
      dx[i] = value(i);
    }
  };
  with_flags(
      relu, p.gamma, [&](auto with_relu, auto with_rows) __attribute__((always_inline)) {
        const auto first_term = [=](Index i) __attribute__((always_inline)) {
          return upstream_term<with_relu(), with_rows()>(x, dy, p, i);
        };
        if (!terms) {
          write(first_term);
          return;
        }
        const DxTerms<T> k = *terms;
        write([=](Index i) __attribute__((always_inline)) {
          return (first_term(i) + k.mean_term) + x_hat(x[i], p) * k.xhat_factor;
        });
      });
}

// ---- dgamma and dbeta

// dgamma[i] += dz x-hat and dbeta[i] += dz of elements begin <= i < end of one sample, for rows per element.
template <class T>
GESSO_SIMD void add_element_gradients(const T* x, const T* dy, const Plane<T>& plane, double mean,
                                      double inv_std, bool relu, Index begin, Index end, double* dgamma,
                                      double* dbeta) {
  const Plane<T> p = plane;
  with_flags(
      relu, p.gamma, [=](auto with_relu, auto with_rows) __attribute__((always_inline)) {
        // First what the relu lets through, on its own: in one loop the compiler makes it a branch, which is
        // predicted wrongly half of the time.
        constexpr Index block = 256;
        for (Index first = begin; first < end; first += block) {
          const Index n = std::min(block, end - first);
          T open[block];
          for (Index i = 0; i < n; ++i) {
            open[i] = open_gradient<with_relu(), with_rows()>(x, dy, p, first + i);
          }
          for (Index i = 0; i < n; ++i) {
            const double g = open[i];
            dgamma[first - begin + i] += g * ((x[first + i] - mean) * inv_std);
            dbeta[first - begin + i] += g;
          }
        }
      });
}

// dgamma and dbeta where every element has its own: sums over the samples, piece by piece of the elements.
// Many samples are added up in groups, in parallel, and then the groups in order. with_piece(begin, end) may do something
// else with a piece of all samples while it is in the cache.
template <class T, class WithPiece>
void element_row_gradients(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                           const NormalizeBackwardOut<T>& out, WithPiece with_piece) {
  const Index size = axes.inner;
  const Index group = std::max<Index>(64, (axes.samples + 15) / 16);
  const Index groups = (axes.samples + group - 1) / group;
  const auto add_group = [&](Index k, Index begin, Index end, double* dgamma, double* dbeta) {
    std::fill_n(dgamma, end - begin, 0.0);
    std::fill_n(dbeta, end - begin, 0.0);
    for (Index n = k * group; n < std::min(axes.samples, (k + 1) * group); ++n) {
      add_element_gradients(in.x + n * size, in.dy + n * size, plane_of(axes, in, n), in.statistics.mean[n],
                            in.statistics.inv_std[n], in.activation == Activation::relu, begin, end, dgamma,
                            dbeta);
    }
  };
  const auto write = [](Index begin, Index end, const double* sums, T* row) {
    for (Index i = begin; row && i < end; ++i) row[i] = static_cast<T>(sums[i - begin]);
  };
  // A single group keeps no sums: the rows may be as large as a sample.
  std::vector<double> sums(groups == 1 ? 0 : 2 * groups * size);
  if (groups > 1) {
    for_each_piece(groups, size, [&](Index k, Index begin, Index end) {
      add_group(k, begin, end, &sums[2 * k * size + begin], &sums[(2 * k + 1) * size + begin]);
    });
  }
  for_each_piece(1, size, [&](Index, Index begin, Index end) {
    with_piece(begin, end);
    double dgamma[kPiece] = {}, dbeta[kPiece] = {};
    if (groups == 1) {
      add_group(0, begin, end, dgamma, dbeta);
    }
    for (Index k = 0; groups > 1 && k < groups; ++k) {
      for (Index i = begin; i < end; ++i) {
        dgamma[i - begin] += sums[2 * k * size + i];
        dbeta[i - begin] += sums[(2 * k + 1) * size + i];
      }
    }
    write(begin, end, dgamma, out.dgamma);
    write(begin, end, dbeta, out.dbeta);
  });
}

// dgamma and dbeta from the sums of each plane. A row per channel adds up its planes in order.
template <class T>
void plane_row_gradients(const NormalizationAxes& axes, const GradientSums* sums_of_planes,
                         const NormalizeBackwardIn<T>& in, const NormalizeBackwardOut<T>& out) {
  for (Index plane = 0; out.plane_dgamma && plane < axes.planes(); ++plane) {
    out.plane_dgamma[plane] =
        sums_of_planes[plane].g_deviation * in.statistics.inv_std[axes.statistic(plane)];
    out.plane_dbeta[plane] = sums_of_planes[plane].g;
  }
  if (!out.dgamma && !out.dbeta) {
    return;
  }
  for (Index row = 0; row < axes.affine_size(); ++row) {
    double dgamma = 0, dbeta = 0;
    for (Index plane = row; plane < axes.planes(); plane += axes.affine_size()) {
      dgamma += sums_of_planes[plane].g_deviation * in.statistics.inv_std[axes.statistic(plane)];
      dbeta += sums_of_planes[plane].g;
    }
    if (out.dgamma) {
      out.dgamma[row] = static_cast<T>(dgamma);
    }
    if (out.dbeta) {
      out.dbeta[row] = static_cast<T>(dbeta);
    }
  }
}

// Whether each element is its own mean: then x - mean is 0 whatever x is, and so is dx, where the three terms
// would leave a rounding of theirs.
template <class T>
bool single_elements(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in) {
  return in.statistics_of_x && axes.centred && axes.elements_per_statistic() == 1;
}

// normalize_backward() where T holds x - mean and 1 / std.
template <class T>
void write_gradients(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                     const NormalizeBackwardOut<T>& out) {
  const bool per_element = axes.rows == AffineRows::per_element;
  const bool rows_wanted = out.dgamma || out.dbeta || out.plane_dgamma;
  const bool single = single_elements(axes, in);
  const bool sums_for_dx = out.dx && in.statistics_of_x && !single;
  const bool sums_needed = sums_for_dx || (rows_wanted && !per_element);
  std::vector<GradientSums> sums(sums_needed ? axes.planes() : 0);
  std::vector<DxTerms<T>> terms(sums_for_dx ? axes.statistics() : 0);

  const auto terms_of = [&](Index s) { return dx_terms(axes, in, sums.data(), s); };
  const auto write_dx_of = [&](Index plane, Index begin, Index end) {
    const Index offset = plane * axes.inner;
    if (single) {
      for (Index i = offset + begin; i < offset + end; ++i) {
        out.dx[i] = (in.x[i] - in.x[i]) * in.dy[i];  // 0, or NaN where one of them is not finite
      }
      return;
    }
    write_dx(in.x + offset, in.dy + offset, plane_of(axes, in, plane),
             sums_for_dx ? &terms[axes.statistic(plane)] : nullptr, in.activation == Activation::relu,
             streams<T>(axes), begin, end, out.dx + offset);
  };

  const auto write_element_rows = [&](auto with_piece) { element_row_gradients(axes, in, out, with_piece); };
  const bool in_cache = sums_needed && fits_in_cache(axes);
  if (in_cache) {
    for_each_statistic(axes, [&](Index s) {
      for_each_plane(axes, s, [&](Index plane) { sums[plane] = plane_sums(axes, in, plane); });
      if (sums_for_dx) {
        terms[s] = terms_of(s);
      }
      if (out.dx) {
        for_each_plane(axes, s, [&](Index plane) { write_dx_of(plane, 0, axes.inner); });
      }
    });
  } else {
    if (sums_needed && per_element && rows_wanted) {
      // Sums over the elements of a sample and over the samples of an element read the same numbers.
      SumsOfPieces pieces(axes);
      write_element_rows([&](Index begin, Index end) {
        for (Index plane = 0; plane < axes.planes(); ++plane) pieces.gather(axes, in, plane, begin, end);
      });
      pieces.add_up(sums.data());
    } else if (sums_needed) {
      sums_of_all_planes(axes, in, sums.data());
    }
    for (Index s = 0; sums_for_dx && s < axes.statistics(); ++s) {
      terms[s] = terms_of(s);
    }
    if (out.dx) {
      for_each_piece(axes.planes(), axes.inner, write_dx_of);
    }
  }

  if (rows_wanted && !per_element) {
    plane_row_gradients(axes, sums.data(), in, out);
  } else if (rows_wanted && (in_cache || !sums_needed)) {
    write_element_rows([](Index, Index) {});
  }
}

}  // namespace

template <class T>
void normalize_backward(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                        const NormalizeBackwardOut<T>& out) {
  const Narrowed<T> narrowed(axes, in.x, in.statistics);
  NormalizeBackwardIn<T> own = in;
  own.x = narrowed.x();
  own.statistics = narrowed.statistics();
  write_gradients(axes, own, out);
  if (out.dx) {
    narrowed.scale_gradient(axes, out.dx);
  }
}

template <class T>
void plane_gradient_sums(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                         GradientSums* of_planes) {
  const Narrowed<T> narrowed(axes, in.x, in.statistics);
  NormalizeBackwardIn<T> own = in;
  own.x = narrowed.x();
  own.statistics = narrowed.statistics();
  std::fill_n(of_planes, axes.planes(), GradientSums{});
  sums_of_all_planes(axes, own, of_planes);
}

template <class T>
void normalize_backward_with_sums(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& in,
                                  const NormalizationAxes& all, const GradientSums* of_all_planes,
                                  const NormalizeBackwardOut<T>& out) {
  const Narrowed<T> narrowed(axes, in.x, in.statistics);
  NormalizeBackwardIn<T> own = in;
  own.x = narrowed.x();
  own.statistics = narrowed.statistics();
  if (out.dx) {
    std::vector<DxTerms<T>> terms;
    for (Index s = 0; s < all.statistics(); ++s) {
      terms.push_back(dx_terms(all, own, of_all_planes, s));
    }
    for_each_piece(axes.planes(), axes.inner, [&](Index plane, Index begin, Index end) {
      const Index offset = plane * axes.inner;
      write_dx(own.x + offset, own.dy + offset, plane_of(axes, own, plane), &terms[axes.statistic(plane)],
               own.activation == Activation::relu, streams<T>(axes), begin, end, out.dx + offset);
    });
    narrowed.scale_gradient(axes, out.dx);
  }
  plane_row_gradients(all, of_all_planes, own, out);
}

template <class T>
void normalize_backward_terms(const NormalizationAxes& axes, const NormalizeBackwardIn<T>& given,
                              const NormalizeBackwardTerms<T>& out) {
  const Narrowed<T> narrowed(axes, given.x, given.statistics);
  NormalizeBackwardIn<T> in = given;
  in.x = narrowed.x();
  in.statistics = narrowed.statistics();
  const bool single = single_elements(axes, in);
  std::vector<GradientSums> sums(axes.planes());
  for (Index plane = 0; plane < axes.planes(); ++plane) {
    sums[plane] = plane_sums(axes, in, plane);
  }
  for (Index plane = 0; plane < axes.planes(); ++plane) {
    const Index offset = plane * axes.inner;
    const T* x = in.x + offset;
    const T* dy = in.dy + offset;
    const Plane<T> p = plane_of(axes, in, plane);
    const DxTerms<T> k =
        in.statistics_of_x ? dx_terms(axes, in, sums.data(), axes.statistic(plane)) : DxTerms<T>{};
    with_flags(in.activation == Activation::relu, p.gamma, [&](auto with_relu, auto with_rows) {
      for (Index i = 0; i < axes.inner; ++i) {
        out.xhat[offset + i] = x_hat(x[i], p);
        out.upstream_term[offset + i] = upstream_term<with_relu(), with_rows()>(x, dy, p, i);
        out.mean_term[offset + i] = single ? -out.upstream_term[offset + i] : k.mean_term;
        out.xhat_term[offset + i] = x_hat(x[i], p) * k.xhat_factor;
      }
    });
  }
  for (T* term : {out.upstream_term, out.mean_term, out.xhat_term}) {
    narrowed.scale_gradient(axes, term);
  }
}

template void normalize_backward(const NormalizationAxes&, const NormalizeBackwardIn<float>&,
                                 const NormalizeBackwardOut<float>&);
template void normalize_backward(const NormalizationAxes&, const NormalizeBackwardIn<double>&,
                                 const NormalizeBackwardOut<double>&);
template void plane_gradient_sums(const NormalizationAxes&, const NormalizeBackwardIn<float>&, GradientSums*);
template void plane_gradient_sums(const NormalizationAxes&, const NormalizeBackwardIn<double>&,
                                  GradientSums*);
template void normalize_backward_with_sums(const NormalizationAxes&, const NormalizeBackwardIn<float>&,
                                           const NormalizationAxes&, const GradientSums*,
                                           const NormalizeBackwardOut<float>&);
template void normalize_backward_with_sums(const NormalizationAxes&, const NormalizeBackwardIn<double>&,
                                           const NormalizationAxes&, const GradientSums*,
                                           const NormalizeBackwardOut<double>&);
template void normalize_backward_terms(const NormalizationAxes&, const NormalizeBackwardIn<float>&,
                                       const NormalizeBackwardTerms<float>&);
template void normalize_backward_terms(const NormalizationAxes&, const NormalizeBackwardIn<double>&,
                                       const NormalizeBackwardTerms<double>&);

}  // namespace gesso
