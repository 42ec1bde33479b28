// The training loop on a network of two numbers: what it writes, when, and that a training that was stopped
// goes on to the same weights, bit for bit.
#include "gesso/training/training_loop.h"

#include <cmath>
#include <fstream>
#include <thread>

#include "files.h"
#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/files/checksum.h"
#include "gesso/core/files/file.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/layers/linear.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/report/recorder.h"
#include "support.h"
#include "thread_ranks.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

constexpr Index kSteps = 12;

// Learns y = 2 x + 1 of random x.
struct Line {
  Generator init{1}, data{2};
  Linear net{1, 1, {}, init};
  Adam adam{net.parameters(), {.lr = 0.1}};
  Training training;

  explicit Line(Index steps = kSteps)
      : training(net, adam,
                 {.steps = steps, .schedule = Warmup{4}, .command = "line", .metadata = {{"slope", "2"}}},
                 [this] {
                   const Tensor x = Tensor::randn({8, 1}, data);
                   const Tensor y = net(x);
                   return BatchLoss(mse_loss(y, 2 * x + 1), {{"first", y.at({0, 0})}});
                 }) {
    training.keep("data", data);
  }
  std::vector<double> weights() const {
    return {net.named_parameters()[0].second.item(), net.named_parameters()[1].second.item()};
  }
};

// Silent, and stopped after `until` steps.
TrainingLoopOptions quietly(Training& training, Index until = kSteps) {
  return {.stop = [&training, until] { return training.steps_done() >= until; }, .bar = false};
}

std::vector<std::string> names_of(const LogEntry& entry) {
  std::vector<std::string> names;
  for (const auto& [name, value] : entry) {
    names.push_back(name);
  }
  return names;
}

}  // namespace

TEST_CASE("a step: learns, counts, follows the schedule, and says what the log is to hold") {
  Line line;
  CHECK(line.training.learning_rate() == 0.1 / 4);
  const LogEntry first = line.training.step();
  CHECK(names_of(first) == std::vector<std::string>{"step", "loss", "first", "lr"});
  CHECK(logged(first, "step") == 1);
  CHECK(logged(first, "lr") == 0.1 / 4);
  CHECK(line.training.steps_done() == 1);
  CHECK(line.training.learning_rate() == 0.1 / 2);
  double last = 0;
  while (line.training.steps_done() < line.training.steps()) {
    last = logged(line.training.step(), "loss").value();
  }
  CHECK(last < 0.5 * logged(first, "loss").value());
}

TEST_CASE(
    "a step without a schedule keeps the optimizer's rate, and calls with_gradients between backward and "
    "step") {
  Generator rng(1);
  Linear net(1, 1, {}, rng);
  Adam adam(net.parameters(), {.lr = 0.25});
  Training training(net, adam, {.steps = 2}, [&] {
    return mse_loss(net(Tensor::ones({2, 1})), Tensor::zeros({2, 1}));
  });
  net.eval();
  const double before = net.parameters()[0].item();
  bool called = false;
  training.step([&] {
    called = true;
    CHECK(net.is_training());
    CHECK(net.parameters()[0].grad().defined());
    CHECK(net.parameters()[0].item() == before);
  });
  CHECK(called);
  CHECK(net.parameters()[0].item() != before);
  CHECK(training.learning_rate() == 0.25);
}

TEST_CASE("a whole training: its log, its checkpoint, and what is called when") {
  const TemporaryFolder temporary;
  const RunFolder folder{temporary.path()};
  Line line;
  std::vector<std::string> calls;
  const auto call = [&](const std::string& what) {
    calls.push_back(what + std::to_string(line.training.steps_done()));
  };
  const bool finished =
      train(line.training, folder,
            {.save_every = 5,
             .samples =
                 [&](Index step) {
                   CHECK(step == line.training.steps_done());
                   call("samples");
                 },
             .report =
                 [&](const std::vector<LogEntry>& log) {
                   call("report");
                   CHECK(load_checkpoint(folder.checkpoint()).step == line.training.steps_done());
                   CHECK(log.size() == static_cast<std::size_t>(line.training.steps_done()));
                   Report report;
                   report.title = "A line";
                   return report;
                 },
             .test =
                 [&] {
                   call("test");
                   return LogEntry{{"test", 0.5}};
                 },
             .bar = false,
             .after_step = [&](Index step, const LogEntry& entry) { CHECK(logged(entry, "step") == step); }});
  CHECK(finished);
  CHECK(calls == std::vector<std::string>{"test5", "samples5", "report5", "test10", "samples10", "report10",
                                          "test12", "samples12", "report12"});
  const std::vector<LogEntry> log = read_log(folder.log());
  REQUIRE(log.size() == kSteps);
  CHECK(names_of(log[3]) == std::vector<std::string>{"step", "loss", "first", "lr", "seconds"});
  CHECK(names_of(log[4]) == std::vector<std::string>{"step", "loss", "first", "lr", "test", "seconds"});
  CHECK(names_of(log[11]) == names_of(log[4]));
  const Checkpoint saved = load_checkpoint(folder.checkpoint());
  CHECK(saved.step == kSteps);
  CHECK(saved.metadata == std::map<std::string, std::string>{{"command", "line"}, {"slope", "2"}});
  CHECK(read_file(folder.report()).find("A line") != std::string::npos);
  CHECK(read_file(folder.report()).find("step 12 of 12") == std::string::npos);  // it is finished
}

TEST_CASE("a training that is stopped goes on to the same weights, bit for bit, and to one log") {
  const TemporaryFolder whole, parted;
  Line straight;
  CHECK(train(straight.training, {whole.path()}, {.bar = false}));
  const RunFolder folder{parted.path()};
  {
    Line line;
    TrainingLoopOptions options = quietly(line.training, 5);
    options.report = [](const std::vector<LogEntry>&) { return Report(); };
    CHECK(!train(line.training, folder, options));
    CHECK(line.training.steps_done() == 5);
    CHECK(read_file(folder.report()).find("step 5 of 12") != std::string::npos);
  }
  const std::vector<LogEntry> before = read_log(folder.log());
  REQUIRE(before.size() == 5);
  // Killed after lines that no checkpoint knows.
  std::ofstream(folder.log(), std::ios::app) << "{\"step\": 6, \"loss\": 1}\n{\"step\": 7, \"lo";
  Line line;
  line.training.resume(folder.checkpoint_to_resume("line"));
  CHECK(line.training.steps_done() == 5);
  CHECK(train(line.training, folder, {.bar = false}));
  CHECK(line.weights() == straight.weights());
  const std::vector<LogEntry> log = read_log(folder.log()),
                              expected = read_log((whole.path() + "/log.jsonl"));
  REQUIRE(log.size() == kSteps);
  for (std::size_t i = 0; i < log.size(); ++i) {
    CHECK(logged(log[i], "step") == logged(expected[i], "step"));
    CHECK(logged(log[i], "loss") == logged(expected[i], "loss"));
    CHECK(logged(log[i], "lr") == logged(expected[i], "lr"));
  }
  CHECK(logged(log[5], "seconds") > logged(before[4], "seconds"));  // pauses left out, earlier runs counted
}

namespace {

// As Line, of batches that ranks share out.
struct SharedLine {
  Generator init{1}, data{2};
  Linear net{1, 1, {}, init};
  Adam adam{net.parameters(), {.lr = 0.1}};
  Training training;

  explicit SharedLine(ProcessGroup& ranks, Index drifting_rank = -1)
      : training(net, adam, {.steps = kSteps, .command = "line", .ranks = &ranks, .batch = 7},
                 [&, drifting_rank] {
                   const Tensor x = Tensor::randn({7, 1}, data);
                   const auto share = BatchShare::current();
                   const Tensor own = x.slice(share->first(), share->first() + share->count());
                   const Tensor loss = mean(gather_samples(mse_of_samples(net(own), 2 * own + 1)));
                   const bool drifts = training.steps_done() == 3 && ranks.rank() == drifting_rank;
                   return BatchLoss(drifts ? loss + mean(square(net.weight)) : loss);
                 }) {
    training.keep("data", data);
  }
};

}  // namespace

TEST_CASE("ranks keep one folder, and a run begun on three goes on on two and alone, bit for bit") {
  const auto weights_after = [](const SharedLine& line) {
    return std::pair(line.net.weight.to_vector(), line.net.bias.to_vector());
  };
  SharedLine whole(single_process());
  while (whole.training.steps_done() < kSteps) {
    whole.training.step();
  }
  const TemporaryFolder folder;
  const auto go_on = [&](ProcessGroup& ranks, Index until) {
    SharedLine line(ranks);
    const RunFolder run(folder / "run", ranks);
    if (until > 4) {
      line.training.resume(run.checkpoint_to_resume("line"));
    } else {
      run.create();
    }
    TrainingLoopOptions options = quietly(line.training, until);
    if (ranks.rank() != 1 % ranks.size()) {
      options.stop = {};  // one rank asks for the end, and all come to it
    }
    const bool done = train(line.training, run, options);
    CHECK(done == (until == kSteps));
    CHECK(line.training.steps_done() == until);
    if (done) {
      CHECK((weights_after(line) == weights_after(whole)));
    }
  };
  on_ranks(3, [&](ProcessGroup& ranks) { go_on(ranks, 4); });
  on_ranks(2, [&](ProcessGroup& ranks) { go_on(ranks, 9); });
  go_on(single_process(), kSteps);
  CHECK(read_log(folder / "run/log.jsonl").size() == kSteps);
}

TEST_CASE("a rank whose gradients are not the others' is found at once") {
  on_ranks(3, [](ProcessGroup& ranks) {
    SharedLine line(ranks, 2);
    for (int i = 0; i < 3; ++i) {
      line.training.step();
    }
    CHECK_THROWS_WITH_AS(line.training.step(),
                         doctest::Contains("step 4: the gradients of rank 2 are not those of rank 0"), Error);
  });
}

TEST_CASE("a training that is done already only saves again") {
  const TemporaryFolder temporary;
  Line line;
  CHECK(train(line.training, {temporary.path()}, {.bar = false}));
  const std::vector<double> weights = line.weights();
  Index sampled = 0;
  CHECK(train(line.training, {temporary.path()},
              {.samples = [&](Index step) { sampled = step; }, .bar = false}));
  CHECK(sampled == kSteps);
  CHECK(line.weights() == weights);
  CHECK(read_log(temporary / "log.jsonl").size() == kSteps);
}

TEST_CASE("an exception passes through and leaves the last checkpoint whole") {
  const TemporaryFolder temporary;
  const RunFolder folder{temporary.path()};
  Line line;
  CHECK_THROWS_WITH_AS(
      train(line.training, folder,
            {.save_every = 3,
             .bar = false,
             .after_step = [](Index step, const LogEntry&) { require(step < 8, "the power went out"); }}),
      "the power went out", ArgumentError);
  const Checkpoint saved = load_checkpoint(folder.checkpoint());
  CHECK(saved.step == 6);
  Line resumed, straight;
  resumed.training.resume(saved);
  for (Index i = 0; i < kSteps; ++i) {
    straight.training.step();
  }
  CHECK(train(resumed.training, folder, {.bar = false}));
  CHECK(resumed.weights() == straight.weights());
}

TEST_CASE("a loss that is not finite ends the training before it moves a weight") {
  const TemporaryFolder temporary;
  Generator rng(1);
  Linear net(1, 1, {}, rng);
  Adam adam(net.parameters(), {.lr = 0.5});
  Training training(net, adam, {.steps = 9}, [&] {
    const double scale = training.steps_done() < 4 ? 1 : INFINITY;
    return scale * mse_loss(net(Tensor::ones({2, 1})), Tensor::zeros({2, 1}));
  });
  std::vector<double> weights;
  CHECK_THROWS_WITH_AS(
      train(training, {temporary.path()},
            {.save_every = 1,
             .bar = false,
             .after_step = [&](Index, const LogEntry&) { weights = net.parameters()[0].to_vector(); }}),
      "step 5: the loss is inf, not a finite number; the last checkpoint is whole. Begin again with a lower "
      "learning rate (lr was 0.5)",
      DivergedError);
  CHECK(net.parameters()[0].to_vector() == weights);
  CHECK(load_checkpoint(temporary / "checkpoint").step == 4);
}

TEST_CASE("it is also saved after so many seconds") {
  const TemporaryFolder temporary;
  Line line(3);
  std::vector<Index> saved;
  train(line.training, {temporary.path()},
        {.save_seconds = 0.02,
         .samples = [&](Index step) { saved.push_back(step); },
         .bar = false,
         .after_step =
             [](Index step, const LogEntry&) {
               if (step == 2) {
                 std::this_thread::sleep_for(std::chrono::milliseconds(30));
               }
             }});
  CHECK(std::find(saved.begin(), saved.end(), 2) != saved.end());
  CHECK(saved.back() == 3);
}

TEST_CASE("normalization layers are recorded every so many steps, across a pause too") {
  struct Net : Module {
    Generator rng{1};
    Linear linear{2, 3, {}, rng};
    BatchNorm1d norm{3};
    Net() {
      register_module("linear", linear);
      register_module("norm", norm);
    }
    Tensor forward(const Tensor& x) override { return norm(linear(x)); }
  };
  const TemporaryFolder temporary;
  const RunFolder folder{temporary.path()};
  const auto run = [&](Index until) {
    Net net;
    Generator data(3);
    Adam adam(net.parameters());
    Training training(net, adam, {.steps = 6}, [&] {
      return mse_loss(square(net(Tensor::randn({4, 2}, data))), Tensor::ones({4, 3}));
    });
    if (has_checkpoint(folder.checkpoint())) {
      training.resume(load_checkpoint(folder.checkpoint()));
    }
    TrainingLoopOptions options = quietly(training, until);
    options.record_every = 2;
    return train(training, folder, options);
  };
  CHECK(!run(3));
  CHECK(run(6));
  std::vector<Index> steps;
  for (const NormalizationRecord& record : read_normalization_records(folder.record())) {
    CHECK(record.layer == "norm");
    steps.push_back(record.step);
  }
  CHECK(steps == std::vector<Index>{2, 4, 6});
}

TEST_CASE("pictures: how far they were read is kept, and warnings about them come through") {
  const TemporaryFolder temporary;
  Generator rng(5);
  std::vector<std::string> files;
  for (const char* name : {"a.png", "b.png", "c.png"}) {
    files.push_back(temporary / name);
    save_picture(files.back(), Tensor::uniform({1, 3, 8, 8}, rng, 0, 1));
  }
  write_bytes(temporary / "broken.png", "\x89PNG broken");
  files.push_back(temporary / "broken.png");
  struct Colours {
    Generator init{1};
    Linear net{3 * 4 * 4, 1, {}, init};
    Adam adam{net.parameters()};
    PictureFolder pictures;
    Training training;
    explicit Colours(const std::vector<std::string>& names)
        : pictures(names, {.crop = 4, .batch = 2}), training(net, adam, {.steps = 6}, [this] {
            return mean_square(net(pictures.next().reshape({2, 48})));
          }) {
      training.keep("photographs", pictures);
    }
    static Tensor mean_square(const Tensor& x) { return mse_loss(x, Tensor::zeros(x.shape())); }
  };
  Colours straight(files), resumed(files);
  for (int i = 0; i < 3; ++i) {
    straight.training.step();
  }
  straight.training.save(temporary / "checkpoint");
  const Checkpoint saved = load_checkpoint(temporary / "checkpoint");
  CHECK(saved.metadata.at("photographs") == std::to_string(straight.pictures.state().crops));
  resumed.training.resume(saved);
  for (int i = 0; i < 3; ++i) {
    CHECK(logged(straight.training.step(), "loss") == logged(resumed.training.step(), "loss"));
  }
  Checkpoint torn = saved;
  torn.metadata["photographs"] = "many";
  CHECK_THROWS_WITH_AS(resumed.training.resume(torn), doctest::Contains("'many' is not a number"),
                       ArgumentError);
  torn.metadata.erase("photographs");
  CHECK_THROWS_WITH_AS(resumed.training.resume(torn), doctest::Contains("how far photographs were read"),
                       ArgumentError);
  const std::vector<std::string> warnings = straight.training.take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("broken.png") != std::string::npos);
  CHECK(straight.training.take_warnings().empty());
}

TEST_CASE("checkpoints that do not fit, and impossible numbers of steps, are refused with a word") {
  const TemporaryFolder temporary;
  Line line;
  line.training.save(temporary / "checkpoint");
  Checkpoint saved = load_checkpoint(temporary / "checkpoint");
  saved.generators.clear();
  CHECK_THROWS_WITH_AS(line.training.resume(saved), doctest::Contains("does not have the generator data"),
                       ArgumentError);
  saved = load_checkpoint(temporary / "checkpoint");
  saved.model.clear();
  CHECK_THROWS_AS(line.training.resume(saved), ArgumentError);
  CHECK_THROWS_WITH_AS(Line(0), doctest::Contains("steps is 0"), ArgumentError);
}

TEST_CASE("what is not finite is named, with its step, and never saved") {
  const TemporaryFolder temporary;
  Generator rng(1);
  const auto diverges = [&](Linear& net, const std::function<Tensor(Index)>& loss, Index steps,
                            const char* text) {
    Adam adam(net.parameters(), {.lr = 0.5});
    Training training(net, adam, {.steps = steps}, [&] { return loss(training.steps_done()); });
    CHECK_THROWS_WITH_AS(train(training, {temporary.path()}, {.save_every = 1, .bar = false}),
                         doctest::Contains(text), DivergedError);
  };
  const Tensor x = Tensor::ones({2, 3});
  {  // a gradient: of sqrt at 0, while the loss is finite
    Linear net(3, 1, {}, rng);
    diverges(
        net,
        [&](Index step) {
          const Tensor y = mean(square(net(x)));
          return step < 2 ? y : sum(sqrt(net.weight * 0.0)) + y;
        },
        9, "step 3: the gradient of weight is not finite (the loss is ");
    CHECK(load_checkpoint(temporary / "checkpoint").step == 2);
    for (const auto& [name, tensor] : load_checkpoint(temporary / "checkpoint").model) {
      for (double v : tensor.to_vector()) CHECK(std::isfinite(v));
    }
  }
  {  // a weight that was spoilt to begin with is not blamed on the learning rate
    Linear net(3, 1, {}, rng);
    net.bias.fill_(NAN);
    Adam adam({net.weight}, {.lr = 0.5});
    Training training(net, adam, {.steps = 5}, [&] { return mean(square(net(x))); });
    std::string text;
    try {
      training.step();
    } catch (const DivergedError& error) {
      text = error.what();
    }
    CHECK(text.find("so was bias before the first step: the checkpoint or model") != std::string::npos);
    CHECK(text.find("learning rate") == std::string::npos);
    CHECK_THROWS_WITH_AS(training.save(temporary / "other"), doctest::Contains("bias"), DivergedError);
    CHECK_FALSE(has_checkpoint(temporary / "other"));
  }
}

TEST_CASE("checkpoints with impossible numbers are refused") {
  const TemporaryFolder temporary;
  Line line;
  line.training.save(temporary / "checkpoint");
  const Checkpoint whole = load_checkpoint(temporary / "checkpoint");
  Checkpoint saved = whole;
  saved.step = kSteps + 1;
  CHECK_THROWS_WITH_AS(line.training.resume(saved), doctest::Contains("the checkpoint is at step 13 of 12"),
                       ArgumentError);
  saved.step = -5;
  CHECK_THROWS_WITH_AS(line.training.resume(saved), doctest::Contains("at step -5 of 12"), ArgumentError);
  saved = whole;
  saved.model[0].second = Tensor::full({1, 1}, NAN);
  CHECK_THROWS_WITH_AS(line.training.resume(saved),
                       doctest::Contains("weight in the checkpoint is not finite"), ArgumentError);
}

TEST_CASE("a run that is killed before its first checkpoint can be gone on with, or begun again") {
  const TemporaryFolder temporary;
  {
    const RunFolder folder(temporary / "run");
    folder.create();
    write_bytes(folder.log(), "{\"step\": 1}\n");  // and no checkpoint
  }
  CHECK_THROWS_WITH_AS(RunFolder(temporary / "run").checkpoint_to_resume("line"),
                       doctest::Contains("it was stopped before its first one, begin it again"),
                       ArgumentError);
  const RunFolder folder(temporary / "run");
  CHECK_NOTHROW(folder.create());
  Line line, straight;
  CHECK_THROWS_AS(
      train(line.training, folder,
            {.bar = false, .after_step = [](Index, const LogEntry&) { require(false, "killed"); }}),
      ArgumentError);
  Line resumed;
  const Checkpoint saved = folder.checkpoint_to_resume("line");
  CHECK(saved.step == 0);
  resumed.training.resume(saved);
  CHECK(train(resumed.training, folder, {.bar = false}));
  CHECK(read_log(folder.log()).size() == kSteps);
  for (Index i = 0; i < kSteps; ++i) straight.training.step();
  CHECK(resumed.weights() == straight.weights());
}

TEST_CASE("a damaged checkpoint is replaced by the one before it, with a warning, to the same end" *
          doctest::skip(!has_checksums())) {
  const TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  Line line;
  train(line.training, folder, [&] {
    TrainingLoopOptions options = quietly(line.training, 8);
    options.save_every = 3;
    return options;
  }());  // saved at 3, 6 and 8
  const std::string file = folder.checkpoint() / "checkpoint.safetensors";
  std::string bytes = read_file(file);
  bytes[bytes.size() - 3] ^= 4;
  write_bytes(file, bytes);
  const Checkpoint saved = folder.checkpoint_to_resume("line");
  CHECK(saved.step == 6);
  CHECK(saved.warning.find(file) != std::string::npos);
  Line resumed, straight;
  resumed.training.resume(saved);
  const std::vector<std::string> warnings = resumed.training.take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("its checksum is wrong") != std::string::npos);
  CHECK(warnings[0].find("going on from the checkpoint before it, at step 6") != std::string::npos);
  CHECK(train(resumed.training, folder, {.bar = false}));
  for (Index i = 0; i < kSteps; ++i) straight.training.step();
  CHECK(resumed.weights() == straight.weights());
  CHECK(load_checkpoint(folder.checkpoint()).warning.empty());
}

TEST_CASE("two trainings in one folder: the second is refused by name") {
  const TemporaryFolder temporary;
  const RunFolder first(temporary.path());
  first.create();
  Line line;
  CHECK_THROWS_WITH_AS(RunFolder(temporary.path()).create(), doctest::Contains("another program works in it"),
                       FileError);
  CHECK_THROWS_WITH_AS(train(line.training, {temporary.path()}, {.bar = false}),
                       doctest::Contains("another program works in it"), FileError);
  CHECK(train(line.training, first, {.bar = false}));
}
