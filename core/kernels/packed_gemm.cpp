#include "gesso/core/kernels/packed_gemm.h"

#include <algorithm>
#include <vector>

#include "gesso/core/kernels/panel_products.h"

namespace gesso {
namespace {

// Of a, so many rows and columns are packed at a time, and of b a panel of so many rows: what of them is in use at once
// stays in the second cache.
constexpr Index kRows = 96;
constexpr Index kDepth = 256;

// Element (i, j) of a matrix or of its transpose.
template <class T>
struct Factor {
  const T* data;
  Index row, column;  // strides

  Factor(bool transposed, const T* data, Index stride)
      : data(data), row(transposed ? 1 : stride), column(transposed ? stride : 1) {}
  T at(Index i, Index j) const { return data[i * row + j * column]; }
};

// Rows [i, i + rows) and columns [p, p + depth) of `a`, in groups of 16 columns.
template <class T>
void pack_groups(const Factor<T>& a, Index i, Index rows, Index p, Index depth, T* to) {
  for (Index c = 0; c < depth; ++c) {
    T* const column = to + c / kGroup * rows * kGroup + c % kGroup;
    for (Index t = 0; t < rows; ++t) {
      column[t * kGroup] = a.at(i + t, p + c);
    }
  }
}

// alpha times rows [p, p + depth) and columns [j, j + columns) of `b`, as a panel, which has 0 in its other columns.
template <class T>
void pack_panel(const Factor<T>& b, Index p, Index depth, Index j, Index columns, T alpha, T* to) {
  for (Index c = 0; c < depth; ++c, to += kPanel) {
    for (Index o = 0; o < columns; ++o) {
      to[o] = alpha * b.at(p + c, j + o);
    }
    std::fill(to + columns, to + kPanel, T(0));
  }
}

template <class T>
void multiply_rows(T* c, Index ldc, Index m, Index n, T factor) {
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      c[i * ldc + j] = factor == 0 ? T(0) : factor * c[i * ldc + j];  // 0 whatever was there, NaN too
    }
  }
}

}  // namespace

template <class T>
void packed_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, T alpha, const T* a,
                 Index lda, const T* b, Index ldb, T beta, T* c, Index ldc) {
  if (beta != 1) {
    multiply_rows(c, ldc, m, n, beta);
  }
  const Factor<T> left(transpose_a, a, lda), right(transpose_b, b, ldb);
  // Not scratch(): who calls this may hold that.
  thread_local std::vector<T> memory(kRows * kDepth + kDepth * kPanel + kRows * kPanel);
  T* const groups = memory.data();
  T* const panel = groups + kRows * kDepth;
  T* const edge = panel + kDepth * kPanel;  // c's last columns, fewer than 16
  const auto product = panel_kernels<T>().product;
  for (Index p = 0; p < k; p += kDepth) {
    const Index depth = std::min(kDepth, k - p);
    for (Index i = 0; i < m; i += kRows) {
      const Index rows = std::min(kRows, m - i);
      pack_groups(left, i, rows, p, depth, groups);
      for (Index j = 0; j < n; j += kPanel) {
        const Index columns = std::min<Index>(kPanel, n - j);
        pack_panel(right, p, depth, j, columns, alpha, panel);
        T* const to = c + i * ldc + j;
        const bool whole = columns % kGroup == 0;
        product(groups, rows * kGroup, static_cast<int>(rows), static_cast<int>(depth), panel,
                static_cast<int>((columns + kGroup - 1) / kGroup), whole ? to : edge, whole ? ldc : kPanel,
                kGroup, whole, panel);
        for (Index t = 0; t < rows && !whole; ++t) {
          for (Index o = 0; o < columns; ++o) {
            to[t * ldc + o] += edge[t * kPanel + o];
          }
        }
      }
    }
  }
}

template void packed_gemm(bool, bool, Index, Index, Index, float, const float*, Index, const float*, Index,
                          float, float*, Index);
template void packed_gemm(bool, bool, Index, Index, Index, double, const double*, Index, const double*, Index,
                          double, double*, Index);

}  // namespace gesso
