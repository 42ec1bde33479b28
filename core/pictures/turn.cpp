#include "gesso/core/pictures/turn.h"

#include <algorithm>
#include <cmath>

#include "gesso/core/parallel.h"

namespace gesso {
namespace {

constexpr Index kBlock = 1 << 15;  // pixels of one parallel block

// `at` if it is in 0 to last, else where it comes to lie when the line is folded at both ends.
double mirrored(double at, double last) {
  if (last <= 0) {
    return 0;
  }
  const double once = std::fmod(std::fabs(at), 2 * last);
  return once <= last ? once : 2 * last - once;
}

// The pixel before a place on a side of `size` pixels, the one after it, and how far along it lies.
struct Between {
  Between(double at, Index size)
      : first(std::min(static_cast<Index>(at), size - 1)),
        second(std::min(first + 1, size - 1)),
        along(at - static_cast<double>(first)) {}
  Index first, second;
  double along;
};

}  // namespace

Tensor turn_picture(const Tensor& x, double angle, Index height, Index width) {
  require_defined(x, "turn_picture", "x");
  require(x.rank() == 4 && x.size(2) >= 1 && x.size(3) >= 1, "turn_picture: x has shape ", x.shape(),
          "; it must be (N, C, H, W) with at least one pixel");
  require(height >= 0 && width >= 0, "turn_picture: the result cannot have ", height, "x", width, " pixels");
  require(std::isfinite(angle), "turn_picture: angle is ", angle, "; it must be a number");
  require_no_grad(x, "turn_picture", "slice() for a part of a picture");
  const Index H = x.size(2), W = x.size(3), planes = x.size(0) * x.size(1);
  const double c = std::cos(angle), s = std::sin(angle);
  const auto middle = [](Index size) { return 0.5 * static_cast<double>(size - 1); };
  Tensor result = Tensor::empty({x.size(0), x.size(1), height, width}, x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = result.mutable_data<T>();
    parallel_for(
        height, std::max<Index>(1, kBlock / std::max<Index>(1, width * planes)), [&](Index begin, Index end) {
          for (Index i = begin; i < end; ++i) {
            for (Index j = 0; j < width; ++j) {
              const double down = static_cast<double>(i) - middle(height);
              const double right = static_cast<double>(j) - middle(width);
              const Between row(mirrored(middle(H) + c * down + s * right, static_cast<double>(H - 1)), H);
              const Between column(mirrored(middle(W) - s * down + c * right, static_cast<double>(W - 1)), W);
              for (Index p = 0; p < planes; ++p) {
                const T* upper = from + (p * H + row.first) * W;
                const T* lower = from + (p * H + row.second) * W;
                const auto across = [&](const T* line) {
                  const T first = line[column.first];
                  return first + static_cast<T>(column.along) * (line[column.second] - first);
                };
                const T above = across(upper);
                to[(p * height + i) * width + j] =
                    above + static_cast<T>(row.along) * (across(lower) - above);
              }
            }
          }
        });
  });
  return result;
}

}  // namespace gesso
