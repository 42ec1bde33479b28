// 01  The mean and the variance
//
// All that follows is about one set S of m numbers that share a mean and a variance. They are, equations (1)
// and (2) of docs/normalization.md,
//
//     μ = sum of x_i / m
//     v = sum of (x_i - μ)² / m          biased: divided by m
//
// Write both. Of 1, 3, 3, 9 they are 4 and 9. Careful with a short cut: the numbers may be far from 0.
//
//     examples/lab/exercises/check 1             is it right?
//     examples/lab/exercises/check --hint 1      one hint more, each time
#include "exercise.h"

Moments moments(const Numbers& x) {
  Moments of_x;
  // YOUR CODE: of_x.mean and of_x.variance. x.size() is m, and x[0] the first number.
  return of_x;
}
