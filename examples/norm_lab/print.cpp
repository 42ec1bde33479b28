// The lab in a terminal.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "lab.h"

namespace norm_lab {

using namespace gesso;

namespace {

constexpr std::size_t kWidth = 78;  // 80 columns and a margin
constexpr Index kLargestPlane = 8;  // rows and columns; of larger planes a corner is shown
constexpr Index kCorner = 3;

void print_words(std::ostream& out, const std::string& text, const std::string& indent) {
  std::istringstream words(text);
  std::string word, line = indent;
  while (words >> word) {
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kWidth) {
      out << line << '\n';
      line = indent;
    }
    if (line.size() > indent.size()) {
      line += ' ';
    }
    line += word;
  }
  out << line << '\n';
}

// How many letters a text of UTF-8 takes on the screen.
std::size_t letters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, letters(text)), ' ');
  return right ? space + text : text + space;
}

// Or empty: a gap in a column of numbers.
bool is_number(const std::string& text) {
  return text.find_first_not_of("0123456789.+-e") == std::string::npos;
}

void print_block(std::ostream& out, const Text& text) { print_words(out, text.text, "  "); }

void print_block(std::ostream& out, const Formula& formula) {
  for (const std::string& line : formula.lines) {
    out << "      " << line << '\n';
  }
}

void print_block(std::ostream& out, const Table& table) {
  std::vector<std::size_t> width;
  std::vector<bool> numeric;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    width.push_back(letters(table.columns[c]));
    numeric.push_back(true);
    for (const auto& row : table.rows) {
      width[c] = std::max(width[c], letters(row.at(c)));
      numeric[c] = numeric[c] && is_number(row[c]);
    }
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text = "   ";
    for (std::size_t c = 0; c < cells.size(); ++c) {
      text += ' ';
      text += padded(cells[c], width[c], numeric[c]);
      text += ' ';
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
  };
  if (!table.title.empty()) {
    out << "  " << table.title << '\n';
  }
  line(table.columns);
  std::size_t total = 0;
  for (const std::size_t w : width) {
    total += w + 2;
  }
  out << "    " << std::string(total - 2, '-') << '\n';
  for (const auto& row : table.rows) {
    line(row);
  }
}

// So many digits after the point that the largest value shows three digits.
int decimals_for(double largest) {
  return largest > 0 ? std::clamp(2 - static_cast<int>(std::floor(std::log10(largest))), 0, 8) : 2;
}

// What is shown of the planes of a tensor.
struct Part {
  Index rows, columns;
  bool whole;
};
Part part_of(const Shape& shape) {
  const bool whole = std::max(shape[2], shape[3]) <= kLargestPlane;
  return whole ? Part{shape[2], shape[3], true}
               : Part{std::min(kCorner, shape[2]), std::min(kCorner, shape[3]), false};
}

double largest_size(const Values& values) {
  const Shape& shape = values.tensor.shape();
  const auto [rows, columns, whole] = part_of(shape);
  const std::vector<double> all = values.tensor.to_vector();
  double largest = 0;
  for (Index row = 0; row < shape[0] * shape[1] * rows; ++row) {
    for (Index j = 0; j < columns; ++j) {
      const Index i = row / rows * shape[2] + row % rows;
      largest = std::max(largest, std::abs(all[static_cast<std::size_t>(i * shape[3] + j)]));
    }
  }
  return largest;
}

// With the digits that `largest` asks for.
void print_values(std::ostream& out, const Values& values, double largest) {
  const Shape& shape = values.tensor.shape();
  const auto [rows, columns, whole] = part_of(shape);
  out << "  " << values.name << (whole ? "" : concat_text(", corner of ", shape[2], " x ", shape[3])) << '\n';
  const std::vector<double> all = values.tensor.to_vector();
  const Index planes = shape[0] * shape[1];
  const auto at = [&](Index plane, Index i, Index j) {
    return all[static_cast<std::size_t>((plane * shape[2] + i) * shape[3] + j)];
  };
  const int decimals = std::min(decimals_for(largest), 4);
  const auto number = [&](double value) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
    const std::string text = buffer;
    return text.find_first_not_of("-0.") == std::string::npos ? text.substr(text[0] == '-')
                                                              : text;  // no -0.00
  };
  std::size_t digits = 1;
  for (Index p = 0; p < planes; ++p) {
    for (Index i = 0; i < rows * columns; ++i) {
      digits = std::max(digits, number(at(p, i / columns, i % columns)).size());
    }
  }
  const std::size_t plane_width = std::max<std::size_t>(7, (digits + 1) * columns - 1);
  // Planes side by side.
  Index across = std::max<Index>(1, static_cast<Index>((kWidth - 4 + 3) / (plane_width + 3)));
  if (across < planes && across > shape[1]) {
    across -= across % shape[1];  // whole samples
  }
  for (Index first = 0; first < planes; first += across) {
    const Index last = std::min(planes, first + across);
    const auto line = [&](auto cell) {
      std::string text = "    ";
      for (Index p = first; p < last; ++p) {
        text += padded(cell(p), plane_width + 3, false);
      }
      text.erase(text.find_last_not_of(' ') + 1);
      out << text << '\n';
    };
    line([&](Index p) { return plane_name(p, shape[1]); });
    for (Index i = 0; i < rows; ++i) {
      line([&, columns = columns](Index p) {
        std::string text;
        for (Index j = 0; j < columns; ++j) {
          text += padded(number(at(p, i, j)), digits + (j > 0 ? 1 : 0), true);
        }
        return text;
      });
    }
  }
}

void print_block(std::ostream& out, const Values& values) { print_values(out, values, largest_size(values)); }

void print_block(std::ostream& out, const OneScale& group) {
  double largest = 0;
  for (const Values& values : group.values) {
    largest = std::max(largest, largest_size(values));
  }
  out << "  " << group.title << '\n';
  for (const Values& values : group.values) {
    out << '\n';
    print_values(out, values, largest);
  }
}

void print_block(std::ostream&, const Pictures&) {}

void print_block(std::ostream& out, const Histogram& histogram) {
  constexpr const char* kBars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const Counts counts = count_values(histogram.tensor, 48);
  Index most = 1;
  for (const auto& plane : counts.planes) {
    most = std::max(most, *std::max_element(plane.begin(), plane.end()));
  }
  out << "  " << histogram.title << '\n';
  for (std::size_t p = 0; p < counts.planes.size(); ++p) {
    out << "    " << padded(plane_name(static_cast<Index>(p), histogram.tensor.size(1)), 9, false) << '|';
    for (const Index count : counts.planes[p]) {
      out << kBars[(8 * count + most - 1) / most];
    }
    out << "|\n";
  }
  const std::string low = short_number(counts.low), high = short_number(counts.high);
  out << std::string(14, ' ') << low
      << std::string(48 - std::min<std::size_t>(40, low.size() + high.size()), ' ') << high << '\n';
}

}  // namespace

void print(std::ostream& out, const Lab& lab, bool bold) {
  const std::string begin = bold ? "\033[1m" : "", end = bold ? "\033[0m" : "";
  out << begin << lab.title << end << "\n\n";
  for (const std::string& line : lab.summary) {
    print_words(out, line, "");
  }
  for (std::size_t i = 0; i < lab.sections.size(); ++i) {
    const std::string title = concat_text(i + 1, ". ", lab.sections[i].title);
    out << "\n\n" << begin << title << end << '\n' << std::string(title.size(), '-') << '\n';
    for (const Block& block : lab.sections[i].blocks) {
      if (!std::holds_alternative<Pictures>(block)) {
        out << '\n';
      }
      std::visit([&](const auto& b) { print_block(out, b); }, block);
    }
  }
}

}  // namespace norm_lab
