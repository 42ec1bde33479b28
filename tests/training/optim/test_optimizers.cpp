// SGD, Adam, AdamW and gradient clipping: PyTorch's values, state, resuming, threads, memory, errors.
#include <cfloat>
#include <cmath>
#include <functional>
#include <memory>

#include "gesso/autograd/elementwise.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/parallel.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/optim/clip.h"
#include "gesso/training/optim/sgd.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(const std::vector<Tensor>&)>;

template <class O, class Options>
MakeOptimizer maker(Options options) {
  return
      [options](const std::vector<Tensor>& parameters) { return std::make_unique<O>(parameters, options); };
}

const std::pair<const char*, MakeOptimizer> kVariants[] = {
    {"sgd", maker<SGD>(SGDOptions{.lr = 0.1, .weight_decay = 0.05})},
    {"sgd_dampening", maker<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.8, .dampening = 0.3})},
    {"sgd_nesterov", maker<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true})},
    {"adam", maker<Adam>(AdamOptions{.lr = 0.01, .weight_decay = 0.3})},
    {"adamw", maker<AdamW>(AdamWOptions{.lr = 0.01})},
};

// One large parameter, cut into several pieces, and small ones.
std::vector<Tensor> make_parameters(DType dtype = float32) {
  Generator rng(4);
  std::vector<Tensor> parameters;
  for (const Shape& shape : {Shape{3, 22001}, Shape{}, Shape{7}, Shape{5, 1}}) {
    parameters.push_back(Tensor::randn(shape, rng, dtype).requires_grad_());
  }
  return parameters;
}

// Gives every parameter a gradient that depends on the step alone, and steps.
void train(Optimizer& optimizer, int first, int last) {
  for (int step = first; step < last; ++step) {
    Generator rng(100 + step);
    for (Tensor p : optimizer.parameters()) {
      p.set_grad(Tensor::randn(p.shape(), rng, p.dtype()));
    }
    if (step == 3) {
      optimizer.set_lr(optimizer.lr() / 2);
    }
    optimizer.step();
  }
}

StateDict cloned(const StateDict& state) {
  StateDict copy = state;
  for (auto& [name, tensor] : copy) {
    tensor = tensor.detach().clone();
  }
  return copy;
}

}  // namespace

// tests/golden/make_optimizers.py wrote the values and says what happens at which step.
TEST_CASE("ten steps of every variant give PyTorch's values") {
  const std::pair<const char*, MakeOptimizer> variants[] = {
      {"sgd", maker<SGD>(SGDOptions{.lr = 0.1})},
      {"sgd_decay", maker<SGD>(SGDOptions{.lr = 0.1, .weight_decay = 0.05})},
      {"sgd_momentum", maker<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9})},
      {"sgd_dampening",
       maker<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.8, .dampening = 0.3, .weight_decay = 0.05})},
      {"sgd_nesterov",
       maker<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.05})},
      {"adam", maker<Adam>(AdamOptions{.lr = 0.01})},
      {"adam_options", maker<Adam>(AdamOptions{.lr = 0.05, .beta1 = 0.7, .beta2 = 0.95, .eps = 1e-3})},
      {"adam_decay", maker<Adam>(AdamOptions{.lr = 0.01, .weight_decay = 0.3})},
      {"adamw", maker<AdamW>(AdamWOptions{.lr = 0.01})},
      {"adamw_decay", maker<AdamW>(AdamWOptions{.lr = 0.05, .weight_decay = 0.3})},
      {"adam_groups",
       [](const std::vector<Tensor>& p) {
         return std::make_unique<Adam>(std::vector<ParameterGroup<AdamOptions>>{
             {{p[0]}, {.lr = 0.01}},
             {{p[1]}, {.lr = 0.05, .beta1 = 0.7, .beta2 = 0.95, .weight_decay = 0.3}}});
       }},
      {"adamw_groups",
       [](const std::vector<Tensor>& p) {
         return std::make_unique<AdamW>(std::vector<ParameterGroup<AdamWOptions>>{
             {{p[0]}, {.lr = 0.02, .weight_decay = 0}}, {{p[1]}, {.lr = 0.01}}});
       }},
      {"sgd_groups",
       [](const std::vector<Tensor>& p) {
         return std::make_unique<SGD>(std::vector<ParameterGroup<SGDOptions>>{
             {{p[0]}, {.lr = 0.1}}, {{p[1]}, {.lr = 0.02, .momentum = 0.9}}});
       }},
  };
  const SafetensorsReader golden(source_path("tests/golden/optimizers.safetensors"));
  for (const auto& [name, make] : variants) {
    for (DType dtype : {float32, float64}) {
      std::vector<Tensor> parameters;
      for (int i : {0, 1}) {
        parameters.push_back(golden.load(concat_text("start.", i)).to(dtype).requires_grad_());
      }
      const auto optimizer = make(parameters);
      for (int step = 1; step <= 10; ++step) {
        for (int i : {0, 1}) {
          const Tensor all = golden.load(concat_text("gradients.", i)).to(dtype);
          const bool none = i == 1 && (step == 3 || step == 4);
          parameters[i].set_grad(none ? Tensor() : all.slice(step - 1, step).reshape(parameters[i].shape()));
        }
        if (step == 6) {
          optimizer->set_lr(optimizer->lr() / 2);
        }
        optimizer->step();
        for (int i : {0, 1}) {
          if (const std::string key = concat_text(name, '.', dtype, '.', step, '.', i);
              golden.contains(key)) {
            CAPTURE(key);
            CHECK(largest_difference(parameters[i], golden.load(key)) < (dtype == float64 ? 1e-14 : 1e-6));
          } else {
            CHECK((step != 1 && step != 5 && step != 10));
          }
        }
      }
    }
  }
}

TEST_CASE("clip_grad_norm gives PyTorch's norm and gradients") {
  const SafetensorsReader golden(source_path("tests/golden/optimizers.safetensors"));
  for (const auto& [max_norm, label] : {std::pair{0.5, "clip.0.5."}, std::pair{100.0, "clip.100."}}) {
    std::vector<Tensor> parameters;
    for (int i : {0, 1}) {
      Tensor p = golden.load(concat_text("start.", i)).requires_grad_();
      p.set_grad(golden.load(concat_text("gradients.", i)).slice(0, 1).reshape(p.shape()).clone());
      parameters.push_back(p);
    }
    const double norm = clip_grad_norm(parameters, max_norm);
    CHECK(norm == doctest::Approx(golden.load(std::string(label) + "norm").item()).epsilon(1e-14));
    for (int i : {0, 1}) {
      CHECK(largest_difference(parameters[i].grad(), golden.load(concat_text(label, i))) < 1e-15);
    }
  }
}

TEST_CASE("a loaded state goes on bit for bit") {
  for (const auto& [name, make] : kVariants) {
    for (DType dtype : {float32, float64}) {
      CAPTURE(name);
      std::vector<Tensor> parameters = make_parameters(dtype);
      const auto whole = make(parameters);
      train(*whole, 0, 5);

      std::vector<Tensor> others;
      for (const Tensor& p : parameters) {
        others.push_back(p.detach().clone().requires_grad_());
      }
      const auto resumed = make(others);
      resumed->load_state_dict(whole->state_dict());  // copies: the two go on side by side
      CHECK(resumed->lr() == whole->lr());
      train(*whole, 5, 9);
      train(*resumed, 5, 9);
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        CHECK(identical(parameters[i], others[i]));
      }
    }
  }
}

TEST_CASE("steps are the same bit for bit for every number of threads") {
  const int before = num_threads();
  for (const auto& [name, make] : kVariants) {
    CAPTURE(name);
    std::vector<std::vector<Tensor>> results;
    for (int threads : {1, 2, 3}) {
      set_num_threads(threads);
      results.push_back(make_parameters());
      train(*make(results.back()), 0, 4);
    }
    for (std::size_t i = 0; i < results[0].size(); ++i) {
      CHECK(identical(results[0][i], results[1][i]));
      CHECK(identical(results[0][i], results[2][i]));
    }
  }
  set_num_threads(before);
}

TEST_CASE("a steady step takes no memory from the pool") {
  for (const auto& [name, make] : kVariants) {
    CAPTURE(name);
    const auto optimizer = make(make_parameters());
    train(*optimizer, 0, 2);
    const std::size_t held = memory_stats().current_bytes;
    reset_peak_memory();
    optimizer->step();
    CHECK(memory_stats().peak_bytes == held);
    CHECK(memory_stats().current_bytes == held);
  }
}

TEST_CASE("parameters without a gradient are left alone") {
  for (const auto& [name, make] : kVariants) {
    CAPTURE(name);
    Tensor moved = Tensor::ones({2}).requires_grad_(), still = Tensor::ones({2}).requires_grad_(),
           frozen = Tensor::ones({2});
    const auto optimizer = make({moved, still, frozen});
    moved.set_grad(Tensor::ones({2}));
    optimizer->step();
    CHECK(moved.at({0}) < 1);
    CHECK(still.at({0}) == 1);
    CHECK(frozen.at({0}) == 1);
    for (const auto& [key, value] : optimizer->state_dict()) {
      CHECK((key == "lr" || key.starts_with("0.")));
    }
    optimizer->zero_grad();
    CHECK_FALSE(moved.grad().defined());
    const double after = moved.at({0});
    optimizer->step();
    CHECK(moved.at({0}) == after);
  }
}

TEST_CASE("the state follows a parameter to the other dtype") {
  for (const auto& [name, make] : kVariants) {
    CAPTURE(name);
    std::vector<Tensor> converted = make_parameters(), kept = make_parameters(float64);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      kept[i].copy_(converted[i].detach());
    }
    const auto a = make(converted), b = make(kept);
    train(*a, 0, 3);
    train(*b, 0, 3);
    for (Tensor& p : converted) {
      const Tensor wide = p.detach().to(float64);
      p.requires_grad_(false).set_data(wide).requires_grad_();
    }
    train(*a, 3, 6);
    train(*b, 3, 6);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      CHECK(converted[i].dtype() == float64);
      CHECK(largest_difference(converted[i], kept[i]) < 1e-4);
    }
  }
}

TEST_CASE("wrong parameters and options are named") {
  const Tensor p = Tensor::ones({2}).requires_grad_();
  const auto fails = [&](auto&& make, const char* text) {
    CHECK_THROWS_WITH_AS(make(), doctest::Contains(text), ArgumentError);
  };
  fails([&] { Adam(std::vector<Tensor>{}); }, "Adam: the list of parameters is empty");
  fails([&] { Adam({p, Tensor()}); }, "Adam: parameter 1 is an undefined tensor");
  fails([&] { AdamW({p, p}); }, "AdamW: parameters 0 and 1 of shape (2) are the same tensor");
  fails([&] { SGD({p * 2}); }, "SGD: parameter 0 of shape (2) is the result of an operation");
  fails([&] { SGD({p}, {.lr = -1}); }, "SGD: lr is -1");
  fails([&] { SGD({p}, {.momentum = -0.1}); }, "SGD: momentum is -0.1");
  fails([&] { SGD({p}, {.nesterov = true}); }, "nesterov needs momentum above 0");
  fails([&] { SGD({p}, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}); }, "and dampening 0");
  fails([&] { SGD({p}, {.weight_decay = NAN}); }, "weight_decay is nan");
  fails([&] { Adam({p}, {.beta1 = 1}); }, "beta1 1 and beta2 0.999");
  fails([&] { Adam({p}, {.beta2 = -0.1}); }, "beta2 -0.1");
  fails([&] { Adam({p}, {.eps = -1e-8}); }, "Adam: eps is -1e-08");
  fails([&] { AdamW({p}, {.weight_decay = -1}); }, "AdamW: weight_decay is -1");
  fails([&] { Adam({p}).set_lr(INFINITY); }, "Adam: lr is inf");
}

TEST_CASE("a state that does not fit is named and changes nothing") {
  Tensor p = Tensor::ones({2}).requires_grad_(), q = Tensor::ones({3}).requires_grad_();
  Adam adam({p, q});
  train(adam, 0, 2);
  const StateDict before = cloned(adam.state_dict());
  StateDict state = cloned(before);
  state[0].second = Tensor::scalar(0.5, float64);
  std::erase_if(state, [](const auto& entry) { return entry.first == "0.exp_avg_sq"; });
  state.back().second = Tensor::zeros({4});
  state.emplace_back("2.step", Tensor::scalar(1));
  CHECK_THROWS_WITH_AS(
      adam.load_state_dict(state),
      doctest::Contains("Adam::load_state_dict: 0.exp_avg_sq is missing; 1.exp_avg_sq is float32 (4) and "
                        "should have shape (3); 2.step is unexpected; nothing was changed"),
      ArgumentError);
  const StateDict after = adam.state_dict();
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    CHECK(identical(after[i].second, before[i].second));
  }
  CHECK_THROWS_WITH_AS(SGD({p, q}).load_state_dict(before), doctest::Contains("0.exp_avg is unexpected"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(adam.load_state_dict({}), doctest::Contains("lr is missing"), ArgumentError);
  // A fresh state makes a used optimiser fresh.
  adam.load_state_dict({{"lr", Tensor::scalar(0.1)}});
  CHECK(adam.state_dict().size() == 1);
}

TEST_CASE("clip_grad_norm limits the norm of all gradients together") {
  Tensor a = Tensor::zeros({2}).requires_grad_(), b = Tensor::zeros({}, float64).requires_grad_(),
         none = Tensor::zeros({5}).requires_grad_();
  a.set_grad(Tensor::from({2, 3}, {2}));
  b.set_grad(Tensor::scalar(6, float64));
  CHECK(grad_norm({a, b, none}) == 7);
  CHECK(clip_grad_norm({a, b, none}, 8) == 7);
  CHECK(b.grad().item() == 6);
  CHECK(clip_grad_norm({a, b, none}, 3.5) == 7);
  CHECK(a.grad().at({1}) == doctest::Approx(1.5));
  CHECK(b.grad().item() == doctest::Approx(3));
  CHECK(clip_grad_norm({none}, 1) == 0);
  CHECK_THROWS_WITH_AS(clip_grad_norm({a}, -1), doctest::Contains("max_norm is -1"), ArgumentError);
  b.set_grad(Tensor::scalar(NAN, float64));
  CHECK(std::isnan(clip_grad_norm({a, b}, 1)));
  CHECK(std::isnan(a.grad().at({0})));
}

TEST_CASE("clip_grad_norm scales gradients that share memory once") {
  Tensor a = Tensor::zeros({4}).requires_grad_(), b = Tensor::zeros({4}).requires_grad_();
  const Tensor shared = Tensor::full({4}, 2);
  a.set_grad(shared);
  b.set_grad(shared);
  const double norm = clip_grad_norm({a, b}, 1);
  CHECK(norm == doctest::Approx(std::sqrt(32.0)));
  CHECK(a.grad().at({0}) == doctest::Approx(2 / norm));
  CHECK(b.grad().at({3}) == doctest::Approx(2 / norm));
}

TEST_CASE("the gradient norm agrees with a plain sum, for every size and number of threads") {
  const int before = num_threads();
  for (Index n : {0, 1, 15, 16, 17, 100003}) {
    for (DType dtype : {float32, float64}) {
      Generator rng(2);
      Tensor p = Tensor::zeros({n}, dtype).requires_grad_();
      p.set_grad(Tensor::randn({n}, rng, dtype));
      double sum = 0;
      for (double v : p.grad().to_vector()) {
        sum += v * v;
      }
      set_num_threads(1);
      const double norm = grad_norm({p});
      CHECK(norm == doctest::Approx(std::sqrt(sum)).epsilon(1e-13));
      for (int threads : {2, 3}) {
        set_num_threads(threads);
        CHECK(grad_norm({p}) == norm);
      }
    }
  }
  set_num_threads(before);
}

TEST_CASE("averages of gradients that stay away fade to 0, and not to subnormal numbers") {
  for (DType dtype : {float32, float64}) {
    const double smallest = dtype == float32 ? FLT_MIN : DBL_MIN;
    const auto fades = [&](auto make) {
      Tensor p = Tensor::full({37}, 1, dtype).requires_grad_();
      auto optimizer = make(p);
      p.set_grad(Tensor::full({37}, 0.5, dtype));
      optimizer->step();
      p.set_grad(Tensor::zeros({37}, dtype));
      for (int step = 0; step < 9000; ++step) optimizer->step();
      for (const auto& [name, average] : optimizer->state_dict()) {
        if (average.rank() == 0) continue;  // lr and step
        CAPTURE(name);
        for (double v : average.to_vector()) CHECK((v == 0 || std::abs(v) >= smallest));
      }
      const Tensor before = p.detach().clone();
      optimizer->step();
      CHECK(identical(before, p.detach()));
    };
    fades([](const Tensor& p) {
      return std::make_unique<Adam>(std::vector{p}, AdamOptions{.beta1 = 0.5, .beta2 = 0.9});
    });
    fades([](const Tensor& p) { return std::make_unique<SGD>(std::vector{p}, SGDOptions{.momentum = 0.9}); });
  }
}

TEST_CASE("clip_grad_norm of an infinite norm makes gradients 0 and infinite ones NaN, as in PyTorch") {
  Tensor a = Tensor::zeros({2}).requires_grad_(), b = Tensor::zeros({1}, float64).requires_grad_();
  a.set_grad(Tensor::from({3, INFINITY}));
  b.set_grad(Tensor::from({-5}, float64));
  CHECK(clip_grad_norm({a, b}, 2) == INFINITY);
  CHECK(a.grad()(0) == 0);
  CHECK(std::isnan(a.grad()(1)));
  CHECK(b.grad()(0) == 0);
  a.set_grad(Tensor::from({3, NAN}));
  CHECK(std::isnan(clip_grad_norm({a}, 2)));
  CHECK(std::isnan(a.grad()(0)));
}

TEST_CASE("groups are checked") {
  Tensor a = Tensor::ones({2}).requires_grad_(), b = Tensor::ones({3}).requires_grad_();
  CHECK_THROWS_WITH_AS(Adam({{{a}, {.lr = 0}}, {{b}, {.lr = 1}}}),
                       doctest::Contains("the first group's lr is 0"), ArgumentError);
  CHECK_THROWS_WITH_AS(Adam({{{a}, {.lr = 1}}, {{a}, {.lr = 1}}}), doctest::Contains("are the same tensor"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(SGD({{{a}, {.lr = 1}}, {{b}, {.momentum = -1}}}), doctest::Contains("momentum is -1"),
                       ArgumentError);
}
