#include "lab.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace norm_lab {

using namespace gesso;

std::string plane_name(Index plane, Index channels) {
  return concat_text("n=", plane / channels, " c=", plane % channels);
}

std::string short_number(double value) {
  const double size = std::abs(value);
  char buffer[32];
  const bool far = size != 0 && (size < 1e-3 || size >= 1e5);
  std::snprintf(buffer, sizeof buffer, far ? "%.1e" : size >= 1e3 ? "%.0f" : "%.4g", value);
  return buffer;
}

Counts count_values(const Tensor& tensor, int bins) {
  const std::vector<double> values = tensor.to_vector();
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  const double low = *lowest, high = *highest;
  const std::size_t plane = static_cast<std::size_t>(tensor.size(2) * tensor.size(3));
  Counts counts{low, high, std::vector(values.size() / plane, std::vector<Index>(bins))};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double share = high > low ? (values[i] - low) / (high - low) : 0;
    ++counts.planes[i / plane][std::min<Index>(bins - 1, static_cast<Index>(share * bins))];
  }
  return counts;
}

Tensor color_map(const Tensor& tensor, Index plane, double limit) {
  // "RdBu" of colorbrewer2.org: safe for colour-blind readers.
  constexpr double kNegative[] = {0.13, 0.40, 0.67}, kZero[] = {0.97, 0.97, 0.97},
                   kPositive[] = {0.70, 0.09, 0.17};
  const Index height = tensor.size(2), width = tensor.size(3), size = height * width;
  const std::vector<double> values = tensor.to_vector();
  Tensor picture = Tensor::empty({1, 3, height, width});
  float* pixels = picture.mutable_data<float>();
  for (Index i = 0; i < size; ++i) {
    const double value = limit > 0 ? std::clamp(values[plane * size + i] / limit, -1.0, 1.0) : 0;
    for (int c = 0; c < 3; ++c) {
      const double end = value < 0 ? kNegative[c] : kPositive[c];
      pixels[c * size + i] = static_cast<float>(kZero[c] + std::abs(value) * (end - kZero[c]));
    }
  }
  return picture;
}

}  // namespace norm_lab
