// Tensor and Shape: making, reading, changing, sharing and printing.
#include "gesso/core/tensor.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <sstream>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

using Values = std::vector<double>;

std::string printed(const Tensor& tensor) {
  std::ostringstream out;
  out << tensor;
  return out.str();
}

}  // namespace

TEST_CASE("shapes count, compare and convert dimensions") {
  const Shape s{2, 3, 4};
  CHECK(s.rank() == 3);
  CHECK(s.numel() == 24);
  CHECK(s.numel(1, 3) == 12);
  CHECK(s.numel(1, 1) == 1);
  CHECK(s[0] == 2);
  CHECK(s[-1] == 4);
  CHECK(s.with(-2, 7) == Shape{2, 7, 4});
  CHECK(s.without(0) == Shape{3, 4});
  CHECK(s.strides()[0] == 12);
  CHECK(s.strides()[2] == 1);
  CHECK(s != Shape{2, 3});
  CHECK(s != Shape{2, 3, 4, 1});
  CHECK(s.str() == "(2, 3, 4)");
  CHECK(Shape{}.numel() == 1);
  CHECK(Shape{}.str() == "()");
  CHECK(Shape{3, 0, 5}.numel() == 0);
  CHECK_THROWS_WITH_AS(
      s[3], doctest::Contains("dimension 3 is out of range for shape (2, 3, 4): use -3 to 2"), ArgumentError);
  CHECK_THROWS_AS(s[-4], ArgumentError);
}

TEST_CASE("impossible shapes throw instead of overflowing") {
  const Index big = Index{1} << 31;
  CHECK_THROWS_WITH_AS(Shape({2, -1}), doctest::Contains("size -1 in (2, -1) is negative"), ArgumentError);
  CHECK_THROWS_WITH_AS(Shape({big, big, 2}), doctest::Contains("more elements than can be counted"),
                       ArgumentError);
  CHECK_THROWS_AS(Shape({big, big}), ArgumentError);  // countable, but not its bytes
  CHECK_THROWS_AS(Shape({std::numeric_limits<Index>::max(), 2}), ArgumentError);
  CHECK_THROWS_AS(Shape({0, big, big, big}), ArgumentError);  // empty, but its strides would overflow
  CHECK_THROWS_WITH_AS(Shape(std::vector<Index>(9, 1)), doctest::Contains("at most 8"), ArgumentError);
  CHECK_THROWS_AS(Tensor::zeros({big, big}), ArgumentError);
  CHECK_THROWS_AS(Tensor::zeros({2}).reshape({-2}), ArgumentError);
}

TEST_CASE("broadcast shapes follow NumPy's rules") {
  CHECK(broadcast_shapes({2, 3}, {3}, "t") == Shape{2, 3});
  CHECK(broadcast_shapes({}, {4, 1}, "t") == Shape{4, 1});
  CHECK(broadcast_shapes({5, 1, 3}, {4, 1}, "t") == Shape{5, 4, 3});
  CHECK(broadcast_shapes({1}, {0}, "t") == Shape{0});
  CHECK_THROWS_WITH_AS(broadcast_shapes({2, 3}, {2, 4}, "t"),
                       doctest::Contains("dimension -1 is 3 against 4"), ArgumentError);
}

TEST_CASE("tensors are made with the values asked for") {
  for (DType dtype : {float32, float64}) {
    CHECK(Tensor::zeros({2, 2}, dtype).to_vector() == Values{0, 0, 0, 0});
    CHECK(Tensor::ones({3}, dtype).to_vector() == Values{1, 1, 1});
    CHECK(Tensor::full({2}, -2.5, dtype).to_vector() == Values{-2.5, -2.5});
    CHECK(Tensor::scalar(4, dtype).shape() == Shape{});
    CHECK(Tensor::scalar(4, dtype).item() == 4);
    CHECK(Tensor::from({1, 2, 3, 4}, {2, 2}, dtype).at({1, 0}) == 3);
    CHECK(Tensor::empty({2, 3}, dtype).describe() == concat_text(dtype, " (2, 3)"));
    CHECK(Tensor::arange(2, 5, 1, dtype).to_vector() == Values{2, 3, 4});
    CHECK(Tensor::arange(1, 0, -0.5, dtype).to_vector() == Values{1, 0.5});
  }
  CHECK(Tensor::ones({1}).dtype() == float32);
  CHECK(Tensor::arange(3).to_vector() == Values{0, 1, 2});
  CHECK(Tensor::arange(3, 0).numel() == 0);
  CHECK(Tensor::arange(0, 1, 0.3).numel() == 4);
  CHECK(Tensor::arange(1, 1.6, 0.1).numel() == 6);  // the quotient is a little more than 6
  CHECK(Tensor::arange(1.6, 1, -0.1).numel() == 6);
  CHECK(Tensor::arange(0, 0.3, 0.1, float64).numel() == 3);
  for (int n = 1; n < 200; ++n) {
    for (double step : {0.1, 0.3, 1e-3, 7.7}) {
      for (double start : {0.0, 1.0, -0.3, 1e3}) {
        const Tensor row = Tensor::arange(start, start + n * step, step, float64);
        CHECK(row.numel() == n);
        CHECK(row(-1) < start + n * step);
      }
    }
  }
  CHECK(Tensor::zeros({2, 0}).to_vector().empty());
  CHECK_THROWS_WITH_AS(Tensor::from({1, 2}, {3}), doctest::Contains("Tensor::from: 2 values for shape (3)"),
                       ArgumentError);
  CHECK_THROWS_AS(Tensor::arange(0, 5, 0), ArgumentError);
  CHECK_THROWS_AS(Tensor::arange(0, 1e300), ArgumentError);
  CHECK_THROWS_AS(Tensor::arange(NAN), ArgumentError);
}

TEST_CASE("a list of numbers is a row") {
  const Tensor x = Tensor::from({1, 2, 3});
  CHECK(x.describe() == "float32 (3)");
  CHECK(x.to_vector() == Values{1, 2, 3});
  CHECK(Tensor::from({0.1}, float64).describe() == "float64 (1)");
  CHECK(Tensor::from({0.1}, float64).item() == 0.1);
  CHECK(Tensor::from(Values{}).shape() == Shape{0});
  CHECK(Tensor::from({5}, {}).shape() == Shape{});  // an empty shape is a shape, not a dtype
}

TEST_CASE("memory is aligned for vector registers") {
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{1000}, Shape{1 << 20}}) {
    CHECK(reinterpret_cast<std::uintptr_t>(Tensor::empty(shape).data<float>()) % 64 == 0);
  }
}

TEST_CASE("elements are read and set within bounds") {
  Tensor x = Tensor::arange(6).reshape({2, 3});
  CHECK(x.at({1, 2}) == 5);
  CHECK(x.at({-1, -3}) == 3);
  CHECK(x(1, 2) == 5);
  CHECK(x(-1, -3) == 3);
  CHECK(Tensor::scalar(4)() == 4);
  CHECK_THROWS_WITH_AS(x(0), doctest::Contains("1 indices for shape (2, 3)"), ArgumentError);
  CHECK_THROWS_WITH_AS(x(0, 3), doctest::Contains("index 3 in dimension 1 is out of bounds"), ArgumentError);
  x.set({0, -1}, 9);
  CHECK(x.to_vector() == Values{0, 1, 9, 3, 4, 5});
  CHECK_THROWS_WITH_AS(x.at({2, 0}),
                       doctest::Contains("index 2 in dimension 0 is out of bounds for shape (2, 3)"),
                       ArgumentError);
  CHECK_THROWS_AS(x.at({0, -4}), ArgumentError);
  CHECK_THROWS_WITH_AS(x.set({1}, 0), doctest::Contains("1 indices for shape (2, 3)"), ArgumentError);
  CHECK_THROWS_WITH_AS(x.item(), doctest::Contains("item() needs exactly one element"), ArgumentError);
  CHECK(Tensor::full({1, 1}, 3).item() == 3);
  CHECK_THROWS_AS(Tensor::zeros({0}).item(), ArgumentError);
}

TEST_CASE("the dtype is checked where elements are touched") {
  Tensor x = Tensor::ones({2});
  CHECK_THROWS_WITH_AS(x.data<double>(),
                       doctest::Contains("Tensor::data<float64> on a tensor of float32 (2)"), ArgumentError);
  CHECK_THROWS_AS(x.mutable_data<double>(), ArgumentError);
  CHECK_THROWS_WITH_AS(x.add_(Tensor::ones({2}, float64)), doctest::Contains("Tensor::add_"), ArgumentError);
  CHECK(x.to(float64).data<double>()[0] == 1);
  CHECK(x.to(float32).is(x));
  CHECK(Tensor::full({1}, 1e300, float64).to(float32).item() == INFINITY);
}

TEST_CASE("an undefined tensor says what it is") {
  const Tensor x;
  CHECK_FALSE(x.defined());
  CHECK(x.describe() == "undefined");
  CHECK_THROWS_WITH_AS(x.shape(), doctest::Contains("undefined tensor was used"), ArgumentError);
  CHECK_THROWS_AS(x.item(), ArgumentError);
  CHECK_THROWS_AS(x.clone(), ArgumentError);
  CHECK_THROWS_AS(x.requires_grad(), ArgumentError);
}

TEST_CASE("copies are handles, reshapes and slices share memory, clones do not") {
  Tensor x = Tensor::arange(12).reshape({4, 3});
  Tensor handle = x;
  CHECK(handle.is(x));
  handle.set({0, 0}, 100);
  CHECK(x.at({0, 0}) == 100);

  Tensor flat = x.reshape({-1});
  CHECK(flat.shape() == Shape{12});
  CHECK(flat.shares_storage(x));
  flat.set({11}, 50);
  CHECK(x.at({3, 2}) == 50);

  Tensor rows = x.slice(1, 3);
  CHECK(rows.shape() == Shape{2, 3});
  CHECK(rows.shares_storage(x));
  CHECK(rows.to_vector() == Values{3, 4, 5, 6, 7, 8});
  rows.slice(1, 2).fill_(-1);
  CHECK(x.at({2, 1}) == -1);
  CHECK(x.at({1, 2}) == 5);
  CHECK(x.at({3, 0}) == 9);
  CHECK(x.slice(2, 2).shape() == Shape{0, 3});
  CHECK_THROWS_AS(Tensor::scalar(1).slice(0, 1), ArgumentError);

  Tensor row = x[3];
  CHECK(row.shape() == Shape{3});
  CHECK(row.shares_storage(x));
  CHECK(row.to_vector() == Values{9, 10, 50});
  row.fill_(7);
  CHECK(x(3, 1) == 7);
  CHECK(x[-1](2) == 7);
  CHECK(x[3][0].item() == 7);
  CHECK_THROWS_WITH_AS(x[4], "x[4]: there is no such row in shape (4, 3)", ArgumentError);
  CHECK_THROWS_AS(x[-5], ArgumentError);
  CHECK_THROWS_WITH_AS(Tensor::scalar(1)[0], doctest::Contains("item() reads its number"), ArgumentError);

  x[3].copy_(Tensor::from({4, 5, 6}));
  CHECK(x(3, 1) == 5);
  static_assert(!std::is_assignable_v<Tensor, Tensor>);  // x[3] = y would change nothing

  Tensor copy = x.clone();
  CHECK_FALSE(copy.shares_storage(x));
  copy.fill_(0);
  CHECK(x.at({0, 0}) == 100);

  Tensor alone = Tensor::ones({2});
  CHECK(alone.owned_alone());
  const Tensor other = alone.reshape({2, 1});
  CHECK_FALSE(alone.owned_alone());
}

TEST_CASE("alias looks at a part of the memory and no further") {
  const Tensor x = Tensor::arange(10);
  CHECK(x.alias({2, 2}, 3).to_vector() == Values{3, 4, 5, 6});
  CHECK(x.slice(2, 8).alias({2}, 4).to_vector() == Values{6, 7});
  CHECK(x.alias({0}, 10).numel() == 0);
  CHECK_THROWS_WITH_AS(x.alias({2}, 9), doctest::Contains("Tensor::alias: (2) at offset 9 is outside"),
                       ArgumentError);
  CHECK_THROWS_AS(x.alias({1}, -1), ArgumentError);
  CHECK_THROWS_AS(x.alias({1}, std::numeric_limits<Index>::max()), ArgumentError);
}

TEST_CASE("changes in place, each counted with its author") {
  Tensor x = Tensor::ones({3});
  const std::uint64_t before = x.version();
  x.fill_(2);
  x.copy_(Tensor::from({1, 2, 3}, {3}, float64));  // converts
  x.add_(Tensor::ones({3}), 0.5);
  x.mul_(2);
  CHECK(x.to_vector() == Values{3, 5, 7});
  CHECK(x.version() == before + 4);
  CHECK(std::string(x.last_change()) == "mul_");
  CHECK(x.reshape({3, 1}).version() == x.version());
  x.data<float>();
  CHECK(x.version() == before + 4);
  CHECK_THROWS_WITH_AS(x.copy_(Tensor::ones({2})), doctest::Contains("Tensor::copy_: source has shape (2)"),
                       ArgumentError);
  CHECK_THROWS_AS(x.add_(Tensor::ones({2})), ArgumentError);
}

TEST_CASE("a change in place that recording would miss is refused, and made when nothing is recorded") {
  Tensor leaf = Tensor::ones({2}).requires_grad_();
  Tensor made = leaf * 2, constant = Tensor::ones({2});
  const std::vector<std::function<void()>> lost = {
      [&] { made.fill_(0); },        [&] { made.mul_(3); },        [&] { made.set({0}, 1); },
      [&] { made.copy_(constant); }, [&] { made.add_(constant); }, [&] { constant.copy_(leaf); },
      [&] { constant.add_(made); }};
  for (const auto& change : lost) {
    CHECK_THROWS_AS(change(), ArgumentError);
  }
  CHECK_THROWS_WITH_AS(made.mul_(3),
                       doctest::Contains("Tensor::mul_: the tensor of shape (2) was made by a recorded"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(constant.copy_(leaf),
                       doctest::Contains("Tensor::copy_: the tensor of shape (2) requires a gradient"),
                       ArgumentError);
  CHECK(made.to_vector() == Values{2, 2});
  CHECK(constant.to_vector() == Values{1, 1});
  leaf.fill_(5);  // a leaf may be set
  constant.copy_(leaf.detach());
  CHECK(constant.to_vector() == Values{5, 5});
  const NoGradGuard no_grad;
  for (const auto& change : lost) {
    CHECK_NOTHROW(change());
  }
}

TEST_CASE("set_data gives every handle another memory, shape and dtype") {
  Tensor x = Tensor::ones({3});
  const Tensor handle = x;
  x.set_data(Tensor::full({2, 2}, 5, float64));
  CHECK(handle.describe() == "float64 (2, 2)");
  CHECK(handle.at({1, 1}) == 5);
  x.requires_grad_();
  CHECK_THROWS_AS(x.set_data(Tensor::ones({1})), ArgumentError);
}

TEST_CASE("printing is for people") {
  CHECK(printed(Tensor()) == "undefined tensor");
  CHECK(printed(Tensor::scalar(3)) == "3.0000\nfloat32 ()");
  CHECK(printed(Tensor::from({1, -2.5, 30, 0.125}, {2, 2}, float64)) ==
        "[[ 1.0000, -2.5000]\n"
        " [30.0000,  0.1250]]\n"
        "float64 (2, 2)");
  CHECK(printed(Tensor::arange(4).reshape({2, 1, 2})) ==
        "[[[0.0000, 1.0000]]\n"
        " [[2.0000, 3.0000]]]\n"
        "float32 (2, 1, 2)");
  CHECK(printed(Tensor::from({1e6, NAN}, {2}, float64)) == "[1.0000e+06,        nan]\nfloat64 (2)");
  CHECK(printed(Tensor::full({1}, 1e-4, float64)) == "[1.0000e-04]\nfloat64 (1)");
  CHECK(printed(Tensor::from({1e-5, 2}, {2}, float64)) == "[1.0000e-05, 2.0000e+00]\nfloat64 (2)");
  CHECK(printed(Tensor::zeros({0, 3})) == "[]\nfloat32 (0, 3)");
  CHECK(printed(Tensor::arange(1001)) ==
        "[   0.0000,    1.0000,    2.0000, ...,  998.0000,  999.0000, 1000.0000]\nfloat32 (1001)");
  const std::string large = printed(Tensor::zeros({50, 2, 50}));
  CHECK(large.find("...") != std::string::npos);
  CHECK(large.size() < 1500);
}

TEST_CASE("large tensors are filled, copied and changed whole") {
  const Index n = (1 << 18) + 7;  // several blocks and a rest
  Tensor x = Tensor::full({n}, 3);
  Tensor y = Tensor::empty({n}, float64);
  y.copy_(x);
  y.add_(y, 1).mul_(0.5);
  CHECK(y.to_vector() == Values(n, 3));
}

TEST_CASE("a tensor over memory of somebody else's") {
  std::vector<float> numbers = {1, 2, 3, 4, 5, 6};
  int released = 0;
  {
    Tensor x = Tensor::from_buffer(numbers.data(), {2, 3}, float32, [&] { ++released; });
    CHECK(x.to_vector() == std::vector<double>{1, 2, 3, 4, 5, 6});
    numbers[4] = 50;  // both see what the other writes
    CHECK(x(1, 1) == 50);
    x.mul_(2);
    CHECK(numbers[0] == 2);
    const Tensor row = x[1];
    x = Tensor();
    CHECK(row(1) == 100);
    CHECK(released == 0);
  }
  CHECK(released == 1);
  CHECK(numbers[5] == 12);
  CHECK(Tensor::from_buffer(nullptr, {0, 3}).numel() == 0);
  CHECK_THROWS_WITH_AS(Tensor::from_buffer(nullptr, {1}), doctest::Contains("a null pointer for shape (1)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(Tensor::from_buffer(reinterpret_cast<char*>(numbers.data()) + 1, {1}),
                       doctest::Contains("not a multiple of 4"), ArgumentError);
}

TEST_CASE("a tensor larger than any memory is refused, also where addresses have 32 bits") {
  for (const int bits : {50, 58}) {
    CAPTURE(bits);
    CHECK_THROWS_AS(Tensor::empty({Index{1} << bits}), MemoryError);
    CHECK_THROWS_AS(Tensor::empty({Index{1} << bits}, float64), MemoryError);
  }
}
