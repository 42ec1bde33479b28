// gradcheck itself: operations with wrong gradients are planted, and each must be caught.
#include <cmath>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/gradcheck.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// x^2, with a gradient of the test's choice from dy and x.
template <class F>
Tensor square_with(const Tensor& x, F gradient) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  for (Index i = 0; i < x.numel(); ++i) {
    y.mutable_data<double>()[i] = x.data<double>()[i] * x.data<double>()[i];
  }
  return record("square_with", y, {x}, [x = save(x), gradient](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      Tensor dx = Tensor::empty(x.shape(), x.dtype());
      for (Index i = 0; i < dx.numel(); ++i) {
        dx.mutable_data<double>()[i] = gradient(dy.data<double>()[i], x().data<double>()[i], i);
      }
      return dx;
    });
  });
}

// x - mean(x): its gradient is dy - mean(dy).
Tensor centered(const Tensor& x, bool drop_term) {
  const Tensor y = x.detach() - mean(x.detach());
  return record("centered", y, {x}, [drop_term](const Tensor& dy, Gradients& d) {
    d(0, [&] { return drop_term ? dy : dy - mean(dy); });
  });
}

// a - b
Tensor difference(const Tensor& a, const Tensor& b, double sign_of_b) {
  return record("difference", a.detach() - b.detach(), {a, b}, [sign_of_b](const Tensor& dy, Gradients& d) {
    d(0, [&] { return dy; });
    d(1, [&] { return sign_of_b * dy; });
  });
}

// y[i] = sum over k of w[k] x[i + k]: dx[j] = sum over k of w[k] dy[j - k], dw[k] = sum over i of x[i + k]
// dy[i].
Tensor correlate(const Tensor& x, const Tensor& w, bool flip_kernel) {
  const Index n = x.numel(), k = w.numel();
  Tensor y = Tensor::zeros({n - k + 1}, float64);
  for (Index i = 0; i < y.numel(); ++i)
    for (Index j = 0; j < k; ++j)
      y.mutable_data<double>()[i] += w.data<double>()[j] * x.data<double>()[i + j];
  return record("correlate", y, {x, w},
                [x = save(x), w = save(w), flip_kernel](const Tensor& dy, Gradients& d) {
                  Tensor dx = Tensor::zeros(x.shape(), float64), dw = Tensor::zeros(w.shape(), float64);
                  const Index last = dw.numel() - 1;
                  for (Index i = 0; i < dy.numel(); ++i)
                    for (Index j = 0; j <= last; ++j) {
                      dx.mutable_data<double>()[i + j] +=
                          w().data<double>()[flip_kernel ? last - j : j] * dy.data<double>()[i];
                      dw.mutable_data<double>()[j] += x().data<double>()[i + j] * dy.data<double>()[i];
                    }
                  d.set(0, dx);
                  d.set(1, dw);
                });
}

// a b for n x n matrices: da = dy b^T, db = a^T dy.
Tensor product(const Tensor& a, const Tensor& b, bool forget_transpose) {
  const Index n = a.size(0);
  const auto multiply = [n](const Tensor& u, bool tu, const Tensor& v, bool tv) {
    Tensor y = Tensor::zeros({n, n}, float64);
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < n; ++j)
        for (Index p = 0; p < n; ++p)
          y.mutable_data<double>()[i * n + j] +=
              u.data<double>()[tu ? p * n + i : i * n + p] * v.data<double>()[tv ? j * n + p : p * n + j];
    return y;
  };
  return record("product", multiply(a, false, b, false), {a, b},
                [=, a = save(a), b = save(b)](const Tensor& dy, Gradients& d) {
                  d(0, [&] { return multiply(dy, false, b(), !forget_transpose); });
                  d(1, [&] { return multiply(a(), true, dy, false); });
                });
}

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

void check_caught(const char* what, const Function& wrong, const Function& right,
                  const std::vector<Tensor>& inputs, const std::string& worst_tensor = "input 0") {
  CAPTURE(what);
  const GradcheckResult good = gradcheck(right, inputs);
  CHECK_MESSAGE(good.ok, good.str());
  CHECK(good.str().starts_with("ok: "));
  const GradcheckResult bad = gradcheck(wrong, inputs);
  CHECK_MESSAGE(!bad.ok, bad.str());
  CHECK_FALSE(static_cast<bool>(bad));
  CHECK(bad.worst_error > 10);  // far from a question of tolerance
  CHECK(bad.worst_tensor == worst_tensor);
  CHECK(bad.checked == good.checked);
  // The verdict names the element and both values.
  CHECK(bad.str().starts_with("WRONG: "));
  for (const std::string& part : {worst_tensor, bad.worst_index, concat_text("analytic ", bad.worst_analytic),
                                  concat_text("numeric ", bad.worst_numeric)}) {
    CHECK(bad.str().find(part) != std::string::npos);
  }
}

double right_slope(double dy, double x, Index) { return 2 * x * dy; }

Function square_of(double (*gradient)(double, double, Index)) {
  return [gradient](const auto& in) { return square_with(in[0], gradient); };
}

}  // namespace

TEST_CASE("wrong gradients are caught, right ones pass") {
  const Function right = square_of(right_slope);
  const Tensor x = random_input({2, 3}), z = random_input({2, 3}, 8);
  check_caught("missing factor", square_of([](double dy, double v, Index) { return v * dy; }), right, {x});
  check_caught("wrong sign", square_of([](double dy, double v, Index) { return -2 * v * dy; }), right, {x});
  check_caught("zero", square_of([](double, double, Index) { return 0.0; }), right, {x});
  check_caught("upstream gradient ignored", square_of([](double, double v, Index) { return 2 * v; }), right,
               {x});
  check_caught("one part in a thousand", square_of([](double dy, double v, Index) { return 2.002 * v * dy; }),
               right, {x});
  check_caught("not a number", square_of([](double, double, Index) { return std::nan(""); }), right, {x});
  check_caught(
      "dropped term", [](const auto& in) { return centered(in[0], true); },
      [](const auto& in) { return centered(in[0], false); }, {x});
  check_caught(
      "wrong sign of the second input", [](const auto& in) { return difference(in[0], in[1], 1); },
      [](const auto& in) { return difference(in[0], in[1], -1); }, {x, z}, "input 1");
  check_caught(
      "kernel turned around", [](const auto& in) { return correlate(in[0], in[1], true); },
      [](const auto& in) { return correlate(in[0], in[1], false); },
      {random_input({9}), random_input({3}, 4)});
  check_caught(
      "missing transpose", [](const auto& in) { return product(in[0], in[1], true); },
      [](const auto& in) { return product(in[0], in[1], false); },
      {random_input({3, 3}), random_input({3, 3}, 4)});
}

TEST_CASE("one wrong element among many is found, with its index and both values") {
  const Tensor x = random_input({3, 4, 5});
  const GradcheckResult result = gradcheck(square_of([](double dy, double v, Index i) {
                                             return 2 * v * dy + (i == 33 ? 0.5 : 0);  // 33 is (1, 2, 3)
                                           }),
                                           {x});
  CHECK_FALSE(result.ok);
  CHECK(result.checked == 60);
  CHECK(result.worst_tensor == "input 0");
  CHECK(result.worst_index == "(1, 2, 3)");
  Generator rng(GradcheckOptions{}.seed);
  const double dy = Tensor::randn(x.shape(), rng, float64).at({1, 2, 3});
  CHECK(result.worst_numeric == doctest::Approx(2 * x.at({1, 2, 3}) * dy).epsilon(1e-8));
  CHECK(result.worst_analytic == doctest::Approx(2 * x.at({1, 2, 3}) * dy + 0.5).epsilon(1e-12));
}

TEST_CASE("parameters beside the inputs are checked, by name") {
  const Tensor x = random_input({2, 3}), weight = random_input({2, 3}, 3), bias = random_input({2, 3}, 4);
  const auto layer = [&](double sign) {
    return
        [&, sign](const std::vector<Tensor>& in) { return in[0] * weight - difference(in[0], bias, sign); };
  };
  GradcheckOptions options;
  options.parameters = {{"scale.weight", weight}, {"scale.bias", bias}};
  const GradcheckResult good = gradcheck(layer(-1), {x}, options);
  CHECK_MESSAGE(good.ok, good.str());
  CHECK(good.checked == 18);
  const GradcheckResult bad = gradcheck(layer(1), {x}, options);
  CHECK_FALSE(bad.ok);
  CHECK(bad.worst_tensor == "scale.bias");
  // An input without a gradient passes through.
  CHECK(gradcheck(layer(-1), {x.detach()}, options).checked == 12);
}

TEST_CASE("of large tensors a sample is checked, the same for the same seed") {
  const Tensor x = random_input({29, 31});
  GradcheckOptions options;
  options.max_elements = 50;
  const GradcheckResult result = gradcheck(square_of(right_slope), {x}, options);
  CHECK(result.ok);
  CHECK(result.checked == 50);
  CHECK(gradcheck(square_of(right_slope), {x}, options).worst_index == result.worst_index);
}

TEST_CASE("inputs are as before afterwards") {
  const Tensor x = random_input({2, 3});
  const std::vector<double> before = x.to_vector();
  gradcheck(square_of(right_slope), {x});
  CHECK(x.to_vector() == before);
}

TEST_CASE("what cannot be checked is refused") {
  const Tensor single = Tensor::ones({2}).requires_grad_(), x = random_input({2});
  const Function identity = [](const auto& in) { return in[0] * 1; };
  CHECK_THROWS_WITH_AS(
      gradcheck(identity, {single}),
      doctest::Contains("gradcheck: input 0 is float32 (2); finite differences need float64"), ArgumentError);
  GradcheckOptions with_single;
  with_single.parameters = {{"weight", single}};
  CHECK_THROWS_WITH_AS(gradcheck(identity, {x}, with_single),
                       doctest::Contains("gradcheck: weight is float32"), ArgumentError);
  CHECK_THROWS_WITH_AS(gradcheck(identity, {x.detach()}),
                       doctest::Contains("no input or parameter requires a gradient"), ArgumentError);
  CHECK_THROWS_WITH_AS(gradcheck([](const auto& in) { return in[0].detach() * 1; }, {x}),
                       doctest::Contains("does not depend on anything that requires a gradient"),
                       ArgumentError);
  CHECK(gradcheck([](const auto& in) { return in[1] + sum(in[0]); }, {random_input({0, 3}), x}).checked == 2);
  CHECK_THROWS_WITH_AS(gradcheck(identity, {random_input({0, 3})}), doctest::Contains("no elements to check"),
                       ArgumentError);
}
