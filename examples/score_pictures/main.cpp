// score-pictures: numbers beside what eyes say about repainted pictures.
#include <cstdio>
#include <iostream>

#include "gesso/core/error.h"
#include "gesso/core/files/json.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "painting/score.h"
#include "program/command_line.h"

namespace {

using namespace gesso;

struct Options {
  std::string style, content;
  std::vector<std::string> results;
  Index style_size = 256;
  ScoreOptions score;
  bool json = false;
};

void run(const Options& options) {
  const Tensor style = resize_short_side(load_picture(options.style), options.style_size);
  const Tensor photograph = load_picture(options.content);
  struct Row {
    std::string name;
    PictureScore score;
  };
  std::vector<Row> rows;
  rows.push_back({"the photograph itself", score_picture(photograph, style, photograph, options.score)});
  for (const std::string& result : options.results) {
    rows.push_back({result, score_picture(load_picture(result), style, photograph, options.score)});
  }
  if (options.json) {
    Json all = Json::array();
    for (const auto& [name, score] : rows) {
      all.push_back({{"picture", name},
                     {"style", score.style},
                     {"patches", score.patches},
                     {"palette", score.palette},
                     {"content", score.content},
                     {"edges", score.edges}});
    }
    std::cout << json_text(all, 1) << "\n";
    return;
  }
  std::printf("%8s %8s %8s  %s\n", "style", "palette", "content", "picture");
  for (const auto& [name, score] : rows) {
    std::printf("%8.4f %8.4f %8.3f  %s\n", score.style, score.palette, score.content, name.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CommandLine line("score-pictures",
                   "Scores repainted pictures by measures that no training uses.\n"
                   "  style    how far the picture's patches of 7x7 pixels, at 3 scales, are from the style "
                   "picture's (sliced\n"
                   "           Wasserstein distance): lower is more like the style\n"
                   "  palette  the same of single pixels: colours alone\n"
                   "  content  how much its edges agree with the photograph's (correlation, at 2 scales): "
                   "higher keeps more\n"
                   "The first row is the photograph itself. Good pictures are far below it in style, and "
                   "high in content;\n"
                   "a result that only copies the photograph's colours into patches, or the style alone, "
                   "wins one of the two.");
  line.option("--style", &options.style, "The style picture").required();
  line.option("--content", &options.content, "The photograph that all results were made from").required();
  line.option("results", &options.results, "Repainted pictures").required();
  line.option("--style-size", &options.style_size,
              "Short side that the style picture is scaled to: as in the training")
      .range(32, 4096);
  line.option("--seed", &options.score.seed, "Decides which patches and projections are drawn");
  line.flag("--json", &options.json, "Prints all numbers, by scale, as JSON");
  line.footer("Example: score-pictures --style starry_night.jpg --content cat.jpg painted/*.jpg");
  return line.run(argc, argv, [&] {
    run(options);
    return true;
  });
}
