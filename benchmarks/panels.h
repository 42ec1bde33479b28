// Figures of curves over a few places, panel beside panel, as SVG that follows light and dark mode.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace gesso {

/// One curve: its mean and its range at each place. NaN leaves a place out.
struct Curve {
  std::string name;
  std::string colour;  ///< that tells apart for all eyes, in light and dark mode
  std::string dashes;  ///< "none", or lengths as SVG has them
  std::vector<double> mean, low, high;
};

struct Panel {
  std::string title;
  std::string place;                ///< what stands below the horizontal axis
  std::vector<std::string> places;  ///< of the curves' values; "" is not marked
  double low, high;                 ///< of the vertical axis: where the first and the last grid line are
  double step;                      ///< from grid line to grid line
  bool logarithmic;                 ///< then low, high and step are powers of 10
  std::vector<Curve> curves;
};

namespace detail {

template <class... Values>
std::string printed(const char* pattern, Values... values) {
  char text[1024];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

inline std::string panel_svg(const Panel& panel, double left, double top, double width, double height) {
  const auto x_at = [&](std::size_t i) {
    return left + width * (static_cast<double>(i) + 0.5) / static_cast<double>(panel.places.size());
  };
  const auto y_at = [&](double value) {
    const double v = panel.logarithmic ? std::log10(std::fmax(value, 1e-300)) : value;
    return top +
           height * (panel.high - std::fmin(std::fmax(v, panel.low), panel.high)) / (panel.high - panel.low);
  };
  std::string out = printed("<text x=\"%.1f\" y=\"%.1f\" font-weight=\"bold\">%s</text>\n", left, top - 14,
                            panel.title.c_str());
  for (double v = panel.low; v <= panel.high + panel.step / 2; v += panel.step) {
    const double y = top + height * (panel.high - v) / (panel.high - panel.low);
    out += printed("<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", left, y,
                   left + width, y);
    out += panel.logarithmic
               ? printed(
                     "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">10<tspan dy=\"-6\" "
                     "font-size=\"10\">%.0f</tspan></text>\n",
                     left - 8, y + 5, v)
               : printed("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.1f</text>\n", left - 8, y + 5, v);
  }
  for (std::size_t i = 0; i < panel.places.size(); ++i) {
    out += printed("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", x_at(i),
                   top + height + 20, panel.places[i].c_str());
  }
  out += printed("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", left + width / 2,
                 top + height + 42, panel.place.c_str());
  for (const Curve& curve : panel.curves) {
    std::string points;
    for (std::size_t i = 0; i < curve.mean.size(); ++i) {
      if (std::isfinite(curve.mean[i])) {
        points += printed("%.1f,%.1f ", x_at(i), y_at(curve.mean[i]));
        out += printed(
            "<line stroke=\"%s\" stroke-width=\"1\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
            curve.colour.c_str(), x_at(i), y_at(curve.low[i]), x_at(i), y_at(curve.high[i]));
      }
    }
    out += printed(
               "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" stroke-dasharray=\"%s\" points=\"",
               curve.colour.c_str(), curve.dashes.c_str()) +
           points + "\"/>\n";
  }
  return out;
}

}  // namespace detail

/// The panels side by side, and the names of the first one's curves to the right of them.
inline std::string panels_svg(const std::string& title, const std::string& description,
                              const std::vector<Panel>& panels) {
  constexpr double kLeft = 56, kTop = 40, kWidth = 330, kHeight = 290, kApart = 60, kNames = 170;
  const double width = kLeft + static_cast<double>(panels.size()) * (kWidth + kApart) + kNames;
  using detail::printed;
  std::string out =
      printed(
          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f 400\" font-family=\"sans-serif\" "
          "font-size=\"13\" role=\"img\">\n",
          width) +
      "<title>" + title + "</title>\n<desc>" + description +
      "</desc>\n<style>text{fill:#222}.grid{stroke:#ddd}.paper{fill:#fff}\n"
      "@media (prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}.paper{fill:#16181c}}</style>\n" +
      printed("<rect class=\"paper\" width=\"%.0f\" height=\"400\"/>\n", width);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    out += detail::panel_svg(panels[i], kLeft + static_cast<double>(i) * (kWidth + kApart), kTop, kWidth,
                             kHeight);
  }
  double y = kTop + 16;
  const double x = width - kNames - kApart / 2;
  for (const Curve& curve : panels.front().curves) {
    out += printed(
        "<line stroke=\"%s\" stroke-width=\"2.5\" stroke-dasharray=\"%s\" "
        "x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
        "y2=\"%.1f\"/>\n<text x=\"%.1f\" y=\"%.1f\">%s</text>\n",
        curve.colour.c_str(), curve.dashes.c_str(), x, y, x + 34, y, x + 42, y + 5, curve.name.c_str());
    y += 24;
  }
  return out + "</svg>\n";
}

}  // namespace gesso
