#include "differences.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/graph.h"

namespace norm_lab {

using namespace gesso;

namespace {

// So many rows and columns of each plane are looked at.
struct Part {
  Index rows, columns;
};
Part part_of(const Shape& shape) {
  const bool small = shape.numel() <= 4096;
  return {small ? shape[2] : std::min<Index>(3, shape[2]), small ? shape[3] : std::min<Index>(3, shape[3])};
}

// The central difference of `loss` by number i of `moved`, which loss() reads.
template <class Loss>
Difference central(Tensor& moved, Index i, double h, Loss loss) {
  const double value = moved.data<double>()[i], above = value + h, below = value - h;
  moved.mutable_data<double>()[i] = above;
  const double loss_above = loss();
  moved.mutable_data<double>()[i] = below;
  const double loss_below = loss();
  moved.mutable_data<double>()[i] = value;
  return {(above - below) / 2, loss_above, loss_below, (loss_above - loss_below) / (above - below)};
}

// Those of the numbers of `moved` in that part; `shape` is moved's, with four dimensions. step(i) is h for
// number i.
template <class Loss, class Step>
Tensor differences_by(Tensor& moved, const Shape& shape, Loss loss, Step step) {
  const Part part = part_of(shape);
  Tensor result = Tensor::empty({shape[0], shape[1], part.rows, part.columns}, float64);
  double* to = result.mutable_data<double>();
  for (Index plane = 0; plane < shape[0] * shape[1]; ++plane) {
    for (Index row = 0; row < part.rows; ++row) {
      for (Index column = 0; column < part.columns; ++column) {
        const Index i = (plane * shape[2] + row) * shape[3] + column;
        *to++ = central(moved, i, step(i), loss).difference;
      }
    }
  }
  return result;
}

// The largest difference between `differences` and `gradient` in that part.
double largest_error(const Tensor& differences, const Tensor& gradient, const Shape& shape) {
  const Part part = part_of(shape);
  double largest = 0;
  for (Index i = 0; i < differences.numel(); ++i) {
    const Index column = i % part.columns, row = i / part.columns % part.rows,
                plane = i / (part.columns * part.rows);
    const double exact = gradient.data<double>()[(plane * shape[2] + row) * shape[3] + column];
    largest = std::max(largest, std::abs(differences.data<double>()[i] - exact));
  }
  return largest;
}

// The loss sum(dy y) of a layer, as a function of x and of its parameters.
class Loss {
 public:
  Loss(NormalizationLayer& layer, const Example& example, const NormalizationTerms& terms)
      : layer_(layer), dy_(example.upstream), x_(example.x.clone()), terms_(terms) {}

  double operator()() const {
    const Tensor result = layer_(x_);
    const double *y = result.data<double>(), *dy = dy_.data<double>();
    const Index count = result.numel();
    // What rounding takes from each sum is added at the end (Neumaier 1974): the difference of two losses
    // needs it.
    double sum = 0, lost = 0;
    for (Index i = 0; i < count; ++i) {
      const double term = dy[i] * y[i], next = sum + term;
      lost += std::abs(sum) >= std::abs(term) ? (sum - next) + term : (term - next) + sum;
      sum = next;
    }
    return sum + lost;
  }

  Tensor& x() { return x_; }
  // The loss curves over a standard deviation, so that is what h is small against; and it must not vanish
  // beside x.
  double step_of_x(Index i) const {
    const Index s = terms_.axes.statistic(i / terms_.axes.inner);
    return std::max(1e-5 / terms_.inv_std.data<double>()[s], 1e-10 * std::abs(x_.data<double>()[i]));
  }

 private:
  NormalizationLayer& layer_;
  Tensor dy_, x_;
  const NormalizationTerms& terms_;
};

constexpr double kAffineStep = 1e-3;  // y is linear in gamma and beta: any h will do

}  // namespace

Differences differences_of(NormalizationLayer& layer, const Example& example, const Gradients& gradients) {
  const NoGradGuard no_grad;
  Loss loss(layer, example, gradients.seen.parts.at(0));
  const auto value = [&] { return loss(); };
  Differences result;
  result.dx = differences_by(loss.x(), example.x.shape(), value, [&](Index i) { return loss.step_of_x(i); });
  result.largest_error_dx = largest_error(result.dx, gradients.dx, example.x.shape());
  const auto by_parameter = [&](std::size_t which, const Tensor& gradient) {
    Tensor parameter = layer.parameters().at(which);
    const bool per_channel = parameter.rank() == 1;
    const Shape shape = per_channel ? Shape{1, parameter.numel(), 1, 1}
                                    : Shape{1, example.x.size(1), example.x.size(2), example.x.size(3)};
    const Tensor found = differences_by(parameter, shape, value, [](Index) { return kAffineStep; });
    result.largest_error_affine =
        std::max(result.largest_error_affine, largest_error(found, gradient, shape));
    return per_channel ? found.alias(parameter.shape()) : found;
  };
  result.dgamma = by_parameter(0, gradients.dgamma);
  result.dbeta = by_parameter(1, gradients.dbeta);
  return result;
}

Difference difference_of(NormalizationLayer& layer, const Example& example, const Gradients& gradients,
                         Operand operand, Index index) {
  const NoGradGuard no_grad;
  Loss loss(layer, example, gradients.seen.parts.at(0));
  Tensor moved = operand == Operand::x ? loss.x() : layer.parameters().at(operand == Operand::gamma ? 0 : 1);
  require(index >= 0 && index < moved.numel(), "index ", index, " is not one of the ", moved.numel(),
          " numbers of ",
          operand == Operand::x       ? "x"
          : operand == Operand::gamma ? "gamma"
                                      : "beta");
  const double h = operand == Operand::x ? loss.step_of_x(index) : kAffineStep;
  return central(moved, index, h, [&] { return loss(); });
}

}  // namespace norm_lab
