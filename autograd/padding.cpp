#include "gesso/autograd/padding.h"

#include <algorithm>
#include <vector>

#include "gesso/autograd/graph.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

// For each position of a padded row (or column) the position of x that it shows, or -1 for a zero.
std::vector<Index> sources(Index size, Index before, Index after, PaddingMode mode) {
  std::vector<Index> source(before + size + after);
  for (Index i = 0; i < std::ssize(source); ++i) {
    source[i] = padding_source(i - before, size, mode);
  }
  return source;
}

// What pad2d and its gradient need to know: planes of in_height x in_width and their frame.
struct Frame {
  Frame(const Shape& shape, const Padding2d& padding, PaddingMode mode)
      : planes(shape.numel(0, shape.rank() - 2)),
        in_height(shape[-2]),
        in_width(shape[-1]),
        left(padding.left),
        row_source(sources(in_height, padding.top, padding.bottom, mode)),
        column_source(sources(in_width, padding.left, padding.right, mode)),
        out_height(std::ssize(row_source)),
        out_width(std::ssize(column_source)) {}

  Index planes, in_height, in_width, left;
  std::vector<Index> row_source, column_source;
  Index out_height, out_width;
};

template <class T>
void pad_plane(const Frame& f, const T* x, T* y) {
  for (Index i = 0; i < f.out_height; ++i, y += f.out_width) {
    if (f.row_source[i] < 0) {
      std::fill_n(y, f.out_width, T{0});
      continue;
    }
    const T* row = x + f.row_source[i] * f.in_width;
    const auto show = [&](Index begin, Index end) {
      for (Index j = begin; j < end; ++j) {
        y[j] = f.column_source[j] < 0 ? T{0} : row[f.column_source[j]];
      }
    };
    show(0, f.left);
    std::copy_n(row, f.in_width, y + f.left);
    show(f.left + f.in_width, f.out_width);
  }
}

// The transpose: every number of dy is added to the pixel that it shows.
template <class T>
GESSO_SIMD void unpad_plane(const Frame& f, const T* dy, T* dx) {
  std::fill_n(dx, f.in_height * f.in_width, T{0});
  for (Index i = 0; i < f.out_height; ++i, dy += f.out_width) {
    if (f.row_source[i] < 0) {
      continue;
    }
    T* row = dx + f.row_source[i] * f.in_width;
    const T* inside = dy + f.left;
    for (Index j = 0; j < f.in_width; ++j) row[j] += inside[j];
    const auto add = [&](Index begin, Index end) {
      for (Index j = begin; j < end; ++j) {
        if (f.column_source[j] >= 0) row[f.column_source[j]] += dy[j];
      }
    };
    add(0, f.left);
    add(f.left + f.in_width, f.out_width);
  }
}

}  // namespace

void require_can_pad(const Shape& shape, const Padding2d& p, PaddingMode mode, const char* operation) {
  require(shape.rank() >= 2, operation, ": x must have rows and columns, (..., H, W); it has shape ", shape);
  const auto check = [&](const char* side, Index amount, const char* dimension, Index size) {
    require(0 <= amount && amount <= 1 << 30, operation, ": padding ", amount, " at the ", side,
            " is not in 0 to 2^30");
    if (mode == PaddingMode::reflect) {
      require(amount == 0 || amount < size, operation, ": reflect padding of ", amount, " at the ", side,
              " needs a picture of ", dimension, " at least ", amount + 1, "; x has shape ", shape,
              ". Use a larger picture, less padding or PaddingMode::replicate");
    } else if (mode == PaddingMode::replicate) {
      require(amount == 0 || size > 0, operation, ": replicate padding at the ", side,
              " has no pixel to repeat in x of shape ", shape);
    }
  };
  check("left", p.left, "width", shape[-1]);
  check("right", p.right, "width", shape[-1]);
  check("top", p.top, "height", shape[-2]);
  check("bottom", p.bottom, "height", shape[-2]);
}

Tensor pad2d(const Tensor& x, Padding2d padding, PaddingMode mode) {
  require_defined(x, "pad2d", "x");
  require_can_pad(x.shape(), padding, mode, "pad2d");
  const Frame frame(x.shape(), padding, mode);
  Tensor y = Tensor::empty(x.shape().with(-2, frame.out_height).with(-1, frame.out_width), x.dtype());
  const Index in_plane = frame.in_height * frame.in_width;
  const Index out_plane = frame.out_height * frame.out_width;
  with_dtype(x.dtype(), [&]<class T>() {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    parallel_for(frame.planes, 1, [&](Index plane, Index) {
      pad_plane(frame, in + plane * in_plane, out + plane * out_plane);
    });
  });
  return record("pad2d", y, {x}, [shape = x.shape(), padding, mode](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      const Frame f(shape, padding, mode);
      Tensor dx = Tensor::empty(shape, dy.dtype());
      with_dtype(dy.dtype(), [&]<class T>() {
        const T* in = dy.data<T>();
        T* out = dx.mutable_data<T>();
        parallel_for(f.planes, 1, [&](Index plane, Index) {
          unpad_plane(f, in + plane * f.out_height * f.out_width, out + plane * f.in_height * f.in_width);
        });
      });
      return dx;
    });
  });
}

Tensor reflection_pad2d(const Tensor& x, Padding2d padding) {
  return pad2d(x, padding, PaddingMode::reflect);
}

}  // namespace gesso
