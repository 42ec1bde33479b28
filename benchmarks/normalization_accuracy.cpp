// How many digits of a normalized plane are right, by the way its statistics are computed, over mean / std.
//
//     build/bin/benchmark-normalization-accuracy [--svg FILE]
//
// Each line is one plane of 256 x 256 float32 numbers around a mean of 1 with a standard deviation of
// 1 / ratio. The error is the largest |y - y64| over the largest |y64|, where y64 is computed in float64 from
// the same numbers. The three textbook methods do everything in float32; gesso's column is instance_norm.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

#include "gesso/autograd/normalization.h"
#include "gesso/core/files/file.h"

namespace {

using gesso::Tensor;

struct MeanVariance {
  float mean, variance;
};

// E[x^2] - E[x]^2
MeanVariance naive(const std::vector<float>& x) {
  float sum = 0, squares = 0;
  for (float v : x) {
    sum += v;
    squares += v * v;
  }
  const float n = static_cast<float>(x.size());
  const float mean = sum / n;
  return {mean, std::fmax(squares / n - mean * mean, 0.0f)};
}

// The mean, then the mean of (x - mean)^2.
MeanVariance two_pass(const std::vector<float>& x) {
  float sum = 0, squares = 0;
  for (float v : x) {
    sum += v;
  }
  const float n = static_cast<float>(x.size());
  const float mean = sum / n;
  for (float v : x) {
    squares += (v - mean) * (v - mean);
  }
  return {mean, squares / n};
}

// Welford 1962: mean and squares kept up to date with every number.
MeanVariance welford(const std::vector<float>& x) {
  float mean = 0, squares = 0, count = 0;
  for (float v : x) {
    count += 1;
    const float deviation = v - mean;
    mean += deviation / count;
    squares += deviation * (v - mean);
  }
  return {mean, squares / count};
}

constexpr double kEps = 1e-30;  // small beside every variance here, so that only rounding is measured

std::vector<double> normalize(const std::vector<float>& x, MeanVariance m) {
  std::vector<double> y;
  const float inv_std = 1 / std::sqrt(m.variance + static_cast<float>(kEps));
  for (float v : x) {
    y.push_back((v - m.mean) * inv_std);
  }
  return y;
}

std::vector<double> normalize_in_float64(const std::vector<float>& x) {
  double sum = 0, squares = 0;
  for (double v : x) {
    sum += v;
  }
  const double mean = sum / static_cast<double>(x.size());
  for (double v : x) {
    squares += (v - mean) * (v - mean);
  }
  const double inv_std = 1 / std::sqrt(squares / static_cast<double>(x.size()) + kEps);
  std::vector<double> y;
  for (double v : x) {
    y.push_back((v - mean) * inv_std);
  }
  return y;
}

std::vector<double> normalize_by_gesso(const std::vector<float>& x) {
  Tensor plane = Tensor::empty({1, 1, 256, 256});
  std::copy(x.begin(), x.end(), plane.mutable_data<float>());
  return gesso::instance_norm(plane, {}, {}, {}, true, {.eps = kEps}).to_vector();
}

double error(const std::vector<double>& y, const std::vector<double>& expected) {
  double largest = 0, scale = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    largest = std::fmax(largest, std::abs(y[i] - expected[i]));
    scale = std::fmax(scale, std::abs(expected[i]));
  }
  return largest / scale;
}

struct Line {
  double ratio;
  double errors[4];
};
constexpr const char* kMethods[] = {"E[x^2] - E[x]^2", "two passes", "Welford", "gesso"};

std::vector<Line> measure() {
  std::vector<Line> lines;
  for (double exponent = 0; exponent <= 8; exponent += 0.5) {
    const double ratio = std::pow(10, exponent);
    gesso::Generator rng(1);
    std::vector<float> x(256 * 256);
    rng.fill_normal(x.data(), static_cast<gesso::Index>(x.size()));
    for (float& v : x) {
      v = static_cast<float>(1 + v / ratio);
    }
    const std::vector<double> expected = normalize_in_float64(x);
    lines.push_back({ratio,
                     {error(normalize(x, naive(x)), expected), error(normalize(x, two_pass(x)), expected),
                      error(normalize(x, welford(x)), expected), error(normalize_by_gesso(x), expected)}});
  }
  return lines;
}

// ---- the figure

// One curve per method over logarithmic axes, in colours that all eyes can tell apart, in light and dark
// mode.
std::string svg(const std::vector<Line>& lines) {
  constexpr double kLeft = 70, kTop = 40, kWidth = 560, kHeight = 330, kLow = -8, kHigh = 2;
  const auto x_at = [&](double ratio) { return kLeft + kWidth * std::log10(ratio) / 8; };
  const auto y_at = [&](double value) {
    const double digits = std::fmin(std::fmax(std::log10(value), kLow), kHigh);
    return kTop + kHeight * (kHigh - digits) / (kHigh - kLow);
  };
  const auto format = [](const char* pattern, auto... values) {
    char text[512];
    std::snprintf(text, sizeof text, pattern, values...);
    return std::string(text);
  };
  std::string out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 440\" font-family=\"sans-serif\" "
      "font-size=\"14\" role=\"img\">\n"
      "<title>Error of a normalized float32 plane over mean / std</title>\n"
      "<desc>On logarithmic axes: the textbook formula has lost all digits at a ratio of 3000, two passes "
      "and Welford lose more the larger the ratio, gesso stays at the rounding of float32.</desc>\n"
      "<style>text{fill:#222}.grid{stroke:#ddd}.paper{fill:#fff}\n"
      "@media (prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}.paper{fill:#16181c}}</style>\n"
      "<rect class=\"paper\" width=\"760\" height=\"440\"/>\n";
  for (int e = 0; e <= 8; ++e) {
    const double x = x_at(std::pow(10, e));
    out += format("<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x, kTop, x,
                  kTop + kHeight);
    out += format(
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">10<tspan dy=\"-6\" "
        "font-size=\"10\">%d</tspan></text>\n",
        x, kTop + kHeight + 22, e);
  }
  for (int e = static_cast<int>(kLow); e <= kHigh; e += 2) {
    const double y = y_at(std::pow(10, e));
    out += format("<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", kLeft, y,
                  kLeft + kWidth, y);
    out += format(
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">10<tspan dy=\"-6\" "
        "font-size=\"10\">%d</tspan></text>\n",
        kLeft - 8, y + 5, e);
  }
  out += format(
      "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">mean / standard deviation of the input</text>\n",
      kLeft + kWidth / 2, kTop + kHeight + 50);
  out += format(
      "<text x=\"%.1f\" y=\"22\" font-weight=\"bold\">Largest error of a normalized float32 plane, relative "
      "to the largest value</text>\n",
      kLeft);
  constexpr const char* kColours[] = {"#d55e00", "#e69f00", "#0072b2", "#009e73"};
  constexpr const char* kDashes[] = {"2 4", "8 4", "8 4 2 4", "none"};
  double label_y[4];
  for (int m = 0; m < 4; ++m) {
    out +=
        format("<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" stroke-dasharray=\"%s\" points=\"",
               kColours[m], kDashes[m]);
    for (const Line& line : lines) {
      out += format("%.1f,%.1f ", x_at(line.ratio), y_at(line.errors[m]));
    }
    out += "\"/>\n";
    label_y[m] = y_at(lines.back().errors[m]) + 5;
    for (int other = 0; other < m; ++other) {  // labels of curves that end together stand below one another
      label_y[m] = std::abs(label_y[m] - label_y[other]) < 16 ? label_y[other] + 16 : label_y[m];
    }
    out += format("<text x=\"%.1f\" y=\"%.1f\" style=\"fill:%s\">%s</text>\n", kLeft + kWidth + 8, label_y[m],
                  kColours[m], kMethods[m]);
  }
  return out + "</svg>\n";
}

void run(const std::string& svg_file) {
  std::printf(
      "Largest error of a normalized float32 plane of 256 x 256, relative to its largest value\n%-10s",
      "mean/std");
  for (const char* method : kMethods) {
    std::printf(" %16s", method);
  }
  std::printf("\n");
  const std::vector<Line> lines = measure();
  for (const Line& line : lines) {
    std::printf("%-10.1e", line.ratio);
    for (double e : line.errors) {
      std::printf(" %16.1e", e);
    }
    std::printf("\n");
  }
  if (!svg_file.empty()) {
    gesso::write_file_atomically(svg_file, svg(lines));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Prints the error of four ways to normalize a float32 plane, over mean / std from 1 to 1e8.",
               "benchmark-normalization-accuracy");
  std::string svg_file;
  app.add_option("--svg", svg_file, "also draw the curves")->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    std::fprintf(stderr, "benchmark-normalization-accuracy: %s (see --help)\n", e.what());
    return 2;
  }
  try {
    run(svg_file);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "benchmark-normalization-accuracy: %s\n", e.what());
    return 1;
  }
  return 0;
}
