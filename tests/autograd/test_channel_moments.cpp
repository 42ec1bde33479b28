// Gram matrices, channel means and covariances: values against plain loops, gradients against finite
// differences.
#include "gesso/autograd/channel_moments.h"

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/parallel.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const std::vector<Shape> kShapes = {{1, 1, 1, 1}, {1, 1, 1, 5}, {2, 3, 1, 1}, {3, 1, 4, 2},
                                    {1, 4, 3, 3}, {2, 5, 3, 7}, {2, 3, 9, 1}};

struct Moments {
  Tensor gram, mean, covariance;  // gram: F F^T
};

// The definitions, in float64.
Moments moments_by_loop(const Tensor& x) {
  const Index n = x.size(0), c = x.size(1), p = x.size(2) * x.size(3);
  Moments m{Tensor::zeros({n, c, c}, float64), Tensor::zeros({n, c}, float64),
            Tensor::zeros({n, c, c}, float64)};
  const std::vector<double> v = x.to_vector();
  double* mean = m.mean.mutable_data<double>();
  for (Index r = 0; r < n * c; ++r)
    for (Index q = 0; q < p; ++q) mean[r] += v[r * p + q] / static_cast<double>(p);
  for (Index s = 0; s < n; ++s)
    for (Index i = 0; i < c; ++i)
      for (Index j = 0; j < c; ++j) {
        const Index a = s * c + i, b = s * c + j;
        double product = 0, centred = 0;
        for (Index q = 0; q < p; ++q) {
          product += v[a * p + q] * v[b * p + q];
          centred += (v[a * p + q] - mean[a]) * (v[b * p + q] - mean[b]);
        }
        m.gram.set({s, i, j}, product);
        m.covariance.set({s, i, j}, centred / static_cast<double>(p));
      }
  return m;
}

}  // namespace

TEST_CASE("Gram matrices, means and covariances agree with plain loops in both dtypes") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.str());
    Generator rng(5);
    const Tensor x = Tensor::randn(shape, rng, float64);
    const Moments expected = moments_by_loop(x);
    const auto pixels = static_cast<double>(shape[2] * shape[3]);
    for (DType dtype : {float64, float32}) {
      const double tolerance = dtype == float64 ? 1e-12 : 1e-5;
      const Tensor v = x.to(dtype);
      const auto near = [&](const Tensor& y, const Tensor& e) {
        CHECK(y.dtype() == dtype);
        CHECK(largest_difference(y.to(float64), e) < tolerance);
      };
      near(gram_matrix(v, GramNormalizer::none), expected.gram);
      near(gram_matrix(v, GramNormalizer::pixels), expected.gram / pixels);
      near(gram_matrix(v), expected.gram / (pixels * static_cast<double>(shape[1])));
      const ChannelMoments moments = channel_moments(v);
      near(moments.mean, expected.mean);
      near(moments.covariance, expected.covariance);
      near(covariance_matrix(v), expected.covariance);
    }
  }
}

TEST_CASE("gradients of Gram matrices, means and covariances") {
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.str());
    const Tensor x = random_input(shape);
    for (GramNormalizer normalizer :
         {GramNormalizer::none, GramNormalizer::pixels, GramNormalizer::channels_and_pixels}) {
      check_gradients([&](const auto& in) { return gram_matrix(in[0], normalizer); }, {x});
    }
    check_gradients([](const auto& in) { return channel_moments(in[0]).mean; }, {x});
    check_gradients([](const auto& in) { return covariance_matrix(in[0]); }, {x});
    check_gradients(
        [](const auto& in) {
          const ChannelMoments moments = channel_moments(in[0]);
          return sum(square(moments.covariance), {1, 2}) + sum(square(moments.mean), {1});
        },
        {x});
  }
}

TEST_CASE("large samples: cut in blocks, right in float32 and the same for every number of threads") {
  // More than one block of columns, more than one task a sample, and no size a multiple of anything.
  for (const Shape& shape : {Shape{2, 70, 67, 129}, Shape{3, 3, 131, 97}, Shape{1, 300, 17, 19}}) {
    CAPTURE(shape.str());
    Generator rng(9);
    const Tensor x = Tensor::randn(shape, rng);
    const int before = num_threads();
    const auto run = [&](int threads) {
      set_num_threads(threads);
      const Tensor v = x.detach().requires_grad_();
      const ChannelMoments moments = channel_moments(v);
      const Tensor gram = gram_matrix(v);
      (sum(square(moments.covariance)) + sum(square(moments.mean)) + sum(square(gram))).backward();
      return std::vector<Tensor>{moments.mean, moments.covariance, gram, v.grad()};
    };
    const auto one = run(1), two = run(2), three = run(3);
    set_num_threads(before);
    for (int i = 0; i < 4; ++i) {
      CHECK(identical(one[i], two[i]));
      CHECK(identical(one[i], three[i]));
    }
    const Moments expected = moments_by_loop(x);
    CHECK(largest_difference(one[0].to(float64), expected.mean) < 1e-6);
    CHECK(largest_difference(one[1].to(float64), expected.covariance) < 1e-5);
    const auto divisor = static_cast<double>(shape[1] * shape[2] * shape[3]);
    CHECK(largest_difference(one[2].to(float64), expected.gram / divisor) < 1e-5);
    CHECK(identical(transpose(one[1], 1, 2), one[1]));
    // The gradient in float64 is the judge of that in float32.
    const Tensor v = x.to(float64).requires_grad_();
    const ChannelMoments moments = channel_moments(v);
    (sum(square(moments.covariance)) + sum(square(moments.mean)) + sum(square(gram_matrix(v)))).backward();
    CHECK(largest_difference(one[3].to(float64), v.grad()) <
          1e-5 * (1 + largest_difference(v.grad(), v.grad() * 0)));
  }
}

TEST_CASE("a mean far from zero costs the covariance no digits") {
  Generator rng(2);
  const Tensor small = Tensor::randn({1, 4, 40, 40}, rng);
  const Tensor x = small * 0.5 + 1e4;  // float32 keeps steps of 0.001 here; squares would keep steps of 8
  const Moments expected = moments_by_loop(x);
  CHECK(largest_difference(covariance_matrix(x).to(float64), expected.covariance) < 1e-6);
  CHECK(covariance_matrix(Tensor::full({1, 3, 33, 35}, 0.1)).to_vector() == std::vector<double>(9, 0.0));
}

TEST_CASE("what is not a batch of pictures is named") {
  CHECK_THROWS_WITH_AS(gram_matrix(Tensor::zeros({3, 4, 4})),
                       doctest::Contains("gram_matrix: the argument has shape (3, 4, 4)"), ArgumentError);
  CHECK_THROWS_WITH_AS(channel_moments(Tensor::zeros({1, 3, 0, 4})), doctest::Contains("channel_moments"),
                       ArgumentError);
  CHECK_THROWS_AS(covariance_matrix(Tensor()), ArgumentError);
  CHECK(gram_matrix(Tensor::zeros({0, 3, 2, 2})).shape() == Shape{0, 3, 3});
}
