#include "given.h"

#include <cmath>
#include <string>

namespace norm_lab {

using namespace gesso;

namespace {

constexpr Index kMostNumbers = 4096;  // finite differences run the layer twice for each

std::string numbers(Index count) { return concat_text(count, count == 1 ? " number" : " numbers"); }

Index size_of(const std::vector<double>& values) { return static_cast<Index>(values.size()); }

Shape shape_of(const GivenNumbers& given) {
  if (given.shape.empty()) {
    return given.x.empty() ? number_example().x.shape() : Shape{1, 1, 1, size_of(given.x)};
  }
  require(given.shape.size() == 4, "shape has ", numbers(static_cast<Index>(given.shape.size())),
          "; give four, samples, channels, height and width, as in 2,3,4,4");
  Index count = 1;
  for (const Index size : given.shape) {
    require(size >= 1, "shape holds ", size, "; every size is 1 or more");
    require(size <= kMostNumbers && count * size <= kMostNumbers, "shape ", Shape(given.shape),
            " holds more than ", kMostNumbers, " numbers; take a smaller one");
    count *= size;
  }
  return Shape(given.shape);
}

// With one digit after the point, so that they can be read and typed.
Tensor drawn(const Shape& shape, Generator& rng, double mean, double deviation) {
  Tensor result = Tensor::randn(shape, rng, float64);
  double* values = result.mutable_data<double>();
  for (Index i = 0; i < result.numel(); ++i) {
    values[i] = std::round(10 * (mean + deviation * values[i])) / 10;
  }
  return result;
}

Tensor taken(const char* name, const std::vector<double>& values, const Shape& shape) {
  require(size_of(values) == shape.numel(), name, " has ", numbers(size_of(values)), ", but x of shape ",
          shape, " has ", shape.numel(), "; give ", shape.numel(), ", or another shape");
  return Tensor::from(values, shape, float64);
}

void check_affine(Norm norm, const Shape& x, const AffineNumbers& affine) {
  const Index channels = x[1], elements = x[1] * x[2] * x[3];
  for (const auto& [name, values] : {std::pair{"gamma", &affine.gamma}, std::pair{"beta", &affine.beta}}) {
    const Index count = size_of(*values);
    require(count == 0 || count == channels || (norm == Norm::layer && count == elements), name, " has ",
            numbers(count), ", but x of shape ", x, " has ", channels,
            channels == 1 ? " channel" : " channels", "; give ", channels,
            norm == Norm::layer && elements != channels
                ? concat_text(", or ", elements, " for the elements of a sample")
                : "");
  }
}

void check_running(Norm norm, const Shape& x, const RunningNumbers& running) {
  require(norm == Norm::instance || norm == Norm::batch, "norm ", name_of(norm),
          " keeps no running statistics: it is the same in training and evaluation; take batch or instance");
  for (const auto& [name, values] :
       {std::pair{"running-mean", &running.mean}, std::pair{"running-var", &running.variance}}) {
    require(values->empty() || size_of(*values) == x[1], name, " has ", numbers(size_of(*values)),
            ", but x of shape ", x, " has ", x[1], x[1] == 1 ? " channel" : " channels", "; give ", x[1]);
  }
  for (const double variance : running.variance) {
    require(variance >= 0, "running-var holds ", variance, "; a variance is 0 or more");
  }
}

}  // namespace

Example given_example(const GivenNumbers& given) {
  const Shape shape = shape_of(given);
  const bool own_x = given.x.empty() && given.shape.empty() && !given.seed;
  if (own_x && given.dy.empty()) {
    return number_example();
  }
  Generator rng(given.seed.value_or(1));
  const Tensor random_x = drawn(shape, rng, 1, 2), random_dy = drawn(shape, rng, 0, 1);
  return {own_x             ? number_example().x
          : given.x.empty() ? random_x
                            : taken("x", given.x, shape),
          given.dy.empty() ? random_dy : taken("dy", given.dy, shape),
          {},
          given.dy.empty() ? "These numbers were drawn." : ""};
}

void check_layer(Norm norm, const Shape& x, Index groups, const AffineNumbers& affine,
                 const std::optional<RunningNumbers>& running) {
  require(groups >= 1 && x[1] % groups == 0, "groups ", groups, " does not divide the ", x[1], " channels");
  const Index shared = norm == Norm::instance ? x[2] * x[3]
                       : norm == Norm::batch  ? x[0] * x[2] * x[3]
                                              : x[1] / groups * x[2] * x[3];
  require(shared >= 2 || running, "norm ", name_of(norm),
          " would take the variance of 1 number in x of shape ", x,
          "; give it 2 or more by the shape of x, or take another norm");
  check_affine(norm, x, affine);
  if (running) {
    check_running(norm, x, *running);
  }
}

}  // namespace norm_lab
