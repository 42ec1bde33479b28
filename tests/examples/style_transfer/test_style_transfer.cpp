// The program style-transfer, run as its users run it: a short training, resuming it, repainting, and bad
// input.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/report/log.h"
#include "painting/squeezenet.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

const TemporaryFolder kTemporary;
const fs::path kFolder = kTemporary.path();
const std::string kStyle = source_path("examples/assets/styles/stained_glass.jpg");
const std::string kPhoto = source_path("examples/assets/photos/cat.jpg");

struct Outcome {
  int status;
  std::string errors;  // what came on standard error
};

Outcome run(const std::string& arguments) {
  const std::string errors = (kFolder / "stderr.txt").string();
  const std::string command = program_path("style-transfer") + " " + arguments + " >" +
                              (kFolder / "stdout.txt").string() + " 2>" + errors;
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, read_file(errors)};
}

// Fails the test unless the command ends with `status` and one clear line that holds `text`.
void check_refused(const std::string& arguments, int status, const std::string& text) {
  CAPTURE(arguments);
  const Outcome outcome = run(arguments);
  CAPTURE(outcome.errors);
  CHECK(outcome.status == status);
  CHECK(outcome.errors.find(text) != std::string::npos);
  CHECK(outcome.errors.starts_with("style-transfer: "));
  CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') == 1);
}

std::string training(const std::string& out, int steps) {
  return "train --style " + kStyle + " --out " + (kFolder / out).string() + " --steps " +
         std::to_string(steps) +
         " --width 4 --blocks 1 --crop 32 --batch 2 --style-size 64 --sample-every 3 ";
}

void fresh_folder() {
  fs::remove_all(kFolder);
  fs::create_directories(kFolder);
}

}  // namespace

TEST_CASE(
    "a training writes its model, checkpoint, log, samples and report, and its model repaints pictures") {
  fresh_folder();
  REQUIRE(run(training("run", 6)).status == 0);
  const fs::path out = kFolder / "run";
  for (const char* name : {"model.safetensors", "checkpoint/checkpoint.safetensors", "log.jsonl",
                           "report.html", "samples/step-000003-cat.jpg", "samples/step-000006-cat.jpg"}) {
    CAPTURE(name);
    CHECK(fs::exists(out / name));
  }
  CHECK(read_log((out / "log.jsonl").string()).size() == 6);
  const Metadata metadata = load_safetensors((out / "model.safetensors").string()).metadata;
  CHECK(metadata.at("width") == "4");
  CHECK(metadata.at("loss_network") == "distilled");
  CHECK(metadata.at("style_loss") == "gram");

  const std::string stylize = "stylize --model " + (out / "model.safetensors").string() + " ";
  const fs::path painted = kFolder / "painted.png";
  REQUIRE(run(stylize + kPhoto + " --size 50 --out " + painted.string()).status == 0);
  CHECK(load_picture(painted.string()).shape() == Shape{1, 3, 50, 50});
  const Tensor plain = load_picture(painted.string());
  REQUIRE(run(stylize + kPhoto + " --size 50 --scale 0.5 --out " + painted.string()).status == 0);
  CHECK(load_picture(painted.string()).shape() == plain.shape());
  CHECK(!identical(load_picture(painted.string()), plain));
  check_refused(stylize + kPhoto + " --scale 5 --out x.png", 2, "--scale is 5; it must be from 0.25 to 4");
  check_refused(stylize + kPhoto + " --scale nan --out x.png", 2, "--scale: \"nan\" is not a number");
  // Several pictures go into a folder, and one that is broken does not cost the others.
  std::ofstream(kFolder / "broken.jpg") << "not a picture";
  const Outcome outcome = run(stylize + (kFolder / "broken.jpg").string() + " " + kPhoto +
                              " --size 40 --out " + (kFolder / "many").string());
  CHECK(outcome.status == 1);
  CHECK(outcome.errors.find("broken.jpg") != std::string::npos);
  CHECK(fs::exists(kFolder / "many/cat.jpg"));
  check_refused(training("run", 6), 2, "already holds a run");
}

TEST_CASE("what compares pictures can be chosen: loss network, content layer and style loss") {
  fresh_folder();
  // The loss of the first step, which no training has changed yet.
  const auto first_loss = [&](const std::string& name, const std::string& options) {
    const Outcome outcome = run(training(name, 1) + options);
    CAPTURE(outcome.errors);
    REQUIRE(outcome.status == 0);
    return logged(read_log((kFolder / name / "log.jsonl").string()).at(0), "loss").value();
  };
  const double gram = first_loss("gram", "--loss-network filters");
  CHECK(first_loss("same", "--loss-network filters --style-loss gram") == gram);
  CHECK(first_loss("wasserstein", "--loss-network filters --style-loss wasserstein") != gram);
  const Metadata metadata = load_safetensors((kFolder / "wasserstein/model.safetensors").string()).metadata;
  CHECK(metadata.at("style_loss") == "wasserstein");
  CHECK(metadata.at("loss_network") == "filters");

  Generator rng(1);
  const std::string weights = (kFolder / "weights.safetensors").string();
  save_safetensors(weights, random_torchvision_weights(squeezenet_parameters({}), rng));
  const std::string squeezenet = "--loss-network squeezenet --loss-weights " + weights;
  const double fire5 = first_loss("fire5", squeezenet);
  CHECK(first_loss("fire5-too", squeezenet + " --content-layer fire5") == fire5);
  CHECK(first_loss("fire3", squeezenet + " --content-layer fire3") != fire5);
  CHECK(first_loss("distilled", "--loss-weights " + weights) == fire5);
  check_refused("train --resume " + (kFolder / "fire3").string() + " --style-loss gram", 2,
                "--style-loss cannot be changed");
}

TEST_CASE("a training that was interrupted goes on to the same model, bit for bit") {
  fresh_folder();
  constexpr int steps = 60;
  REQUIRE(run(training("whole", steps)).status == 0);
  // The same, interrupted by Ctrl-C once the log has four lines.
  const fs::path out = kFolder / "parted";
  const std::string log = (out / "log.jsonl").string();
  std::ofstream(kFolder / "interrupt.sh")
      << "env --default-signal=INT " << program_path("style-transfer") << " " << training("parted", steps)
      << " &\n"
      << "while [ \"$(cat " << log << " 2>/dev/null | wc -l)\" -lt 4 ]; do sleep 0.01; done\n"
      << "kill -INT $!; wait $!\n";
  const int status = std::system(
      ("bash -m " + (kFolder / "interrupt.sh").string() + " 2>" + (kFolder / "said.txt").string()).c_str());
  CHECK(WEXITSTATUS(status) == 130);
  CHECK(read_file((kFolder / "said.txt").string()).find("--resume") != std::string::npos);
  CHECK(read_log(log).size() < steps);
  CHECK(!fs::exists(out / "model.safetensors"));

  check_refused("train --resume " + out.string() + " --width 10", 2, "--width cannot be changed");
  REQUIRE(run("train --resume " + out.string()).status == 0);
  CHECK(read_log(log).size() == steps);
  CHECK(read_file((out / "model.safetensors").string()) ==
        read_file((kFolder / "whole/model.safetensors").string()));
}

TEST_CASE("a trained network is trained further") {
  fresh_folder();
  REQUIRE(run(training("run", 4)).status == 0);
  const std::string folder = (kFolder / "run").string(), model = folder + "/model.safetensors";
  const NamedTensors before = load_safetensors(model).tensors;
  // In its own folder, to more steps in all.
  check_refused("train --resume " + folder + " --steps 4", 2, "the run has been trained for 4 steps");
  const Outcome resumed = run("train --resume " + folder + " --steps 7");
  REQUIRE(resumed.status == 0);
  CHECK(resumed.errors.find(", for the last 3 of 7 steps") != std::string::npos);
  CHECK(read_log(folder + "/log.jsonl").size() == 7);
  CHECK(load_safetensors(model).metadata.at("steps") == "7");
  CHECK_FALSE(identical(load_safetensors(model).tensors.at(0).second, before.at(0).second));

  // In another: its shape and, if none are given, its styles. Hardly trained, it hardly differs.
  const std::string from =
      "train --from " + model + " --steps 1 --lr 1e-7 --crop 32 --batch 1 --style-size 64 ";
  const auto out = [](const char* name) { return "--out " + (kFolder / name).string(); };
  REQUIRE(run(from + out("own")).status == 0);
  const SafetensorsFile own = load_safetensors((kFolder / "own/model.safetensors").string());
  CHECK(own.metadata.at("width") == "4");
  CHECK(own.metadata.at("styles").find("stained_glass") != std::string::npos);
  CHECK(largest_difference(own.tensors.at(0).second, load_safetensors(model).tensors.at(0).second) < 1e-3);
  const std::string other = source_path("examples/assets/styles/waves.jpg");
  REQUIRE(run(from + "--style " + other + " " + out("other")).status == 0);
  CHECK(
      load_safetensors((kFolder / "other/model.safetensors").string()).metadata.at("styles").find("waves") !=
      std::string::npos);
  // And one of PyTorch's.
  REQUIRE(run("train --from " + source_path("tests/golden/torch/fast_neural_style.pth") + " --style " +
              other + " --steps 1 --crop 32 --batch 1 --style-size 64 " + out("torch"))
              .status == 0);
  CHECK(load_safetensors((kFolder / "torch/model.safetensors").string()).metadata.at("width") == "3");
  check_refused(from + "--width 8 " + out("x"), 2, "--width cannot be changed by --from");
  check_refused(from + "--style " + other + " " + other + " " + out("x"), 2,
                "it has rows for 1 style, and 2 are");
  check_refused("train --resume " + folder + " --from " + model, 2, "--from cannot be changed by --resume");
}

TEST_CASE("a film goes through frame by frame") {
  fresh_folder();
  REQUIRE(run(training("run", 2)).status == 0);
  const std::string stylize = "stylize --model " + (kFolder / "run/model.safetensors").string() + " ";
  const std::string film = (kFolder / "film.rgb").string(), painted = (kFolder / "stdout.txt").string();
  std::ofstream(film) << std::string(3 * 24 * 16 * 3, 'x');
  const Outcome outcome = run(stylize + "--raw 24x16 --smooth 0.5 < " + film);
  CHECK(outcome.status == 0);
  CHECK(outcome.errors.find("3 frames") != std::string::npos);
  CHECK(read_file(painted).size() == 3 * 24 * 16 * 3);
  REQUIRE(run(stylize + "--raw 24x16 --scale 0.5 < " + film).status == 0);
  CHECK(read_file(painted).size() == 3 * 24 * 16 * 3);
  CHECK(run(stylize + "--raw 25x16 < " + film).status == 1);
  check_refused(stylize + "--raw 24by16 < " + film, 2, "as in 640x360");
  check_refused(stylize + "--raw 24x16 --smooth 1 < " + film, 2, "--smooth is 1");
  check_refused(stylize + "--raw 24x16 " + kPhoto + " < " + film, 2, "leave pictures");
  check_refused(stylize, 2, "name pictures to repaint");
}

TEST_CASE("the strength of a style can be chosen afterwards") {
  fresh_folder();
  REQUIRE(run(training("run", 8) + "--strength").status == 0);
  const std::string stylize = "stylize --model " + (kFolder / "run/model.safetensors").string() + " " +
                              kPhoto + " --size 40 --out " + (kFolder / "painted.png").string() + " ";
  const auto paint = [&](const std::string& options) {
    REQUIRE(run(stylize + options).status == 0);
    return load_picture((kFolder / "painted.png").string());
  };
  const Tensor none = paint("--strength 0"), whole = paint("--strength 1"), half = paint("--strength 0.5");
  const Tensor quarter = paint("--strength 0.25");
  // Nothing of the style is nothing at all, to the byte of the PNG.
  const Tensor photograph = resize_short_side(load_picture(kPhoto), 40);
  CHECK(largest_difference(none, photograph) <= 0.5 / 255 + 1e-6);
  CHECK(identical(whole, paint("")));
  CHECK(!identical(half, whole));
  CHECK(!identical(half, none));
  CHECK(!identical(quarter, half));
  check_refused(stylize + "--strength 1.6", 2, "--strength is 1.6");
  check_refused(stylize + "--mix 0.5,0.5", 2, "2 weights for the 1 styles");
  // Any network's painting can be mixed with the photograph; more than the style must be learned.
  REQUIRE(run(training("plain", 2)).status == 0);
  const std::string plain = "stylize --model " + (kFolder / "plain/model.safetensors").string() + " " +
                            kPhoto + " --size 40 --out " + (kFolder / "painted.png").string();
  REQUIRE(run(plain).status == 0);
  const Tensor painted = load_picture((kFolder / "painted.png").string());
  REQUIRE(run(plain + " --strength 0.5").status == 0);
  CHECK(largest_difference(load_picture((kFolder / "painted.png").string()), 0.5 * (photograph + painted)) <
        1.1 / 255);
  check_refused(plain + " --strength 1.2", 2, "was not trained for it");
  check_refused(training("bad", 2) + "--strength --norm batch", 2, "strength needs instance normalization");
}

TEST_CASE("stylize --model list names the models that come with gesso") {
  REQUIRE(run("stylize --model list").status == 0);
  const std::string list = read_file((kFolder / "stdout.txt").string());
  CHECK(list.find("starry") != std::string::npos);
  CHECK(list.find("starry_night") != std::string::npos);
  CHECK(list.find(" steps)") != std::string::npos);
}

// Its trainings take minutes under sanitizers, and train the same networks as the tests above.
TEST_CASE("sweep paints a sheet of weights and sizes" * doctest::skip(kSanitized)) {
  fresh_folder();
  const std::string sweep =
      "sweep --style " + kStyle + " --out " + (kFolder / "sheet").string() + " --picture " + kPhoto + " ";
  REQUIRE(run(sweep + "--steps 1 --style-weights 8 --style-sizes 64,96").status == 0);
  const Tensor sheet = load_picture((kFolder / "sheet/sweep.jpg").string());
  CHECK(sheet.size(2) == 384);  // as the photograph
  CHECK(sheet.size(3) == 2 * 384 + 8);
  const std::string report = read_file((kFolder / "sheet/report.html").string());
  CHECK(report.find("--style-weight 8 --style-size 96") != std::string::npos);
  check_refused(sweep + "--style-sizes 8", 2, "--style-sizes is 8");
  check_refused(sweep + "--style-weights -1", 2, "--style-weights is -1");
  check_refused(sweep + "--steps 0", 2, "--steps is 0");
  check_refused("sweep --style " + kStyle + " --out " + (kFolder / "x").string() + " --picture /nowhere.jpg",
                1, "/nowhere.jpg");
  CHECK(!fs::exists(kFolder / "x"));
}

TEST_CASE("one network learns several styles, paints in each and in mixes, and takes a new one") {
  fresh_folder();
  const std::string other = source_path("examples/assets/styles/waves.jpg");
  const std::string third = source_path("examples/assets/styles/engraving.jpg");
  std::string two = training("two", 6);
  two.replace(two.find(kStyle), kStyle.size(), kStyle + " " + other);
  REQUIRE(run(two).status == 0);
  CHECK(fs::exists(kFolder / "two/samples/step-000006-cat-waves.jpg"));
  const std::string model = (kFolder / "two/model.safetensors").string();
  const SafetensorsFile before = load_safetensors(model);

  const auto paint = [&](const std::string& from, const std::string& options) {
    const std::string file = (kFolder / "painted.png").string();
    const Outcome outcome =
        run("stylize --model " + from + " " + kPhoto + " --size 40 --out " + file + " " + options);
    CAPTURE(outcome.errors);
    REQUIRE(outcome.status == 0);
    return load_picture(file);
  };
  const Tensor first = paint(model, "--style stained_glass"), second = paint(model, "--style 2");
  CHECK(identical(paint(model, ""), first));
  CHECK(identical(paint(model, "--style waves"), second));
  CHECK(identical(paint(model, "--mix 0,1"), second));
  CHECK(!identical(first, second));
  CHECK(!identical(paint(model, "--style 2 --keep-colors"), second));
  const std::string stylize = "stylize --model " + model + " " + kPhoto + " --out x.png ";
  check_refused(stylize + "--style 3", 2, "it has 1 stained_glass, 2 waves");
  check_refused(stylize + "--mix 1", 2, "1 weights for the 2 styles");
  check_refused(stylize + "--mix 1,nan", 2, "--mix: \"nan\" is not a number");
  check_refused(stylize + "--mix 1,0 --style 2", 2, "give one of them");

  // Photographs to look at become fewer with many styles, but never none and never all.
  std::string many = training("many", 1);
  std::string nine;
  for (int i = 0; i < 9; ++i) {
    nine += (i == 0 ? "" : " ") + (i % 2 == 0 ? kStyle : other);
  }
  many.replace(many.find(kStyle), kStyle.size(), nine);
  REQUIRE(run(many).status == 0);
  int photographs = 0;
  for (const auto& entry : fs::directory_iterator(kFolder / "many/samples")) {
    photographs += entry.path().string().ends_with("-waves.jpg") ? 1 : 0;
  }
  CHECK(photographs == 1);

  // A new style changes nothing but its own rows of gamma and beta.
  const std::string adding =
      "train --add-style " + third + " --model " + model + " --out " + (kFolder / "three").string();
  check_refused(adding + " --width 8", 2, "--width cannot be changed by --add-style");
  check_refused("train --add-style " + third + " --out " + (kFolder / "three").string(), 2, "--model");
  REQUIRE(run(adding + " --steps 4").status == 0);
  const std::string larger = (kFolder / "three/model.safetensors").string();
  const SafetensorsFile after = load_safetensors(larger);
  REQUIRE(after.tensors.size() == before.tensors.size());
  bool learned = false;
  for (std::size_t i = 0; i < after.tensors.size(); ++i) {
    const auto& [name, tensor] = after.tensors[i];
    const Tensor& old = before.tensors[i].second;
    CAPTURE(name);
    if (tensor.shape() == old.shape()) {
      CHECK(identical(tensor, old));
    } else {
      CHECK(identical(tensor.slice(0, 2), old));
      learned = learned || !identical(tensor.slice(2, 3), 0.5 * (old.slice(0, 1) + old.slice(1, 2)));
    }
  }
  CHECK(learned);
  CHECK(identical(paint(larger, "--style waves"), second));
  CHECK(!identical(paint(larger, "--style engraving"), second));
  CHECK(load_safetensors(larger).metadata.at("steps") == "4");
  // To a network of one style, in the number of steps that suits.
  REQUIRE(run(training("one", 10)).status == 0);
  REQUIRE(run("train --add-style " + other + " --model " + (kFolder / "one/model.safetensors").string() +
              " --out " + (kFolder / "grown").string())
              .status == 0);
  CHECK(read_log((kFolder / "grown/log.jsonl").string()).size() == 1);
  // Not by a loss network that is no longer there.
  SafetensorsFile old = load_safetensors((kFolder / "one/model.safetensors").string());
  old.metadata["loss_network"] = "combined";
  save_safetensors((kFolder / "old.safetensors").string(), old.tensors, old.metadata);
  check_refused("train --add-style " + other + " --model " + (kFolder / "old.safetensors").string() +
                    " --out " + (kFolder / "x").string(),
                2, "--loss-network: unknown network 'combined'");
}

TEST_CASE("without --out a picture gets a name of its own in the current folder") {
  fresh_folder();
  REQUIRE(run(training("tiny", 1)).status == 0);
  fs::create_directories(kFolder / "here");
  fs::copy_file(kPhoto, kFolder / "here/cat.jpg");
  const std::string stylize = "stylize --size 40 --model ../tiny/model.safetensors cat.jpg " + kPhoto;
  const auto repaint = [&] {
    const std::string command = "cd " + (kFolder / "here").string() + " && " +
                                program_path("style-transfer") + " " + stylize + " 2>&1 >said.txt";
    REQUIRE(std::system(command.c_str()) == 0);
    return read_file((kFolder / "here/said.txt").string());
  };
  const std::string photograph = read_file(kPhoto);
  CHECK(repaint() == "cat-tiny.jpg\ncat-tiny-2.jpg\n");
  CHECK(load_picture((kFolder / "here/cat-tiny.jpg").string()).shape() == Shape{1, 3, 40, 40});
  const std::string first = read_file((kFolder / "here/cat-tiny.jpg").string());
  CHECK(repaint() == "cat-tiny-3.jpg\ncat-tiny-4.jpg\n");
  CHECK(read_file((kFolder / "here/cat-tiny.jpg").string()) == first);
  CHECK(read_file((kFolder / "here/cat.jpg").string()) == photograph);
  check_refused("stylize --model no_such_model " + kPhoto, 2, "nor a ready-made model of that name");
}

TEST_CASE("a preset sets what is not given, wherever it stands") {
  fresh_folder();
  // Small enough to train: what each preset decides beside it shows in the model's metadata.
  const std::string tiny = "train --style " + kStyle +
                           " --steps 1 --width 2 --crop 32 --style-size 64 --out " + (kFolder / "").string();
  const auto metadata = [&](const std::string& before, const std::string& name, const std::string& after) {
    std::string command = tiny + name + after;
    command.insert(std::string("train").size(), before);
    REQUIRE(run(command).status == 0);
    return load_safetensors((kFolder / name / "model.safetensors").string()).metadata;
  };
  const Metadata quick = metadata("", "quick", " --preset quick"), standard = metadata("", "standard", ""),
                 before = metadata(" --preset quick --blocks 1", "before", ""),
                 after = metadata(" --blocks 1", "after", " --preset quick");
  CHECK(quick.at("blocks") == "4");
  CHECK(quick.at("width") == "2");
  CHECK(quick.at("steps") == "1");
  CHECK(standard.at("blocks") == "5");
  CHECK(before.at("blocks") == "1");
  CHECK(after.at("blocks") == "1");
  check_refused(training("x", 6) + "--preset fast", 2, "\"fast\" is not quick, standard or best");
  check_refused("train --resume " + (kFolder / "quick").string() + " --preset best", 2,
                "--preset cannot be changed");
}

TEST_CASE("bad usage is refused with exit code 2, failures with 1, each in one line") {
  fresh_folder();
  check_refused("", 2, "name a command: train, ");
  check_refused("paint", 2, "there is no command paint");
  check_refused("stylise", 2, "there is no command stylise; did you mean stylize?");
  check_refused("train", 2, "--style");
  check_refused("train --style " + kStyle, 2, "--out");
  check_refused(training("x", 6) + "--content-weight -1", 2, "--content-weight is -1");
  check_refused(training("x", 6) + "--lr -1", 2, "lr");
  check_refused(training("x", 6) + "--lr nan", 2, "lr");
  check_refused(training("x", 6) + "--norm batsch", 2, "--norm: \"batsch\" is not batch, ");
  check_refused(training("x", 6) + "--loss-network vgg11", 2, "--loss-network: \"vgg11\" is not distilled, ");
  check_refused(training("x", 6) + "--loss-network vgg16", 2, "--loss-weights: name the file");
  check_refused(training("x", 6) + "--loss-network squeezenet1_1", 2,
                "--loss-weights: name the file with the weights of squeezenet1_1");
  check_refused(training("x", 6) + "--content-layer relu1_1", 2,
                "--content-layer: SqueezeNet 1.0 has no layer 'relu1_1'; it has conv1, fire2");
  check_refused(training("x", 6) + "--loss-network filters --content-layer fire5", 2,
                "--content-layer: the filter bank has its own");
  check_refused(training("x", 6) + "--loss-network filters --loss-weights x.safetensors", 2,
                "--loss-weights: the filter bank needs no weights");
  check_refused(training("x", 6) + "--style-loss adain", 2,
                "--style-loss: \"adain\" is not gram or wasserstein");
  check_refused(training("x", 6) + "--loss-network vgg19 --loss-weights /nowhere.safetensors", 1,
                "/nowhere.safetensors");
  check_refused(training("x", 6) + "--width many", 2, "--width");
  check_refused(training("x", 6) + "--seed -1", 2, "--seed");
  check_refused(training("x", 6) + "--content /nowhere", 1, "/nowhere");
  check_refused("train --style /nowhere.jpg --out " + (kFolder / "x").string(), 1, "/nowhere.jpg");
  std::ofstream(kFolder / "broken.png") << "\x89PNG broken";
  check_refused("train --style " + (kFolder / "broken.png").string() + " --out " + (kFolder / "x").string(),
                1, "broken.png");
  CHECK(!fs::exists(kFolder / "x"));
  std::ofstream(kFolder / "file") << "a file";
  check_refused(training("file", 6), 2, "is a file");
  check_refused(training("file/inside", 6), 1, "file/inside");
  check_refused("train --resume " + (kFolder / "x").string(), 2, "no checkpoint");
  check_refused("stylize --model /nowhere.safetensors " + kPhoto + " --out x.png", 1, "/nowhere.safetensors");
  save_safetensors((kFolder / "other.safetensors").string(), {{"x", Tensor::ones({2})}});
  check_refused("stylize --model " + (kFolder / "other.safetensors").string() + " " + kPhoto + " --out x.png",
                1, "not a style network");
  CHECK(run("--help").status == 0);
  CHECK(run("train --help").status == 0);
  CHECK(run("--version").status == 0);
}

TEST_CASE("ways to start and to end a training: a lost terminal, nohup, closed and full outputs") {
  fresh_folder();
  constexpr int steps = 4000;  // far more than there is time for
  const fs::path out = kFolder / "run";
  const std::string log = (out / "log.jsonl").string();
  // Starts a training in the background of a script, sends it `signals` once the log has three lines, and returns its
  // exit code. `before` may change how it is started.
  const auto signalled = [&](const std::string& before, const std::string& signals,
                             const std::string& after) {
    fs::remove_all(out);
    const fs::path script = kFolder / "script.sh";
    std::ofstream(script) << before << "\n"
                          << program_path("style-transfer") << " " << training("run", steps) << after
                          << " &\n"
                          << "while kill -0 $! 2>/dev/null && [ \"$(wc -l <" << log
                          << " 2>/dev/null || echo 0)\" -lt 3 ]; do sleep 0.05; done\n"
                          << signals << "\nwait $!\n";
    const int status = std::system(("bash " + script.string() + " >/dev/null 2>&1").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  };
  // SIGHUP, when the terminal is closed, saves as SIGTERM does.
  CHECK(signalled("", "kill -HUP $!", "") == 130);
  const auto lines = static_cast<Index>(read_log(log).size());
  CHECK(lines >= 3);
  CHECK(lines < steps);
  CHECK(load_safetensors((out / "checkpoint/checkpoint.safetensors").string()).metadata.at("step") ==
        std::to_string(lines));
  // What it was started to ignore (a script's background ignores SIGINT, nohup SIGHUP) stays ignored.
  CHECK(signalled("trap '' HUP", "kill -HUP $!; kill -INT $!; sleep 0.3; kill -0 $! || exit 7; kill -TERM $!",
                  "") == 130);
  // With standard error closed, the log is the log and nothing else.
  CHECK(signalled("", "kill -TERM $!", " 2>&-") == 130);
  CHECK_NOTHROW(read_log(log));
  CHECK(read_file(log).find("Training") == std::string::npos);
  // A full disk under standard output, and a reader that has gone.
  CHECK(run("--version").status == 0);
  for (const char* output : {" >/dev/full", " >&-", " | true"}) {
    CAPTURE(output);
    const std::string command = "bash -c 'set -o pipefail; (sleep 0.2; exec " +
                                program_path("style-transfer") + " --version)" + output + "' 2>/dev/null";
    const int status = std::system(command.c_str());
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 1);
  }
}

TEST_CASE("names that are no UTF-8 work from end to end: style, photographs, run and paintings") {
  fresh_folder();
  const std::string odd = "caf\xE9 \x01\xFF";
  fs::create_directories(kFolder / odd);
  fs::copy_file(kStyle, kFolder / odd / ("style" + odd + ".jpg"));
  fs::copy_file(kPhoto, kFolder / odd / ("photo" + odd + ".jpg"));
  const auto quoted = [&](const std::string& path) { return "'" + (kFolder / path).string() + "'"; };
  const std::string arguments = "train --style " + quoted(odd + "/style" + odd + ".jpg") + " --content " +
                                quoted(odd) + " --out " + quoted("run" + odd) +
                                " --steps 2 --width 4 --blocks 1 --crop 32 --batch 2 --style-size 64 ";
  const Outcome trained = run(arguments);
  CAPTURE(trained.errors);
  REQUIRE(trained.status == 0);
  CHECK(trained.errors.find('\x01') == std::string::npos);
  CHECK(run("train --resume " + quoted("run" + odd)).status == 0);
  const std::string model = kFolder / ("run" + odd) / "model.safetensors";
  CHECK(fs::exists(model));
  CHECK(run("stylize --model '" + model + "' " + quoted(odd + "/photo" + odd + ".jpg") + " --size 40 --out " +
            quoted("out" + odd + ".png"))
            .status == 0);
  CHECK(fs::exists(kFolder / ("out" + odd + ".png")));
  // One that is missing is named, without its control characters.
  const Outcome missing =
      run("stylize --model '" + model + "' " + quoted("none" + odd + ".jpg") + " --out " + quoted("x.png"));
  CHECK(missing.status == 1);
  CHECK(missing.errors.find("nonecaf\\xe9 \\x01\\xff.jpg") != std::string::npos);
}

TEST_CASE("unreadable photographs, hidden files and a damaged checkpoint do not stop a training") {
  fresh_folder();
  const fs::path photos = kFolder / "photos";
  fs::create_directories(photos);
  std::ofstream(photos / "a.jpg") << "not a picture";  // at the position of the first sample
  std::ofstream(photos / "._b.jpg") << "a Mac's notes";
  fs::copy_file(kPhoto, photos / "b.jpg");
  fs::create_directory_symlink(photos, photos / "loop");
  const std::string settings =
      "train --style " + kStyle + " --content " + photos.string() + " --out " + (kFolder / "run").string() +
      " --steps 6 --width 4 --blocks 1 --crop 32 --batch 2 --style-size 64 --sample-every 3";
  const Outcome trained = run(settings);
  CAPTURE(trained.errors);
  REQUIRE(trained.status == 0);
  CHECK(trained.errors.find("a.jpg") != std::string::npos);
  CHECK(trained.errors.find("._b.jpg") == std::string::npos);
  CHECK(fs::exists(kFolder / "run/samples/step-000006-b.jpg"));
  const std::string whole = read_file((kFolder / "run/model.safetensors").string());
  // The last checkpoint is damaged: the run goes on from the one before it, to the same model.
  const std::string checkpoint = (kFolder / "run/checkpoint/checkpoint.safetensors").string();
  std::string bytes = read_file(checkpoint);
  bytes[bytes.size() / 2] ^= 1;
  write_bytes(checkpoint, bytes);
  fs::remove(kFolder / "run/model.safetensors");
  const Outcome resumed = run("train --resume " + (kFolder / "run").string());
  CAPTURE(resumed.errors);
  CHECK(resumed.status == 0);
  CHECK(resumed.errors.find("going on from the checkpoint before it, at step 3") != std::string::npos);
  CHECK(read_file((kFolder / "run/model.safetensors").string()) == whole);
  // stylize leaves hidden files out of folders, too
  CHECK(run("stylize --model " + (kFolder / "run/model.safetensors").string() + " " + photos.string() +
            " --size 32 --out " + (kFolder / "painted").string())
            .errors.find("._b") == std::string::npos);
}

TEST_CASE("transparency goes through, and names of formats that cannot be written are refused") {
  fresh_folder();
  Tensor picture = Tensor::ones({1, 4, 24, 32});
  for (Index row = 0; row < 24; ++row) {
    for (Index column = 0; column < 16; ++column) {
      picture.set({0, 3, row, column}, 0);
    }
  }
  const std::string from = (kFolder / "cut.png").string(), to = (kFolder / "painted.png").string();
  save_picture(from, picture);
  REQUIRE(run("stylize --model wave " + from + " --out " + to).status == 0);
  CHECK(identical(load_transparency(to), load_transparency(from)));
  REQUIRE(run("stylize --model wave " + from + " --out " + (kFolder / "painted.jpg").string()).status == 0);
  const Outcome tiff = run("stylize --model wave " + from + " --out " + (kFolder / "painted.tiff").string());
  CHECK(tiff.status == 2);
  CHECK(tiff.errors.find("painted.tiff: the name must end in .png, .jpg, .jpeg, .webp or .ppm") !=
        std::string::npos);
  CHECK_FALSE(fs::exists(kFolder / "painted.tiff"));
}

TEST_CASE("a training says what it takes, and is refused with the batch that fits" *
          doctest::skip(kSanitized)) {
  fresh_folder();
  const auto limited = [&](const std::string& options) {
    const std::string errors = (kFolder / "stderr.txt").string();
    const int status = std::system(("bash -c 'ulimit -v 2500000; exec " + program_path("style-transfer") +
                                    " train --style " + kStyle + " --out " + (kFolder / "run").string() +
                                    " --steps 1 --width 4 --blocks 1 --style-size 64 " + options +
                                    "' >/dev/null 2>" + errors)
                                       .c_str());
    return Outcome{WIFEXITED(status) ? WEXITSTATUS(status) : 128, read_file(errors)};
  };
  const Outcome refused = limited("--crop 256 --batch 64");
  CAPTURE(refused.errors);
  CHECK(refused.status == 2);
  CHECK(refused.errors.starts_with("style-transfer: --batch 64 --crop 256: the training takes "));
  const std::size_t at = refused.errors.find("; --batch ");
  REQUIRE(at != std::string::npos);
  CHECK_FALSE(fs::exists(kFolder / "run"));
  const Outcome fits = limited("--crop 128 --batch 2");
  CAPTURE(fits.errors);
  CHECK(fits.status == 0);
  CHECK(fits.errors.find(" GB of memory; watch ") != std::string::npos);
}
