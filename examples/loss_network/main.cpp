// train-loss-network: trains the small network that compares pictures for style-transfer, on nothing but
// photographs.
#include <cstdio>
#include <functional>
#include <iostream>
#include <optional>
#include <set>

#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/training/training_loop.h"
#include "program/command_line.h"
#include "program/interrupt.h"
#include "program/usage_error.h"
#include "report.h"
#include "training.h"

namespace {

namespace fs = std::filesystem;
using namespace gesso;

struct Options {
  LossNetworkSettings settings;
  fs::path out, resume;
  Index test_every = 100;
};

// What style-transfer loads: the folded convolutions, half precision, with how they came about.
void save_weights(const std::string& path, LossNetworkTraining& training) {
  const NamedTensors weights = training.weights();
  std::set<std::string> half;
  for (const auto& [name, tensor] : weights) {
    half.insert(name);
  }
  std::string names;
  for (const std::string& file : training.files()) {
    names += (names.empty() ? "" : ", ") + fs::path(file).filename().string();
  }
  save_safetensors(path, weights,
                   {{"made by", training.settings().command()},
                    {"seed", std::to_string(training.settings().seed)},
                    {"accuracy", concat_text(training.accuracy(), " of new crops")},
                    {"pictures", names},
                    {"gesso", build_info().version}},
                   {}, half);
}

// The progress bar's words: the loss, and a running mean of what is named rightly.
std::function<std::string(const LogEntry&)> status() {
  return [right = std::optional<double>()](const LogEntry& entry) mutable {
    const double now = logged(entry, "accuracy").value();
    right = right ? 0.95 * *right + 0.05 * now : now;
    char text[64];
    std::snprintf(text, sizeof text, "loss %.3f  right %.0f %%", logged(entry, "loss").value(), 100 * *right);
    return std::string(text);
  };
}

// The run's folder, new or the one to go on with; returns whether it came to the end.
bool run(Options& options) {
  std::optional<Checkpoint> checkpoint;
  RunFolder folder{options.out};
  if (!options.resume.empty()) {
    folder.root = options.resume;
    checkpoint =
        with_usage_errors("--resume ", [&] { return folder.checkpoint_to_resume("train-loss-network"); });
    options.settings = LossNetworkSettings::from_metadata(checkpoint->metadata);
  } else {
    if (options.settings.pictures.empty() || options.out.empty()) {
      throw UsageError("name a folder of photographs by --pictures and a folder for the results by --out");
    }
    with_usage_errors("--", [&] { options.settings.check(); });
  }
  LossNetworkTraining network(options.settings);
  Training& training = network.training();
  if (checkpoint) {
    network.resume(*checkpoint);
  } else {
    with_usage_errors("--out ", [&] { folder.create(); });
  }
  std::cerr << "Training a loss network to tell " << network.files().size() << " pictures apart, for "
            << training.steps() - training.steps_done() << " steps; watch " << folder.report().string()
            << "\n";
  stop_gently_on_interrupt();
  const bool finished =
      train(training, folder,
            {.stop = stop_requested,
             .save_every = options.test_every,
             .report = [&](const std::vector<LogEntry>& log) { return loss_network_report(network, log); },
             .test =
                 [&] {
                   return LogEntry{{"test_accuracy", network.accuracy()}};
                 },
             .status = status()});
  if (!finished) {
    std::cerr << "Stopped after " << training.steps_done() << " steps. To go on: train-loss-network --resume "
              << folder.root.string() << "\n";
    return false;
  }
  const fs::path weights = folder.root / "loss_network.safetensors";
  save_weights(weights, network);
  std::cout << weights.string() << "\n";
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  LossNetworkSettings& s = options.settings;
  CommandLine line(
      "train-loss-network",
      "Trains a small network that compares pictures for style-transfer, on nothing but photographs. Its "
      "task:\n"
      "given a crop, tell which picture it was cut out of. To do so it must learn what makes a place look "
      "like\n"
      "itself: edges, colours, textures and what they build. No labels are needed; the pictures are the "
      "classes.\n"
      "Afterwards the classifier's last layer is thrown away, and what the others see is the result.");
  line.option("--pictures", &s.pictures,
              "Folder of photographs and paintings; examples/tools/collect-pictures makes the one of 200 "
              "photographs and paintings from Debian packages");
  line.option("--out", &options.out,
              "Folder for loss_network.safetensors, checkpoint, log and report; made if missing");
  const Option resume = line.option("--resume", &options.resume,
                                    "Goes on with the interrupted run in this folder, with its settings");
  const auto option = [&](const char* name, OptionValue value, const char* help) {
    line.option(name, value, help).excludes(resume);
  };
  option("--steps", &s.steps, "Training steps");
  option("--batch", &s.batch, "Crops in each step");
  option("--crop", &s.crop, "Side of the crops in pixels");
  option("--lr", &s.learning_rate, "The highest learning rate");
  option("--seed", &s.seed, "Draws the first weights and all crops");
  line.option("--test-every", &options.test_every,
              "Steps between tests on new crops, with checkpoint and report")
      .positive();
  line.add_threads_option();
  line.footer(
      "Example:\n"
      "  examples/tools/collect-pictures /tmp/pictures\n"
      "  train-loss-network --pictures /tmp/pictures --out runs/loss_network\n"
      "  style-transfer train --loss-network combined --loss-weights "
      "runs/loss_network/loss_network.safetensors ...");
  return line.run(argc, argv, [&] { return run(options); });
}
