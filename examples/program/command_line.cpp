#include "command_line.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <thread>
#include <type_traits>

#include "complaint.h"
#include "completion.h"
#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
#include "gesso/core/parallel.h"
#include "gesso/core/process_launch.h"
#include "gesso/core/text.h"
#include "help.h"
#include "option_checks.h"
#include "usage_error.h"

namespace gesso {

namespace {

// Standard input, output and error that were closed by who started the program: the next files that it opens would be
// taken for them, and log.jsonl would get the progress. What is written to a closed output is an error then.
void open_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(file, F_GETFD) == -1) {
      (void)!::open("/dev/null", file == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

// While one lives, what a stream is given reaches the terminal without control characters: names of files and
// whatever else comes from outside are part of it.
class PrintableStream : std::stringbuf {
 public:
  explicit PrintableStream(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(this)) {}
  ~PrintableStream() override {
    pubsync();
    stream_.rdbuf(before_);
  }

 private:
  int sync() override {
    const std::string text = printable(str());
    str("");
    const auto length = static_cast<std::streamsize>(text.size());
    return before_->sputn(text.data(), length) == length && before_->pubsync() == 0 ? 0 : -1;
  }

  std::ostream& stream_;
  std::streambuf* before_;
};

}  // namespace

Option Option::hide_default() const {
  option_->default_str("");
  return *this;
}
Option Option::value_name(const std::string& name) const {
  option_->type_name(name);
  return *this;
}
Option Option::separator(char between) const {
  option_->delimiter(between);
  option_->allow_extra_args(false);
  return *this;
}
Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::not_in_plan() const {
  option_->configurable(false);
  return *this;
}

Option Option::range(double least, double most) const {
  option_->check(in_range(least, most));
  return *this;
}
Option Option::positive() const {
  option_->check(is_positive());
  return *this;
}
Option Option::not_negative() const {
  option_->check(is_not_negative());
  return *this;
}
Option Option::choices(const std::vector<std::string>& words) const {
  option_->type_name("NAME")->check(is_one_of(words));
  return *this;
}

Option Option::excludes(const Option& other) const {
  option_->excludes(other.option_);
  return *this;
}
Option Option::needs(const Option& other) const {
  option_->needs(other.option_);
  return *this;
}

bool Option::given() const { return option_->count() > 0; }
void Option::set_again() const { option_->run_callback(); }
std::string Option::name() const { return option_->get_name(); }

namespace {

// What the values of an option are called in --help, and the check that one is of that kind.
template <class T>
void describe(CLI::Option* option, const T*) {
  if constexpr (std::is_same_v<T, bool>) {
    option->type_name("0|1");
  } else if constexpr (std::is_arithmetic_v<T>) {
    option->type_name(std::is_integral_v<T> ? "N" : "X")->transform(is_number<T>());
  } else {
    option->type_name(std::is_same_v<T, std::string> ? "TEXT" : "PATH")->check(is_text());
  }
}
template <class T>
void describe(CLI::Option* option, const std::vector<T>*) {
  describe(option, static_cast<const T*>(nullptr));
}

}  // namespace

Option Command::option(const std::string& name, OptionValue value, const std::string& help) const {
  const Option option(std::visit(
      [&](auto* target) {
        CLI::Option* const added = app_->add_option(name, *target, help)->capture_default_str();
        describe(added, target);
        return added;
      },
      value));
  const bool empty_list = option.option_->get_default_str() == "[]";
  return empty_list ? option.hide_default() : option;
}

Option Command::flag(const std::string& name, bool* given, const std::string& help) const {
  return Option(app_->add_flag(name, *given, help));
}

void Command::heading(const std::string& text) const { app_->option_defaults()->group(text); }

void Command::footer(const std::string& text) const { app_->footer(text); }

void Command::when_given(const std::function<void()>& work) const { app_->callback(work); }

namespace {

// Whether a list has a place with nothing in it: "1,,2", ",1".
bool has_gap(const std::string& list, char between) {
  return list.front() == between || list.back() == between ||
         list.find(std::string(2, between)) != std::string::npos;
}

constexpr const char* kPlan = "--plan";

bool can_be_read(const std::string& path) {
  return std::filesystem::is_regular_file(path) && std::ifstream(path).is_open();
}

// The value that `words` give the option: behind "=" or in the next word. Nothing if it is not among them.
std::optional<std::string> given_value(const std::vector<std::string>& words, const std::string& name) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (words[i].substr(0, equals) == name) {
      return equals != std::string::npos ? words[i].substr(equals + 1)
             : i + 1 < words.size()      ? words[i + 1]
                                         : "";
    }
  }
  return std::nullopt;
}

// The words of the command line, and behind them the options of its --plan that they do not give.
std::vector<std::string> with_plan(const CLI::App& app, std::vector<std::string> words) {
  const std::optional<std::string> file =
      app.get_option_no_throw(kPlan) != nullptr ? given_value(words, kPlan) : std::nullopt;
  if (!file || !can_be_read(*file)) {
    return words;  // refuse_missing_plan() complains, after what is wrong with the other words
  }
  const std::vector<std::string> given = words;
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(*file)) {
    const std::string name = "--" + item.fullname();
    const CLI::Option* option = app.get_option_no_throw(name);
    if (option != nullptr && !option->get_configurable()) {
      throw UsageError(concat_text(kPlan, " ", *file, ": ", name, " belongs on the command line"));
    }
    if (!given_value(given, name)) {
      words.push_back(name + "=" + CLI::detail::join(item.inputs, ","));
    }
  }
  return words;
}

// Throws UsageError for a --plan that cannot be read.
void refuse_missing_plan(const CLI::App& app) {
  const CLI::Option* plan = app.get_option_no_throw(kPlan);
  if (plan != nullptr && plan->count() > 0 && !can_be_read(plan->results().front())) {
    throw UsageError(
        concat_text(kPlan, " ", plan->results().front(), ": there is no such file that can be read"));
  }
}

// CLI11 leaves such places out, and the numbers behind them would move up. Throws UsageError.
void refuse_gaps(const CLI::App& app, const std::vector<std::string>& words) {
  for (const CLI::Option* option : app.get_options()) {
    const char between = option->get_delimiter();
    const std::string list = between == '\0' ? "" : given_value(words, option->get_name()).value_or("");
    if (!list.empty() && has_gap(list, between)) {
      throw UsageError(concat_text(option->get_name(), " ", list, ": there is nothing before or behind one '",
                                   between, "'; write a value there"));
    }
  }
  for (const CLI::App* command : app.get_subcommands({})) {
    refuse_gaps(*command, words);
  }
}

}  // namespace

namespace {

void (*end_others)(int code) = nullptr;

}  // namespace

void call_on_failure(void (*end)(int code)) { end_others = end; }

CommandLine::CommandLine(const std::string& program, const std::string& description)
    : Command(new CLI::App(description, program)), owned_(app_) {
  app_->formatter(std::make_shared<Help>());
  app_->set_help_flag("-h,--help", "Shows this help and exits");
  app_->set_version_flag(
      "--version", [] { return build_info().str(); }, "Shows the version and exits");
  const auto print_completion = [this](const std::string& shell) {
    throw CLI::CallForVersion(completion_script(*app_, shell), 0);  // printed, and the program ends
  };
  app_->add_option_function<std::string>("--completion", print_completion)
      ->check(is_one_of(completion_shells()))
      ->group(kHidden);  // for packages
}

CommandLine::~CommandLine() = default;

Option CommandLine::add_plan_option() const {
  CLI::Option* const plan = app_->add_option(
      kPlan, "Options from a file, a line NAME = VALUE for each; those on the command line win");
  return Option(plan->type_name("FILE")->configurable(false)->check(is_text()));
}

std::string CommandLine::plan() const {
  std::string lines;
  for (const CLI::Option* option : app_->get_options()) {
    if (!option->get_configurable() || option->count() == 0) {
      continue;
    }
    std::string value;
    for (const std::string& word : option->results()) {
      value += (value.empty() ? "" : std::string(1, option->get_delimiter())) + word;
    }
    lines += option->get_name().substr(2) + " = " + CLI::detail::convert_arg_for_ini(value) + "\n";
  }
  return lines;
}

void CommandLine::add_threads_option() const {
  app_->add_option("--threads", "Threads to use. Default: all cores, or GESSO_NUM_THREADS")
      ->type_name("N")
      ->transform(is_number<int>())
      ->check(in_range(1, 1024))
      ->each([](const std::string& text) { set_num_threads(std::stoi(text)); });
}

Command CommandLine::subcommand(const std::string& name, const std::string& help) const {
  app_->require_subcommand(1);
  return Command(
      app_->add_subcommand(name, help)->fallthrough());  // the program's own options may follow it, too
}

int CommandLine::run(int argc, const char* const* argv, const std::function<bool()>& work) const {
  open_standard_files();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error like any other
  const PrintableStream errors(std::cerr);
  const auto complain = [&](const std::string& text, int code) {
    const std::string line = app_->get_name() + ": " + text + (code == 2 ? " (see --help)" : "");
    if (const std::optional<LaunchedRank> launched = launched_rank(); launched && launched->rank > 0) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      std::clog << printable(concat_text("rank ", launched->rank, " of ", launched->size, ": ", line))
                << std::endl;
    } else {
      std::cerr << line << std::endl;
    }
    return code;
  };
  const auto run_work = [&] {
    try {
      std::vector<std::string> words = with_plan(*app_, {argv + 1, argv + argc});
      refuse_gaps(*app_, words);
      std::reverse(words.begin(), words.end());  // as CLI11 wants them
      app_->parse(std::move(words));
      refuse_missing_plan(*app_);
      return work() ? 0 : 130;
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) {  // --help and --version
        return app_->exit(error);
      }
      if (asks_for_help(*app_)) {
        std::cout << app_->help();
        return 0;
      }
      return complain(complaint_of(*app_, error), 2);
    } catch (const UsageError& error) {
      return complain(error.what(), 2);
    } catch (const std::filesystem::filesystem_error& error) {
      return complain(error.path1().string() + ": " + error.code().message(), 1);
    } catch (const std::bad_alloc&) {
      return complain("the system has no memory left; use smaller pictures or a smaller network", 1);
    } catch (const std::exception& error) {
      return complain(error.what(), 1);
    }
  };
  const int code = run_work();
  if (code != 0 && code != 130 && end_others != nullptr) {
    end_others(code);
  }
  std::cout.flush();
  if (code == 0 && !std::cout) {
    return complain("standard output cannot be written: the disk is full, or its reader has gone", 1);
  }
  return code;
}

}  // namespace gesso
