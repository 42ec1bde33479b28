#include "judge.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <sstream>

namespace {

std::string text_of(double value) {
  if (std::isnan(value)) return "NaN";
  char text[32];
  std::snprintf(text, sizeof text, "%.5g", value);
  return text;
}

// Rows of numbers below each other, at most eight columns of them.
std::string table(const Given& rows) {
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.first.size());
  std::ostringstream out;
  for (const auto& [name, numbers] : rows) {
    out << "    " << std::string(width - name.size(), ' ') << name;
    for (int i = 0; i < std::min(numbers.size(), 8); ++i) {
      const std::string text = text_of(numbers[i]);
      out << "  " << std::string(std::max<int>(0, 10 - static_cast<int>(text.size())), ' ') << text;
    }
    out << (numbers.size() > 8 ? "  ..." : "") << "\n";
  }
  return out.str();
}

double unit(const Numbers& right) {
  double largest = 1;
  for (const double v : right) largest = std::max(largest, std::abs(v));
  return largest;
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::max(std::abs(a), std::abs(b)); }

// What all elements have in common, if the error is one that has a name; else "".
std::string pattern(const Numbers& yours, const Numbers& right, const Given& given) {
  const int m = yours.size();
  const std::string all = m > 1 ? "Everything" : "It";
  if (m > 1 && std::all_of(yours.begin(), yours.end(), [](double v) { return v == 0; }))
    return "All of yours are 0.";
  double ratio = 0, offset = yours[0] - right[0];
  bool one_ratio = true, one_offset = m > 1;
  for (int i = 0; i < m; ++i) {
    one_offset = one_offset && near(yours[i], right[i] + offset);
    if (std::abs(right[i]) <= 1e-9 && std::abs(yours[i]) <= 1e-9) continue;
    if (ratio == 0) ratio = yours[i] / right[i];
    one_ratio = one_ratio && near(yours[i], ratio * right[i]);
  }
  if (one_ratio && ratio != 0) {
    if (near(ratio, -1)) return all + " has the wrong sign.";
    std::string text = all + " is " + text_of(ratio) + " times what it should be";
    Given scalars;
    for (const auto& row : given) {
      if (row.second.size() == 1) scalars.push_back(row);
    }
    if (m > 1) scalars.push_back({"m", {static_cast<double>(m)}});
    for (const auto& [name, value] : scalars) {
      if (near(std::abs(ratio), std::abs(value[0]))) {
        return text + "; " + name + " is " + text_of(value[0]) + ".";
      }
      if (near(std::abs(ratio), std::abs(1 / value[0]))) {
        return text + "; 1 / " + name + " is " + text_of(1 / value[0]) + ".";
      }
    }
    if (m == 1) return "";
    return text + ".";
  }
  if (one_offset) return "Everything is off by the same " + text_of(offset) + ".";
  return "";
}

}  // namespace

void Judge::with(const std::string& case_name, const Given& given) {
  case_name_ = case_name;
  given_ = given;
}

std::string Judge::context() const { return "  With " + case_name_ + ":\n" + table(given_); }

void Judge::wrong(const std::string& text) const { throw Wrong{text}; }

void Judge::compare(const std::string& name, const Numbers& yours, const Numbers& right) {
  compare(name, yours, right, right);
}

void Judge::compare(const std::string& name, const Numbers& yours, const Numbers& right,
                    const Numbers& by_differences) {
  if (yours.size() != right.size()) {
    wrong(name + " has " + std::to_string(yours.size()) + " numbers; it should have " +
          std::to_string(right.size()) + ".");
  }
  const bool gradient = &by_differences != &right;
  int worst = 0, off = 0;
  double worst_error = -1;
  for (int i = 0; i < yours.size(); ++i) {
    const double error = std::abs(yours[i] - right[i]);
    const bool fine =
        error <= 1e-9 * unit(right) && std::abs(yours[i] - by_differences[i]) <= 1e-6 * unit(by_differences);
    if (fine) continue;
    ++off;
    if (!(error <= worst_error)) {  // NaN is the worst
      worst = i;
      worst_error = std::isnan(error) ? HUGE_VAL : error;
    }
  }
  if (off > 0) {
    const bool one = yours.size() == 1;
    std::string text = one ? name : name + "[" + std::to_string(worst) + "]";
    text += " is " + text_of(yours[worst]) + " and should be " + text_of(right[worst]);
    if (gradient) {
      text += " (gesso's backward; finite differences say " + text_of(by_differences[worst]) + ")";
    }
    text += ".";
    if (!one) {
      text += " " + std::to_string(off) + " of " + std::to_string(yours.size()) + " are wrong" +
              (off > 1 ? ", this one most." : ".");
    }
    if (!std::isfinite(yours[worst])) {
      text +=
          "\n  A number like that comes from a division by 0, a root of a negative number, or a number that"
          " was never set.";
    } else if (const std::string same = pattern(yours, right, given_); !same.empty()) {
      text += "\n  " + same;
    }
    given_.push_back({"your " + name, yours});
    given_.push_back({"right " + name, right});
    wrong(text + "\n\n" + context());
  }
  checked_ += yours.size();
}

Numbers differences(const std::function<double(const Numbers&)>& loss, const Numbers& at) {
  Numbers gradient(at.size()), moved = at;
  for (int i = 0; i < at.size(); ++i) {
    const double h = 1e-5 * std::max(1.0, std::abs(at[i]));
    moved[i] = at[i] + h;
    const double above = loss(moved);
    moved[i] = at[i] - h;
    const double below = loss(moved);
    moved[i] = at[i];
    gradient[i] = (above - below) / (2 * h);
  }
  return gradient;
}

double dot(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (int i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Exit status: 0 passed, 1 not yet.
int main() {
  Judge judge;
  try {
    check(judge);
  } catch (const Judge::Wrong& wrong) {
    std::cout << exercise.title << ": not yet right\n  " << wrong.text;
    if (wrong.text.back() != '\n') std::cout << "\n";
    return 1;
  } catch (const std::exception& error) {  // an index out of range
    std::cout << exercise.title << ": not yet right\n  " << error.what() << ".\n\n" << judge.context();
    return 1;
  }
  std::cout << exercise.title << ": passed (" << judge.checked()
            << " numbers compared)\n  In gesso: " << exercise.in_gesso << "\n";
  return 0;
}
