#include "command_line.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <type_traits>

#include "completion.h"
#include "gesso/core/build_info.h"
#include "gesso/core/parallel.h"
#include "gesso/core/text.h"
#include "usage_error.h"

namespace gesso {

namespace {

// A check of single numbers. `name` is what --help calls them; `refusal` ends the sentence "Value -1 ...".
CLI::Validator numbers(const std::string& name, const std::string& refusal, bool (*takes)(double)) {
  return CLI::Validator(
      [refusal, takes](const std::string& text) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        return *end == 0 && takes(value) ? std::string() : "Value " + text + " " + refusal;
      },
      name);
}

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
  return *this;
}
Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::range(int least, int most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}
Option Option::range(double least, double most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}
Option Option::positive() const {
  option_->check(numbers("POSITIVE", "is not above 0", [](double value) { return value > 0; }));
  return *this;
}
Option Option::not_negative() const {
  option_->check(numbers("NONNEGATIVE", "is not 0 or more", [](double value) { return value >= 0; }));
  return *this;
}
Option Option::choices(const std::vector<std::string>& texts) const {
  option_->check(CLI::IsMember(texts), "choices");  // completion asks for it by this name
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

// CLI11 takes a number that is too large for the largest there is.
template <class Number>
CLI::Validator within() {
  return CLI::Validator(
      [](const std::string& text) {
        Number value{};
        const char* const begin = text.data() + (text.starts_with('+') ? 1 : 0);
        const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
        return error == std::errc::result_out_of_range ? "Value " + text + " is too large" : std::string();
      },
      "");
}

template <class T>
void check_size(CLI::Option* option, const T*) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    option->check(within<T>());
  }
}
void check_size(CLI::Option* option, const std::vector<Index>*) { option->check(within<Index>()); }

}  // namespace

Option Command::option(const std::string& name, OptionValue value, const std::string& help) const {
  const Option option(std::visit(
      [&](auto* target) {
        CLI::Option* const added = app_->add_option(name, *target, help)->capture_default_str();
        check_size(added, target);
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

CommandLine::CommandLine(const std::string& program, const std::string& description)
    : Command(new CLI::App(description, program)), owned_(app_) {
  app_->set_version_flag("--version", [] { return build_info().str(); });
  const auto print_completion = [this](const std::string& shell) {
    throw CLI::CallForVersion(completion_script(*app_, shell), 0);  // printed, and the program ends
  };
  app_->add_option_function<std::string>("--completion", print_completion)
      ->check(CLI::IsMember(completion_shells()))
      ->group("");  // for packages; not in --help
}

CommandLine::~CommandLine() = default;

void CommandLine::add_threads_option() const {
  app_->add_option("--threads", "Threads to use; default: all cores, or GESSO_NUM_THREADS")
      ->check(CLI::Range(1, 1024))
      ->each([](const std::string& text) { set_num_threads(std::stoi(text)); });
}

Command CommandLine::subcommand(const std::string& name, const std::string& help) const {
  app_->require_subcommand(1);
  return Command(app_->add_subcommand(name, help));
}

int CommandLine::run(int argc, const char* const* argv, const std::function<bool()>& work) const {
  open_standard_files();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error like any other
  const PrintableStream errors(std::cerr);
  const auto complain = [&](const std::string& text, int code) {
    std::cerr << app_->get_name() << ": " << text << (code == 2 ? " (see --help)" : "") << std::endl;
    return code;
  };
  const auto run_work = [&] {
    try {
      app_->parse(argc, argv);
      return work() ? 0 : 130;
    } catch (const CLI::ParseError& error) {
      const bool asked = error.get_exit_code() == 0;  // --help and --version
      return asked ? app_->exit(error) : complain(error.what(), 2);
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
  std::cout.flush();
  if (code == 0 && !std::cout) {
    return complain("standard output cannot be written: the disk is full, or its reader has gone", 1);
  }
  return code;
}

}  // namespace gesso
