// Elementwise operations and broadcasting: values against their formulas, gradients against finite
// differences.
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/matmul.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/kernels/broadcast.h"
#include "golden_operations.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const std::vector<Shape> kShapes = {{}, {1}, {7}, {1, 1}, {3, 1, 5}, {2, 3, 4, 5}};

struct Unary {
  const char* name;
  Tensor (*operation)(const Tensor&);
  double (*formula)(double);
  bool positive;  // only defined for positive numbers
};

const Unary kUnary[] = {
    {"neg", neg, [](double v) { return -v; }, false},
    {"square", square, [](double v) { return v * v; }, false},
    {"sqrt", sqrt, [](double v) { return std::sqrt(v); }, true},
    {"exp", exp, [](double v) { return std::exp(v); }, false},
    {"log", log, [](double v) { return std::log(v); }, true},
    {"abs", abs, [](double v) { return std::fabs(v); }, false},
    {"clamp", [](const Tensor& x) { return clamp(x, -0.5, 0.75); },
     [](double v) { return std::fmin(std::fmax(v, -0.5), 0.75); }, false},
    {"relu", relu, [](double v) { return v > 0 ? v : 0; }, false},
    {"leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.2); },
     [](double v) { return v > 0 ? v : 0.2 * v; }, false},
    {"sigmoid", sigmoid, [](double v) { return 1 / (1 + std::exp(-v)); }, false},
    {"tanh", tanh, [](double v) { return std::tanh(v); }, false},
    {"softplus", softplus, [](double v) { return std::log(1 + std::exp(v)); }, false},
    {"affine", [](const Tensor& x) { return 3 * x - 2; }, [](double v) { return 3 * v - 2; }, false},
};

Tensor input_for(const Unary& op, const Shape& shape) {
  Generator rng(3);
  return (op.positive ? Tensor::uniform(shape, rng, 0.3, 2, float64) : Tensor::randn(shape, rng, float64))
      .requires_grad_();
}

}  // namespace

TEST_CASE("each unary operation computes its formula in both dtypes and has the right gradient") {
  for (const Unary& op : kUnary) {
    for (const Shape& shape : kShapes) {
      CAPTURE(op.name);
      CAPTURE(shape.str());
      const Tensor x = input_for(op, shape);
      const Tensor y = op.operation(x);
      const Tensor y32 = op.operation(x.detach().to(float32));
      for (Index i = 0; i < x.numel(); ++i) {
        const double expected = op.formula(x.data<double>()[i]);
        CHECK(y.data<double>()[i] == doctest::Approx(expected).epsilon(1e-12));
        CHECK(y32.data<float>()[i] == doctest::Approx(expected).epsilon(1e-5));
      }
      check_gradients([&](const auto& in) { return op.operation(in[0]); }, {x});
    }
  }
}

TEST_CASE("arithmetic broadcasts and sums its gradients back") {
  const std::pair<Shape, Shape> pairs[] = {{{2, 3}, {2, 3}},
                                           {{2, 3}, {}},
                                           {{}, {2, 3}},
                                           {{2, 3}, {3}},
                                           {{2, 1, 4}, {3, 1}},
                                           {{4, 3, 5, 2}, {3, 1, 1}},
                                           {{2, 1, 1, 3}, {1, 5, 4, 1}},
                                           {{1}, {1, 1}},
                                           {{5, 1}, {1, 6}}};
  for (const auto& [a_shape, b_shape] : pairs) {
    CAPTURE(a_shape.str());
    CAPTURE(b_shape.str());
    Generator rng(5);
    const Tensor a = Tensor::randn(a_shape, rng, float64).requires_grad_();
    const Tensor b = Tensor::uniform(b_shape, rng, 0.5, 2, float64).requires_grad_();
    check_gradients([](const auto& in) { return in[0] + in[1]; }, {a, b});
    check_gradients([](const auto& in) { return in[0] - in[1]; }, {a, b});
    check_gradients([](const auto& in) { return in[0] * in[1]; }, {a, b});
    check_gradients([](const auto& in) { return in[0] / in[1]; }, {a, b});
  }
  const Tensor y = Tensor::from({1, 2, 3, 4, 5, 6}, {2, 3}) * Tensor::from({10, 100}, {2, 1});
  CHECK(y.to_vector() == std::vector<double>{10, 20, 30, 400, 500, 600});
}

TEST_CASE("numbers stand on either side of an operator, with the right gradients") {
  const Tensor x = Tensor::from({0.5, 2, -4}, float64).requires_grad_();
  CHECK((1.0 / x).to_vector() == std::vector<double>{2, 0.5, -0.25});
  CHECK((3 - x).to_vector() == std::vector<double>{2.5, 1, 7});
  check_gradients([](const auto& in) { return 1.0 / in[0]; }, {x});
  check_gradients([](const auto& in) { return 3 - in[0]; }, {x});
}

TEST_CASE("x += y changes x for every handle; its memory where nothing is recorded") {
  Tensor x = Tensor::from({1, 2, 3, 4}, {2, 2}, float64);
  const Tensor handle = x;
  const Tensor row = x[0];
  x += Tensor::from({10, 20}, float64);  // broadcasts
  CHECK(handle.to_vector() == std::vector<double>{11, 22, 13, 24});
  x -= 1;
  x *= Tensor::scalar(2, float64);
  x /= 4;
  CHECK(handle.to_vector() == std::vector<double>{5, 10.5, 6, 11.5});
  CHECK(row.to_vector() == std::vector<double>{5, 10.5});
  x *= x;
  CHECK(handle(0, 0) == 25);
  Tensor small = Tensor::ones({2}, float64);
  CHECK_THROWS_WITH_AS(small += x, doctest::Contains("x += y: x has shape (2), the result (2, 2)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(small -= Tensor::ones({2}), doctest::Contains("sub: one tensor is"), ArgumentError);
  Tensor undefined;
  CHECK_THROWS_AS(undefined += 1, ArgumentError);
}

TEST_CASE("x += y is recorded, and does not disturb what backward needs") {
  const Tensor a = random_input({2, 3}, 1), b = random_input({3}, 2);
  const auto run = [](const std::vector<Tensor>& in) {
    Tensor y = square(in[0]);  // keeps in[0]
    const Tensor handle = y;
    Tensor z = exp(y);  // keeps its result
    z += y;
    y *= z;
    y -= in[1];
    y /= 2;
    y += in[0];
    CHECK(handle.is(y));
    CHECK(identical(handle, y));
    return handle * z;
  };
  check_gradients(run, {a, b});
  const Tensor c = random_input({3}, 3);
  Tensor total = Tensor::scalar(0, float64);  // becomes part of the graph
  for (int i = 0; i < 3; ++i) {
    total += (a.detach() * c).sum();
  }
  total.backward();
  CHECK(largest_difference(c.grad(), 3 * a.detach().sum({0})) < 1e-12);
}

TEST_CASE("a leaf is not changed while recording, and in place under a NoGradGuard, as in PyTorch") {
  Tensor w = Tensor::from({1, 2}).requires_grad_();
  const Tensor parameter = w;  // as a module holds it
  CHECK_THROWS_WITH_AS(w -= 1,
                       doctest::Contains("x -= y: x, of shape (2), is a leaf that requires a gradient"),
                       ArgumentError);
  square(w).sum().backward();
  {
    const NoGradGuard no_grad;
    w -= 0.25 * w.grad();
  }
  CHECK(parameter.to_vector() == std::vector<double>{0.5, 1});
  CHECK(parameter.is(w));
  CHECK(w.requires_grad());
  const Tensor loss = square(w).sum();
  {
    const NoGradGuard no_grad;
    w += 1;
  }
  CHECK_THROWS_WITH_AS(loss.backward(), doctest::Contains("was changed in place"), ArgumentError);
}

TEST_CASE("members are the functions of the same name") {
  Generator rng(3);
  const Tensor x = Tensor::uniform({2, 3}, rng, 0.5, 2), w = Tensor::randn({3, 2}, rng);
  CHECK(identical(x.sum(), sum(x)));
  CHECK(identical(x.sum({1}, true), sum(x, {1}, true)));
  CHECK(identical(x.mean(), mean(x)));
  CHECK(identical(x.mean({0}), mean(x, {0})));
  CHECK(identical(w.abs(), abs(w)));
  CHECK(identical(x.square(), square(x)));
  CHECK(identical(x.sqrt(), sqrt(x)));
  CHECK(identical(x.exp(), exp(x)));
  CHECK(identical(x.log(), log(x)));
  CHECK(identical(x.matmul(w), matmul(x, w)));
  CHECK(identical(x.transpose(0, 1), transpose(x, 0, 1)));
  CHECK(identical(x.permute({1, 0}), permute(x, {1, 0})));
}

TEST_CASE("sums over broadcast dimensions agree with a plain loop") {
  Generator rng(11);
  const Tensor x = Tensor::randn({3, 4, 5, 6}, rng, float64);
  for (const Shape& to : {Shape{}, Shape{6}, Shape{5, 1}, Shape{4, 1, 1}, Shape{3, 1, 5, 1},
                          Shape{1, 4, 1, 6}, Shape{1, 1, 1, 1}}) {
    CAPTURE(to.str());
    Tensor expected = Tensor::zeros(to, float64);
    const BroadcastPlan plan(x.shape(), to, "test");
    const Index row = plan.size[plan.rank - 1];
    for (Index r = 0; r < plan.rows(); ++r) {
      const auto [from, into] = plan.offsets(r);
      for (Index i = 0; i < row; ++i) {
        expected.mutable_data<double>()[into + i * plan.b_stride[plan.rank - 1]] +=
            x.data<double>()[from + i];
      }
    }
    CHECK(largest_difference(sum_to(x, to), expected) < 1e-12);
  }
}

TEST_CASE("shapes that do not broadcast and mixed dtypes are named") {
  CHECK_THROWS_WITH_AS(Tensor::zeros({2, 3}) + Tensor::zeros({4}),
                       doctest::Contains("add: shapes (2, 3) and (4)"), ArgumentError);
  CHECK_THROWS_WITH_AS(Tensor::zeros({2}) * Tensor::zeros({2}, float64),
                       doctest::Contains("mul: one tensor is float32 (2)"), ArgumentError);
  CHECK_THROWS_AS(relu(Tensor()), ArgumentError);
}

TEST_CASE("gradients at corners and at NaN are PyTorch's") {
  const auto gradient = [](auto operation, const std::vector<double>& at) {
    std::vector<std::vector<double>> both;
    for (DType dtype : {float64, float32}) {
      const Tensor x = Tensor::from(at, dtype).requires_grad_();
      operation(x).backward(Tensor::full(x.shape(), 3, dtype));
      both.push_back(x.grad().to_vector());
    }
    CHECK(both[0] == both[1]);
    return both[0];
  };
  using Values = std::vector<double>;
  using In = const Tensor&;
  CHECK(gradient([](In x) { return relu(x); }, {-1, -0.0, 0, 1, NAN}) == Values{0, 0, 0, 3, 3});
  CHECK(gradient([](In x) { return leaky_relu(x, 0.25); }, {-1, -0.0, 0, 1, NAN}) ==
        Values{0.75, 0.75, 0.75, 3, 0.75});
  CHECK(gradient([](In x) { return abs(x); }, {-2, -0.0, 0, 2, NAN}) == Values{-3, 0, 0, 3, 0});
  CHECK(gradient([](In x) { return clamp(x, -1, 0.5); }, {-1.5, -1, 0, 0.5, 0.75, NAN}) ==
        Values{0, 3, 3, 3, 0, 0});
}

TEST_CASE("powers and activations of other people's networks are PyTorch's") {
  check_against_torch("pow3", [](const auto& in) { return pow(in[0], 3); });
  check_against_torch("pow_root", [](const auto& in) { return pow(in[0], 0.5); });
  check_against_torch("pow_inverse", [](const auto& in) { return pow(in[0], -2); });
  check_against_torch("pow0", [](const auto& in) { return pow(in[0], 0); });
  for (const char* name : {"pow_tensors", "pow_of_zero", "pow_negative"}) {
    check_against_torch(name, [](const auto& in) { return pow(in[0], in[1]); });
  }
  check_against_torch("pow_of_exponent", [](const auto& in) { return pow(2.5, in[0]); });
  check_against_torch("pow_zero_exponent", [](const auto& in) { return pow(0.0, in[0]); });
  check_against_torch("silu", [](const auto& in) { return silu(in[0]); });
  check_against_torch("gelu", [](const auto& in) { return gelu(in[0]); });
  check_against_torch("gelu_tanh", [](const auto& in) { return gelu(in[0], GeluApproximation::tanh); });
  check_against_torch("prelu", [](const auto& in) { return prelu(in[0], in[1]); });
  check_against_torch("prelu_one", [](const auto& in) { return prelu(in[0], in[1]); });
}

TEST_CASE("their gradients over odd shapes") {
  for (const Shape& shape : {Shape{}, {1}, {1, 7}, {7, 1}, {3, 5, 2}, {2, 4, 1, 3}}) {
    CAPTURE(shape.str());
    const Tensor x = random_input(shape);
    check_gradients([](const auto& in) { return pow(in[0], 2); }, {x});
    check_gradients([](const auto& in) { return pow(in[0], -1); }, {x}, {.rtol = 1e-4});
    check_gradients([](const auto& in) { return pow(square(in[0]) + 0.1, 1.7); }, {x});
    check_gradients([](const auto& in) { return pow(square(in[0]) + 0.1, in[1]); },
                    {x, random_input(shape, 9)});
    check_gradients([](const auto& in) { return pow(square(in[0]) + 0.1, in[1]); },
                    {x, random_input({1}, 9)});
    check_gradients([](const auto& in) { return pow(1.7, in[0]); }, {x});
    check_gradients([](const auto& in) { return silu(in[0]); }, {x});
    check_gradients([](const auto& in) { return gelu(in[0]); }, {x});
    check_gradients([](const auto& in) { return gelu(in[0], GeluApproximation::tanh); }, {x});
    const Index channels = shape.rank() >= 2 ? shape[1] : 1;
    check_gradients([](const auto& in) { return prelu(in[0], in[1]); }, {x, random_input({channels}, 8)});
    check_gradients([](const auto& in) { return prelu(in[0], in[1]); }, {x, random_input({1}, 8)});
  }
  CHECK_THROWS_WITH_AS(prelu(Tensor::zeros({2, 3}), Tensor::zeros({2})),
                       doctest::Contains("weight must be (1) or (3)"), ArgumentError);
}
