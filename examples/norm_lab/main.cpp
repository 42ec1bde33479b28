// norm-lab: the inside of a normalization layer, number by number, and experiments on what normalization
// does.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "demonstrate.h"
#include "gesso/core/error.h"
#include "given.h"
#include "numbers_json.h"
#include "program/command_line.h"
#include "program/usage_error.h"
#include "stages.h"
#include "walk.h"

namespace {

const std::map<std::string, norm_lab::Norm> kNorms = {{"instance", norm_lab::Norm::instance},
                                                      {"batch", norm_lab::Norm::batch},
                                                      {"layer", norm_lab::Norm::layer},
                                                      {"group", norm_lab::Norm::group}};

struct Options {
  std::string norm = "instance";
  gesso::Index groups = 1;
  norm_lab::GivenNumbers given;
  std::uint64_t seed = 1;
  norm_lab::AffineNumbers affine;
  norm_lab::RunningNumbers running;
  bool eval = false;
  std::string picture, html;
  gesso::Index size = 96;
  bool json = false, graph = false;
};

norm_lab::Example make_example(const Options& options) {
  return options.picture.empty()
             ? gesso::with_usage_errors("--", [&] { return norm_lab::given_example(options.given); })
             : norm_lab::picture_example(options.picture, options.size);
}

norm_lab::Lab make_lab(const Options& options, gesso::NormalizationLayer& layer,
                       const norm_lab::Example& example) {
  const gesso::Shape& x = example.x.shape();
  const bool experiments = x[0] >= 2 && x[2] * x[3] >= 2;  // they need a neighbour and a plane
  norm_lab::Lab lab;
  lab.title = gesso::concat_text("Inside ", options.norm, " normalization");
  lab.summary = {gesso::concat_text(
      experiments ? "First one layer, forward and backward, number by number; then six experiments. "
                  : "One layer, forward and backward, number by number. ",
      "The example: ",
      options.picture.empty() ? gesso::concat_text("x of shape ", x, ": samples, channels, height, width.")
                              : std::filesystem::path(options.picture).filename().string() +
                                    ", and beside it the same picture in fog.")};
  lab.sections = walk(layer, example);
  if (experiments) {
    for (norm_lab::Section& section : norm_lab::demonstrate(example.x, example.upstream)) {
      lab.sections.push_back(std::move(section));
    }
  }
  return lab;
}

void run(const Options& options) {
  const norm_lab::Example example = make_example(options);
  const norm_lab::Norm norm = kNorms.at(options.norm);
  const auto running = options.eval ? std::optional(options.running) : std::nullopt;
  gesso::with_usage_errors(
      "--", [&] { norm_lab::check_layer(norm, example.x.shape(), options.groups, options.affine, running); });
  const auto layer = make_layer(norm, example.x.shape(), options.groups, options.affine, running);
  if (options.json) {
    std::cout << norm_lab::numbers_json(norm, *layer, example) << '\n';
  } else if (options.graph) {
    const gesso::NormalizationAxes axes = gradients_of(*layer, example).seen.parts.at(0).axes;
    std::cout << norm_lab::stages_dot(*layer, axes, example);
  } else if (options.html.empty()) {
    norm_lab::print(std::cout, make_lab(options, *layer, example), isatty(STDOUT_FILENO) != 0);
  } else {
    norm_lab::page_of(make_lab(options, *layer, example)).write(options.html);
    std::cout << "Wrote " << options.html << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  gesso::CommandLine line(
      "norm-lab",
      "Shows the inside of a normalization layer: statistics, normalized values and gradients with their "
      "formulas and numbers, and experiments on what normalization does.");
  line.option("--norm", &options.norm, "The layer's normalization")
      .choices({"instance", "batch", "layer", "group"});
  const gesso::Option groups =
      line.option("--groups", &options.groups,
                  "Groups of group norm; must divide the channels (2, of a picture 3)")
          .positive();
  const auto numbers = [&](const std::string& name, std::vector<double>* values, const std::string& help) {
    return line.option(name, values, help).separator(',').range(-1e6, 1e6);
  };
  const gesso::Option x =
      numbers("--x", &options.given.x, "The layer's input, row by row; one plane of one row without --shape");
  const gesso::Option dy = numbers("--dy", &options.given.dy, "The gradient that arrives at its result");
  const gesso::Option shape =
      line.option("--shape", &options.given.shape, "Of x: samples,channels,height,width").separator(',');
  const gesso::Option seed =
      line.option("--seed", &options.seed, "Draws what of x and dy is not given").hide_default();
  numbers("--gamma", &options.affine.gamma,
          "For every channel, or for every element in layer norm. Default: 2,0.5,2,...");
  numbers("--beta", &options.affine.beta, "The same. Default: 1,-1,1,...");
  line.option("--eps", &options.affine.eps, "Added to the variance").range(1e-12, 1e6);
  const gesso::Option picture =
      line.option("--picture", &options.picture, "Looks at this picture instead of a few numbers")
          .value_name("FILE");
  for (const gesso::Option& option : {x, dy, shape, seed}) {
    option.excludes(picture);
  }
  line.option("--size", &options.size, "Scales the picture to this short side").range(4, 512).needs(picture);
  const gesso::Option html =
      line.option("--html", &options.html, "Writes a page with colours and curves instead of text")
          .value_name("FILE");
  const gesso::Option json =
      line.flag("--json", &options.json, "Prints the layer's numbers with all their digits, as JSON")
          .excludes(html)
          .excludes(picture);
  const gesso::Option eval =
      line.flag("--eval", &options.eval, "Normalizes by running statistics, as batch norm in evaluation")
          .needs(json);
  numbers("--running-mean", &options.running.mean, "They, for every channel. Default: 0").needs(eval);
  numbers("--running-var", &options.running.variance, "The same. Default: 1").needs(eval);
  line.flag("--graph", &options.graph, "Prints the computational graph with its numbers, for dot -Tsvg")
      .excludes(html)
      .excludes(picture)
      .excludes(json);
  line.footer(
      "Examples:\n  norm-lab --norm batch --picture examples/assets/photos/cat.jpg --html lab.html\n"
      "  norm-lab --x 1,3,3,9 --dy 1,0,0,0 --gamma 3 --beta 0\n"
      "  norm-lab --norm group --groups 2 --shape 2,4,3,3 --seed 7 --json\n"
      "  norm-lab --norm batch --eval --running-mean 3,2 --running-var 9,4 --json");
  return line.run(argc, argv, [&] {
    if (groups.given() && options.norm != "group") {
      throw gesso::UsageError("--groups is for --norm group, not for " + options.norm);
    }
    if (seed.given()) {
      options.given.seed = options.seed;
    }
    run(options);
    std::cout.flush();
    if (!std::cout) {
      throw gesso::FileError("cannot write to standard output");
    }
    return true;
  });
}
