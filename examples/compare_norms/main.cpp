// compare-norms: trains the same style network with each normalization and writes one report.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "claims.h"
#include "compare_command.h"
#include "experiments/experiment.h"
#include "page.h"
#include "painting/loss_network.h"
#include "painting/ready_made.h"
#include "painting/style_network.h"
#include "program/assets.h"
#include "program/command_line.h"
#include "program/ranks.h"
#include "program/usage_error.h"
#include "tables.h"
#include "tensorboard.h"

namespace {

using gesso::ComparisonSettings;

struct Arguments {
  std::string preset = "small";
  ComparisonSettings settings;
  std::vector<std::string> skip, experiments;
  std::filesystem::path out, report, against, latex, tensorboard;
  gesso::Index jobs = 0;
  bool claims = false;
};

// Whether the command line asks for the full preset, with which every other option then begins.
bool wants_full(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--preset=full" || (i > 0 && words[i - 1] == "--preset" && words[i] == "full")) {
      return true;
    }
  }
  return false;
}

// "batch-size", ..., "all", "none".
std::vector<std::string> words_for_experiments() {
  std::vector<std::string> words = gesso::names_of_experiments();
  words.insert(words.end(), {"all", "none"});
  return words;
}

// The program's description: what it does, and a line for each experiment with its question.
std::string description() {
  std::string text =
      "Trains the same style network with batch norm, instance norm and others, from the same weights on the same "
      "photographs in the same order, measures what the literature claims about them, and writes one report. It has "
      "experiments besides, grids of short trainings of a small classifier, with a question each:\n";
  for (const gesso::Experiment* experiment : gesso::experiments()) {
    text += "\n  " + experiment->name + std::string(16 - experiment->name.size(), ' ') + experiment->question;
  }
  return text;
}

// Returns those that --report, --latex, --tensorboard and --claims, which run nothing, do not go with.
std::vector<gesso::Option> add_options(const gesso::CommandLine& line, Arguments& arguments) {
  ComparisonSettings& s = arguments.settings;
  std::vector<gesso::Option> settings;
  const auto option = [&](const char* name, gesso::OptionValue value, const char* help) {
    settings.push_back(line.option(name, value, help));
    return settings.back();
  };
  option("--out", &arguments.out,
         "Folder for report.html, results.json and all trainings; made if missing. The same command "
         "again goes on where it was stopped")
      .value_name("FOLDER")
      .not_in_plan();
  option("--style", &s.style, "The style picture. Default: Van Gogh's Starry Night")
      .hide_default()
      .value_name("FILE");
  option("--content", &s.training.content,
         "Folder of photographs; some are held out to test with. Default: the bundled ones")
      .hide_default()
      .value_name("FOLDER");
  option(
      "--data", &s.data,
      "Folder of labelled pictures for the classifiers: MNIST, CIFAR-10 or CIFAR-100 in their own (binary) files. "
      "Default: drawn shapes")
      .hide_default()
      .value_name("FOLDER");
  option("--preset", &arguments.preset,
         "small: less than ten minutes on two cores; full: hours. Other options change it")
      .choices({"small", "full"})
      .not_in_plan();
  settings.push_back(line.add_plan_option());
  const gesso::Option report =
      line.option("--report", &arguments.report,
                  "Only writes report.html again, from the results.json in this folder")
          .value_name("FOLDER")
          .not_in_plan();
  line.option("--against", &arguments.against,
              "With --report: lays the comparison in this other folder beside it")
      .value_name("FOLDER")
      .needs(report)
      .not_in_plan();
  line.option(
          "--latex", &arguments.latex,
          "Only prints the losses, the claims and the experiments of the results.json in this folder as LaTeX tables")
      .value_name("FOLDER")
      .not_in_plan();
  line.option(
          "--tensorboard", &arguments.tensorboard,
          "Only writes event files for TensorBoard into FOLDER/tensorboard, from the results.json in this folder")
      .value_name("FOLDER")
      .not_in_plan();
  line.flag("--claims", &arguments.claims,
            "Only prints what is claimed, how it is measured and what decides it")
      .not_in_plan();
  line.heading("What is compared");
  option("--norms", &s.normalizations, "The normalizations to compare")
      .separator(',')
      .choices(gesso::known_normalizations());
  option("--batch-sizes", &s.batch_sizes, "Photographs in a training step").separator(',');
  option("--seeds", &s.seeds, "Repetitions, with other first weights and other crops");
  option(
      "--skip", &arguments.skip,
      "Leaves out the training on contrast- and style-normalized photographs, or classification, or the whole "
      "comparison: all but the experiments")
      .separator(',')
      .choices({"photographs", "classification", "comparison"});
  line.heading("Experiments");
  option("--experiments", &arguments.experiments,
         "The experiments to do, each a section of the page; or all, or none")
      .separator(',')
      .choices(words_for_experiments());
  option("--experiment-seeds", &s.experiment.seeds, "Repetitions of each training of theirs");
  option("--experiment-steps", &s.experiment.steps,
         "Steps of each with batches of 16; smaller batches see as many pictures");
  line.heading("Effort");
  option("--steps", &s.training.steps, "Steps of each training");
  option("--width", &s.training.network.width, "Channels of the first layer");
  option("--blocks", &s.training.network.blocks, "Residual blocks");
  option("--crop", &s.training.crop, "Side of the training crops in pixels");
  option("--classifier-steps", &s.classifier_steps, "Steps of each classifier's training");
  option(
      "--jobs", &arguments.jobs,
      "How many trainings run at the same time, each in a process with its share of the threads; results are the same. "
      "Default: as many as there are threads and memory for")
      .hide_default()
      .range(1, 256)
      .not_in_plan();
  line.heading("Look");
  option("--style-size", &s.training.style_size, "Short side the style picture is scaled to");
  option("--picture-size", &s.picture_size, "Short side of the pictures in the report");
  option("--style-weight", &s.training.weights.style, "More makes it more like the style");
  option("--content-weight", &s.training.weights.content, "More keeps more of the photograph");
  line.heading("Training");
  option("--lr", &s.training.learning_rate, "The highest learning rate");
  option(
      "--painter", &s.painter,
      "The trained style network that paints style-normalized photographs: a file or a ready-made one's name. "
      "Default: wave")
      .hide_default()
      .value_name("MODEL");
  option("--loss-network", &s.training.loss_network.name, "What compares pictures")
      .choices(gesso::known_loss_networks());
  line.option(
          "--loss-weights", &s.training.loss_network.weights,
          "Its weights: a .pth or safetensors file with torchvision's names; filters and distilled need none")
      .value_name("FILE");
  line.footer(
      "Examples:\n  compare-norms --norms batch,instance --seeds 3 --out runs/compare\n"
      "  compare-norms --plan runs/compare/plan.toml --out runs/again\n"
      "  compare-norms --skip comparison --experiments all --out runs/experiments\n" +
      gesso::ranks_help("compare-norms"));
  return settings;
}

// The names that --experiments asks for.
std::vector<std::string> chosen_experiments(const std::vector<std::string>& words) {
  for (const char* alone : {"all", "none"}) {
    if (std::find(words.begin(), words.end(), alone) != words.end()) {
      if (words.size() > 1) {
        throw gesso::UsageError(gesso::concat_text("--experiments: ", alone, " stands alone"));
      }
      return std::string(alone) == "all" ? gesso::names_of_experiments() : std::vector<std::string>();
    }
  }
  return words;
}

void run(const Arguments& arguments, gesso::CompareCommand& command) {
  if (arguments.claims) {
    gesso::print_claims(std::cout);
    return;
  }
  if (!arguments.latex.empty()) {
    gesso::print_latex(std::cout, gesso::read_results(arguments.latex / "results.json"));
    return;
  }
  if (!arguments.tensorboard.empty()) {
    const std::filesystem::path events = arguments.tensorboard / "tensorboard";
    gesso::write_tensorboard(gesso::read_results(arguments.tensorboard / "results.json"), events);
    std::cout << events.string() << "\n";
    return;
  }
  if (!arguments.report.empty()) {
    const gesso::Comparison comparison = gesso::read_results(arguments.report / "results.json");
    if (arguments.against.empty()) {
      gesso::write_page(comparison, arguments.report);
    } else {
      gesso::write_page_against(comparison, arguments.report, arguments.against);
    }
    std::cout << (arguments.report / "report.html").string() << "\n";
    return;
  }
  command.settings = arguments.settings;
  command.out = arguments.out;
  command.jobs = arguments.jobs;
  for (const std::string& part : arguments.skip) {
    (part == "photographs"      ? command.settings.normalized_photographs
     : part == "classification" ? command.settings.classification
                                : command.settings.comparison) = false;
  }
  command.settings.experiments = chosen_experiments(arguments.experiments);
  std::string& painter = command.settings.painter;
  painter =
      gesso::find_model(painter.empty() ? "wave" : painter, gesso::ready_made_folder(), "--painter").string();
  command.run();
}

}  // namespace

int main(int argc, char** argv) {
  gesso::CommandLine line("compare-norms", description());
  line.add_threads_option();
  Arguments arguments;
  arguments.settings = wants_full(argc, argv) ? ComparisonSettings::full() : ComparisonSettings::small();
  arguments.experiments = arguments.settings.experiments;
  arguments.settings.style = gesso::asset("styles/starry_night.jpg");
  arguments.settings.training.content = gesso::asset("photos");
  const std::vector<gesso::Option> settings = add_options(line, arguments);
  gesso::CompareCommand command;
  return line.run(argc, argv, [&] {
    for (const gesso::Option& setting : settings) {
      const char* only = !arguments.report.empty()        ? "--report"
                         : !arguments.latex.empty()       ? "--latex"
                         : !arguments.tensorboard.empty() ? "--tensorboard"
                         : arguments.claims               ? "--claims"
                                                          : nullptr;
      if (only != nullptr && setting.given()) {
        throw gesso::UsageError(gesso::concat_text(setting.name(), " cannot be given together with ", only,
                                                   ", which runs nothing"));
      }
    }
    command.plan_text = line.plan();
    run(arguments, command);
    return !command.interrupted;
  });
}
