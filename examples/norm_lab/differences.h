// Finite differences: what a gradient is by its definition, beside what the backward computes.
#pragma once

#include "walk.h"

namespace norm_lab {

/// Of the loss sum(dy y), by central differences, (loss(a + h) - loss(a - h)) / 2h for each number a. Tensors
/// of more than 4096 numbers have them for the upper left 3 x 3 of each plane.
struct Differences {
  gesso::Tensor dx;                 ///< (N, C, rows, columns)
  gesso::Tensor dgamma, dbeta;      ///< (C), or for layer norm (1, C, rows, columns)
  double largest_error_dx = 0;      ///< largest |difference - backward's gradient|
  double largest_error_affine = 0;  ///< the same of gamma and beta
};
Differences differences_of(gesso::NormalizationLayer& layer, const Example& example,
                           const Gradients& gradients);

/// What the loss depends on.
enum class Operand { x, gamma, beta };

/// One of those differences, with what it is made of.
struct Difference {
  double h, loss_above, loss_below;  ///< loss(a + h), loss(a - h)
  double difference;                 ///< (loss_above - loss_below) / 2h
};
/// Of number `index` of x, gamma or beta, row-major. Throws ArgumentError for an index that they do not have.
Difference difference_of(gesso::NormalizationLayer& layer, const Example& example, const Gradients& gradients,
                         Operand operand, gesso::Index index);

}  // namespace norm_lab
