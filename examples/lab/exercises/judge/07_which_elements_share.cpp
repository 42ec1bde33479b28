#include "gesso/core/normalization/axes.h"
#include "judge.h"

const Exercise exercise{"07 which elements share", "NormalizationAxes in core/normalization/axes.h"};

namespace {

struct Element {
  int n, c, h, w;
};

std::string text_of(const Element& e) {
  return "(" + std::to_string(e.n) + ", " + std::to_string(e.c) + ", " + std::to_string(e.h) + ", " +
         std::to_string(e.w) + ")";
}

// Holds every pair of elements to gesso's axes.
void check(Judge& judge, const std::string& name, Norm norm, int groups, Sizes sizes,
           const gesso::NormalizationAxes& axes) {
  std::vector<Element> elements;
  std::vector<int> yours;
  for (int n = 0; n < sizes.N; ++n) {
    for (int c = 0; c < sizes.C; ++c) {
      for (int h = 0; h < sizes.H; ++h) {
        for (int w = 0; w < sizes.W; ++w) {
          elements.push_back({n, c, h, w});
          yours.push_back(statistic_of(norm, groups, sizes, n, c, h, w));
        }
      }
    }
  }
  std::vector<gesso::Index> right(elements.size());
  for (gesso::Index s = 0; s < axes.statistics(); ++s) {
    for (gesso::Index k = 0; k < axes.elements_per_statistic(); ++k) right[axes.element(s, k)] = s;
  }
  for (std::size_t a = 0; a < elements.size(); ++a) {
    for (std::size_t b = a + 1; b < elements.size(); ++b) {
      const bool share = right[a] == right[b];
      if ((yours[a] == yours[b]) == share) continue;
      judge.wrong("With " + name + ", elements " + text_of(elements[a]) + " and " + text_of(elements[b]) +
                  (share ? " share a mean, but yours have different numbers: "
                         : " have means of their own, but yours have the same number: ") +
                  std::to_string(yours[a]) + " and " + std::to_string(yours[b]) + ".\n  x is of shape (" +
                  std::to_string(sizes.N) + ", " + std::to_string(sizes.C) + ", " + std::to_string(sizes.H) +
                  ", " + std::to_string(sizes.W) + "), an element (n, c, h, w).");
    }
  }
  judge.count(static_cast<int>(elements.size()));
}

}  // namespace

void check(Judge& judge) {
  for (const Sizes& sizes : {Sizes{2, 6, 2, 3}, Sizes{3, 4, 3, 1}, Sizes{4, 2, 1, 2}}) {
    const gesso::Shape x{sizes.N, sizes.C, sizes.H, sizes.W};
    check(judge, "instance norm", Norm::instance, 1, sizes, gesso::NormalizationAxes::instance(x));
    check(judge, "batch norm", Norm::batch, 1, sizes, gesso::NormalizationAxes::batch(x));
    check(judge, "group norm of 2 groups", Norm::group, 2, sizes, gesso::NormalizationAxes::group(x, 2));
    check(judge, "layer norm", Norm::layer, 1, sizes, gesso::NormalizationAxes::layer(x, 3));
  }
}
