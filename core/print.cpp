// Printing a tensor the way people read it: nested brackets, aligned columns, long dimensions cut in the
// middle.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "gesso/core/tensor.h"

namespace gesso {
namespace {

constexpr Index kWholeBelow = 1000;  // tensors up to this many elements are printed whole
constexpr Index kEdge = 3;           // else this many at each end of a dimension

struct Printer {
  std::ostream& out;
  const Shape& shape;
  const std::vector<double> values;
  bool whole;
  bool scientific = false;
  int width = 0;

  std::string text(double value) const {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, scientific ? "%.4e" : "%.4f", value);
    return buffer;
  }

  // Calls visit(i) for the indices shown of a dimension and gap() where some are left out.
  template <class Visit, class Gap>
  void shown(Index size, Visit visit, Gap gap) const {
    for (Index i = 0; i < size; ++i) {
      if (!whole && size > 2 * kEdge && i == kEdge) {
        gap();
        i = size - kEdge;
      }
      visit(i);
    }
  }

  void measure(int dim, Index offset) {
    if (dim == shape.rank()) {
      width = std::max(width, static_cast<int>(text(values[offset]).size()));
      return;
    }
    shown(
        shape[dim], [&](Index i) { measure(dim + 1, offset * shape[dim] + i); }, [] {});
  }

  void print(int dim, Index offset) {
    if (dim == shape.rank()) {
      const std::string number = text(values[offset]);
      out << std::string(width - number.size(), ' ') << number;
      return;
    }
    const bool innermost = dim == shape.rank() - 1;
    std::string newline(dim + 2, ' ');
    newline[0] = '\n';
    out << '[';
    bool first = true;
    const auto separate = [&] {
      if (!first) {
        out << (innermost ? ", " : newline.c_str());
      }
      first = false;
    };
    shown(
        shape[dim],
        [&](Index i) {
          separate();
          print(dim + 1, offset * shape[dim] + i);
        },
        [&] {
          separate();
          out << "...";
        });
    out << ']';
  }
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) {
    return out << "undefined tensor";
  }
  Printer printer{out, tensor.shape(), tensor.to_vector(), tensor.numel() <= kWholeBelow};
  double largest = 0, smallest = 1e5;
  for (double value : printer.values) {
    if (std::isfinite(value) && value != 0) {
      largest = std::max(largest, std::abs(value));
      smallest = std::min(smallest, std::abs(value));
    }
  }
  // Only 0 is printed as 0.0000.
  printer.scientific = largest >= 1e5 || (largest > 0 && largest < 1e-3) || smallest < 1e-4;
  if (tensor.numel() > 0) {
    printer.measure(0, 0);
    printer.print(0, 0);
  } else {
    out << "[]";
  }
  return out << "\n" << tensor.describe();
}

}  // namespace gesso
