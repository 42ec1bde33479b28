// The engine: what backward() computes, keeps, frees, refuses and survives.
#include <string>
#include <thread>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/matmul.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/memory/memory_pool.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

using Values = std::vector<double>;

Tensor leaf(const Values& values) {
  return Tensor::from(values, {static_cast<Index>(values.size())}).requires_grad_();
}

std::size_t bytes_in_use() { return memory_stats().current_bytes; }

}  // namespace

TEST_CASE("gradients accumulate over calls and over uses") {
  const Tensor x = leaf({1, 2});
  sum(3 * x).backward();
  CHECK(x.grad().to_vector() == Values{3, 3});
  sum(square(x)).backward();
  CHECK(x.grad().to_vector() == Values{5, 7});

  Tensor y = leaf({2, 5});
  sum(y * y + y).backward();  // three uses in one graph: 2 y + 1
  CHECK(y.grad().to_vector() == Values{5, 11});
  y.zero_grad();
  CHECK_FALSE(y.grad().defined());
  sum(y).backward();
  CHECK(y.grad().to_vector() == Values{1, 1});
}

TEST_CASE("diamonds: a gradient is complete before it is passed on") {
  // Two paths of different length, and a ladder with 2^30 paths, each node of which must run once.
  const Tensor x = leaf({3});
  Tensor a = square(x);
  int calls = 0;
  a.register_hook([&](const Tensor& gradient) {
    ++calls;
    CHECK(gradient.item() == 2 * 9 + 1);  // d(a^2 + a)/da
    return Tensor();
  });
  sum(square(a) + a).backward();
  CHECK(calls == 1);
  CHECK(x.grad().item() == 19 * 6);

  const Tensor bottom = leaf({1});
  Tensor top = bottom;
  for (int i = 0; i < 30; ++i) top = top + top;
  top.backward();
  CHECK(bottom.grad().item() == static_cast<double>(1 << 30));
}

TEST_CASE("interior gradients are kept when asked for, and leaves are told apart") {
  const Tensor x = leaf({1, 2});
  Tensor y = square(x), z = 3 * y;
  y.retain_grad();
  CHECK(x.is_leaf());
  CHECK_FALSE(y.is_leaf());
  sum(z).backward();
  CHECK(y.grad().to_vector() == Values{3, 3});
  CHECK_FALSE(z.grad().defined());
  CHECK(x.grad().to_vector() == Values{6, 12});
  CHECK_FALSE(y.is_leaf());  // also when its graph is gone
  CHECK(Tensor::ones({1}).is_leaf());
  CHECK_THROWS_WITH_AS(y.requires_grad_(false), doctest::Contains("this tensor is the result of square"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(Tensor::ones({1}).retain_grad(),
                       doctest::Contains("retain_grad: the tensor requires no"), ArgumentError);
}

TEST_CASE("what requires a gradient and what does not") {
  const Tensor x = leaf({1, 2});
  const Tensor c = Tensor::ones({2});
  CHECK((x + c).requires_grad());
  CHECK_FALSE((c + c).requires_grad());
  CHECK_THROWS_WITH_AS(sum(c).backward(),
                       doctest::Contains("not computed from any tensor that requires a gradient"),
                       ArgumentError);
  Tensor frozen = leaf({1});
  frozen.requires_grad_(false);
  CHECK_FALSE((frozen * 2).requires_grad());
  CHECK_THROWS_WITH_AS(frozen.set_grad(Tensor::ones({1})), doctest::Contains("set_grad"), ArgumentError);
}

TEST_CASE("NoGradGuard turns recording off until it ends, on its own thread") {
  const Tensor x = leaf({1});
  {
    const NoGradGuard outer;
    CHECK_FALSE(grad_enabled());
    CHECK_FALSE(square(x).requires_grad());
    { const NoGradGuard inner; }
    CHECK_FALSE(grad_enabled());
    bool on_other_thread = false;
    std::thread([&] { on_other_thread = square(x).requires_grad(); }).join();
    CHECK(on_other_thread);
  }
  CHECK(square(x).requires_grad());
}

TEST_CASE("detach shares the values and cuts the graph") {
  const Tensor x = leaf({1, 2});
  const Tensor y = square(x);
  const Tensor d = y.detach();
  CHECK(d.shares_storage(y));
  CHECK_FALSE(d.requires_grad());
  sum(d * x).backward();
  CHECK(x.grad().to_vector() == Values{1, 4});  // only through the right factor
}

TEST_CASE("hooks see, replace and go") {
  const Tensor x = leaf({1, 2});
  const Tensor y = square(x);
  std::vector<Values> seen;
  const int first = y.register_hook([&](const Tensor& g) {
    seen.push_back(g.to_vector());
    return Tensor();
  });
  y.register_hook([](const Tensor& g) { return g * 10; });
  const int third = y.register_hook([&](const Tensor& g) {
    seen.push_back(g.to_vector());
    return Tensor();
  });
  sum(y).backward({}, true);
  CHECK(seen == std::vector<Values>{{1, 1}, {10, 10}});
  CHECK(x.grad().to_vector() == Values{20, 40});

  y.remove_hook(first);
  y.remove_hook(third);
  const int fourth = y.register_hook([](const Tensor& g) { return g * 0; });
  CHECK(fourth != third);
  y.remove_hook(third);  // gone already: does nothing
  sum(y).backward({}, true);
  CHECK(x.grad().to_vector() == Values{20, 40});

  Tensor z = leaf({1});  // on a leaf, the hook changes what is accumulated
  z.register_hook([](const Tensor& g) { return g * 2; });
  sum(z * 3 + z).backward();
  CHECK(z.grad().item() == 8);
  z.register_hook([](const Tensor&) { return Tensor::ones({3}); });
  CHECK_THROWS_WITH_AS(sum(z).backward(),
                       doctest::Contains("gradient hook of leaf (1): it returned float32 (3)"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(Tensor::ones({1}).register_hook({}), doctest::Contains("register_hook"),
                       ArgumentError);
}

TEST_CASE("a hook may remove itself, and keep the gradient it saw") {
  const Tensor x = leaf({1, 2});
  int hook = -1, calls = 0;
  Tensor kept;
  hook = x.register_hook([&](const Tensor& g) {
    ++calls;
    kept = g;
    x.remove_hook(hook);
    return Tensor();
  });
  sum(x).backward();
  sum(x).backward();
  CHECK(calls == 1);
  CHECK(kept.to_vector() == Values{1, 1});
  CHECK(x.grad().to_vector() == Values{2, 2});
}

TEST_CASE("an upstream gradient takes the place of ones") {
  const Tensor x = leaf({1, 2, 3});
  const Tensor y = square(x);
  CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("must be a scalar"), ArgumentError);
  CHECK_THROWS_WITH_AS(y.backward(Tensor::ones({2})),
                       doctest::Contains("the upstream gradient is float32 (2)"), ArgumentError);
  CHECK_THROWS_AS(y.backward(Tensor::ones({3}, float64)), ArgumentError);
  Tensor upstream = Tensor::from({1, 10, 100}, {3});
  y.backward(upstream);
  CHECK(x.grad().to_vector() == Values{2, 40, 600});
  const Tensor own = leaf({1});
  Tensor seed = Tensor::ones({1});
  own.backward(seed);  // a leaf's gradient of itself, but not the same memory
  seed.fill_(7);
  CHECK(own.grad().item() == 1);
}

TEST_CASE("a graph can be used once, unless it is kept; the error comes before anything has changed") {
  const Tensor x = leaf({3});
  const Tensor y = square(x);
  const Tensor kept = sum(y);
  kept.backward({}, true);
  kept.backward();
  CHECK(x.grad().item() == 12);
  CHECK_THROWS_WITH_AS(kept.backward(),
                       doctest::Contains("the graph of sum () was freed by an earlier backward()"),
                       ArgumentError);
  // A new graph on top of a freed one: x is reached directly too, and must not get half of the gradient.
  CHECK_THROWS_WITH_AS(sum(y * x).backward(), doctest::Contains("square (1) was freed"), ArgumentError);
  CHECK(x.grad().item() == 12);
}

TEST_CASE("a change in place of what backward needs is reported with operation and culprit") {
  const Tensor x = leaf({1, 2});
  Tensor c = Tensor::from({3, 4}, {2});
  Tensor loss = sum(x * c);
  c.mul_(2);
  CHECK_THROWS_WITH_AS(
      loss.backward(),
      doctest::Contains(
          "backward of mul (2): a tensor of shape (2) that it needs was changed in place by mul_"),
      ArgumentError);

  Tensor y = exp(x);  // keeps its result
  loss = sum(y);
  {
    const NoGradGuard no_grad;
    y.set({0}, 0);
  }
  CHECK_THROWS_WITH_AS(loss.backward(), doctest::Contains("backward of exp (2)"), ArgumentError);

  // Through a slice of the same memory, by a function that gave its name.
  Tensor whole = Tensor::ones({4, 2});
  loss = sum(x * whole.slice(1, 2));
  whole.mutable_data<float>("my_kernel")[0] = 5;
  CHECK_THROWS_WITH_AS(loss.backward(), doctest::Contains("changed in place by my_kernel"), ArgumentError);
  CHECK_FALSE(x.grad().defined());

  const Tensor labelled = mul(x, c);
  set_label(labelled, "scaled");
  c.fill_(1);
  CHECK_THROWS_WITH_AS(sum(labelled).backward(), doctest::Contains("backward of mul \"scaled\" (2)"),
                       ArgumentError);
}

TEST_CASE("a change in place of what nothing needs is fine") {
  const Tensor x = leaf({1, 2});
  Tensor c = Tensor::from({3, 4}, {2});
  Tensor y = x + c;  // addition needs neither
  Tensor z = c * 2;  // not recorded
  const Tensor loss = sum(y * z);
  {
    const NoGradGuard no_grad;
    c.fill_(0);
    y.fill_(0);  // mul keeps y only for z's gradient, which nobody wants
  }
  loss.backward();
  CHECK(x.grad().to_vector() == Values{6, 8});
}

TEST_CASE("memory falls during backward, and all of it comes back") {
  constexpr int steps = 16;
  constexpr std::size_t size = std::size_t{1} << 20;  // of one tensor
  Tensor x = Tensor::full({size / 4}, 0.5).requires_grad_();
  x.set_grad(Tensor::zeros(x.shape()));  // so that the last gradient finds its memory
  const std::size_t before = bytes_in_use();
  std::vector<std::size_t> during;
  {
    Tensor y = x;
    for (int i = 0; i < steps; ++i) {
      y = square(y);  // keeps its input
      y.register_hook([&](const Tensor&) {
        during.push_back(bytes_in_use());
        return Tensor();
      });
    }
    y = sum(y);
    CHECK(bytes_in_use() >= before + (steps - 1) * size);  // x was there already
    y.backward();
    REQUIRE(during.size() == steps);
    for (int i = 1; i < steps; ++i) CHECK(during[i] < during[i - 1]);
    CHECK(during.front() - during.back() >= (steps - 2) * size);
    CHECK(bytes_in_use() <= before + 64);  // y, the scalar, is alive; the graph behind it is not
  }
  CHECK(bytes_in_use() == before);
}

TEST_CASE("what no gradient needs is not kept") {
  const Tensor w = Tensor::full({256, 256}, 0.1).requires_grad_();
  const Tensor frozen = Tensor::full({256, 256}, 0.1);
  const std::size_t size = 256 * 256 * 4;
  const auto kept_by = [&](const std::function<Tensor()>& build) {
    const std::size_t before = bytes_in_use();
    const Tensor result = build();  // the operation's inputs are gone, but for what it kept
    return bytes_in_use() - before - size;
  };
  CHECK(kept_by([&] { return (w + 1) * frozen; }) == 0);  // dw = dy frozen: w + 1 is not needed
  CHECK(kept_by([&] { return matmul(w + 1, frozen); }) == 0);
  CHECK(kept_by([&] { return matmul(frozen + 1, w); }) == size);  // dw needs the left factor
  CHECK(kept_by([&] { return (w + 1) * w; }) == size);
  CHECK(kept_by([&] { return (w + 1) + (w + 2); }) == 0);
  CHECK(kept_by([&] { return exp(frozen) * exp(frozen); }) == 0);
  const NoGradGuard no_grad;
  CHECK(kept_by([&] { return matmul(w + 1, w); }) == 0);
}

TEST_CASE("a chain of 200000 operations is built, passed and destroyed") {
  Tensor x = leaf({1});
  const auto build = [&] {
    Tensor y = x;
    for (int i = 0; i < 200000; ++i) y = y + 1;
    return y;
  };
  build().backward();
  CHECK(x.grad().item() == 1);
  { const Tensor never_passed = build(); }
  const Tensor wide = [&] {  // a chain of pairs: each node holds two others
    Tensor a = x, b = x;
    for (int i = 0; i < 50000; ++i) {
      const Tensor next = a + b;
      b = a;
      a = next * 0.25;
    }
    return a;
  }();
  wide.backward();
}

TEST_CASE("a held gradient keeps its values, and gradients never share memory") {
  Tensor x = leaf({1, 2});
  sum(x).backward();
  const Tensor held = x.grad();
  sum(x * 4).backward();
  CHECK(held.to_vector() == Values{1, 1});
  CHECK(x.grad().to_vector() == Values{5, 5});

  // Both sides of an addition get the same gradient; clipping one in place must not clip the other.
  const Tensor a = leaf({1, 2}), b = leaf({3, 4});
  Tensor c = a + b;
  c.retain_grad();
  sum(c * c).backward();
  CHECK_FALSE(a.grad().shares_storage(b.grad()));
  CHECK_FALSE(a.grad().shares_storage(c.grad()));
  a.grad().mul_(0);
  CHECK(b.grad().to_vector() == Values{8, 12});
  CHECK(c.grad().to_vector() == Values{8, 12});

  const Tensor r = leaf({1, 2, 3, 4});
  Tensor view = r.reshape({2, 2});
  view.retain_grad();
  sum(view).backward();
  CHECK_FALSE(view.grad().shares_storage(r.grad()));
}

TEST_CASE("accumulating into a gradient that nobody holds takes no new memory") {
  Tensor x = Tensor::ones({1 << 16}).requires_grad_();
  sum(x).backward();
  const void* memory = x.grad().data<float>();
  sum(x).backward();
  CHECK(x.grad().data<float>() == memory);
}

TEST_CASE("an operation whose gradient has the wrong shape or dtype is named") {
  const Tensor x = leaf({1, 2});
  const Tensor wrong_shape = record("twist", x.clone().detach(), {x}, [](const Tensor&, Gradients& d) {
    d(0, [] { return Tensor::ones({3}); });
  });
  CHECK_THROWS_WITH_AS(
      sum(wrong_shape).backward(),
      doctest::Contains(
          "backward of twist (2): its gradient for an input that is float32 (2) is float32 (3)"),
      ArgumentError);
  const Tensor wrong_dtype = record("twist", x.clone().detach(), {x}, [](const Tensor&, Gradients& d) {
    d(0, [] { return Tensor::ones({2}, float64); });
  });
  CHECK_THROWS_WITH_AS(sum(wrong_dtype).backward(), doctest::Contains("is float64 (2)"), ArgumentError);
  CHECK_THROWS_WITH_AS(record("identity", x, {x}, [](const Tensor&, Gradients&) {}),
                       doctest::Contains("identity: its result is one of its inputs"), ArgumentError);
}

TEST_CASE("a failed backward leaves nothing half-summed behind") {
  const Tensor x = leaf({1, 2});
  bool fail = true;
  const Tensor y = record("fragile", x.clone().detach(), {x}, [&](const Tensor& dy, Gradients& d) {
    require(!fail, "fragile: not now");
    d(0, [&] { return dy; });
  });
  const Tensor loss = sum(y) + sum(3 * x);
  CHECK_THROWS_WITH_AS(loss.backward({}, true), "fragile: not now", ArgumentError);
  CHECK_FALSE(x.grad().defined());
  fail = false;
  loss.backward();
  CHECK(x.grad().to_vector() == Values{4, 4});
}

TEST_CASE("set_grad checks what it is given and keeps no graph") {
  Tensor x = leaf({1, 2});
  CHECK_THROWS_WITH_AS(x.set_grad(Tensor::ones({3})),
                       doctest::Contains("set_grad: the gradient is float32 (3)"), ArgumentError);
  x.set_grad(square(x));
  CHECK_FALSE(x.grad().requires_grad());
  sum(x).backward();
  CHECK(x.grad().to_vector() == Values{2, 5});
  x.set_grad({});
  CHECK_FALSE(x.grad().defined());
}
