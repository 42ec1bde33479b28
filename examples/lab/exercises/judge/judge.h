// What the checks of the exercises share. Each check is a file here, named after its exercise, which defines
// `exercise` and check(); judge.cpp has the main().
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "exercise.h"

struct Exercise {
  const char* title;
  const char* in_gesso;  ///< which code of gesso it is about
};
extern const Exercise exercise;

/// The numbers of one case, by name; a single number is a row of one.
using Given = std::vector<std::pair<std::string, Numbers>>;

/// Compares a student's numbers with the right ones. The first comparison that fails ends the check.
class Judge {
 public:
  /// What the comparisons that follow are about, for the verdict.
  void with(const std::string& case_name, const Given& given);

  /// `right` was computed by gesso; `differences`, of a gradient, by finite differences. Throws Wrong, whose
  /// text names the worst element, unless yours are as many, within 1e-9 of `right` and within 1e-6 of
  /// `differences`, both in units of the largest of them (at least 1).
  void compare(const std::string& name, const Numbers& yours, const Numbers& right);
  void compare(const std::string& name, const Numbers& yours, const Numbers& right,
               const Numbers& differences);

  /// The numbers of the case, as a table.
  std::string context() const;

  /// Ends the check with this text.
  [[noreturn]] void wrong(const std::string& text) const;
  /// For checks that compare something else than rows of numbers: so many were right.
  void count(int checked) { checked_ += checked; }

  struct Wrong {
    std::string text;
  };
  int checked() const { return checked_; }

 private:
  std::string case_name_;
  Given given_;
  int checked_ = 0;
};

void check(Judge& judge);

/// The gradient of `loss` at `at` by its definition: (loss(a + h) - loss(a - h)) / 2h for one number a after
/// the other.
Numbers differences(const std::function<double(const Numbers&)>& loss, const Numbers& at);

/// sum of a_i b_i
double dot(const Numbers& a, const Numbers& b);
