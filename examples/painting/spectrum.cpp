#include "spectrum.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "brightness.h"
#include "gesso/core/error.h"
#include "gesso/core/parallel.h"

namespace gesso {
namespace {

constexpr Index kLargestSquare = 128;
// Far above the energy that rounding leaves in a picture of one colour, far below that of a single pixel.
constexpr double kNothing = 1e-15;

// Cosines and sines of the angles -2 pi k n / size, as size x size tables: [k * size + n].
struct Waves {
  explicit Waves(Index size) : size(size), cosines(size * size), sines(size * size) {
    for (Index k = 0; k < size; ++k) {
      for (Index n = 0; n < size; ++n) {
        const double angle =
            -2 * std::numbers::pi * static_cast<double>(k * n % size) / static_cast<double>(size);
        cosines[k * size + n] = std::cos(angle);
        sines[k * size + n] = std::sin(angle);
      }
    }
  }
  Index size;
  std::vector<double> cosines, sines;
};

// |DFT|^2 of a real square, for column frequencies 0 <= u <= size / 2: [v * (size / 2 + 1) + u].
std::vector<double> power_of(const std::vector<double>& square, const Waves& waves) {
  const Index size = waves.size, half = size / 2 + 1;
  std::vector<double> real(size * half), imaginary(size * half), power(size * half);
  for (Index y = 0; y < size; ++y) {
    for (Index u = 0; u < half; ++u) {
      double re = 0, im = 0;
      for (Index x = 0; x < size; ++x) {
        re += square[y * size + x] * waves.cosines[u * size + x];
        im += square[y * size + x] * waves.sines[u * size + x];
      }
      real[y * half + u] = re;
      imaginary[y * half + u] = im;
    }
  }
  std::vector<double> re(half), im(half);
  for (Index v = 0; v < size; ++v) {
    std::fill(re.begin(), re.end(), 0);
    std::fill(im.begin(), im.end(), 0);
    for (Index y = 0; y < size; ++y) {
      const double c = waves.cosines[v * size + y], s = waves.sines[v * size + y];
      for (Index u = 0; u < half; ++u) {
        re[u] += c * real[y * half + u] - s * imaginary[y * half + u];
        im[u] += c * imaginary[y * half + u] + s * real[y * half + u];
      }
    }
    for (Index u = 0; u < half; ++u) {
      power[v * half + u] = re[u] * re[u] + im[u] * im[u];
    }
  }
  return power;
}

// The square of the picture's brightness at (top, left), less its mean, under a Hann window.
std::vector<double> windowed(const Tensor& picture, Index top, Index left, Index size) {
  const Index width = picture.size(3), plane = picture.size(2) * width;
  const float* values = picture.data<float>();
  std::vector<double> square;
  double sum = 0;
  for (Index y = 0; y < size; ++y) {
    for (Index x = 0; x < size; ++x) {
      const float* at = values + (top + y) * width + left + x;
      square.push_back(brightness(at, plane));
      sum += square.back();
    }
  }
  const double mean = sum / static_cast<double>(size * size);
  const auto hann = [&](Index i) {
    return 0.5 -
           0.5 * std::cos(2 * std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(size));
  };
  for (Index y = 0; y < size; ++y) {
    for (Index x = 0; x < size; ++x) {
      square[y * size + x] = (square[y * size + x] - mean) * hann(y) * hann(x);
    }
  }
  return square;
}

// Where squares of `size` begin along a side: half a square apart, the last at the end.
std::vector<Index> places(Index side, Index size) {
  std::vector<Index> all;
  for (Index at = 0; at + size < side; at += size / 2) {
    all.push_back(at);
  }
  all.push_back(side - size);
  return all;
}

std::vector<double> mean_power(const Tensor& picture, Index size) {
  const Waves waves(size);
  std::vector<std::pair<Index, Index>> corners;
  for (const Index top : places(picture.size(2), size)) {
    for (const Index left : places(picture.size(3), size)) {
      corners.emplace_back(top, left);
    }
  }
  const Index count = static_cast<Index>(corners.size());
  std::vector<std::vector<double>> powers(corners.size());
  parallel_for(count, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      powers[i] = power_of(windowed(picture, corners[i].first, corners[i].second, size), waves);
    }
  });
  std::vector<double> mean(powers.front().size());
  for (const std::vector<double>& power : powers) {
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] += power[i] / static_cast<double>(count);
    }
  }
  return mean;
}

struct Mean {
  double sum = 0, count = 0;
  void add(double value) {
    sum += value;
    count += 1;
  }
  double value() const { return count > 0 ? sum / count : 0; }
};

}  // namespace

PictureSpectrum measure_spectrum(const Tensor& picture) {
  require(picture.rank() == 4 && picture.size(0) == 1 && picture.size(1) == 3 && picture.size(2) >= 32 &&
              picture.size(3) >= 32 && picture.dtype() == float32,
          "measure_spectrum: the picture has shape ", picture.shape(),
          "; it must be float32 (1, 3, H, W) with H and W of at least 32");
  const Index size = std::min({kLargestSquare, picture.size(2), picture.size(3)}) / 2 * 2,
              half = size / 2 + 1;
  const std::vector<double> power = mean_power(picture, size);
  Mean upright, level, diagonal;
  for (Index v = 0; v < size; ++v) {
    for (Index u = 0; u < half; ++u) {
      const double x = static_cast<double>(u) / static_cast<double>(size);
      const double y = static_cast<double>(v <= size / 2 ? v : size - v) / static_cast<double>(size);
      const double frequency = std::hypot(x, y), energy = power[v * half + u];
      const double degrees = std::atan2(y, x) * 180 / std::numbers::pi;  // 0: upright lines
      if (frequency >= 1.0 / 8 && frequency <= 1.0 / 3) {
        if (degrees <= 15) {
          upright.add(energy);
        } else if (degrees >= 75) {
          level.add(energy);
        } else if (degrees >= 30 && degrees <= 60) {
          diagonal.add(energy);
        }
      }
    }
  }
  return {.upright = (upright.value() + kNothing) / (diagonal.value() + kNothing),
          .level = (level.value() + kNothing) / (diagonal.value() + kNothing)};
}

}  // namespace gesso
