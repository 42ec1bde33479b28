// train-loss-network: the crops, the classifier and its folded weights, the stack that they become, resuming,
// and the program.
#include <sys/wait.h>

#include <cmath>
#include <set>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/linear.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "loss_network/classifier.h"
#include "loss_network/crops.h"
#include "loss_network/training.h"
#include "painting/filter_bank.h"
#include "painting/loss_network.h"
#include "painting/trained_stack.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// `count` pictures of 48 x 40 pixels, told apart by colour and stripes.
std::vector<Tensor> small_pictures(int count) {
  std::vector<Tensor> pictures;
  for (int p = 0; p < count; ++p) {
    std::vector<double> values;
    for (int c = 0; c < 3; ++c) {
      for (int i = 0; i < 48 * 40; ++i) {
        values.push_back(0.3 + 0.15 * ((p + c) % 3) + 0.1 * std::sin((i % 40) * (0.5 + 0.3 * p)));
      }
    }
    pictures.push_back(Tensor::from(values, {1, 3, 48, 40}));
  }
  return pictures;
}

void write_pictures(const TemporaryFolder& folder, int count) {
  std::filesystem::create_directories(folder / "pictures");
  const std::vector<Tensor> pictures = small_pictures(count);
  for (int p = 0; p < count; ++p) {
    save_picture(folder / ("pictures/" + std::to_string(p) + ".png"), pictures[p]);
  }
}

// A classifier whose batch norms have seen something.
std::unique_ptr<Classifier> used_classifier() {
  Generator rng(3);
  auto owner = std::make_unique<Classifier>(4, rng);
  Classifier& network = *owner;
  for (int i = 0; i < 3; ++i) {
    network(draw_crops(small_pictures(4), 6, 16, true, rng).pictures);
  }
  for (Tensor parameter : network.parameters()) {
    if (parameter.rank() == 1) {  // gamma and beta away from 1 and 0
      parameter.requires_grad_(false);
      parameter.add_(Tensor::uniform(parameter.shape(), rng, -0.2, 0.2));
      parameter.requires_grad_(true);
    }
  }
  network.eval();
  return owner;
}

// |actual - expected| at most `tolerance` times the largest |expected|.
void check_close(const Tensor& actual, const Tensor& expected, double tolerance) {
  REQUIRE(actual.shape() == expected.shape());
  const std::vector<double> a = actual.to_vector(), e = expected.to_vector();
  double largest = 0, furthest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(e[i]));
    furthest = std::max(furthest, std::abs(a[i] - e[i]));
  }
  CHECK(furthest <= tolerance * largest);
}

struct Outcome {
  int status;
  std::string out, error;
};

Outcome run(const std::string& arguments) {
  const TemporaryFolder folder;
  const std::string command = program_path("train-loss-network") + " " + arguments + " > '" + folder / "out" +
                              "' 2> '" + folder / "error" + "'";
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), read_file(folder / "out"), read_file(folder / "error")};
}

}  // namespace

TEST_CASE("crops: shapes, labels, values within the picture; decided by the seed alone") {
  std::vector<Tensor> flat;
  for (int p = 0; p < 5; ++p) {
    flat.push_back(Tensor::full({1, 3, 20 + p, 30}, 0.2 + 0.1 * p));
  }
  Generator rng(1);
  const Crops plain = draw_crops(flat, 40, 16, false, rng);
  CHECK(plain.pictures.shape() == Shape({40, 3, 16, 16}));
  std::set<Index> seen;
  for (Index i = 0; i < 40; ++i) {
    seen.insert(plain.labels[i]);
    for (const double value : plain.pictures.slice(i, i + 1).to_vector()) {
      REQUIRE(value == doctest::Approx(0.2 + 0.1 * static_cast<double>(plain.labels[i])));
    }
  }
  CHECK(seen.size() == 5);
  // Varied crops keep a flat picture flat, a tenth brighter or darker at most.
  const Crops varied = draw_crops(flat, 40, 16, true, rng);
  double largest = 0;
  for (Index i = 0; i < 40; ++i) {
    const double shift =
        varied.pictures.at({i, 0, 0, 0}) - (0.2 + 0.1 * static_cast<double>(varied.labels[i]));
    CHECK(varied.pictures.at({i, 0, 7, 3}) == doctest::Approx(varied.pictures.at({i, 0, 0, 0})));
    largest = std::max(largest, std::abs(shift));
  }
  CHECK(largest < 0.1001);
  CHECK(largest > 0.05);

  Generator a(5), b(5);
  const int before = num_threads();
  const Crops one = draw_crops(small_pictures(4), 9, 24, true, a);
  set_num_threads(before == 1 ? 3 : 1);
  const Crops other = draw_crops(small_pictures(4), 9, 24, true, b);
  set_num_threads(before);
  CHECK(one.labels == other.labels);
  CHECK(one.pictures.to_vector() == other.pictures.to_vector());
}

TEST_CASE("folded: the stack computes what the classifier does in evaluation") {
  const NoGradGuard no_grad;
  const auto owner = used_classifier();
  Classifier& network = *owner;
  Generator rng(9);
  const Tensor pictures = Tensor::uniform({2, 3, 32, 40}, rng, 0, 1);
  const TrainedStack stack(network.folded());
  CHECK(stack.stages() == 4);
  const Tensor deepest = stack.taps(pictures).back().style;
  CHECK(deepest.shape() == Shape({2, 128, 4, 5}));
  Tensor weight, bias;
  for (const auto& [name, parameter] : network.named_parameters()) {
    if (name == "head.weight") {
      weight = parameter;
    } else if (name == "head.bias") {
      bias = parameter;
    }
  }
  check_close(linear(mean(deepest, {2, 3}), weight, bias), network(pictures), 1e-4);
  // In training batch norm is another function.
  network.train();
  CHECK(mse_loss(linear(mean(deepest, {2, 3}), weight, bias), network(pictures)).item() > 1e-3);
}

TEST_CASE("normalize_channels: means of 1, and nothing else changes") {
  const NoGradGuard no_grad;
  const auto owner = used_classifier();
  Classifier& network = *owner;
  Generator rng(9);
  const Tensor pictures = Tensor::uniform({2, 3, 32, 32}, rng, 0, 1);
  const NamedTensors weights = network.folded();
  const std::vector<Tap> before = TrainedStack(weights).taps(pictures);
  const std::vector<Tap> after = TrainedStack(normalize_channels(weights, pictures)).taps(pictures);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Tensor means = mean(before[i].style, {0, 2, 3}, true);
    for (const double m : mean(after[i].style, {0, 2, 3}).to_vector()) {
      CHECK((m == doctest::Approx(1).epsilon(1e-3) || m < 1e-5));
    }
    check_close(after[i].style * means, before[i].style, 1e-3);
  }
}

TEST_CASE("the stack's taps: stages, content, and gradients that reach the picture") {
  const auto owner = used_classifier();
  Classifier& network = *owner;
  const NamedTensors weights = network.folded();
  Generator rng(2);
  Tensor pictures = Tensor::uniform({1, 3, 32, 32}, rng, 0, 1);
  const TrainedStack deep(weights, {.first_style_stage = 3, .content_stage = 2});
  const std::vector<Tap> taps = deep.taps(pictures);
  REQUIRE(taps.size() == 3);
  CHECK_FALSE(taps[0].style.defined());
  CHECK(taps[0].content.shape() == Shape({1, 64, 16, 16}));
  CHECK(taps[1].style.shape() == Shape({1, 128, 8, 8}));
  CHECK_FALSE(taps[1].content.defined());
  const std::vector<Tensor> content = deep.content(pictures);
  REQUIRE(content.size() == 1);
  CHECK(content[0].to_vector() == taps[0].content.to_vector());
  CHECK(TrainedStack(weights, {.content_stage = 0}).content(pictures).empty());

  pictures.requires_grad_(true);
  sum(square(deep.taps(pictures).back().style)).backward();
  CHECK(sum(square(pictures.grad())).item() > 0);

  CHECK_THROWS_WITH_AS(deep.taps(Tensor::zeros({1, 3, 31, 32})), doctest::Contains("at least 32"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(TrainedStack(weights, {.first_style_stage = 5}), doctest::Contains("there are 4"),
                       ArgumentError);
  NamedTensors wrong = weights;
  wrong[2].first = "conv1_3.weight";
  CHECK_THROWS_WITH_AS(TrainedStack{wrong}, doctest::Contains("without a gap"), ArgumentError);
  wrong = weights;
  wrong[1].second = Tensor::zeros({31});
  CHECK_THROWS_WITH_AS(TrainedStack{wrong}, doctest::Contains("conv1_1.bias"), ArgumentError);
  CHECK_THROWS_AS(TrainedStack(NamedTensors{}), ArgumentError);
  const TemporaryFolder folder;
  save_safetensors(folder / "other.safetensors", {{"features.0.weight", Tensor::zeros({2, 3, 3, 3})}});
  CHECK_THROWS_WITH_AS(load_stack_weights(folder / "other.safetensors"),
                       doctest::Contains("train-loss-network"), FileError);
}

TEST_CASE("loss networks by name: trained from a file, combined with the filter bank") {
  const auto owner = used_classifier();
  const NamedTensors weights = owner->folded();
  const TemporaryFolder folder;
  save_safetensors(folder / "w.safetensors", weights);
  Generator rng(2);
  const Tensor pictures = Tensor::uniform({1, 3, 40, 48}, rng, 0, 1);
  const auto trained = make_loss_network({.name = "trained", .weights = folder / "w.safetensors"});
  CHECK(trained->taps(pictures).size() == 4);
  CHECK(identical(trained->taps(pictures)[3].style, TrainedStack(weights).taps(pictures)[3].style));
  const auto combined = make_loss_network({.name = "combined", .weights = folder / "w.safetensors"});
  // The filter bank's taps, then the stack's stages twice, the second time of half the size, for which
  // pictures below 64 pixels are too small.
  const FilterBank bank;
  const Tensor larger = Tensor::uniform({1, 3, 64, 72}, rng, 0, 1);
  for (const Tensor& x : {pictures, larger}) {
    const std::vector<Tap> taps = combined->taps(x), shallow = bank.taps(x);
    REQUIRE(taps.size() == shallow.size() + 8);
    CHECK(identical(taps[0].style, shallow[0].style));
    for (std::size_t stage = 0; stage < 4; ++stage) {
      const Tap& deep = taps[shallow.size() + stage];
      CHECK(identical(deep.style, TrainedStack(weights).taps(x)[stage].style));
      CHECK_FALSE(deep.content.defined());
      CHECK(taps[shallow.size() + 4 + stage].style.defined() == (x.size(2) >= 64));
    }
  }
  CHECK(combined->taps(larger).back().style.shape() == Shape({1, 128, 4, 4}));
  CHECK(combined->content(pictures).size() == bank.content(pictures).size());
  // The network that comes with gesso, whose channels have mean 1 over crops.
  const auto shipped = make_loss_network({.name = "trained"});
  const Tensor photograph = load_picture(source_path("examples/assets/photos/cat.jpg"));
  for (const Tap& tap : shipped->taps(photograph)) {
    const double level = mean(tap.style).item();
    CHECK(level > 0.3);
    CHECK(level < 3);
  }
  CHECK(make_loss_network({.name = "combined"})->taps(photograph).size() == 18);
  CHECK_THROWS_WITH_AS(make_loss_network({.name = "combined", .weights = folder / "none"}),
                       doctest::Contains("none"), FileError);
}

TEST_CASE("it learns to tell pictures apart, and goes on after a pause as if there were none") {
  const TemporaryFolder folder;
  write_pictures(folder, 4);
  const LossNetworkSettings settings{
      .pictures = folder / "pictures", .steps = 12, .batch = 8, .crop = 16, .learning_rate = 0.05, .seed = 2};
  LossNetworkTraining straight(settings);
  const double before = straight.accuracy();
  for (int i = 0; i < 7; ++i) {
    straight.training().step();
  }
  straight.training().save(folder / "checkpoint");
  LossNetworkTraining resumed(settings);
  resumed.resume(load_checkpoint(folder / "checkpoint"));
  while (straight.training().steps_done() < settings.steps) {
    CHECK(straight.training().step() == resumed.training().step());
  }
  CHECK(straight.weights()[12].second.to_vector() == resumed.weights()[12].second.to_vector());
  const double after = straight.accuracy();
  CAPTURE(before);
  CHECK(after > 0.6);  // guessing: 0.25
  CHECK(after > before);

  std::filesystem::remove(folder / "pictures/3.png");
  save_picture(folder / "pictures/4.png", small_pictures(1)[0]);
  LossNetworkTraining changed(settings);
  CHECK_THROWS_WITH_AS(changed.resume(load_checkpoint(folder / "checkpoint")), doctest::Contains("no longer"),
                       ArgumentError);
}

TEST_CASE("settings: text and back, and what is out of range") {
  const LossNetworkSettings settings{.pictures = "p", .steps = 3, .learning_rate = 0.025, .seed = 9};
  CHECK(LossNetworkSettings::from_metadata(settings.to_metadata()).to_metadata() == settings.to_metadata());
  CHECK(settings.command() ==
        "train-loss-network --pictures p --steps 3 --batch 64 --crop 64 --lr 0.025 --seed 9");
  CHECK_THROWS_WITH_AS((LossNetworkSettings{.pictures = "p", .crop = 60}.check()),
                       doctest::Contains("multiple of 8"), ArgumentError);
  CHECK_THROWS_AS((LossNetworkSettings{.pictures = "p", .batch = 1}.check()), ArgumentError);
  auto metadata = settings.to_metadata();
  metadata["steps"] = "many";
  CHECK_THROWS_WITH_AS(LossNetworkSettings::from_metadata(metadata), doctest::Contains("many"),
                       ArgumentError);
}

TEST_CASE("the program: a file in half precision that says how it was made; usage") {
  const TemporaryFolder folder;
  write_pictures(folder, 3);
  const std::string pictures = " --pictures '" + folder / "pictures" + "'";
  const Outcome made =
      run(pictures + " --out '" + folder / "run" + "' --steps 3 --batch 4 --crop 16 --test-every 2");
  CAPTURE(made.error);
  REQUIRE(made.status == 0);
  const SafetensorsReader file(folder / "run/loss_network.safetensors");
  CHECK(file.entry("conv4_1.weight").dtype == "F16");
  CHECK(file.metadata().at("made by").find("--steps 3 --batch 4 --crop 16") != std::string::npos);
  CHECK(file.metadata().at("pictures") == "0.png, 1.png, 2.png");
  CHECK(TrainedStack(load_stack_weights(folder / "run/loss_network.safetensors")).stages() == 4);
  CHECK(read_file(folder / "run/report.html").find("Accuracy") != std::string::npos);
  CHECK(read_file(folder / "run/log.jsonl").find("test_accuracy") != std::string::npos);

  CHECK(run("--help").out.find("which picture it was cut out of") != std::string::npos);
  const auto refused = [&](const std::string& arguments, int status, const std::string& text) {
    CAPTURE(arguments);
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.error);
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    CHECK(outcome.error.find(text) != std::string::npos);
    CHECK(outcome.error.find('\n') == outcome.error.size() - 1);
  };
  refused("", 2, "--pictures");
  refused(pictures + " --out '" + folder / "run" + "'", 2, "already holds a run");
  refused(pictures + " --out '" + folder / "new" + "' --crop 20", 2, "multiple of 8");
  refused("--resume '" + folder.path() + "'", 2, "no checkpoint");
  refused("--pictures /nowhere --out '" + folder / "new" + "'", 1, "/nowhere");
  CHECK_FALSE(std::filesystem::exists(folder / "new"));
}
