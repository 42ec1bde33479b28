// score-pictures: numbers beside what eyes say about repainted pictures.
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include "gesso/core/error.h"
#include "gesso/core/files/json.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/core/system_limits.h"
#include "painting/judge.h"
#include "painting/memory_need.h"
#include "painting/score.h"
#include "painting/spectrum.h"
#include "painting/stroke_width.h"
#include "program/assets.h"
#include "program/command_line.h"
#include "program/usage_error.h"

namespace {

using namespace gesso;

struct Options {
  std::string style, content;
  std::vector<std::string> results;
  Index style_size = 256;
  ScoreOptions score;
  std::string judge = "none", judge_weights;
  bool json = false;
};

// A picture and its numbers.
struct Row {
  std::string name;
  std::optional<PictureScore> score;  // none for the style picture
  PictureSpectrum spectrum;
  double width;  // of strokes
  std::optional<Judgement> judgement;
};

std::unique_ptr<Judge> make_judge(const Options& options) {
  if (options.judge == "none") {
    if (!options.judge_weights.empty()) {
      throw UsageError("--judge-weights are for --judge squeezenet; give both or none");
    }
    return nullptr;
  }
  if (options.judge_weights.empty()) {
    throw UsageError(
        "name the judge's weights, torchvision's squeezenet1_0 as safetensors, by --judge-weights");
  }
  std::vector<Tensor> others;
  for (const char* name : {"coffee", "bridge", "horses", "reef", "aqueduct"}) {
    others.push_back(load_picture(asset(concat_text("photos/", name, ".jpg"))));
  }
  return std::make_unique<Judge>(options.judge_weights, others);
}

void print_json(const std::vector<Row>& rows) {
  Json all = Json::array();
  for (const auto& [name, score, spectrum, width, judgement] : rows) {
    Json entry = {
        {"picture", name}, {"upright", spectrum.upright}, {"level", spectrum.level}, {"width", width}};
    if (score) {
      entry.update({{"style", score->style},
                    {"patches", score->patches},
                    {"palette", score->palette},
                    {"content", score->content},
                    {"edges", score->edges}});
    }
    if (judgement) {
      entry.update({{"judge_gram", judgement->gram},
                    {"judge_wasserstein", judgement->wasserstein},
                    {"judge_content", judgement->content}});
    }
    all.push_back(entry);
  }
  std::cout << json_text(all, 1) << "\n";
}

void print_table(const std::vector<Row>& rows, bool judged) {
  std::printf("%8s %8s %8s %8s %8s %7s %s %s\n", "style", "palette", "content", "upright", "level", "width",
              judged ? "  gram   wass  subject" : "", " picture");
  for (const auto& [name, score, spectrum, width, judgement] : rows) {
    if (score) {
      std::printf("%8.4f %8.4f %8.3f ", score->style, score->palette, score->content);
    } else {
      std::printf("%8s %8s %8s ", "", "", "");
    }
    std::printf("%8.2f %8.2f %7.1f ", spectrum.upright, spectrum.level, width);
    if (judgement) {
      std::printf("%6.2f %6.2f  %7.3f ", judgement->gram, judgement->wasserstein, judgement->content);
    } else if (judged) {
      std::printf("%23s ", "");
    }
    std::printf(" %s\n", name.c_str());
  }
}

Row measure(const std::string& name, const Tensor& picture, const Tensor& style, const Tensor& photograph,
            const Options& options, const Judge* judge) {
  Row row{name,
          score_picture(picture, style, photograph, options.score),
          measure_spectrum(picture),
          measure_stroke_width(picture),
          {}};
  if (judge != nullptr) {
    row.judgement = judge->judge(picture, style, photograph);
  }
  return row;
}

// Says what will be done, and throws FileError for a picture that does not fit into the memory.
void require_memory(const Options& options, const Tensor& style, const Judge* judge) {
  constexpr double kFew = 1 << 20;  // pixels of which nothing need be said
  double most = 0;
  std::string largest;
  for (const std::vector<std::string>& files : {options.results, {options.content}}) {
    for (const std::string& file : files) {
      const Size2d size = read_picture_size(file);
      const double pixels = static_cast<double>(size.height) * static_cast<double>(size.width);
      if (pixels > most) {
        most = pixels;
        largest = concat_text(file, ": ", size.width, " x ", size.height, " pixels");
      }
    }
  }
  std::string in_about;
  if (most > kFew) {
    const auto peak = [&](Index side) {  // what the style picture takes is part of both, and of no interest
      const Tensor small = resize_picture(style, side, side);
      return peak_memory_of([&] { measure("", small, style, small, options, judge); });
    };
    // Bytes a pixel of the photograph and of a result; what the memory pool keeps beside what tensors take; the program.
    constexpr double of_loading = 2 * 24, kept = 1.5, of_program = 1e8;
    const double of_scoring = std::max(0.0, peak(512) - peak(256)) / (512 * 512 - 256 * 256);
    const double need = (kept * of_scoring + of_loading) * most + of_program;
    const auto available = static_cast<double>(available_memory());
    if (need > available) {
      throw FileError(concat_text(largest, " take ", gigabytes(need), " of memory to score, and there are ",
                                  gigabytes(available), "; make it smaller with another program"));
    }
    in_about = ", in up to " + gigabytes(need) + " of memory";
  }
  std::cerr << "Scoring " << options.results.size()
            << (options.results.size() == 1 ? " picture" : " pictures") << in_about << "\n";
}

void run(const Options& options) {
  const Tensor style = resize_short_side(load_picture(options.style), options.style_size);
  const std::unique_ptr<Judge> judge = make_judge(options);
  require_memory(options, style, judge.get());
  const Tensor photograph = load_picture(options.content);
  std::vector<Row> rows;
  rows.push_back({"the style picture", {}, measure_spectrum(style), measure_stroke_width(style), {}});
  rows.push_back(measure("the photograph itself", photograph, style, photograph, options, judge.get()));
  for (const std::string& result : options.results) {
    rows.push_back(measure(result, load_picture(result), style, photograph, options, judge.get()));
  }
  options.json ? print_json(rows) : print_table(rows, judge != nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CommandLine line(
      "score-pictures",
      "Scores repainted pictures by measures that no training uses.\n"
      "  style    how far the picture's patches of 7x7 pixels, at 3 scales, are from the style picture's (sliced "
      "Wasserstein distance): lower is more like the style\n"
      "  palette  the same of single pixels: colours alone\n"
      "  content  how much its edges agree with the photograph's (correlation, at 2 scales): higher keeps more\n"
      "  upright  energy of upright lines over that of diagonal ones, at periods of 3 to 8 pixels: far above the "
      "style picture's, a weave\n"
      "  level    the same of level lines\n"
      "  width    of strokes, in pixels: half of all contrast is in light or dark places no wider than that, of "
      "those of up to 33 pixels\n"
      "and, with --judge, by a network that no training uses in these layers:\n"
      "  gram     how far its features are from the style picture's, as a multiple of how far that one's two halves "
      "are from each other: by Gram matrices\n"
      "  wass     the same by the sliced Wasserstein distance\n"
      "  subject  how much more its features agree with the photograph's than with those of other photographs\n"
      "The first row is the style picture, the second the photograph itself. Good pictures are far below it in style, "
      "and high in content; a result that only copies the photograph's colours into patches, or the style alone, wins "
      "one of the two.");
  line.option("--style", &options.style, "The style picture").required().value_name("FILE");
  line.option("--content", &options.content, "The photograph that all results were made from")
      .required()
      .value_name("FILE");
  line.option("results", &options.results, "Repainted pictures").required();
  line.option("--style-size", &options.style_size,
              "Short side that the style picture is scaled to: as in the training")
      .range(32, 4096);
  line.option("--seed", &options.score.seed, "Decides which patches and projections are drawn");
  line.option("--judge", &options.judge, "Asks a network too").choices({"none", "squeezenet"});
  line.option("--judge-weights", &options.judge_weights,
              "Its weights: torchvision's squeezenet1_0 as safetensors")
      .value_name("FILE");
  line.flag("--json", &options.json, "Prints all numbers, by scale, as JSON");
  line.footer("Example:\n  score-pictures --style starry_night.jpg --content cat.jpg painted/*.jpg");
  return line.run(argc, argv, [&] {
    run(options);
    return true;
  });
}
