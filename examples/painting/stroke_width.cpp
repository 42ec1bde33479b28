#include "stroke_width.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "brightness.h"
#include "gesso/core/error.h"
#include "gesso/core/parallel.h"

namespace gesso {
namespace {

struct Plane {
  Index height, width;
  std::vector<double> values;
};

Plane brightness_of(const Tensor& picture) {
  Plane plane{picture.size(2), picture.size(3), {}};
  const Index pixels = plane.height * plane.width;
  const float* values = picture.data<float>();
  for (Index i = 0; i < pixels; ++i) {
    plane.values.push_back(brightness(values + i, pixels));
  }
  return plane;
}

// to[i] = the first, in the order of `before`, of line[i - radius] to line[i + radius] that are within 0 to
// count - 1; `queue` has room for `count` places. The places in it are those that may still become first: as
// each enters and leaves it once, a line costs the same for every radius (Lemire 2006).
template <class Before>
void first_in_windows(const double* line, Index count, Index step, Index radius, Before before, Index* queue,
                      double* to) {
  Index head = 0, tail = 0;
  for (Index i = 0; i < count + radius; ++i) {
    if (i < count) {
      while (tail > head && !before(line[queue[tail - 1] * step], line[i * step])) {
        --tail;
      }
      queue[tail++] = i;
    }
    const Index middle = i - radius;
    if (middle < 0) {
      continue;
    }
    while (queue[head] < middle - radius) {
      ++head;
    }
    to[middle * step] = line[queue[head] * step];
  }
}

// Minima (before = less) or maxima (greater) over squares of 2 radius + 1 pixels.
template <class Before>
Plane over_squares(const Plane& x, Index radius, Before before) {
  Plane rows{x.height, x.width, std::vector<double>(x.values.size())}, result = rows;
  std::vector<Index> queue(std::max(x.height, x.width));
  for (Index i = 0; i < x.height; ++i) {
    first_in_windows(&x.values[i * x.width], x.width, 1, radius, before, queue.data(),
                     &rows.values[i * x.width]);
  }
  for (Index j = 0; j < x.width; ++j) {
    first_in_windows(&rows.values[j], x.height, x.width, radius, before, queue.data(), &result.values[j]);
  }
  return result;
}

// What an opening and a closing by squares of 2 radius + 1 pixels take away, in all.
double taken_away(const Plane& x, Index radius) {
  const Plane opened = over_squares(over_squares(x, radius, std::less<>()), radius, std::greater<>());
  const Plane closed = over_squares(over_squares(x, radius, std::greater<>()), radius, std::less<>());
  double sum = 0;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    sum += (x.values[i] - opened.values[i]) + (closed.values[i] - x.values[i]);
  }
  return sum;
}

}  // namespace

double measure_stroke_width(const Tensor& picture) {
  require(picture.rank() == 4 && picture.size(0) == 1 && picture.size(1) == 3 && picture.size(2) >= 1 &&
              picture.size(3) >= 1 && picture.dtype() == float32,
          "measure_stroke_width: the picture has shape ", picture.shape(),
          "; it must be float32 (1, 3, H, W)");
  const Plane plane = brightness_of(picture);
  constexpr Index kRadii = max_stroke_width / 2;
  std::vector<double> taken(kRadii + 1, 0.0);  // by radius; squares of one pixel take nothing
  parallel_for(kRadii, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      taken[i + 1] = taken_away(plane, i + 1);
    }
  });
  const double half = taken.back() / 2;
  if (half <= 0) {
    return 0;
  }
  Index radius = 1;  // the first that takes as much; larger squares need not take more where borders cut them
  while (taken[radius] < half) {
    ++radius;
  }
  const double before = taken[radius - 1];
  const double along = (half - before) / (taken[radius] - before);
  return static_cast<double>(2 * radius - 1) + 2 * along;
}

}  // namespace gesso
