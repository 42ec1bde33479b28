// compare-norms: trains the same style network with each normalization and writes one report.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "compare_command.h"
#include "page.h"
#include "program/assets.h"
#include "program/program.h"
#include "program/usage_error.h"

namespace {

using gesso::ComparisonSettings;

struct Arguments {
  std::string preset = "small";
  ComparisonSettings settings;
  std::vector<std::string> skip;
  std::filesystem::path out, report;
};

// The preset on the command line; every other option begins with what it sets.
std::string preset_of(int argc, char** argv) {
  CLI::App app;
  std::string preset = "small";
  app.set_help_flag();
  app.allow_extras();
  app.add_option("--preset", preset)->check(CLI::IsMember({"small", "full"}));
  app.parse(argc, argv);
  return preset;
}

void add_options(CLI::App& app, Arguments& arguments) {
  ComparisonSettings& s = arguments.settings;
  const auto option = [&](const char* name, auto& value, const char* help, const char* group) {
    return app.add_option(name, value, help)->capture_default_str()->group(group);
  };
  app.add_option("--out", arguments.out,
                 "Folder for report.html, results.json and all trainings; made if missing. The same command "
                 "again goes on where it was stopped");
  app.add_option("--style", s.style, "The style picture. Default: Van Gogh's Starry Night");
  app.add_option("--content", s.training.content,
                 "Folder of photographs; some are held out to test with. Default: the bundled ones");
  app.add_option("--preset", arguments.preset, "small: a few minutes; full: a night. Other options change it")
      ->capture_default_str();
  app.add_option("--report", arguments.report,
                 "Only writes report.html again, from the results.json in this folder");
  option("--norms", s.normalizations, "The normalizations to compare", "What is compared")->delimiter(',');
  option("--batch-sizes", s.batch_sizes, "Photographs in a training step", "What is compared")
      ->delimiter(',');
  option("--seeds", s.seeds, "Repetitions, with other first weights and other crops", "What is compared");
  app.add_option("--skip", arguments.skip,
                 "Leaves out: photographs (training on contrast- and style-normalized ones), classification")
      ->group("What is compared")
      ->delimiter(',')
      ->check(CLI::IsMember({"photographs", "classification"}));
  option("--steps", s.training.steps, "Steps of each training", "Effort");
  option("--width", s.training.network.width, "Channels of the first layer", "Effort");
  option("--blocks", s.training.network.blocks, "Residual blocks", "Effort");
  option("--crop", s.training.crop, "Side of the training crops in pixels", "Effort");
  option("--classifier-steps", s.classifier_steps, "Steps of each classifier's training", "Effort");
  option("--style-size", s.training.style_size, "Short side the style picture is scaled to", "Look");
  option("--picture-size", s.picture_size, "Short side of the pictures in the report", "Look");
  option("--style-weight", s.training.weights.style, "More makes it more like the style", "Look");
  option("--content-weight", s.training.weights.content, "More keeps more of the photograph", "Look");
  option("--lr", s.training.learning_rate, "The highest learning rate", "Experiments");
  app.add_option("--other-style", s.other_style,
                 "The style of style-normalized photographs. Default: the bundled waves")
      ->group("Experiments");
  option("--loss-network", s.training.loss_network.name,
         "What compares pictures: filters (needs no file), vgg16 or vgg19", "Experiments");
  option("--loss-weights", s.training.loss_network.weights,
         "vgg: its weights, a safetensors file with torchvision's names", "Experiments");
  app.footer("Example: compare-norms --norms batch,instance --seeds 1 --out runs/compare");
}

void run(const Arguments& arguments, gesso::CompareCommand& command) {
  if (!arguments.report.empty()) {
    gesso::write_page(gesso::read_results(arguments.report / "results.json"), arguments.report);
    std::cout << (arguments.report / "report.html").string() << "\n";
    return;
  }
  command.settings = arguments.settings;
  command.out = arguments.out;
  for (const std::string& part : arguments.skip) {
    (part == "photographs" ? command.settings.normalized_photographs : command.settings.classification) =
        false;
  }
  std::string& other = command.settings.other_style;
  if (other.empty()) {  // style-normalized photographs are in another style than the one that is learnt
    const bool learns_waves = std::filesystem::path(command.settings.style).filename() == "waves.jpg";
    other = learns_waves ? gesso::asset("styles/stained_glass.jpg") : gesso::asset("styles/waves.jpg");
  }
  command.run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Trains the same style network with batch norm, instance norm and others, from the same weights on the "
      "same\nphotographs in the same order, measures what the literature claims about them, and writes one "
      "report.",
      "compare-norms");
  gesso::add_version_option(app);
  gesso::add_threads_option(app);
  gesso::CompareCommand command;
  return gesso::exit_code_of(app, [&] {
    Arguments arguments;
    arguments.settings =
        preset_of(argc, argv) == "full" ? ComparisonSettings::full() : ComparisonSettings::small();
    arguments.settings.style = gesso::asset("styles/starry_night.jpg");
    arguments.settings.training.content = gesso::asset("photos");
    add_options(app, arguments);
    app.parse(argc, argv);
    run(arguments, command);
    return !command.interrupted;
  });
}
