// L-BFGS against PyTorch's, step by step, and what it refuses.
#include "gesso/training/optim/lbfgs.h"

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/training/checkpoint.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// The same as in tests/golden/make_optimizers.py.
Tensor valley(const Tensor& x, const Tensor& y) {
  const Tensor here = x.slice(0, 3), next = x.slice(1, 4);
  return sum(100 * square(next - square(here)) + square(1 - here)) + sum(pow(y - 1, 4)) + sum(square(y));
}

}  // namespace

TEST_CASE("every step is PyTorch's, with and without line search") {
  const SafetensorsReader golden(source_path("tests/golden/optimizers.safetensors"));
  const std::pair<const char*, LBFGSOptions> variants[] = {
      {"lbfgs", {.lr = 0.1}},
      {"lbfgs_short", {.lr = 0.5, .max_iter = 3, .history_size = 2}},
      {"lbfgs_wolfe", {.line_search = LineSearch::strong_wolfe}},
      {"lbfgs_wolfe_short",
       {.lr = 2, .max_iter = 4, .history_size = 3, .line_search = LineSearch::strong_wolfe}},
  };
  for (const auto& [name, options] : variants) {
    Tensor x = Tensor::from({-1.2, 1, 0.5, -0.3}, float64).requires_grad_();
    Tensor y = Tensor::from({2, -1, 0.3}, {1, 3}, float64).requires_grad_();
    LBFGS lbfgs({x, y}, options);
    const Tensor losses = golden.load(concat_text(name, ".losses")),
                 places = golden.load(concat_text(name, ".places"));
    for (Index step = 0; step < 6; ++step) {
      CAPTURE(name);
      CAPTURE(step);
      const double loss = lbfgs.step([&] {
        lbfgs.zero_grad();
        Tensor value = valley(x, y);
        value.backward();
        return value;
      });
      CHECK(loss == doctest::Approx(losses(step)).epsilon(1e-6));
      CHECK(largest_difference(concat({x.detach(), y.detach().reshape({3})}, 0), places[step]) < 1e-6);
    }
  }
}

TEST_CASE("a parameter without a gradient stays, and a point where nothing slopes is kept") {
  Tensor x = Tensor::from({3, 4}, float64).requires_grad_(),
         other = Tensor::ones({2}, float64).requires_grad_();
  LBFGS lbfgs({x, other}, {.line_search = LineSearch::strong_wolfe});
  int calls = 0;
  const auto bowl = [&] {
    lbfgs.zero_grad();
    Tensor loss = sum(square(x));
    loss.backward();
    ++calls;
    return loss;
  };
  CHECK(lbfgs.step(bowl) == 25);
  CHECK(sum(square(x)).item() < 1e-12);
  CHECK(other.to_vector() == std::vector<double>{1, 1});
  x.requires_grad_(false).fill_(0).requires_grad_();
  calls = 0;
  lbfgs.step(bowl);
  CHECK(calls == 1);
}

TEST_CASE("resuming from a checkpoint continues bit for bit") {
  const std::pair<LBFGSOptions, Index> variants[] = {
      {{.lr = 0.1, .max_iter = 3}, 0},  // saved before the first step
      {{.lr = 0.1, .max_iter = 3}, 2},
      {{.max_iter = 4, .history_size = 3, .line_search = LineSearch::strong_wolfe}, 3},
  };
  const TemporaryFolder folder;
  for (const DType dtype : {float32, float64}) {
    for (const auto& [options, steps] : variants) {
      CAPTURE(dtype);
      CAPTURE(steps);
      const auto descend = [](LBFGS& lbfgs) {
        return lbfgs.step([&] {
          lbfgs.zero_grad();
          Tensor value = valley(lbfgs.parameters()[0], lbfgs.parameters()[1]);
          value.backward();
          return value;
        });
      };
      Tensor x = Tensor::from({-1.2, 1, 0.5, -0.3}, dtype).requires_grad_(), y = Tensor::ones({1, 3}, dtype);
      LBFGS whole({x, y.requires_grad_()}, options);
      for (Index step = 0; step < steps; ++step) {
        descend(whole);
      }
      save_checkpoint(folder.path(),
                      {.step = steps, .model = {{"x", x}, {"y", y}}, .optimizer = whole.state_dict()});
      const Checkpoint saved = load_checkpoint(folder.path());
      Tensor x2 = saved.model[0].second.clone().requires_grad_();
      Tensor y2 = saved.model[1].second.clone().requires_grad_();
      LBFGS resumed({x2, y2}, options);
      descend(resumed);  // what it knew before is forgotten
      {
        const NoGradGuard no_grad;
        x2.copy_(saved.model[0].second);
        y2.copy_(saved.model[1].second);
      }
      resumed.load_state_dict(saved.optimizer);
      for (int step = 0; step < 4; ++step) {
        CHECK(descend(resumed) == descend(whole));
        CHECK(identical(x, x2));
        CHECK(identical(y, y2));
      }
    }
  }
}

TEST_CASE("a state that does not fit is refused whole") {
  Tensor x = Tensor::from({1, -2, 3}, float64).requires_grad_(), other = Tensor::ones({2}).requires_grad_();
  const auto bowl = [&] {
    x.zero_grad();
    Tensor loss = sum(pow(x, 4));
    loss.backward();
    return loss;
  };
  LBFGS lbfgs({x}, {.lr = 0.01, .max_iter = 3});
  lbfgs.step(bowl);
  StateDict state = lbfgs.state_dict();
  CHECK_THROWS_WITH_AS(
      LBFGS({other}).load_state_dict(state),
      doctest::Contains("LBFGS::load_state_dict: d is float64 (3) and should have shape (2)"), ArgumentError);
  CHECK_THROWS_WITH_AS(lbfgs.load_state_dict({}), doctest::Contains("n_iter is missing; nothing was changed"),
                       ArgumentError);
  std::erase_if(state, [](const auto& entry) { return entry.first == "old_stps.0" || entry.first == "t"; });
  state.emplace_back("lr", Tensor::scalar(1));
  CHECK_THROWS_WITH_AS(lbfgs.load_state_dict(state),
                       doctest::Contains("t is missing; old_stps.0 is missing; lr is unexpected"),
                       ArgumentError);
  CHECK(lbfgs.state_dict().size() == state.size() + 1);
}

TEST_CASE("impossible options are refused") {
  Tensor x = Tensor::ones({2}).requires_grad_(), y = Tensor::ones({2}, float64).requires_grad_();
  CHECK_THROWS_WITH_AS(LBFGS({}), doctest::Contains("empty"), ArgumentError);
  CHECK_THROWS_WITH_AS(LBFGS({x, y}), doctest::Contains("they must be alike"), ArgumentError);
  CHECK_THROWS_WITH_AS(LBFGS({x * 2}), doctest::Contains("only leaves"), ArgumentError);
  CHECK_THROWS_WITH_AS(LBFGS({x}, {.lr = 0}), doctest::Contains("lr is 0"), ArgumentError);
  CHECK_THROWS_WITH_AS(LBFGS({x}, {.history_size = 0}), doctest::Contains("history_size 0"), ArgumentError);
}
