// The presets of style-transfer train, and the size of the models they make.
#include <filesystem>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/core/files/safetensors.h"
#include "painting/model_file.h"
#include "painting/presets.h"
#include "painting/stylize.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

TrainSettings settings_of(const std::string& preset) {
  TrainSettings settings;
  settings.styles = {"style.jpg"};
  settings.content = "photos";
  settings.weights.style = 7;
  settings.style_loss = "wasserstein";
  apply_preset(preset, settings);
  return settings;
}

}  // namespace

TEST_CASE("every preset is a possible training, and each larger than the one before") {
  CHECK(preset_names() == std::vector<std::string>{"quick", "standard", "best"});
  double work_before = 0;
  for (const std::string& name : preset_names()) {
    CAPTURE(name);
    const TrainSettings settings = settings_of(name);
    CHECK_NOTHROW(settings.check());
    CHECK(settings.weights.style == 7);  // presets leave the look alone
    CHECK(settings.style_loss == "wasserstein");
    CHECK(settings.loss_network.name == "distilled");
    const double work = static_cast<double>(settings.steps * settings.batch * settings.crop * settings.crop *
                                            settings.network.width);
    CHECK(work > work_before);
    work_before = work;
    CHECK(describe_presets().find("  " + name + " ") != std::string::npos);
    CHECK(describe_presets().find(concat_text(settings.steps, " steps")) != std::string::npos);
    CHECK(describe_presets().find("loss network distilled") != std::string::npos);
  }
  TrainSettings settings;
  CHECK_THROWS_WITH_AS(apply_preset("fast", settings),
                       doctest::Contains("unknown preset 'fast'; known are quick, standard, best"),
                       ArgumentError);
}

TEST_CASE("a model of the standard preset takes at most 1 MB, and paints as before it was saved") {
  const TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  const TrainSettings settings = settings_of("standard");
  Generator rng(3);
  StyleNetwork network(settings.network, rng);
  save_style_network(path, network, settings);
  CHECK(std::filesystem::file_size(path) <= 1'000'000);
  const SafetensorsReader reader(path);
  for (const std::string& name : reader.names()) {
    CAPTURE(name);
    CHECK(reader.entry(name).dtype == "F16");
  }
  const LoadedStyleNetwork loaded = load_style_network(path);
  network.eval();
  const Tensor photograph = Tensor::uniform({1, 3, 32, 40}, rng);
  const Tensor before = stylize(network, photograph), after = stylize(*loaded.network, photograph);
  CHECK(loaded.network->named_parameters().front().second.dtype() == float32);
  CHECK(largest_difference(before, after) < 0.5 / 255);
  CHECK(!identical(before, after));  // it was rounded
}

TEST_CASE("what F16 cannot hold is saved as it is") {
  const TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  TrainSettings settings = settings_of("quick");
  settings.network = {.width = 2, .blocks = 0, .normalization = "batch"};
  Generator rng(4);
  StyleNetwork network(settings.network, rng);
  network.named_parameters().front().second.copy_(
      Tensor::full(network.named_parameters().front().second.shape(), 1e5));
  save_style_network(path, network, settings);
  const SafetensorsReader reader(path);
  CHECK(reader.entry("conv1.conv2d.weight").dtype == "F32");
  CHECK(reader.entry("conv2.conv2d.weight").dtype == "F16");
  CHECK(reader.entry("in1.running_var").dtype == "F32");
  CHECK(reader.entry("in1.num_batches_tracked").dtype == "I64");
  CHECK(load_style_network(path).network->named_parameters().front().second.at({0, 0, 0, 0}) == 1e5);
}
