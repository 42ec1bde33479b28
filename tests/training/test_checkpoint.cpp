// Checkpoints: all that is saved comes back, training resumes bit for bit, and a kill at any moment does no
// harm.
#include "gesso/training/checkpoint.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/files/checksum.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/parallel.h"
#include "gesso/layers/linear.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/optim/schedule.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Net : Module {
  Linear hidden, head;
  Tensor seen;
  explicit Net(Generator& rng) : hidden(3, 8, {}, rng), head(8, 1, {}, rng) {
    register_module("hidden", hidden);
    register_module("head", head);
    seen = register_buffer("seen", Tensor::scalar(0, float64), {.keeps_dtype = true});
  }
  Tensor forward(const Tensor& x) override {
    seen.fill_(seen.item() + static_cast<double>(x.size(0)));
    return head(tanh(hidden(x)));
  }
};

// A training whose data come from a generator, with a schedule: everything that a checkpoint must hold.
struct Training {
  Generator init{1}, data{2};
  Net net{init};
  Adam adam{net.parameters(), {.weight_decay = 0.01}};
  Index step = 0;

  void run(Index until) {
    const WarmupCosine schedule{.warmup = 3, .total = 20};
    for (; step < until; ++step) {
      const Tensor x = Tensor::randn({16, 3}, data);
      adam.zero_grad();
      mean(square(net(x) - sum(x, {1}, true))).backward();
      adam.set_lr(0.01 * schedule(step));
      adam.step();
    }
  }
  Checkpoint checkpoint() const {
    return {
        .step = step,
        .model = net.state_dict(),
        .optimizer = adam.state_dict(),
        .generators = {{"data", data.state()}},
        .metadata = {{"step", "a setting of the same name"}, {"note", "line 1\nline 2 \"quoted\" \xC3\xA9"}}};
  }
  void resume(const Checkpoint& saved) {
    step = saved.step;
    net.load_state_dict(saved.model);
    adam.load_state_dict(saved.optimizer);
    data.set_state(saved.generators.at("data"));
  }
};

}  // namespace

TEST_CASE("all that is saved comes back") {
  const TemporaryFolder folder;
  const std::string path = folder / "run" + "/checkpoint";
  CHECK_FALSE(has_checkpoint(path));
  Training training;
  training.run(4);
  const Checkpoint saved = training.checkpoint();
  save_checkpoint(path, saved);
  CHECK(has_checkpoint(path));
  const Checkpoint loaded = load_checkpoint(path);
  CHECK(loaded.step == 4);
  CHECK(loaded.generators == saved.generators);
  CHECK(loaded.metadata == saved.metadata);
  REQUIRE(loaded.model.size() == saved.model.size());
  REQUIRE(loaded.optimizer.size() == saved.optimizer.size());
  for (std::size_t i = 0; i < saved.model.size(); ++i) {
    CHECK(loaded.model[i].first == saved.model[i].first);
    CHECK(identical(loaded.model[i].second, saved.model[i].second));
  }
  for (std::size_t i = 0; i < saved.optimizer.size(); ++i) {
    CHECK(loaded.optimizer[i].first == saved.optimizer[i].first);
    CHECK(identical(loaded.optimizer[i].second, saved.optimizer[i].second));
  }
  const Generator::State extremes{~std::uint64_t{0}, std::uint64_t{1} << 63};
  save_checkpoint(path, {.generators = {{"a", extremes}}});
  CHECK(load_checkpoint(path).generators.at("a") == extremes);
  CHECK(load_checkpoint(path).model.empty());
}

TEST_CASE("a resumed training ends where the whole one does, bit for bit") {
  const TemporaryFolder folder;
  Training whole, first, second;
  whole.run(20);
  first.run(9);
  save_checkpoint(folder.path(), first.checkpoint());
  second.resume(load_checkpoint(folder.path()));
  CHECK(second.step == 9);
  second.run(20);
  const StateDict a = whole.checkpoint().model, b = second.checkpoint().model;
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(a[i].first);
    CHECK(identical(a[i].second, b[i].second));
  }
  CHECK(second.net.seen.item() == 20 * 16);
  CHECK(second.data.state() == whole.data.state());
}

TEST_CASE("files that are not checkpoints are refused by name") {
  const TemporaryFolder folder;
  const std::string file = folder / "checkpoint.safetensors";
  const auto fails = [&](const char* text) {
    CHECK_THROWS_WITH_AS(load_checkpoint(folder.path()), doctest::Contains(text), FileError);
    CHECK_THROWS_WITH_AS(load_checkpoint(folder.path()), doctest::Contains(file.c_str()), FileError);
  };
  fails("checkpoint.safetensors");  // missing
  save_safetensors(file, {}, {});
  fails("does not say \"gesso checkpoint 1\"");
  const std::pair<std::string, std::string> format = {"format", "gesso checkpoint 1"};
  save_safetensors(file, {}, {format});
  fails("has no step");
  save_safetensors(file, {}, {format, {"step", "-5"}});
  fails("its step is -5");
  save_safetensors(file, {}, {{"format", "gesso checkpoint 2"}, {"step", "1"}});
  fails("it has lost its checksum");
  save_safetensors(file, {}, {format, {"step", "12x"}});
  fails("step is \"12x\", which is no number");
  save_safetensors(file, {}, {format, {"step", "1"}, {"generator.a", "7"}});
  fails("generator.a is \"7\", not a seed and a position");
  save_safetensors(file, {}, {format, {"step", "1"}, {"generator.a", "7 -1"}});
  fails("which is no number");
  save_safetensors(file, {{"weight", Tensor::ones({1})}}, {format, {"step", "1"}});
  fails("\"weight\" belongs neither to a model nor to an optimizer");
  write_bytes(file, "half of a header");
  fails(file.c_str());
  CHECK_THROWS_WITH_AS(save_checkpoint(file, {}), doctest::Contains("cannot make the folder"), FileError);
}

TEST_CASE("killed at any moment, a whole checkpoint remains") {
  const TemporaryFolder folder;
  const int threads = num_threads();
  set_num_threads(1);  // a forked process has none of this one's other threads
  const auto checkpoint = [](Index step) {
    return Checkpoint{.step = step, .model = {{"x", Tensor::full({100000}, static_cast<double>(step))}}};
  };
  save_checkpoint(folder.path(), checkpoint(0));
  Generator rng(5);
  Index before = 0;
  for (int round = 0; round < 12 || (before == 0 && round < 200); ++round) {  // more on a slow machine
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const Index first = load_checkpoint(folder.path()).step;
      for (Index step = first + 1;; ++step) {
        save_checkpoint(folder.path(), checkpoint(step));
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(5000 + rng.below(40000)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const Checkpoint left = load_checkpoint(folder.path());
    CHECK(left.step >= before);
    const std::vector<double> values = left.model[0].second.to_vector();
    CHECK(values == std::vector<double>(100000, static_cast<double>(left.step)));
    before = left.step;
  }
  CHECK(before > 0);
  // What the killed ones left half-written is removed by the next checkpoint.
  save_checkpoint(folder.path(), checkpoint(before + 1));
  CHECK(folder.entries() == 2);  // and the one before
  set_num_threads(threads);
}

TEST_CASE("whatever bit of a checkpoint flips, the one before it is used and nothing else") {
  if (!has_checksums()) {
    return;
  }
  const TemporaryFolder folder;
  const auto checkpoint = [](double x) {
    return Checkpoint{.step = static_cast<Index>(x),
                      .model = {{"x", Tensor::full({20}, x)}},
                      .generators = {{"a", {3, 4}}},
                      .metadata = {{"lr", "0.1"}}};
  };
  save_checkpoint(folder.path(), checkpoint(1));
  save_checkpoint(folder.path(), checkpoint(2));
  CHECK(load_checkpoint(folder.path()).step == 2);
  const std::string file = folder / "checkpoint.safetensors", whole = read_file(file);
  for (std::size_t bit = 0; bit < 8 * whole.size(); bit += 3) {
    std::string broken = whole;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << bit % 8));
    write_bytes(file, broken);
    CAPTURE(bit);
    const Checkpoint loaded = load_checkpoint(folder.path());
    CHECK(loaded.step == 1);
    CHECK_FALSE(loaded.warning.empty());
  }
  std::filesystem::remove(file);
  CHECK(has_checkpoint(folder.path()));
  CHECK(load_checkpoint(folder.path()).step == 1);
  // Put aside, the damaged one does not take the place of the whole one before it.
  write_bytes(file, "torn");
  set_damaged_checkpoint_aside(folder.path());
  save_checkpoint(folder.path(), checkpoint(3));
  std::filesystem::remove(file);
  CHECK(load_checkpoint(folder.path()).step == 1);
}
