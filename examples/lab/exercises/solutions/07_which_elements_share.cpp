// Solution of 07. The four differ in which of n and c count; h and w never do. Instance norm is group norm
// with one channel to a group, and layer norm is group norm with one group. In gesso: NormalizationAxes in
// core/normalization/axes.h, in which three numbers say the same.
#include "exercise.h"

int statistic_of(Norm norm, int groups, Sizes sizes, int n, int c, int, int) {
  switch (norm) {
    case Norm::instance:
      return n * sizes.C + c;
    case Norm::batch:
      return c;
    case Norm::group:
      return n * groups + c / (sizes.C / groups);
    case Norm::layer:
      return n;
  }
  return 0;
}
