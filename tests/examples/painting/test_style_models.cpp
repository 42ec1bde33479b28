// Ready-made models: found by name, and each that comes with gesso loads, is small, and paints.
#include <algorithm>
#include <filesystem>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "painting/model_file.h"
#include "painting/ready_made.h"
#include "painting/stylize.h"
#include "paths.h"
#include "program/usage_error.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

const std::string kAssets = source_path("examples/assets");

// A model as training writes it, with all that it needs but the training.
void write_model(const std::string& path, int width = 2) {
  TrainSettings settings;
  settings.styles = {kAssets + "/styles/waves.jpg"};
  settings.content = kAssets + "/photos";
  settings.network = {.width = width, .blocks = 1};
  Generator rng(1);
  save_style_network(path, StyleNetwork(settings.network, rng), settings);
}

// What is wrong with a model that is to come with gesso; nothing if all is well.
std::string fault_of(const fs::path& model) {
  if (fs::file_size(model) > 1'000'000) {
    return "it is larger than 1 MB";
  }
  try {
    const LoadedStyleNetwork loaded = load_style_network(model.string());
    for (const std::string& style : loaded.settings.styles) {
      // A bundled picture or, by its bare name, one that CREDITS.md tells of.
      const bool bundled = fs::exists(style) && style.starts_with(kAssets);
      if (!bundled && (fs::path(style).has_parent_path() ||
                       read_file(kAssets + "/CREDITS.md").find("`" + model.stem().string() + "`:") ==
                           std::string::npos)) {
        return style + " is neither bundled nor credited";
      }
    }
    const Tensor photograph = resize_short_side(load_picture(kAssets + "/photos/cat.jpg"), 64);
    const Tensor painted = stylize(*loaded.network, photograph);
    if (painted.shape() != photograph.shape() || !(mean(square(painted - photograph)).item() > 1e-3)) {
      return "it does not paint";
    }
    if (!(mean(variance(painted, {2, 3})).item() > 1e-3)) {
      return "it paints all in one colour";
    }
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

// By model.
std::vector<std::string> faults_in(const fs::path& folder) {
  std::vector<std::string> faults;
  for (const std::string& name : ready_made_models(folder)) {
    faults.push_back(fault_of(find_model(name, folder)));
  }
  return faults;
}

}  // namespace

TEST_CASE("every model that comes with gesso loads, is small, paints, and is made by make-models") {
  const std::string maker = read_file(source_path("examples/tools/make-models"));
  for (const std::string& name : ready_made_models()) {
    CAPTURE(name);
    CHECK(fault_of(find_model(name)) == "");
    CHECK(maker.find("\n  \"" + name + " ") != std::string::npos);
  }
  // The same on models that are not as they should be.
  const TemporaryFolder folder;
  write_model(folder / "a.safetensors");
  write_bytes(folder / "b.safetensors", "not a model");
  write_model(folder / "c.safetensors", 40);
  save_safetensors(folder / "d.safetensors", {{"x", Tensor::ones({2})}});
  TrainSettings blank;
  blank.styles = {"/nowhere.jpg"};
  Generator rng(1);
  save_style_network(folder / "e.safetensors", StyleNetwork(blank.network, rng), blank);
  const std::vector<std::string> faults = faults_in(folder.path());
  REQUIRE(faults.size() == 5);
  CHECK(faults[0] == "");
  CHECK(faults[1].find("b.safetensors") != std::string::npos);
  CHECK(faults[2] == "it is larger than 1 MB");
  CHECK(faults[3].find("not a style network") != std::string::npos);
  CHECK(faults[4] == "/nowhere.jpg is neither bundled nor credited");
}

TEST_CASE("a model is found by path, or by name among the ready-made ones") {
  const TemporaryFolder folder, other;
  write_bytes(folder / "waves.safetensors", "1");
  write_bytes(folder / "glass.safetensors", "2");
  write_bytes(folder / "notes.txt", "3");
  CHECK(ready_made_models(folder.path()) == std::vector<std::string>{"glass", "waves"});
  CHECK(ready_made_models(folder / "nowhere").empty());
  CHECK(find_model("waves", folder.path()) == folder / "waves.safetensors");
  CHECK(find_model("x/waves", folder.path()) == "x/waves");
  CHECK(find_model("x.safetensors", folder.path()) == "x.safetensors");
  CHECK_THROWS_WITH_AS(find_model("wave", folder.path()), doctest::Contains("there are glass, waves"),
                       UsageError);
  CHECK_THROWS_WITH_AS(find_model("wave", other.path()), doctest::Contains("there are none"), UsageError);
  // A file of that name counts first; a folder of that name, which may hold a run, does not.
  const fs::path before = fs::current_path();
  fs::current_path(other.path());
  write_bytes(other / "waves", "a model");
  fs::create_directory("glass");
  CHECK(find_model("waves", folder.path()) == "waves");
  CHECK(find_model("glass", folder.path()) == folder / "glass.safetensors");
  fs::current_path(before);

  CHECK(model_name("examples/assets/models/starry.safetensors") == "starry");
  CHECK(model_name("runs/mosaic-2/model.safetensors") == "mosaic-2");
  CHECK(model_name("/model.safetensors") == "model");
}

TEST_CASE("a model knows pictures that come with gesso on any machine, and others by their path") {
  const TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  TrainSettings settings;
  settings.styles = {kAssets + "/styles/waves.jpg", "/elsewhere/it.jpg"};
  settings.content = kAssets + "/photos";
  settings.network = {.width = 2, .blocks = 0, .styles = 2};
  Generator rng(1);
  save_style_network(path, StyleNetwork(settings.network, rng), settings);
  const Metadata metadata = SafetensorsReader(path).metadata();
  CHECK(metadata.at("styles") == R"(["assets:styles/waves.jpg","/elsewhere/it.jpg"])");
  CHECK(metadata.at("content") == "assets:photos");
  CHECK(metadata.at("loss_weights") == "");
  const TrainSettings loaded = load_style_network(path).settings;
  CHECK(loaded.styles == settings.styles);
  CHECK(loaded.content == settings.content);
}

TEST_CASE("models outlive the loss network that they were trained with, and settings that came later") {
  const TemporaryFolder folder;
  write_model(folder / "model.safetensors");
  SafetensorsFile file = load_safetensors(folder / "model.safetensors");
  CHECK(file.metadata.at("loss_network") == "distilled");
  CHECK(file.metadata.at("style_loss") == "gram");
  file.metadata["loss_network"] = "combined";
  file.metadata.erase("style_loss");
  const auto save = [&] {
    save_safetensors(folder / "old.safetensors", file.tensors, file.metadata);
    return folder / "old.safetensors";
  };
  const LoadedStyleNetwork loaded = load_style_network(save());
  CHECK(loaded.settings.loss_network.name == "combined");
  Generator rng(1);
  const Tensor photograph = Tensor::uniform({1, 3, 32, 40}, rng);
  CHECK(identical(stylize(*loaded.network, photograph),
                  stylize(*load_style_network(folder / "model.safetensors").network, photograph)));
  // To train with it is another matter.
  CHECK_THROWS_WITH_AS(loaded.settings.check(), doctest::Contains("unknown network 'combined'"),
                       ArgumentError);
  TrainSettings unknown = loaded.settings;
  unknown.loss_network.name = "distilled";
  CHECK_NOTHROW(unknown.check());
  unknown.style_loss = "adain";
  CHECK_THROWS_WITH_AS(unknown.check(), doctest::Contains("style-loss: unknown loss 'adain'"), ArgumentError);
  // What painting needs is still checked.
  file.metadata["batch"] = "0";
  CHECK_THROWS_WITH(load_style_network(save()), doctest::Contains("batch"));
}

TEST_CASE("a small file that claims a large network costs no memory") {
  const TemporaryFolder folder;
  Generator rng(1);
  const StyleNetworkOptions small{.width = 2, .blocks = 1};
  const StyleNetwork network(small, rng);
  TrainSettings settings;
  settings.styles = {"style.jpg"};
  settings.network = {.width = 512, .blocks = 64};
  save_style_network(folder / "claims.safetensors", network, settings);
  const std::size_t before = memory_stats().current_bytes;
  reset_peak_memory();
  CHECK_THROWS_WITH_AS(
      load_style_network(folder / "claims.safetensors"),
      doctest::Contains("its metadata say width 512, 64 blocks and 1 styles, but conv1.conv2d.weight "
                        "has shape (2, 3, 9, 9) and not (512, 3, 9, 9)"),
      FileError);
  CHECK(memory_stats().peak_bytes - before < std::size_t{1} << 20);
  settings.network = {.width = 2, .blocks = 64};
  save_style_network(folder / "claims.safetensors", network, settings);
  CHECK_THROWS_WITH_AS(load_style_network(folder / "claims.safetensors"),
                       doctest::Contains("but it has no res2."), FileError);
  settings.network = small;
  save_style_network(folder / "claims.safetensors", network, settings);
  CHECK_NOTHROW(load_style_network(folder / "claims.safetensors"));
}

TEST_CASE("a network of PyTorch's fast_neural_style paints as it does in PyTorch") {
  const std::string path = source_path("tests/golden/torch/fast_neural_style.pth");
  const LoadedStyleNetwork loaded = load_style_network(path);
  CHECK(loaded.network->options().width == 3);
  CHECK(loaded.network->options().blocks == 2);
  CHECK(loaded.settings.styles == std::vector<std::string>{"fast_neural_style.pth"});
  const SafetensorsReader golden(source_path("tests/golden/torch_files.safetensors"));
  const NoGradGuard no_grad;
  CHECK(largest_difference((*loaded.network)(golden.load("style.input")), golden.load("style.output")) <
        1e-5);

  // The same as safetensors, as other programs write it; and what such a file may lack.
  const TemporaryFolder folder;
  NamedTensors weights = load_weights(path);
  const std::string other = folder / "m.safetensors";
  save_safetensors(other, weights, {{"format", "pt"}});
  CHECK(identical((*load_style_network(other).network)(golden.load("style.input")),
                  (*loaded.network)(golden.load("style.input"))));
  const auto refused = [&](const std::string& reason) {
    save_safetensors(other, weights);
    CHECK_THROWS_WITH_AS(load_style_network(other), doctest::Contains(reason.c_str()), FileError);
  };
  weights.emplace_back("res9.conv1.conv2d.weight", Tensor::ones({1}));
  refused("unexpected: res9.conv1.conv2d.weight");
  weights.erase(weights.end() - 1);
  std::erase_if(weights, [](const auto& each) { return each.first == "in2.bias"; });
  refused("it is no network like PyTorch's fast_neural_style: it has no in2.bias");
  weights.emplace_back("in2.bias", Tensor::ones({7}));
  refused("in2.bias has shape (7) and not (6)");
  CHECK_THROWS_WITH_AS(load_style_network(source_path("tests/golden/torch/plain.pth")),
                       doctest::Contains("but no network like PyTorch's fast_neural_style"), FileError);
}
