// train-loss-network: the crops, the student and its folded weights, distillation, resuming, and the program.
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/finite.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "loss_network/crops.h"
#include "loss_network/student.h"
#include "loss_network/training.h"
#include "painting/loss_network.h"
#include "painting/model_file.h"
#include "painting/squeezenet.h"
#include "paths.h"
#include "support.h"
#include "thread_ranks.h"

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

// A folder of pictures, and a teacher that learned nothing.
struct Folder : TemporaryFolder {
  explicit Folder(int count) {
    std::filesystem::create_directories(*this / "pictures");
    const std::vector<Tensor> pictures = small_pictures(count);
    for (int p = 0; p < count; ++p) {
      save_picture(*this / concat_text("pictures/", p < 10 ? "0" : "", p, ".png"), pictures[p]);
    }
    Generator rng(8);
    NamedTensors teacher = random_torchvision_weights(squeezenet_parameters({}), rng);
    teacher.front().second.mul_(6);  // and whose features are not of deviation 1
    save_safetensors(*this / "teacher.safetensors", teacher);
  }
  LossNetworkSettings settings(Index steps) const {
    LossNetworkSettings settings;
    settings.pictures = {*this / "pictures"};
    settings.teacher_weights = *this / "teacher.safetensors";
    settings.steps = steps;
    settings.batch = 2;
    settings.crop = 32;
    settings.seed = 2;
    return settings;
  }
};

// A student whose batch norms have seen something.
std::unique_ptr<Student> used_student() {
  Generator rng(3);
  auto owner = std::make_unique<Student>(rng);
  Student& student = *owner;
  for (int i = 0; i < 3; ++i) {
    student(draw_crops(small_pictures(4), 4, 32, true, rng));
  }
  for (Tensor parameter : student.parameters()) {
    if (parameter.rank() == 1) {  // gamma and beta away from 1 and 0
      parameter.requires_grad_(false);
      parameter.add_(Tensor::uniform(parameter.shape(), rng, -0.2, 0.2));
      parameter.requires_grad_(true);
    }
  }
  return owner;
}

std::vector<Tensor> scales_of(double low, double high) {
  Generator rng(12);
  std::vector<Tensor> scales;
  for (const SqueezeNetLayer& layer : squeezenet_layers({})) {
    scales.push_back(Tensor::uniform({layer.out}, rng, low, high));
  }
  return scales;
}

// |actual - expected| at most `tolerance` times the largest |expected|.
void check_close(const Tensor& actual, const Tensor& expected, double tolerance) {
  REQUIRE(actual.shape() == expected.shape());
  CHECK(largest_difference(actual, expected) <= tolerance * largest_difference(expected, 0 * expected));
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

TEST_CASE("crops: shapes and values of the pictures they are cut from") {
  std::vector<Tensor> flat;
  for (int p = 0; p < 5; ++p) {
    flat.push_back(Tensor::full({1, 3, 20 + p, 30}, 0.2 + 0.1 * p));
  }
  Generator rng(1);
  const Tensor plain = draw_crops(flat, 40, 16, false, rng);
  CHECK(plain.shape() == Shape({40, 3, 16, 16}));
  std::vector<int> seen(5);
  for (Index i = 0; i < 40; ++i) {
    const double first = plain.at({i, 0, 0, 0});
    const auto picture = static_cast<std::size_t>(std::lround((first - 0.2) / 0.1));
    REQUIRE(picture < 5);
    ++seen[picture];
    for (const double value : plain.slice(i, i + 1).to_vector()) {
      REQUIRE(value == doctest::Approx(0.2 + 0.1 * static_cast<double>(picture)));
    }
  }
  CHECK(*std::min_element(seen.begin(), seen.end()) > 0);

  // Varied, a flat picture stays flat, in each colour, but for grain; its three colours move together.
  const std::vector<Tensor> coloured = {Tensor::from({0.35, 0.5, 0.65}, {1, 3, 1, 1}) +
                                        Tensor::zeros({1, 3, 40, 50})};
  const Tensor varied = draw_crops(coloured, 90, 16, true, rng);
  double largest_shift = 0, largest_grain = 0;
  int grainy = 0;
  for (Index i = 0; i < 90; ++i) {
    const Tensor crop = varied.slice(i, i + 1);
    const std::vector<double> means = mean(crop, {0, 2, 3}).to_vector();
    const double deviation = std::sqrt(variance(crop, {2, 3}).mean().item());
    if (deviation > 1e-4) {
      ++grainy;
      largest_grain = std::max(largest_grain, deviation);
      continue;
    }
    const double shift = means[1] - 0.5;
    CHECK(means[0] == doctest::Approx(0.35 + shift).epsilon(1e-5));
    CHECK(means[2] == doctest::Approx(0.65 + shift).epsilon(1e-5));
    largest_shift = std::max(largest_shift, std::abs(shift));
  }
  CHECK(largest_shift < 0.1501);
  CHECK(largest_shift > 0.1);
  CHECK(largest_grain < 0.17);
  CHECK(largest_grain > 0.08);
  CHECK(grainy > 15);
  CHECK(grainy < 45);
  // Within [0, 1], whatever the grain.
  const Tensor bright = draw_crops({Tensor::full({1, 3, 40, 50}, 0.95)}, 90, 16, true, rng);
  const std::vector<double> bright_values = bright.to_vector();
  CHECK(*std::max_element(bright_values.begin(), bright_values.end()) == 1);
}

TEST_CASE("varied crops of a slope are slopes: turned, mirrored, with more or less contrast") {
  // Brightness rises by 0.002 a pixel to the right, 0.001 down. Whatever is done but grain, it stays a plane
  // in the middle, where no border is felt.
  std::vector<double> values;
  for (int i = 0; i < 3 * 60 * 48; ++i) {
    values.push_back(0.42 + 0.002 * (i % 48) + 0.001 * (i / 48 % 60));
  }
  Generator rng(4);
  const Tensor crops = draw_crops({Tensor::from(values, {1, 3, 60, 48})}, 160, 48, true, rng);
  int turned = 0, mirrored = 0, upright = 0, grainy = 0;
  double least = 10, most = 0, least_ratio = 10, most_ratio = 0;
  for (Index n = 0; n < 160; ++n) {
    const auto at = [&](Index c, Index y, Index x) { return crops.at({n, c, y, x}); };
    double across[3], down[3];
    for (Index c = 0; c < 3; ++c) {
      across[c] = (at(c, 24, 32) - at(c, 24, 16)) / 16;
      down[c] = (at(c, 32, 24) - at(c, 16, 24)) / 16;
    }
    double furthest = 0;
    for (Index c = 0; c < 3; ++c) {
      for (Index y = 16; y <= 32; ++y) {
        for (Index x = 16; x <= 32; ++x) {
          const double plane =
              at(c, 24, 24) + across[c] * static_cast<double>(x - 24) + down[c] * static_cast<double>(y - 24);
          furthest = std::max(furthest, std::abs(at(c, y, x) - plane));
        }
      }
    }
    const double slope = std::hypot(across[0], down[0]);
    if (furthest > 0.2 * slope) {
      ++grainy;
      continue;
    }
    // From 0.2 to 1 of 48 pixels scaled to 48, at 0.6 to 1.6 times the contrast, colours 15 % apart.
    const double contrast = slope / std::hypot(0.002, 0.001);
    least = std::min(least, contrast), most = std::max(most, contrast);
    for (Index c = 1; c < 3; ++c) {
      const double ratio = std::hypot(across[c], down[c]) / slope;
      least_ratio = std::min(least_ratio, ratio), most_ratio = std::max(most_ratio, ratio);
      CHECK(across[c] * down[0] == doctest::Approx(down[c] * across[0]).epsilon(0.02).scale(slope * slope));
    }
    if (std::abs(std::abs(across[0]) / slope - 2 / std::sqrt(5.0)) < 0.005 && down[0] > 0) {
      ++(across[0] > 0 ? upright : mirrored);
    } else {
      ++turned;
    }
  }
  CHECK(grainy > 30);
  CHECK(grainy < 75);
  CHECK(turned > 30);
  CHECK(upright > 10);
  CHECK(mirrored > 10);
  CHECK(turned + upright + mirrored + grainy == 160);
  CHECK(least > 0.2 * 0.6 * 0.85 * 0.95);
  CHECK(least < 0.3);
  CHECK(most < 1.6 * 1.15 * 1.05);
  CHECK(most > 0.8);
  CHECK(least_ratio > 0.85 / 1.15 - 0.01);
  CHECK(most_ratio < 1.15 / 0.85 + 0.01);
  CHECK(most_ratio - least_ratio > 0.2);
}

TEST_CASE("crops are decided by the seed alone") {
  const auto draw = [](std::uint64_t seed) {
    Generator rng(seed);
    return draw_crops(small_pictures(4), 9, 24, true, rng);
  };
  const int before = num_threads();
  const Tensor one = draw(5);
  set_num_threads(before == 1 ? 3 : 1);
  CHECK(identical(draw(5), one));
  set_num_threads(before);
  CHECK_FALSE(identical(draw(6), one));
}

TEST_CASE("large pictures are made smaller when they are loaded") {
  const TemporaryFolder folder;
  save_picture(folder / "large.png", Tensor::full({1, 3, 400, 420}, 0.5));
  save_picture(folder / "small.png", Tensor::full({1, 3, 50, 900}, 0.5));
  const std::vector<Tensor> loaded = load_small({folder / "large.png", folder / "small.png"});
  CHECK(loaded[0].shape() == Shape({1, 3, 384, 403}));
  CHECK(loaded[1].shape() == Shape({1, 3, 50, 900}));
  CHECK_THROWS_WITH_AS(load_small({folder / "none.png"}), doctest::Contains("none.png"), FileError);
}

TEST_CASE("folded: the SqueezeNet computes what the student does in evaluation, scaled") {
  const NoGradGuard no_grad;
  const auto owner = used_student();
  Student& student = *owner;
  Generator rng(9);
  const Tensor pictures = Tensor::uniform({2, 3, 33, 40}, rng, 0, 1);
  student.eval();
  const std::vector<Tensor> own = student.features(pictures);
  REQUIRE(own.size() == 6);
  CHECK(identical(student(pictures), own.back()));
  for (const auto& scales : {scales_of(1, 1), scales_of(0.3, 3)}) {
    const NamedTensors weights = student.folded(scales);
    const std::vector<Tensor> folded = SqueezeNet({}, weights).features(pictures);
    for (std::size_t i = 0; i < own.size(); ++i) {
      CAPTURE(i);
      CHECK(mean(own[i]).item() > 1e-3);
      check_close(folded[i], own[i] * scales[i].reshape({1, scales[i].numel(), 1, 1}), 1e-4);
    }
    // Under torchvision's names and in their order.
    const ParameterShapes expected = squeezenet_parameters({});
    REQUIRE(weights.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(weights[i].first == expected[i].first);
      CHECK(weights[i].second.shape() == expected[i].second);
    }
  }
  // In training batch norm is another function.
  student.train();
  CHECK(mse_loss(student(pictures), own.back()).item() > 1e-3);

  std::vector<Tensor> wrong = scales_of(1, 1);
  wrong.pop_back();
  CHECK_THROWS_WITH_AS(student.folded(wrong), doctest::Contains("5 scales for 6 layers"), ArgumentError);
  wrong = scales_of(1, 1);
  wrong[2] = Tensor::ones({127});
  CHECK_THROWS_WITH_AS(student.folded(wrong),
                       doctest::Contains("the scales of fire3 have shape (127), not (128)"), ArgumentError);
  wrong = scales_of(1, 1);
  wrong[0].mutable_data<float>()[95] = 0;
  CHECK_THROWS_WITH_AS(student.folded(wrong), doctest::Contains("a scale of conv1 is 0"), ArgumentError);
}

TEST_CASE("freeze_statistics: training computes what evaluation does, and the statistics stand still") {
  const NoGradGuard no_grad;
  const auto owner = used_student();
  Student& student = *owner;
  Generator rng(9);
  const Tensor pictures = Tensor::uniform({2, 3, 32, 32}, rng, 0, 1);
  student.eval();
  const Tensor evaluated = student(pictures);
  student.train();
  CHECK_FALSE(identical(student(pictures), evaluated));  // and the statistics move
  student.eval();
  const Tensor moved = student(pictures);
  CHECK_FALSE(identical(moved, evaluated));
  student.train();
  student.freeze_statistics();
  CHECK(identical(student(pictures), moved));
  CHECK(identical(student(pictures), moved));
  check_close(SqueezeNet({}, student.folded(scales_of(1, 1))).features(pictures).back(), moved, 1e-4);
}

TEST_CASE("the student and its batch norms are the same bits on 1, 2 and 3 ranks") {
  const Folder folder(4);
  LossNetworkSettings settings =
      folder.settings(4);  // in the last of them batch norm's statistics stand still
  settings.batch = 3;
  const auto trained = [&](ProcessGroup& ranks) {
    LossNetworkTraining training(settings, ranks);
    std::vector<LogEntry> log;
    for (Index step = 0; step < settings.steps; ++step) {
      log.push_back(training.training().step());
    }
    std::map<std::string, std::vector<double>> state;
    for (const auto& [name, tensor] : training.training().model().state_dict()) {
      state[name] = tensor.to_vector();
    }
    return std::pair(log, state);
  };
  const auto alone = trained(single_process());
  for (const int count : {2, 3}) {
    on_ranks(count, [&](ProcessGroup& ranks) { CHECK((trained(ranks) == alone)); });
  }
}

TEST_CASE("the student learns to see as the teacher does") {
  const Folder folder(4);
  Generator noise(7);
  for (const char* name : {"00", "01", "02", "03"}) {  // of one kind, with all that there is to see
    save_picture(folder / concat_text("pictures/", name, ".png"), Tensor::uniform({1, 3, 48, 40}, noise));
  }
  LossNetworkSettings settings = folder.settings(120);
  settings.batch = 4;
  settings.learning_rate = 0.01;
  LossNetworkTraining training(settings);
  CHECK(training.layer_names() ==
        std::vector<std::string>{"conv1", "fire2", "fire3", "fire4", "fire5", "fire6"});
  CHECK(training.test_crops().shape() == Shape({48, 3, 32, 32}));
  const std::vector<double> before = training.unexplained();
  CHECK(training.unexplained() == before);
  const auto running_mean = [&] {
    for (const auto& [name, tensor] : training.training().model().state_dict()) {
      if (name == "features_8_squeeze_norm.running_mean") {
        return tensor.to_vector();
      }
    }
    FAIL("there is no such statistic");
    return std::vector<double>();
  };
  double first = 0, last = 0;
  std::vector<double> statistics;
  for (int i = 0; i < 120; ++i) {
    if (i == 60 || i == 72) {  // statistics move until 60 % of the steps are done
      CHECK(running_mean() != statistics);
      statistics = running_mean();
    }
    const LogEntry entry = training.training().step();
    double sum = 0;
    for (const std::string& name : training.layer_names()) {
      sum += logged(entry, name).value();
    }
    const double loss = logged(entry, "loss").value();
    CHECK(loss == doctest::Approx(sum / 6));
    first += i < 20 ? loss : 0;
    last += i >= 100 ? loss : 0;
  }
  CHECK(running_mean() == statistics);
  CHECK(last < 0.7 * first);
  const std::vector<double> after = training.unexplained();
  for (std::size_t i = 0; i < after.size(); ++i) {
    CAPTURE(training.layer_names()[i]);
    CHECK(after[i] < 0.75 * before[i]);
  }
  // The weights compute features in the teacher's units, which are far from those of the training.
  const NoGradGuard no_grad;
  const SqueezeNet student({}, training.weights());
  const std::vector<Tensor> wanted = training.teacher().features(training.test_crops()),
                            seen = student.features(training.test_crops());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(training.layer_names()[i]);
    CHECK(std::sqrt(variance(wanted[i], {0, 2, 3}).mean().item()) > 2);
    CHECK(mean(seen[i]).item() == doctest::Approx(mean(wanted[i]).item()).epsilon(0.3));
  }
}

TEST_CASE("it goes on after a pause as if there were none, before and after statistics freeze") {
  const Folder folder(4);
  const LossNetworkSettings settings = folder.settings(12);  // of which the last 5 with frozen statistics
  for (const int pause : {4, 9}) {
    CAPTURE(pause);
    LossNetworkTraining straight(settings);
    for (int i = 0; i < pause; ++i) {
      straight.training().step();
    }
    straight.training().save(folder / "checkpoint");
    LossNetworkTraining resumed(settings);
    resumed.resume(load_checkpoint(folder / "checkpoint"));
    resumed.unexplained();  // changes nothing
    while (straight.training().steps_done() < settings.steps) {
      CHECK(straight.training().step() == resumed.training().step());
    }
    const NamedTensors a = straight.weights(), b = resumed.weights();
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(identical(a[i].second, b[i].second));
    }
  }
  std::filesystem::remove(folder / "pictures/03.png");
  save_picture(folder / "pictures/04.png", small_pictures(1)[0]);
  LossNetworkTraining changed(settings);
  CHECK_THROWS_WITH_AS(changed.resume(load_checkpoint(folder / "checkpoint")), doctest::Contains("no longer"),
                       ArgumentError);
}

TEST_CASE("painters paint every picture once more, by turns") {
  const Folder folder(17);  // of which the first and the last are for tests
  std::filesystem::create_directories(folder / "painters");
  // Two networks that paint everything in one colour, magenta and green.
  for (const bool magenta : {true, false}) {
    TrainSettings settings;
    settings.styles = {"style.jpg"};
    settings.network = {.width = 2, .blocks = 0};
    Generator rng(1);
    StyleNetwork network(settings.network, rng);
    StateDict state = network.state_dict();
    for (auto& [name, tensor] : state) {
      if (name == "deconv3.conv2d.weight") {
        tensor = Tensor::zeros(tensor.shape());
      } else if (name == "deconv3.conv2d.bias") {
        tensor = magenta ? Tensor::from({9, -9, 9}, {3}) : Tensor::from({-9, 9, -9}, {3});
      }
    }
    network.load_state_dict(state);
    save_style_network(folder / (magenta ? "painters/a.safetensors" : "painters/b.safetensors"), network,
                       settings);
  }
  LossNetworkSettings settings = folder.settings(1);
  const auto colours_of_tests = [&] {
    int magenta = 0, green = 0;
    const LossNetworkTraining training(settings);
    for (Index i = 0; i < training.test_crops().size(0); ++i) {
      const std::vector<double> colour = mean(training.test_crops().slice(i, i + 1), {0, 2, 3}).to_vector();
      magenta += colour == std::vector<double>{1, 0, 1} ? 1 : 0;
      green += colour == std::vector<double>{0, 1, 0} ? 1 : 0;
    }
    return std::pair(magenta, green);
  };
  CHECK(colours_of_tests() == std::pair(0, 0));
  settings.painters = folder / "painters";
  const auto [magenta, green] = colours_of_tests();  // of 48 crops of four pictures
  CHECK(magenta > 4);
  CHECK(green > 4);
  CHECK(magenta + green < 40);
  settings.painters = folder / "pictures";
  CHECK_THROWS_WITH_AS(LossNetworkTraining{settings}, doctest::Contains("there is no model in"),
                       ArgumentError);
}

TEST_CASE("settings: text and back, and what is out of range") {
  LossNetworkSettings settings;
  settings.pictures = {"p", "q r"};
  settings.teacher_weights = "w.safetensors";
  settings.painters = "models";
  settings.steps = 3;
  settings.learning_rate = 0.025;
  settings.seed = 9;
  CHECK(LossNetworkSettings::from_metadata(settings.to_metadata()).to_metadata() == settings.to_metadata());
  CHECK(LossNetworkSettings::from_metadata(settings.to_metadata()).pictures == settings.pictures);
  CHECK(
      settings.command() ==
      "train-loss-network --pictures p 'q r' --teacher squeezenet --teacher-weights w.safetensors --painters "
      "models --steps 3 --batch 8 --crop 128 --lr 0.025 --seed 9");
  const auto refused = [&](auto change, const char* reason) {
    LossNetworkSettings wrong = settings;
    change(wrong);
    CHECK_THROWS_WITH_AS(wrong.check(), doctest::Contains(reason), ArgumentError);
  };
  refused([](auto& s) { s.crop = 60; }, "crop is 60; it must be a multiple of 8");
  refused([](auto& s) { s.crop = 24; }, "crop is 24; it must be from 32 to 512");
  refused([](auto& s) { s.batch = 1; }, "batch is 1");
  refused([](auto& s) { s.learning_rate = NAN; }, "lr is");
  refused([](auto& s) { s.teacher = "vgg16"; }, "unknown teacher 'vgg16'");
  refused([](auto& s) { s.teacher_weights = ""; }, "teacher-weights: name the file");
  auto metadata = settings.to_metadata();
  metadata["steps"] = "many";
  CHECK_THROWS_WITH_AS(LossNetworkSettings::from_metadata(metadata), doctest::Contains("many"),
                       ArgumentError);
  const Folder folder(1);
  CHECK_THROWS_WITH_AS(LossNetworkTraining{folder.settings(1)}, doctest::Contains("at least 2"),
                       ArgumentError);
}

TEST_CASE("the program: weights too large for half precision are written in single precision") {
  const Folder folder(3);
  NamedTensors teacher = load_safetensors(folder / "teacher.safetensors").tensors;
  for (auto& [name, weights] : teacher) {
    if (name.starts_with("features.0.")) {
      weights.mul_(1e8);
    }
  }
  save_safetensors(folder / "teacher.safetensors", teacher);
  const Outcome made = run(concat_text("--pictures '", folder / "pictures", "' --teacher-weights '",
                                       folder / "teacher.safetensors", "' --out '", folder / "run",
                                       "' --steps 2 --batch 2 --crop 32"));
  CAPTURE(made.error);
  REQUIRE(made.status == 0);
  const SafetensorsReader file(folder / "run/loss_network.safetensors");
  CHECK(file.entry("features.0.weight").dtype == "F32");
  CHECK(file.entry("features.3.squeeze.weight").dtype == "F16");
  for (const std::string& name : file.names()) {
    CHECK(all_finite(file.load(name)));
  }
}

TEST_CASE("the program: --resume of a finished run writes the same results again") {
  const Folder folder(3);
  const Outcome made = run(concat_text("--pictures '", folder / "pictures", "' --teacher-weights '",
                                       folder / "teacher.safetensors", "' --out '", folder / "run",
                                       "' --steps 3 --batch 2 --crop 32"));
  CAPTURE(made.error);
  REQUIRE(made.status == 0);
  const std::string weights = read_file(folder / "run/loss_network.safetensors"),
                    log = read_file(folder / "run/log.jsonl");
  for (int again = 0; again < 2; ++again) {
    const Outcome resumed = run("--resume '" + folder / "run" + "'");
    CAPTURE(resumed.error);
    CHECK(resumed.status == 0);
    CHECK(resumed.out == made.out);
    CHECK(resumed.error.find("for 0 steps") != std::string::npos);
    CHECK(read_file(folder / "run/loss_network.safetensors") == weights);
    CHECK(read_file(folder / "run/log.jsonl") == log);
  }
}

TEST_CASE("the program: a file in half precision that says how it was made; usage") {
  const Folder folder(3);
  const std::string pictures = concat_text(" --pictures '", folder / "pictures", "'");
  const std::string teacher = concat_text(" --teacher-weights '", folder / "teacher.safetensors", "'");
  const Outcome made = run(pictures + teacher + " --out '" + folder / "run" +
                           "' --steps 3 --batch 2 --crop 32 --test-every 2");
  CAPTURE(made.error);
  REQUIRE(made.status == 0);
  const std::string path = folder / "run/loss_network.safetensors";
  CHECK(made.out == path + "\n");
  const SafetensorsReader file(path);
  CHECK(file.names().size() == squeezenet_parameters({}).size());
  for (const std::string& name : file.names()) {
    CHECK(file.entry(name).dtype == "F16");
  }
  CHECK(file.metadata().at("made by").find("--steps 3 --batch 2 --crop 32") != std::string::npos);
  CHECK(file.metadata().at("unexplained variance").starts_with("conv1 "));
  CHECK(file.metadata().at("unexplained variance").find(", fire6 ") != std::string::npos);
  // It is a loss network.
  Generator rng(1);
  const auto network = make_loss_network({.weights = path});
  const std::vector<Tap> taps = network->taps(Tensor::uniform({1, 3, 32, 40}, rng));
  CHECK(taps[6].style.shape() == Shape({1, 384, 4, 5}));
  CHECK(std::isfinite(mean(taps[6].style).item()));

  const std::string log = read_file(folder / "run/log.jsonl");
  CHECK(log.find("test_fire6") != std::string::npos);
  const std::string report = read_file(folder / "run/report.html");
  for (const char* text :
       {"A loss network of our own", "What is still to learn", "Unseen pictures", "fire6 unexplained",
        "What they see", "teacher", "What the first layer looks for"}) {
    CAPTURE(text);
    CHECK(report.find(text) != std::string::npos);
  }
  std::size_t exact = 0;  // the filters, and two pictures of each layer
  for (std::size_t at = 0; (at = report.find("data:image/png;base64,", at)) != std::string::npos; ++at) {
    ++exact;
  }
  CHECK(exact == 1 + 2 * 6);

  CHECK(run("--help").out.find("by\nimitation: shown crops of pictures") != std::string::npos);
  const auto refused = [&](const std::string& arguments, int status, const std::string& text) {
    CAPTURE(arguments);
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.error);
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    CHECK(outcome.error.find(text) != std::string::npos);
    CHECK(outcome.error.find('\n') == outcome.error.size() - 1);
  };
  const std::string out = concat_text(" --crop 32 --steps 3 --out '", folder / "new", "'");
  refused("", 2, "--pictures");
  refused(pictures + teacher, 2, "--out");
  refused(pictures + teacher + " --crop 32 --out '" + folder / "run" + "'", 2, "already holds a run");
  refused(pictures + teacher + " --crop 44 --out '" + folder / "new" + "'", 2, "--crop is 44");
  refused(pictures + out, 2, "--teacher-weights: name the file");
  refused(pictures + teacher + out + " --teacher vgg", 2, "--teacher: \"vgg\" is not squeezenet");
  refused("--resume '" + folder.path() + "'", 2, "no checkpoint");
  refused("--resume '" + folder / "run" + "' --steps 5", 2, "--resume");
  refused("--pictures /nowhere" + teacher + out, 1, "/nowhere");
  refused(pictures + out + " --teacher-weights /nowhere.safetensors", 1, "/nowhere.safetensors");
  save_safetensors(folder / "other.safetensors", {{"x", Tensor::ones({2})}});
  refused(pictures + out + " --teacher-weights '" + folder / "other.safetensors" + "'", 1,
          "it has no tensor features.0.weight");
  refused(pictures + teacher + out + " --painters '" + folder / "pictures" + "'", 1,
          "painters: there is no model");
  CHECK_FALSE(std::filesystem::exists(folder / "new"));
}
