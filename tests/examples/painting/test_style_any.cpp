// One network for every style: its predictor, its training, and the programs.
#include <sys/wait.h>

#include <cmath>
#include <filesystem>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/gradcheck.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/files/file.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/report/log.h"
#include "painting/any_style_network.h"
#include "painting/any_style_training.h"
#include "painting/loss_network.h"
#include "painting/model_file.h"
#include "painting/stylize.h"
#include "paths.h"
#include "support.h"
#include "thread_ranks.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

const std::string kAssets = source_path("examples/assets/");

constexpr AnyStyleOptions kSmall{.width = 2, .blocks = 1, .manners = 3, .hidden = 4};

Tensor style_picture(const std::string& name) {
  return resize_picture(load_picture(kAssets + "styles/" + name + ".jpg"), 128, 128);
}

// A folder with two style pictures, and one with a photograph.
struct Folders : TemporaryFolder {
  Folders() {
    fs::create_directories(*this / "styles");
    fs::create_directories(*this / "photographs");
    save_picture(*this / "styles/waves.png", style_picture("waves"));
    save_picture(*this / "styles/woodcut.png", style_picture("woodcut"));
    save_picture(*this / "photographs/cat.png",
                 resize_short_side(load_picture(kAssets + "photos/cat.jpg"), 64));
  }
  AnyStyleSettings settings(Index steps) const {
    return {.styles = *this / "styles",
            .content = *this / "photographs",
            .network = kSmall,
            .steps = steps,
            .batch = 2,
            .crop = 32,
            .style_size = 64};
  }
};

bool same_weights(const Module& a, const Module& b) {
  const StateDict x = a.state_dict(), y = b.state_dict();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!identical(x[i].second, y[i].second)) {
      return false;
    }
  }
  return x.size() == y.size();
}

}  // namespace

TEST_CASE("what the predictor gets: mean and deviation of each feature, shifted and scaled over the styles") {
  Generator rng(1);
  AnyStyleNetwork network(kSmall, rng);
  network.load_encoder(kAssets + "loss_network/loss_network.safetensors");
  const Tensor waves = style_picture("waves"), woodcut = style_picture("woodcut");
  const Tensor numbers = network.statistics(concat({waves, woodcut}, 0));
  // Colours, conv1, fire2, 3, 4 and 6, and all layers of half the size: 2243 channels.
  CHECK(numbers.shape() == Shape({2, 4486}));
  const Tensor conv1 = make_loss_network({})->taps(woodcut).at(1).style;
  const double m = mean(slice(conv1, 1, 5, 6)).item();
  CHECK(numbers.at({1, 6 + 5}) == doctest::Approx(m));
  CHECK(numbers.at({1, 6 + 96 + 5}) ==
        doctest::Approx(std::sqrt(mean(square(slice(conv1, 1, 5, 6) - m)).item())).epsilon(1e-3));
  // Of two pictures, each number is 1 deviation above and below the mean: the two mixes are of opposite
  // inputs, and no others.
  network.measure_styles({network.statistics(waves), network.statistics(woodcut)});
  CHECK_FALSE(identical(network.mix_of(waves), network.mix_of(woodcut)));
  CHECK(identical(network.mix_of(concat({waves, woodcut}, 0)).slice(1, 2), network.mix_of(woodcut)));
  CHECK_THROWS_WITH_AS(network.statistics(Tensor::zeros({1, 3, 63, 64})), doctest::Contains("at least 64"),
                       ArgumentError);
  CHECK_THROWS_AS(network.measure_styles({}), ArgumentError);
  CHECK_THROWS_WITH_AS(AnyStyleNetwork({.manners = 0}, rng), doctest::Contains("manners"), ArgumentError);
}

TEST_CASE("mixes: what all styles share has weight 1") {
  Generator rng(1);
  AnyStyleNetwork network(kSmall, rng);
  network.load_encoder(kAssets + "loss_network/loss_network.safetensors");
  const Tensor waves = style_picture("waves");
  const Tensor mix = network.mix_of(waves);
  REQUIRE(mix.shape() == Shape({1, 4}));
  CHECK(mix.at({0, 0}) == 1);
  const Tensor photograph = Tensor::uniform({1, 3, 16, 20}, rng);
  const NoGradGuard no_grad;
  network.set_style(waves);
  const Tensor painted = stylize(network.network(), photograph);
  CHECK(identical(painted, clamp(network.paint(photograph, mix), 0, 1)));
  network.set_style(style_picture("woodcut"));
  CHECK_FALSE(identical(painted, stylize(network.network(), photograph)));
}

TEST_CASE("gradients go to the painter and to the predictor, and to nothing else") {
  Generator rng(1);
  AnyStyleNetwork network(kSmall, rng);
  network.load_encoder(kAssets + "loss_network/loss_network.safetensors");
  Tensor picture = style_picture("waves").clone();
  picture.requires_grad_(true);
  network.measure_styles(
      {network.statistics(style_picture("waves")), network.statistics(style_picture("woodcut"))});
  sum(square(network.paint(Tensor::uniform({1, 3, 16, 16}, rng), network.mix_of(picture)))).backward();
  CHECK_FALSE(picture.grad().defined());
  for (const auto& [name, parameter] : network.named_parameters()) {
    CAPTURE(name);
    REQUIRE(parameter.grad().defined());
    // Biases before an instance norm change nothing.
    if (!name.ends_with("conv2d.bias")) {
      CHECK(sum(square(parameter.grad())).item() > 0);
    }
  }
}

TEST_CASE("training goes on after a pause as if there were none, and its file gives the same pictures") {
  const Folders folders;
  AnyStyleTraining straight(folders.settings(6));
  straight.begin();
  for (int i = 0; i < 3; ++i) {
    straight.training().step();
  }
  straight.training().save(folders / "checkpoint");
  AnyStyleTraining resumed(folders.settings(6));
  resumed.training().resume(load_checkpoint(folders / "checkpoint"));
  while (straight.training().steps_done() < straight.training().steps()) {
    CHECK(straight.training().step() == resumed.training().step());
  }
  CHECK(same_weights(straight.network(), resumed.network()));

  straight.network().eval();
  save_any_style_network(folders / "model.safetensors", straight.network(), straight.settings());
  const LoadedAnyStyleNetwork loaded = load_any_style_network(folders / "model.safetensors");
  CHECK(loaded.settings.to_metadata() == straight.settings().to_metadata());
  Generator rng(3);
  const Tensor photograph = Tensor::uniform({1, 3, 16, 20}, rng);
  for (AnyStyleNetwork* network : {&straight.network(), loaded.network.get()}) {
    network->set_style(style_picture("waves"));
  }
  CHECK(largest_difference(stylize(loaded.network->network(), photograph),
                           stylize(straight.network().network(), photograph)) < 0.01);  // weights are F16
}

TEST_CASE("a training is the same bits on 1 and 2 ranks") {
  const Folders folders;
  const auto trained = [&](ProcessGroup& ranks) {
    AnyStyleTraining training(folders.settings(2), ranks);
    training.begin();
    std::vector<LogEntry> log = {training.training().step(), training.training().step()};
    std::vector<std::vector<double>> weights;
    for (const Tensor& parameter : training.network().parameters()) {
      weights.push_back(parameter.to_vector());
    }
    return std::pair(log, weights);
  };
  const auto alone = trained(single_process());
  on_ranks(2, [&](ProcessGroup& ranks) { CHECK((trained(ranks) == alone)); });
}

TEST_CASE("it learns styles") {
  const Folders folders;
  AnyStyleSettings settings = folders.settings(120);
  settings.learning_rate = 0.005;
  settings.weights = {.content = 0.1, .style = 30};
  AnyStyleTraining training(settings);
  training.begin();
  double style[2] = {0, 0};
  for (int step = 0; step < 120; ++step) {
    const LogEntry entry = training.training().step();
    if (step < 24 || step >= 96) {
      style[step >= 96] += logged(entry, "style").value();
    }
  }
  CHECK(style[1] < 0.8 * style[0]);
}

TEST_CASE("style pictures of one colour do not end a training") {
  const Folders folders;
  for (const char* name : {"waves", "woodcut"}) {
    save_picture(folders / concat_text("styles/", name, ".png"), Tensor::zeros({1, 3, 128, 128}));
  }
  AnyStyleTraining training(folders.settings(2));
  training.begin();
  for (int step = 0; step < 2; ++step) {
    CHECK(std::isfinite(logged(training.training().step(), "loss").value()));
  }
}

TEST_CASE("settings: text and back, and what is out of range") {
  const Folders folders;
  const AnyStyleSettings settings = folders.settings(7);
  CHECK(AnyStyleSettings::from_metadata(settings.to_metadata()).to_metadata() == settings.to_metadata());
  AnyStyleSettings wrong = settings;
  wrong.style_size = 63;
  CHECK_THROWS_WITH_AS(wrong.check(), doctest::Contains("style-size is 63"), ArgumentError);
  wrong = settings;
  wrong.crop = 33;
  CHECK_THROWS_WITH_AS(wrong.check(), doctest::Contains("multiple of 4"), ArgumentError);
  std::ofstream(folders / "styles/broken.png") << "\x89PNG broken";
  AnyStyleTraining training(settings);
  CHECK(training.some_styles(3).size() == 2);
  for (int i = 0; i < 3; ++i) {
    training.training().step();
  }
  const std::vector<std::string> warnings = training.training().take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("broken.png") != std::string::npos);
}

namespace {

struct Outcome {
  int status;
  std::string out, error;
};

Outcome run(const TemporaryFolder& folder, const std::string& arguments) {
  const std::string command = concat_text(program_path("style-transfer"), " ", arguments, " > '",
                                          folder / "stdout", "' 2> '", folder / "stderr", "'");
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), read_file(folder / "stdout"), read_file(folder / "stderr")};
}

}  // namespace

TEST_CASE("the program: trains, resumes, paints in any style, at any strength; what it refuses") {
  const Folders f;
  const std::string small = "--width 2 --blocks 0 --batch 1 --crop 32 --style-size 128 --sample-every 100 ";
  const std::string train = concat_text("train-any --styles ", f / "styles", " --content ", f / "photographs",
                                        " --out ", f / "run", " ", small);
  const auto expect = [&](const std::string& arguments, int status, const std::string& text) {
    const Outcome outcome = run(f, arguments);
    CAPTURE(arguments);
    CAPTURE(outcome.error);
    CHECK(outcome.status == status);
    CHECK((outcome.out + outcome.error).find(text) != std::string::npos);
  };
  expect("train-any --out x", 2, "--styles");
  expect(train + "--steps 0", 2, "--steps is 0");
  expect(concat_text("train-any --styles /nowhere --out ", f / "run"), 1, "/nowhere");
  expect(train + "--steps 2", 0, "model.safetensors");
  for (const char* made :
       {"model.safetensors", "log.jsonl", "report.html", "checkpoint", "samples/step-000002-cat-waves.jpg"}) {
    CAPTURE(made);
    CHECK(fs::exists(f / (std::string("run/") + made)));
  }
  expect(train, 2, "already holds a run");
  expect(concat_text("train-any --resume ", f / "run", " --steps 5"), 2, "--steps cannot be changed");
  expect(concat_text("train --resume ", f / "run"), 2, "it is a run of train-any");
  expect(concat_text("train-any --resume ", f / "run"), 0, "for 0 steps");

  const std::string model = f / "run/model.safetensors";
  const std::string stylize = concat_text("stylize --model ", model, " ", f / "photographs/cat.png",
                                          " --out ", f / "painted.png", " ");
  const std::string waves = concat_text("--any-style ", f / "styles/waves.png", " ");
  const auto paint = [&](const std::string& options) {
    const Outcome outcome = run(f, stylize + options);
    CAPTURE(outcome.error);
    REQUIRE(outcome.status == 0);
    return load_picture(f / "painted.png");
  };
  const Tensor painted = paint(waves);
  CHECK_FALSE(identical(paint(waves + "--strength 0"), painted));
  CHECK_FALSE(identical(paint(waves + "--keep-colors"), painted));
  CHECK_FALSE(identical(paint(concat_text("--any-style ", f / "styles/woodcut.png")), painted));
  CHECK(identical(paint(waves + "--strength 0"), load_picture(f / "photographs/cat.png")));
  expect(stylize, 1, "name a picture to paint like by --any-style");
  // The network that comes with gesso.
  expect(concat_text("stylize ", f / "photographs/cat.png", " --out ", f / "default.png ", waves), 0,
         "default.png");
  CHECK_FALSE(identical(load_picture(f / "default.png"), painted));
  expect(stylize + waves + "--style 1", 2, "leave them out with --any-style");
  expect(stylize + waves + "--strength 2", 2, "--strength is 2");
  expect(stylize + "--any-style /nowhere.jpg", 1, "/nowhere.jpg");
  expect(concat_text("train --style ", f / "styles/waves.png", " --content ", f / "photographs", " --out ",
                     f / "plain --steps 1 --crop 32 --width 2 --blocks 0 --batch 1"),
         0, "model.safetensors");
  expect(concat_text("stylize --model ", f / "plain/model.safetensors", " ", f / "photographs/cat.png", " ",
                     waves),
         1, "a network of chosen styles");
  expect(concat_text("train-any --resume ", f / "plain"), 2, "it is a run of train;");
  // A style picture that is broken is named, and left out.
  std::ofstream(f / "styles/broken.png") << "\x89PNG broken";
  expect(concat_text("train-any --styles ", f / "styles", " --content ", f / "photographs", " --out ",
                     f / "other", " --steps 3 ", small),
         0, "style-transfer: cannot load picture");
}
