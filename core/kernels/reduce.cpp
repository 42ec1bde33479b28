#include "gesso/core/kernels/reduce.h"

#include <algorithm>

#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

constexpr Index kColumns = 1024;  // of one block: its running sums take 8 KiB, which stay in L1
constexpr Index kTasks = 64;      // the middle is cut only where there are fewer blocks than this

// What is added up of element x in column i. Sums begin as doubles, whatever the element type.
struct Value {
  double operator()(double x, Index) const { return x; }
};
struct SquaredDeviation {
  const double* mean;  // of each column
  double operator()(double x, Index i) const { return (x - mean[i]) * (x - mean[i]); }
};

// sums[0] = sum over m < count of term(x[m], 0)
template <class X, class Term>
GESSO_SIMD void sum_row(const X* x, Index count, Term term, double* sums) {
  constexpr int lanes = 32;  // running sums, so that additions need not wait for each other
  double lane_sums[lanes] = {};
  Index m = 0;
  for (; m + lanes <= count; m += lanes) {
    for (int lane = 0; lane < lanes; ++lane) {
      lane_sums[lane] += term(static_cast<double>(x[m + lane]), 0);
    }
  }
  double total = 0;
  for (double sum : lane_sums) {
    total += sum;
  }
  for (; m < count; ++m) {
    total += term(static_cast<double>(x[m]), 0);
  }
  sums[0] = total;
}

// sums[i] = sum over m < count of term(x[m * stride + i], i), for i < columns
template <class X, class Term>
GESSO_SIMD void sum_columns(const X* x, Index count, Index stride, Index columns, Term term, double* sums) {
  std::fill(sums, sums + columns, 0.0);
  for (Index m = 0; m < count; ++m) {
    for (Index i = 0; i < columns; ++i) {
      sums[i] += term(static_cast<double>(x[m * stride + i]), i);
    }
  }
}

// y[o, i] = sum over m of term_of(o, first)(x[o, m, first + i], i) in blocks of `columns`; term_of(o, first)
// is the term for columns first, first + 1, ... of row o.
template <class X, class Y, class TermOf>
void reduce_middle(const X* x, Y* y, Index outer, Index middle, Index inner, TermOf term_of) {
  const Index columns = std::min(inner, kColumns);
  const Index column_blocks = inner == 0 ? 0 : (inner + columns - 1) / columns;
  const auto reduce_block = [&](Index o, Index j, Index first, Index last, double* sums) {
    const Index i = j * columns;
    const X* from = x + (o * middle + first) * inner + i;
    if (inner == 1) {
      sum_row(from, last - first, term_of(o, i), sums);
    } else {
      sum_columns(from, last - first, inner, std::min(columns, inner - i), term_of(o, i), sums);
    }
  };

  const Index tasks = outer * column_blocks;
  const Index rows_a_block = std::max<Index>(1, kElementwiseBlock / std::max<Index>(1, columns));
  const Index middle_blocks = tasks >= kTasks || tasks == 0
                                  ? 1
                                  : std::min(kTasks / tasks, (middle + rows_a_block - 1) / rows_a_block);
  if (middle_blocks <= 1) {
    const Index work = std::max<Index>(1, middle * columns);
    parallel_for(tasks, std::max<Index>(1, kElementwiseBlock / work), [&](Index begin, Index end) {
      double sums[kColumns];
      for (Index task = begin; task < end; ++task) {
        const Index o = task / column_blocks, j = task % column_blocks;
        reduce_block(o, j, 0, middle, sums);
        const Index i = j * columns;
        std::transform(sums, sums + std::min(columns, inner - i), y + o * inner + i,
                       [](double sum) { return static_cast<Y>(sum); });
      }
    });
    return;
  }

  // Few, long sums: each is cut into blocks of rows, whose sums are added in order.
  const Index rows = (middle + middle_blocks - 1) / middle_blocks;
  Tensor scratch = Tensor::empty({tasks, middle_blocks, columns}, float64);
  double* partial = scratch.mutable_data<double>();
  parallel_for(tasks * middle_blocks, 1, [&](Index b, Index) {
    const Index task = b / middle_blocks;
    const Index first = std::min(middle, b % middle_blocks * rows);
    reduce_block(task / column_blocks, task % column_blocks, first, std::min(middle, first + rows),
                 partial + b * columns);
  });
  for (Index task = 0; task < tasks; ++task) {
    const Index i = task % column_blocks * columns;
    double* sums = partial + task * middle_blocks * columns;
    for (Index k = 0; k < std::min(columns, inner - i); ++k) {
      for (Index b = 1; b < middle_blocks; ++b) {
        sums[k] += sums[b * columns + k];
      }
      y[task / column_blocks * inner + i + k] = static_cast<Y>(sums[k]);
    }
  }
}

void check_kept(const Shape& from, const Shape& kept, const char* operation) {
  bool fits = from.rank() == kept.rank();
  for (int d = 0; fits && d < from.rank(); ++d) {
    fits = kept[d] == 1 || kept[d] == from[d];
  }
  require(fits, operation, ": cannot reduce shape ", from, " to ", kept);
}

// The last run of neighbouring dimensions that `kept` reduces (sizes of 1 may lie among them): from seen as
// (outer, middle, inner). Without one, middle is 1.
struct Run {
  Run(const Shape& from, const Shape& kept) {
    const auto reduced = [&](int d) { return kept[d] == 1 && from[d] != 1; };
    last = from.rank();
    while (last > 0 && !reduced(last - 1)) {
      --last;
    }
    first = last;
    while (first > 0 && kept[first - 1] == 1) {
      --first;
    }
    outer = from.numel(0, first);
    middle = from.numel(first, last);
    inner = from.numel(last, from.rank());
  }

  int first = 0, last = 0;
  Index outer = 1, middle = 1, inner = 1;
};

// The runs of `x` from the last to the first, each by reduce(x, y, run) into a fresh tensor. All but the
// final result are float64.
template <class FirstRun>
Tensor reduce_runs(const Tensor& x, const Shape& kept, DType result, FirstRun reduce_first) {
  Tensor sums = x;
  do {
    const Run run(sums.shape(), kept);
    std::vector<Index> sizes(sums.shape().begin(), sums.shape().end());
    std::fill(sizes.begin() + run.first, sizes.begin() + run.last, 1);
    const Shape next(sizes);
    Tensor y = Tensor::empty(next, next == kept ? result : float64);
    with_dtype(y.dtype(), [&]<class Y>() {
      if (sums.is(x)) {
        reduce_first(y.mutable_data<Y>(), run);
      } else {
        sum_middle(sums.data<double>(), y.mutable_data<Y>(), run.outer, run.middle, run.inner);
      }
    });
    sums = y;
  } while (sums.shape() != kept);
  return sums;
}

}  // namespace

template <class X, class Y>
void sum_middle(const X* x, Y* y, Index outer, Index middle, Index inner) {
  reduce_middle(x, y, outer, middle, inner, [](Index, Index) { return Value{}; });
}

Tensor sum_keeping(const Tensor& x, const Shape& kept, DType result) {
  check_kept(x.shape(), kept, "sum_keeping");
  return with_dtype(x.dtype(), [&]<class X>() {
    return reduce_runs(x, kept, result, [&]<class Y>(Y* y, const Run& run) {
      sum_middle(x.data<X>(), y, run.outer, run.middle, run.inner);
    });
  });
}

Tensor squared_deviations(const Tensor& x, const Tensor& mean) {
  check_kept(x.shape(), mean.shape(), "squared_deviations");
  const double* means = mean.data<double>();
  return with_dtype(x.dtype(), [&]<class X>() {
    return reduce_runs(x, mean.shape(), float64, [&]<class Y>(Y* y, const Run& run) {
      // Where the means of row o begin. The dimensions before the run may be kept or reduced in later runs;
      // those after it are all kept.
      const auto strides = mean.shape().strides();
      const auto offset_of = [&](Index o) {
        Index offset = 0;
        for (int d = run.first - 1; d >= 0; --d) {
          offset += mean.size(d) == 1 ? 0 : o % x.size(d) * strides[d];
          o /= x.size(d);
        }
        return offset;
      };
      reduce_middle(x.data<X>(), y, run.outer, run.middle, run.inner,
                    [&](Index o, Index i) { return SquaredDeviation{means + offset_of(o) + i}; });
    });
  });
}

template void sum_middle(const float*, float*, Index, Index, Index);
template void sum_middle(const float*, double*, Index, Index, Index);
template void sum_middle(const double*, float*, Index, Index, Index);
template void sum_middle(const double*, double*, Index, Index, Index);

}  // namespace gesso
