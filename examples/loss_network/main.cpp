// train-loss-network: trains the small network that compares pictures for style-transfer, by letting it
// imitate one that was trained on ImageNet.
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>

#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/training/training_loop.h"
#include "memory_need.h"
#include "painting/memory_need.h"
#include "program/command_line.h"
#include "program/interrupt.h"
#include "program/ranks.h"
#include "program/resume.h"
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

// Folders and files by their own names: where they lay says nothing to others.
LossNetworkSettings without_folders(LossNetworkSettings settings) {
  for (std::string& folder : settings.pictures) {
    folder = fs::path(folder).filename().string();
  }
  settings.teacher_weights = fs::path(settings.teacher_weights).filename().string();
  settings.painters = fs::path(settings.painters).filename().string();
  return settings;
}

// What style-transfer loads: the folded convolutions, half precision, with how they came about.
void save_weights(const std::string& path, LossNetworkTraining& training) {
  const NamedTensors weights = training.weights();
  std::set<std::string> half;
  for (const auto& [name, tensor] : weights) {
    if (fits_float16(tensor)) {
      half.insert(name);
    }
  }
  std::string quality;
  const std::vector<double> unexplained = training.unexplained();
  for (std::size_t i = 0; i < unexplained.size(); ++i) {
    quality += concat_text(i > 0 ? ", " : "", training.layer_names()[i], " ", unexplained[i]);
  }
  save_safetensors(path, weights,
                   {{"made by", without_folders(training.settings()).command()},
                    {"unexplained variance", quality},
                    {"gesso", build_info().version}},
                   {.float16 = half, .checksum = true});
}

LogEntry test_entry(LossNetworkTraining& network) {
  LogEntry entry;
  const std::vector<double> unexplained = network.unexplained();
  for (std::size_t i = 0; i < unexplained.size(); ++i) {
    entry.emplace_back("test_" + network.layer_names()[i], unexplained[i]);
  }
  return entry;
}

// So that --resume works from any folder.
void make_paths_absolute(LossNetworkSettings& settings) {
  for (std::string& folder : settings.pictures) {
    folder = fs::absolute(folder).string();
  }
  settings.teacher_weights = fs::absolute(settings.teacher_weights).string();
  if (!settings.painters.empty()) {
    settings.painters = fs::absolute(settings.painters).string();
  }
}

// The run's folder, new or the one to go on with; returns whether it came to the end.
bool run(Options& options) {
  std::optional<Checkpoint> checkpoint;
  ProcessGroup& ranks = program_ranks();
  RunFolder folder(options.out, ranks);
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
    with_usage_errors("--out ", [&] { folder.check_new(); });
    make_paths_absolute(options.settings);
  }
  const std::vector<std::string> files = pictures_to_learn_from(options.settings);
  const MemoryNeed memory = memory_for_loss_network(options.settings, files);
  require_memory_for_training(
      {.batch = options.settings.batch, .crop = options.settings.crop, .least_batch = 2, .crop_step = 8},
      memory);
  LossNetworkTraining network(options.settings, files, ranks);
  Training& training = network.training();
  if (checkpoint) {
    network.resume(*checkpoint);
  } else {
    with_usage_errors("--out ", [&] { folder.create(); });
  }
  std::cerr << "Training a loss network to see " << network.files().size() << " pictures as "
            << options.settings.teacher << " does, " << steps_to_do(training.steps_done(), training.steps())
            << memory.in_about() << "; watch " << folder.report().string() << "\n";
  stop_gently_on_interrupt();
  const bool finished =
      train(training, folder,
            {.stop = stop_requested,
             .save_every = options.test_every,
             .report = [&](const std::vector<LogEntry>& log) { return loss_network_report(network, log); },
             .test = [&] { return test_entry(network); }});
  if (!finished) {
    std::cerr << stopped_words(training.steps_done(), training.steps(), "train-loss-network", folder.root)
              << "\n";
    return false;
  }
  const fs::path weights = folder.root / "loss_network.safetensors";
  if (ranks.rank() == 0) {
    save_weights(weights, network);
  }
  std::cout << weights.string() << "\n";
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  LossNetworkSettings& s = options.settings;
  CommandLine line(
      "train-loss-network",
      "Trains a small network that compares pictures for style-transfer. It learns by imitation: shown crops of "
      "pictures, it predicts what each layer of a teacher, a network that was trained on a million labelled "
      "photographs, computes of them. Batch norm, which helps it learn, is folded into the "
      "convolutions at the end; what is left is half a megabyte.");
  line.option("--pictures", &s.pictures,
              "Folders of photographs and paintings; examples/tools/collect-pictures makes one from Debian "
              "packages")
      .value_name("FOLDER");
  line.option("--out", &options.out,
              "Folder for loss_network.safetensors, checkpoint, log and report; made if missing")
      .value_name("FOLDER");
  const Option resume = line.option("--resume", &options.resume,
                                    "Goes on with the interrupted run in this folder, with its settings")
                            .value_name("FOLDER");
  std::vector<Option> settings;
  const auto option = [&](const char* name, OptionValue value, const char* help) {
    settings.push_back(line.option(name, value, help));
    return settings.back();
  };
  option("--teacher", &s.teacher, "Whom it imitates").choices({"squeezenet"});
  option("--teacher-weights", &s.teacher_weights,
         "The teacher's weights: a .pth or safetensors file with torchvision's names")
      .value_name("FILE");
  option("--painters", &s.painters,
         "Folder of style networks that paint every picture once more, as pictures to learn from")
      .value_name("FOLDER");
  option("--steps", &s.steps, "Training steps");
  option("--batch", &s.batch, "Crops in each step");
  option("--crop", &s.crop, "Side of the crops in pixels");
  option("--lr", &s.learning_rate, "The highest learning rate");
  option("--seed", &s.seed, "Draws the first weights and all crops");
  line.option("--test-every", &options.test_every,
              "Steps between tests on unseen pictures, with checkpoint and report")
      .positive();
  line.add_threads_option();
  line.footer(
      "Example:\n"
      "  examples/tools/collect-pictures pictures\n"
      "  train-loss-network --pictures pictures examples/assets/photos \\\n"
      "    --teacher-weights squeezenet1_0.safetensors --out runs/loss_network\n"
      "  style-transfer train --loss-weights runs/loss_network/loss_network.safetensors ...\n" +
      ranks_help("train-loss-network"));
  return line.run(argc, argv, [&] {
    refuse_with_resume(resume, settings);
    return run(options);
  });
}
