// Every option of every program, read from what the programs say of themselves: a value that cannot be, one that is missing
// and one too many are refused in one line that names the option, and help reads well.
#include <algorithm>
#include <sstream>
#include <vector>

#include "program_runs.h"

using namespace gesso::testing;

namespace {

// A program's command line: "style-transfer", "train"; other programs have no command.
struct Line {
  std::string program, command;
  bool needs_something;  // it complains without arguments
};

const std::vector<Line> kLines = {{"compare-norms", "", true},
                                  {"draw-filter-bank", "", false},
                                  {"draw-styles", "", true},
                                  {"measure-filter-bank", "", true},
                                  {"norm-lab", "", false},
                                  {"score-film", "", true},
                                  {"score-pictures", "", true},
                                  {"style-transfer", "", true},
                                  {"style-transfer", "export", true},
                                  {"style-transfer", "stylize", true},
                                  {"style-transfer", "sweep", true},
                                  {"style-transfer", "train", true},
                                  {"style-transfer", "train-any", true},
                                  {"train-classifier", "", true},
                                  {"train-loss-network", "", true}};

struct Option {
  std::string name, value;         // "--mix", "X,..."; a flag has no value
  std::vector<std::string> words;  // what the value may be, where that is listed
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

// "  --norm NAME   ..." of --help, with the words of completion.
std::vector<Option> options_of(const Line& line, const std::string& help, const std::string& completion) {
  std::vector<Option> options;
  for (const std::string& row : lines_of(help)) {
    std::istringstream words(row);
    std::string name, value;
    words >> name;
    if (!row.starts_with("  --")) {
      continue;
    }
    if (row.size() <= 2 + name.size() || row[3 + name.size()] != ' ') {
      words >> value;
    }
    options.push_back({name, value, {}});
    const std::string beginning = "'" + line.command + " " + name + "') COMPREPLY=($(compgen -W '";
    if (const std::size_t at = completion.find(beginning); at != std::string::npos) {
      const std::size_t begin = at + beginning.size();
      std::istringstream list(completion.substr(begin, completion.find('\'', begin) - begin));
      for (std::string word; list >> word;) {
        options.back().words.push_back(word);
      }
    }
  }
  return options;
}

// Fails the test unless the words end with code 2 and one line that names the option and holds `text`.
void check_refused(const Line& line, const std::string& words, const std::string& option,
                   const std::string& text) {
  const Outcome outcome = run_program(line.program, line.command + " " + words);
  CAPTURE(line.program);
  CAPTURE(line.command);
  CAPTURE(words);
  CAPTURE(outcome.errors);
  CHECK(outcome.status == 2);
  CHECK(outcome.out == "");
  CHECK(outcome.errors.starts_with(line.program + ": "));
  CHECK(outcome.errors.ends_with(" (see --help)\n"));
  CHECK(std::count(outcome.errors.begin(), outcome.errors.end(), '\n') == 1);
  CHECK(outcome.errors.find(option) != std::string::npos);
  CHECK(outcome.errors.find(text) != std::string::npos);
}

bool is_list(const Option& option) { return option.value.ends_with("..."); }

std::string good_value(const Option& option) {
  return !option.words.empty()           ? option.words.front()
         : option.value == "WxH"         ? "64x64"
         : option.value.starts_with('X') ? "1"
                                         : "100";
}

void check_option(const Line& line, const Option& option) {
  const std::string& name = option.name;
  check_refused(line, name + "x" + (option.value.empty() ? "" : " 1"), name + "x", "did you mean --");
  if (option.value.empty()) {
    if (name != "--version") {
      check_refused(line, name + "=maybe", name, "takes no value");
    }
    return;
  }
  check_refused(line, name, name, "needs a value: " + option.value);
  check_refused(line, name + " --threads", name, "its value is missing before --threads");
  check_refused(line, name + " \"\"", name, "the value is empty");
  const std::string good = good_value(option);
  // In both ways of writing it, a good value is not what is complained of.
  check_refused(line, name + "=" + good + " --nonsense", "no option --nonsense", "");
  check_refused(line, name + " " + good + " --nonsense", "no option --nonsense", "");
  if (!is_list(option)) {
    check_refused(line, name + " " + good + " " + name + " " + good, name, "is given 2 times");
  } else if (option.value.find(',') != std::string::npos) {  // given as one word
    check_refused(line, name + " " + good + "," + good + " --nonsense", "no option --nonsense", "");
  }
  if (option.value.starts_with("N") && !option.value.starts_with("NAME")) {
    check_refused(line, name + " abc", name, "\"abc\" is not a whole number");
    check_refused(line, name + " 1.5", name, "\"1.5\" is not a whole number");
    check_refused(line, name + " 0x10", name, "\"0x10\" is not a whole number");
    check_refused(line, name + " 99999999999999999999", name, "is too large");
  } else if (option.value.starts_with("X")) {
    check_refused(line, name + " abc", name, "\"abc\" is not a number");
    check_refused(line, name + " nan", name, "\"nan\" is not a number");
    check_refused(line, name + " inf", name, "\"inf\" is not a number");
    check_refused(line, name + " 1e999", name, "is too large");
  }
  if (!option.words.empty()) {
    check_refused(line, name + " nonsense", name, "\"nonsense\" is not " + option.words.front());
    check_refused(line, name + " " + option.words.back() + "x", name, "did you mean ");
  }
}

}  // namespace

TEST_CASE("every option refuses well what it cannot take") {
  std::size_t options = 0;
  for (const Line& line : kLines) {
    const std::string help = run_program(line.program, line.command + " --help").out;
    for (const Option& option : options_of(line, help, run_program(line.program, "--completion bash").out)) {
      check_option(line, option);
      ++options;
    }
  }
  MESSAGE(options, " options");
  CHECK(options > 120);
}

TEST_CASE("help reads well, and stands behind a command line that is wrong otherwise") {
  for (const Line& line : kLines) {
    CAPTURE(line.program);
    CAPTURE(line.command);
    const std::string name = line.program + (line.command.empty() ? "" : " " + line.command);
    const Outcome help = run_program(line.program, line.command + " --help");
    CHECK(help.status == 0);
    CHECK(help.errors == "");
    CHECK(help.out.find("\nUsage: " + name + " [OPTIONS]") != std::string::npos);
    CHECK(help.out.find("->") == std::string::npos);  // {batch->1,...}
    CHECK(help.out.find("{") == std::string::npos);
    CHECK(help.out.find("\n\n\n") == std::string::npos);
    bool in_footer = false, in_examples = false;
    for (const std::string& row : lines_of(help.out)) {
      CAPTURE(row);
      in_footer = in_footer || row.starts_with("Example") || row.starts_with("Presets") ||
                  row.starts_with("What to expect");
      CHECK((in_footer || row.size() <= 80));
      if (in_examples && !row.empty() && !row.ends_with(":")) {
        CHECK(row.starts_with("  "));  // so that manual pages keep its lines
      }
      in_examples = in_examples || row == "Example:" || row == "Examples:";
    }
    CHECK(run_program(line.program, line.command + " --nonsense --help").out == help.out);
    CHECK(run_program(line.program, line.command + " -h").out == help.out);
    CHECK(run_program(line.program, line.command + " --version").out.starts_with("gesso:"));
    if (line.needs_something) {
      const Outcome nothing = run_program(line.program, line.command);
      CAPTURE(nothing.errors);
      CHECK(nothing.status == 2);
      CHECK(std::count(nothing.errors.begin(), nothing.errors.end(), '\n') == 1);
    }
  }
}

TEST_CASE("shells that are not known are named, and those that are complete every option") {
  for (const Line& line : kLines) {
    if (line.command.empty()) {
      check_refused(line, "--completion ksh", "--completion: \"ksh\" is not bash, zsh or fish",
                    "did you mean zsh?");
      for (const char* shell : {"bash", "zsh", "fish"}) {
        const Outcome script = run_program(line.program, std::string("--completion ") + shell);
        CHECK(script.status == 0);
        CHECK(script.out.find(line.program) != std::string::npos);
      }
    }
  }
}
