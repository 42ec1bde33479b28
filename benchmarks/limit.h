// How fast a work could be on a machine of given peaks.
#pragma once

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gesso/autograd/profiler.h"
#include "peaks.h"

namespace gesso {

/// What operations cannot do without.
struct Need {
  double gflop = 0;      ///< multiplications and additions, where Winograd serves a quarter of the formula's
  double gigabytes = 0;  ///< operands read once and results written once
};

inline double float_gigabytes(const std::vector<Shape>& shapes) {
  double numbers = 0;
  for (const Shape& shape : shapes) {
    numbers += static_cast<double>(shape.numel());
  }
  return 1e-9 * sizeof(float) * numbers;
}

/// Of one product of an operation: y of convolution and matrix products, half of it where the result is
/// symmetric; 0 for other operations.
inline double gflop_of_one_product(const ProfiledOperation& operation) {
  const double results = 2e-9 * static_cast<double>(operation.result.numel());
  if (operation.name == "conv2d") {
    const Shape &x = operation.inputs.at(0), &w = operation.inputs.at(1);
    const bool stride_1 = x[2] < 2 * operation.result[2];
    const bool winograd = stride_1 && w[2] >= 3 && w[1] > 1;
    return results * static_cast<double>(w[1] * w[2] * w[3]) / (winograd ? 4 : 1);
  }
  if (operation.name == "gram_matrix") {
    const Shape& x = operation.inputs.at(0);
    return results * static_cast<double>(x[2] * x[3]) / 2;
  }
  if (operation.name == "linear") {
    return results * static_cast<double>(operation.inputs.at(0)[operation.inputs.at(0).rank() - 1]);
  }
  return 0;
}

/// Of float32 operations as a Profiler took them down. Convolutions of stride 1 with kernels of 3 and more count as
/// Winograd's F(4x4, 3x3), which takes 36 products where the formula takes 144 (Lavin and Gray 2016, arXiv
/// 1509.09308). Backward there is such a product for each gradient but the bias's. Bytes are those of inputs and
/// result, and backward those of the result's gradient, the inputs' and, for what multiplies or normalizes, the
/// inputs.
inline Need need_of(const std::vector<ProfiledOperation>& operations) {
  Need need;
  for (const ProfiledOperation& operation : operations) {
    if (operation.name == "reshape") {
      continue;  // moves nothing
    }
    // Gradients of a symmetric result are products with all of it.
    const bool whole = operation.backward && operation.name == "gram_matrix";
    const double product = gflop_of_one_product(operation) * (whole ? 2 : 1);
    if (!operation.backward) {
      need.gflop += product;
      need.gigabytes += float_gigabytes(operation.inputs) + float_gigabytes({operation.result});
      continue;
    }
    const bool reads_inputs = product > 0 || operation.name == "mul" || operation.name == "square" ||
                              operation.name == "mse_loss" ||
                              operation.name.find("norm") != std::string::npos;
    need.gflop +=
        product * static_cast<double>(std::count_if(operation.gradients.begin(), operation.gradients.end(),
                                                    [](const Shape& shape) { return shape.rank() > 1; }));
    need.gigabytes += float_gigabytes({operation.result}) + float_gigabytes(operation.gradients) +
                      (reads_inputs ? float_gigabytes(operation.inputs) : 0);
  }
  return need;
}

/// Seconds of the products at the peak rate and then of the bytes at theirs: what a program takes that does both as
/// well as the machine can, one after the other.
inline double limit_seconds(const Need& need, const Peaks& peaks) {
  return need.gflop / peaks.gflops + need.gigabytes / peaks.gigabytes;
}

/// Where time is lost: a line for each operation and shapes of its inputs, forward and backward apart, with how often
/// it ran, its milliseconds and its limit's, in a mean of `repetitions`; those that lose most first.
inline std::string table_of_losses(const std::vector<ProfiledOperation>& operations, const Peaks& peaks,
                                   int repetitions) {
  struct Row {
    double calls = 0, seconds = 0, limit = 0;

    double lost() const { return seconds - limit; }
  };
  std::map<std::string, Row> sums;
  for (const ProfiledOperation& operation : operations) {
    std::string name = operation.name;
    if (operation.backward) name.append(" backward");
    for (const Shape& shape : operation.inputs) name.append(1, ' ').append(shape.str());
    Row& row = sums[name];
    row.calls += 1.0 / repetitions;
    row.seconds += operation.seconds / repetitions;
    row.limit += limit_seconds(need_of({operation}), peaks) / repetitions;
  }
  std::vector<std::pair<std::string, Row>> rows(sums.begin(), sums.end());
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.second.lost() > b.second.lost(); });
  std::string text = "calls        ms     limit      lost  operation, shapes of its inputs\n";
  for (const auto& [name, row] : rows) {
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "%5.0f %9.2f %9.2f %9.2f  ", row.calls, 1e3 * row.seconds,
                  1e3 * row.limit, 1e3 * row.lost());
    text.append(numbers).append(name).append(1, '\n');
  }
  return text;
}

}  // namespace gesso
