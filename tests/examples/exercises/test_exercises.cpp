// examples/lab/exercises, run as a student would: as they stand, solved, and with answers that go wrong in
// every way.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "program_runs.h"

using namespace gesso::testing;
using gesso::read_file;

namespace {

const std::string exercises = source_path("examples/lab/exercises");

// What is compiled once stays in the build folder, for all cases and the next run.
Outcome check(const std::string& arguments) {
  return run_command(exercises + "/check " + arguments + " --build " + program_path("../exercises"));
}

// 01_mean_and_variance and so on.
std::vector<std::string> names() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(exercises)) {
    if (entry.path().extension() == ".cpp") found.push_back(entry.path().stem());
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an exercise as it stands is not right, and all solutions are") {
  REQUIRE(names().size() == 10);
  for (const std::string& name : names()) {
    CAPTURE(name);
    const std::string number = name.substr(0, 2);
    const std::string text = read_file(exercises + "/" + name + ".cpp");
    CHECK(contains(text, "YOUR CODE"));

    const Outcome as_it_stands = check(number);
    INFO(as_it_stands.out, as_it_stands.errors);
    INFO("Whoever has solved it gets this too: git restore examples/lab/exercises");
    CHECK(as_it_stands.status == 1);
    CHECK(contains(as_it_stands.out, number + " "));
    CHECK(contains(as_it_stands.out, ": not yet right\n"));
    CHECK((contains(as_it_stands.out, " and should be ") ||
           contains(as_it_stands.out, "have means of their own")));
    CHECK(contains(as_it_stands.out, "check --hint "));
  }
  const Outcome solved = check("--from " + exercises + "/solutions");
  INFO(solved.out, solved.errors);
  CHECK(solved.status == 0);
  CHECK(contains(solved.out, "01 mean and variance: passed ("));
  CHECK(solved.out.ends_with("10 of 10 passed\n"));
  CHECK(!contains(solved.out, "warning"));
}

TEST_CASE("wrong answers are told what is wrong with them") {
  struct Answer {
    std::string name, right, wrong, verdict;
  };
  // What stands in the solution, and what a student may write instead.
  const std::vector<Answer> answers = {
      {"01_mean_and_variance", "(x[i] - of_x.mean) / m", "(x[i] - of_x.mean)",
       "It is 4 times what it should be; m is 4."},
      {"01_mean_and_variance", "(x[i] - of_x.mean) * (x[i] - of_x.mean) / m",
       "x[i] * x[i] / m - of_x.mean * of_x.mean / m", "With numbers around a million:"},
      {"02_x_hat_and_y", "std::sqrt(of_x.variance + eps)", "(std::sqrt(of_x.variance) + eps)", "xhat[3] is"},
      {"02_x_hat_and_y", "of_x.variance + eps", "of_x.mean - 9", "xhat[3] is NaN and should be 1.6667."},
      {"03_dgamma_and_dbeta", "dbeta[row[i]] +=", "dbeta[row[i]] =", "dbeta is 0 and should be 1 ("},
      {"03_dgamma_and_dbeta", "dgamma[row[i]]", "dgamma[row[i] + 1]",
       "Element 1 does not exist: the row has 1, numbered from 0."},
      {"04_mean_term", "r * g[j] - r * mean_g", "r * mean_g - r * g[j]", "Everything has the wrong sign."},
      {"04_mean_term", "Numbers dx(g.size())", "Numbers dx(g.size() + 1)",
       "dx has 5 numbers; it should have 4."},
      {"05_x_hat_term", "- r * xhat[j]", "+ r * xhat[j]",
       "(gesso's backward; finite differences say 0.16667)"},
      {"05_x_hat_term", "j < m", "j <= m",
       "numbered from 0.\n\n  With the four numbers of docs/normalization.md:"},
      {"06_compact_form", "++j", "j", "no end after 10 seconds"},
      {"07_which_elements_share", "sizes.C / groups", "groups / sizes.C", "ended by the signal FPE"},
      {"07_which_elements_share", "c / (sizes.C / groups)", "c % groups",
       "group norm of 2 groups, elements (0, 0, 0, 0)"},
      {"08_eval_mode", " * m / (m - 1)", "", "new running variance is"},
      {"08_eval_mode", "r * gamma[i]", "gamma[i]", "Everything is 1.4142 times what it should be."},
      {"09_rms_norm", "Numbers rms_normalized(", "Numbers normalized(", "does not link. Names and arguments"},
      {"10_planted_error", "mean(x);", "mean(x)", "does not compile."},
  };
  for (const Answer& answer : answers) {
    CAPTURE(answer.name);
    CAPTURE(answer.wrong);
    const TemporaryFolder folder;
    std::string text = read_file(exercises + "/solutions/" + answer.name + ".cpp");
    const auto at = text.find(answer.right);
    REQUIRE(at != std::string::npos);
    text.replace(at, answer.right.size(), answer.wrong);
    write_bytes(folder / (answer.name + ".cpp"), text);
    const Outcome outcome = check(answer.name.substr(0, 2) + " --from " + folder.path());
    INFO(outcome.out, outcome.errors);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.out, answer.verdict));
  }
}

TEST_CASE("hints come one at a time, and solutions when asked for") {
  const TemporaryFolder folder;
  const auto hint = [&](const std::string& number) {
    return run_command(exercises + "/check --hint " + number + " --build " + folder.path());
  };
  for (const std::string& name : names()) {
    CAPTURE(name);
    const std::string number = name.substr(0, 2);
    const Outcome first = hint(number), second = hint(number);
    CHECK(first.status == 0);
    CHECK(first.out.starts_with("1. "));
    CHECK(!contains(first.out, "\n2. "));
    CHECK(contains(first.out, "One more hint"));
    CHECK(second.out.starts_with("1. "));
    CHECK(contains(second.out, "\n2. "));
    const std::string last = (hint(number), hint(number).out);
    CHECK(contains(last, "These are all."));
    CHECK(check("--solution " + number).out == read_file(exercises + "/solutions/" + name + ".cpp"));
  }
}

TEST_CASE("wrong usage and a compiler that is not there") {
  CHECK(check("11").status == 2);
  CHECK(contains(check("eleven").errors, "not the number of an exercise"));
  CHECK(contains(run_command(exercises + "/check --hint").errors, "--hint needs a value"));
  CHECK(contains(check("--tip 1").errors, "there is no option --tip"));
  CHECK(contains(check("1 --from /nowhere").out, "there is no file /nowhere/01_mean_and_variance.cpp"));
  const Outcome no_compiler = run_command("CXX=no-such-compiler " + exercises + "/check 1");
  CHECK(no_compiler.status == 1);
  CHECK(contains(no_compiler.errors, "there is no C++ compiler"));
}
