// draw-filter-bank > docs/figures/filter_bank.svg: the filter bank's filters as they are computed with.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>

#include "gesso/core/error.h"
#include "painting/filter_bank.h"
#include "program/command_line.h"

namespace {

using namespace gesso;

constexpr int kPixel = 6, kTile = FilterBank::kernel * kPixel, kStep = kTile + 10;

// Squares of one colour are one path, which keeps the file small.
class Drawing {
 public:
  // A 7x7 filter, 0 as gray, its largest weight as gray moved by `axis` (red, green, blue).
  void tile(int left, int top, const double* weights, const std::array<double, 3>& axis) {
    double largest = 0;
    for (int i = 0; i < 49; ++i) {
      largest = std::max(largest, std::abs(weights[i]));
    }
    for (int i = 0; i < 49; ++i) {
      const double value = std::round(weights[i] / largest * 15) / 15;
      char colour[8];
      const auto part = [&](int c) { return static_cast<int>(std::lround(128 + 127 * value * axis[c])); };
      std::snprintf(colour, sizeof colour, "#%02x%02x%02x", part(0), part(1), part(2));
      squares_[colour] += concat_text("M", left + i % 7 * kPixel, " ", top + i / 7 * kPixel, "h6v6h-6z");
    }
  }
  void text(int left, int top, const std::string& words) {
    texts_ += concat_text("<text x=\"", left, "\" y=\"", top, "\">", words, "</text>\n");
  }
  std::string svg(int width, int height) const {
    std::string all = concat_text(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", width, " ", height,
        "\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"The filters of the filter bank\">\n",
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        "<g font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n", texts_, "</g>\n");
    for (const auto& [colour, path] : squares_) {
      all += concat_text("<path fill=\"", colour, "\" d=\"", path, "\"/>\n");
    }
    return all.append("</svg>\n");
  }

 private:
  std::map<std::string, std::string> squares_;
  std::string texts_;
};

std::string draw() {
  std::map<std::string, std::vector<double>> filters;
  for (const auto& [name, tensor] : FilterBank().constants()) {
    filters[name] = tensor.to_vector();
  }
  const double* luminance = filters.at("luminance_filters").data();
  const double* colour = filters.at("colour_filters").data();
  const std::array<double, 3> gray = {1, 1, 1}, red_green = {1, -1, 0}, yellow_blue = {0.5, 0.5, -1};
  Drawing drawing;
  constexpr int left = 250;
  int top = 24;
  const auto row = [&](const std::string& name, const std::string& below) {
    drawing.text(10, top + 18, name);
    drawing.text(10, top + 35, below);
  };
  for (int orientation = 0; orientation < 6; ++orientation) {
    drawing.text(left + orientation * kStep + 8, 16, concat_text(30 * orientation, "&#176;"));
  }
  const char* names[4][2] = {{"thin lines", "even Gabor, 0.25 cycles a pixel"},
                             {"thin edges", "odd"},
                             {"broad lines", "even, 0.14 cycles a pixel"},
                             {"broad edges", "odd"}};
  for (int kind = 0; kind < 4; ++kind, top += kStep) {
    row(names[kind][0], names[kind][1]);
    for (int orientation = 0; orientation < 6; ++orientation) {
      const int filter = (kind / 2 * 6 + orientation) * 2 + kind % 2;
      drawing.tile(left + orientation * kStep, top, luminance + filter * 49, gray);
    }
  }
  row("brightness", "Gaussian");
  drawing.tile(left, top, luminance + 24 * 49, gray);
  top += kStep;
  for (const auto& [name, axis] :
       {std::pair{"red against green", red_green}, {"yellow against blue", yellow_blue}}) {
    row(name, "Gaussian; odd at 0, 45, 90, 135&#176;");
    for (int filter = 0; filter < FilterBank::colour_filters; ++filter) {
      drawing.tile(left + filter * kStep, top, colour + filter * 49, axis);
    }
    top += kStep;
  }
  return drawing.svg(left + 6 * kStep, top);
}

}  // namespace

int main(int argc, char** argv) {
  const CommandLine line(
      "draw-filter-bank",
      "Draws the filter bank's filters, as they are computed with, as SVG to standard output.");
  line.footer("Example:\n  draw-filter-bank > docs/figures/filter_bank.svg");
  return line.run(argc, argv, [] {
    std::cout << draw();
    return true;
  });
}
