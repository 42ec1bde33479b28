#include "filters.h"

#include <limits>

namespace draw {
namespace {

constexpr double kFar = 1e12;

// squared[i] becomes the least squared[j] + (i - j)^2: the lower envelope of parabolas.
void transform_line(std::vector<double>& squared, std::vector<int>& root, std::vector<double>& border) {
  const int count = static_cast<int>(squared.size());
  int last = 0;
  root[0] = 0;
  border[0] = -std::numeric_limits<double>::infinity();
  border[1] = std::numeric_limits<double>::infinity();
  for (int q = 1; q < count; ++q) {
    double meet;
    for (;; --last) {
      const int p = root[last];
      meet = (squared[q] + double(q) * q - squared[p] - double(p) * p) / (2.0 * (q - p));
      if (meet > border[last]) {
        break;
      }
    }
    ++last;
    root[last] = q;
    border[last] = meet;
    border[last + 1] = std::numeric_limits<double>::infinity();
  }
  std::vector<double> result(count);
  for (int q = 0, k = 0; q < count; ++q) {
    while (border[k + 1] < q) {
      ++k;
    }
    result[q] = squared[root[k]] + double(q - root[k]) * (q - root[k]);
  }
  squared = result;
}

// One moving average over 2 radius + 1 values, ends repeated.
void average_line(std::vector<double>& line, int radius) {
  const int count = static_cast<int>(line.size());
  const auto value = [&](int i) { return line[std::clamp(i, 0, count - 1)]; };
  double sum = 0;
  for (int i = -radius; i <= radius; ++i) {
    sum += value(i);
  }
  std::vector<double> result(count);
  for (int i = 0; i < count; ++i) {
    result[i] = sum / (2 * radius + 1);
    sum += value(i + radius + 1) - value(i - radius);
  }
  line = result;
}

// Calls change(line) for every column and then for every row of the field.
void for_each_line(Field& field, const std::function<void(std::vector<double>&)>& change) {
  gesso::parallel_for(field.width, 16, [&](gesso::Index begin, gesso::Index end) {
    std::vector<double> line(field.height);
    for (int x = static_cast<int>(begin); x < end; ++x) {
      for (int y = 0; y < field.height; ++y) {
        line[y] = field.at(x, y);
      }
      change(line);
      for (int y = 0; y < field.height; ++y) {
        field.at(x, y) = static_cast<float>(line[y]);
      }
    }
  });
  gesso::parallel_for(field.height, 16, [&](gesso::Index begin, gesso::Index end) {
    std::vector<double> line(field.width);
    for (int y = static_cast<int>(begin); y < end; ++y) {
      for (int x = 0; x < field.width; ++x) {
        line[x] = field.at(x, y);
      }
      change(line);
      for (int x = 0; x < field.width; ++x) {
        field.at(x, y) = static_cast<float>(line[x]);
      }
    }
  });
}

}  // namespace

Field distance_to(const Canvas& canvas, const std::function<bool(int, int)>& inside) {
  Field field(canvas);
  canvas.for_each([&](int x, int y) { field.at(x, y) = inside(x, y) ? 0 : static_cast<float>(kFar); });
  for_each_line(field, [](std::vector<double>& line) {
    std::vector<int> root(line.size());
    std::vector<double> border(line.size() + 1);
    transform_line(line, root, border);
  });
  for (float& value : field.values) {
    value = std::sqrt(value) / static_cast<float>(canvas.scale());
  }
  return field;
}

Field blurred(const Canvas& canvas, const Field& field, double sigma) {
  // Three averages of width w have the variance (w^2 - 1) / 4.
  const double pixels = sigma * canvas.scale();
  const int radius = static_cast<int>(std::lround((std::sqrt(4 * pixels * pixels + 1) - 1) / 2));
  Field result = field;
  for_each_line(result, [radius](std::vector<double>& line) {
    for (int pass = 0; pass < 3; ++pass) {
      average_line(line, radius);
    }
  });
  return result;
}

}  // namespace draw
