// train-loss-network: trains the small network that compares pictures for style-transfer, on nothing but
// photographs.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <optional>
#include <set>

#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/training/report/log.h"
#include "gesso/training/report/progress.h"
#include "program/command_line.h"
#include "program/interrupt.h"
#include "program/program.h"
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
void save_weights(const std::string& path, LossNetworkTraining& training, double accuracy) {
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
                    {"accuracy", concat_text(accuracy, " of new crops")},
                    {"pictures", names},
                    {"gesso", build_info().version}},
                   {}, half);
}

// Trains to the end or until Ctrl-C; returns whether it came to the end.
bool train(LossNetworkTraining& training, const fs::path& out, Index test_every) {
  const Index steps = training.settings().steps;
  const std::string log_path = (out / "log.jsonl").string();
  LogWriter log(log_path, training.steps_done() > 0 ? training.steps_done() : -1);
  std::vector<LogEntry> entries = read_log(log_path);
  const double seconds_before = entries.empty() ? 0 : entries.back().back().second;
  ProgressBar progress("Training", steps, training.steps_done());
  const auto begin = std::chrono::steady_clock::now();
  double accuracy = 0, shown = 0;

  while (training.steps_done() < steps && !stop_requested()) {
    const double learning_rate = training.learning_rate();
    const LossNetworkTraining::Result result = training.step();
    const Index step = training.steps_done();
    LogEntry entry = {{"step", static_cast<double>(step)},
                      {"loss", result.loss},
                      {"accuracy", result.accuracy},
                      {"lr", learning_rate}};
    const bool test = step % test_every == 0 || step == steps;
    if (test) {
      accuracy = training.accuracy();
      entry.emplace_back("test_accuracy", accuracy);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    entry.emplace_back("seconds", seconds_before + seconds);
    entries.push_back(entry);
    log.write(entry);
    shown = step == 1 ? result.accuracy : 0.95 * shown + 0.05 * result.accuracy;
    char status[64];
    std::snprintf(status, sizeof status, "loss %.3f  right %.0f %%", result.loss, 100 * shown);
    progress.update(step, status);
    if (test && step < steps) {
      training.save(out / "checkpoint");
      const double fraction = static_cast<double>(step) / static_cast<double>(steps);
      loss_network_report(training, entries,
                          ReportProgress{fraction, concat_text("step ", step, " of ", steps)})
          .write(out / "report.html");
    }
  }
  training.save(out / "checkpoint");
  if (training.steps_done() < steps) {
    return false;
  }
  save_weights(out / "loss_network.safetensors", training, accuracy);
  loss_network_report(training, entries, {}).write(out / "report.html");
  return true;
}

// The run's folder, new or the one to go on with; returns whether it came to the end.
bool run(Options& options) {
  std::optional<Checkpoint> checkpoint;
  fs::path out = options.out;
  if (!options.resume.empty()) {
    out = options.resume;
    if (!has_checkpoint(out / "checkpoint")) {
      throw UsageError(concat_text("--resume ", out.string(), ": there is no checkpoint in it"));
    }
    checkpoint = load_checkpoint(out / "checkpoint");
    options.settings = LossNetworkSettings::from_metadata(checkpoint->metadata);
  } else {
    if (options.settings.pictures.empty() || out.empty()) {
      throw UsageError("name a folder of photographs by --pictures and a folder for the results by --out");
    }
    try {
      options.settings.check();
    } catch (const ArgumentError& error) {
      throw UsageError(concat_text("--", error.what()));
    }
  }
  LossNetworkTraining training(options.settings);
  if (checkpoint) {
    training.resume(*checkpoint);
  } else {
    create_run_folder(out);
  }
  std::cerr << "Training a loss network to tell " << training.files().size() << " pictures apart, for "
            << options.settings.steps - training.steps_done() << " steps; watch "
            << (out / "report.html").string() << "\n";
  stop_gently_on_interrupt();
  if (!train(training, out, options.test_every)) {
    std::cerr << "Stopped after " << training.steps_done() << " steps. To go on: train-loss-network --resume "
              << out.string() << "\n";
    return false;
  }
  std::cout << (out / "loss_network.safetensors").string() << "\n";
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
