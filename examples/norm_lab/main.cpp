// norm-lab: the inside of a normalization layer, number by number, and experiments on what normalization
// does.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "demonstrate.h"
#include "gesso/core/error.h"
#include "program/command_line.h"
#include "program/usage_error.h"
#include "walk.h"

namespace {

const std::map<std::string, norm_lab::Norm> kNorms = {{"instance", norm_lab::Norm::instance},
                                                      {"batch", norm_lab::Norm::batch},
                                                      {"layer", norm_lab::Norm::layer},
                                                      {"group", norm_lab::Norm::group}};

struct Options {
  std::string norm = "instance";
  gesso::Index groups = 1;
  std::string picture, html;
  gesso::Index size = 96;
};

norm_lab::Lab make_lab(const Options& options) {
  using namespace norm_lab;
  const Example example =
      options.picture.empty() ? number_example() : picture_example(options.picture, options.size);
  const auto layer = make_layer(kNorms.at(options.norm), example.x.shape(), options.groups);
  Lab lab;
  lab.title = gesso::concat_text("Inside ", options.norm, " normalization");
  lab.summary = {gesso::concat_text(
      "First one layer, forward and backward, number by number; then six experiments. The example: ",
      options.picture.empty() ? "a batch of two samples with two channels of 3 x 3 numbers."
                              : std::filesystem::path(options.picture).filename().string() +
                                    ", and beside it the same picture in fog.")};
  lab.sections = walk(*layer, example);
  for (norm_lab::Section& section : demonstrate(example.x, example.upstream)) {
    lab.sections.push_back(std::move(section));
  }
  return lab;
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
  const gesso::Option picture =
      line.option("--picture", &options.picture, "Looks at this picture instead of a few numbers")
          .value_name("FILE");
  line.option("--size", &options.size, "Scales the picture to this short side").range(4, 512).needs(picture);
  line.option("--html", &options.html, "Writes a page with colours and curves instead of text")
      .value_name("FILE");
  line.footer("Example:\n  norm-lab --norm batch --picture examples/assets/photos/cat.jpg --html lab.html");
  return line.run(argc, argv, [&] {
    if (groups.given() && options.norm != "group") {
      throw gesso::UsageError("--groups is for --norm group, not for " + options.norm);
    }
    const gesso::Index channels = options.picture.empty() ? 2 : 3;
    if (channels % options.groups != 0) {
      throw gesso::UsageError(
          gesso::concat_text("--groups ", options.groups, " does not divide the ", channels, " channels"));
    }
    const norm_lab::Lab lab = make_lab(options);
    if (options.html.empty()) {
      norm_lab::print(std::cout, lab, isatty(STDOUT_FILENO) != 0);
    } else {
      norm_lab::page_of(lab).write(options.html);
      std::cout << "Wrote " << options.html << '\n';
    }
    std::cout.flush();
    if (!std::cout) {
      throw gesso::FileError("cannot write to standard output");
    }
    return true;
  });
}
