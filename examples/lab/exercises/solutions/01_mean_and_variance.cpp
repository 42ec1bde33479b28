// Solution of 01. Two passes: the mean has to be there before the deviations from it. The short cut
// mean(x²) - mean(x)² reads x once, and subtracts two nearly equal numbers when the mean is large.
// In gesso: piece_moments in core/normalization/moments.cpp.
#include "exercise.h"

Moments moments(const Numbers& x) {
  const int m = x.size();
  Moments of_x;
  for (int i = 0; i < m; ++i) {
    of_x.mean += x[i] / m;
  }
  for (int i = 0; i < m; ++i) {
    of_x.variance += (x[i] - of_x.mean) * (x[i] - of_x.mean) / m;
  }
  return of_x;
}
