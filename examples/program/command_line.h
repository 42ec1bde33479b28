// The command line of a program: what can be given on it, --help, and how the program ends.
//
//     #include "program/command_line.h"
//     #include <iostream>
//     using namespace gesso;
//
//     int main(int argc, char** argv) {
//       double smooth = 0.5;
//       std::vector<std::string> pictures;
//       CommandLine line("blur", "Blurs pictures.");
//       line.option("--smooth", &smooth, "How much").range(0.0, 1.0);
//       line.option("pictures", &pictures, "Pictures to blur").required();
//       return line.run(argc, argv, [&] {
//         for (const std::string& picture : pictures) std::cout << picture << " by " << smooth << "\n";
//         return true;
//       });
//     }
//
// CLI11 does the work, in command_line.cpp alone: its header takes longer to compile than most programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "gesso/core/index.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gesso {

/// Where an option's value goes; it must live until the command line has been read. A list takes one or more.
using OptionValue = std::variant<bool*, int*, Index*, std::uint64_t*, double*, std::string*,
                                 std::filesystem::path*, std::vector<Index>*, std::vector<double>*,
                                 std::vector<std::string>*, std::vector<std::filesystem::path>*>;

/// An option of a command; a handle, copied freely. What describes it further returns it again.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option hide_default() const;
  Option value_name(const std::string& name) const;  ///< in --help, instead of TEXT, PATH, N or X
  Option separator(
      char between) const;  ///< of a list given as one word, "1,2,3": it takes one word and no more
  Option required() const;
  Option not_in_plan() const;  ///< the command line alone gives it (see CommandLine::add_plan_option)

  Option range(double least, double most) const;
  Option positive() const;
  Option not_negative() const;
  Option choices(const std::vector<std::string>& words) const;

  Option excludes(const Option& other) const;  ///< not together with it
  Option needs(const Option& other) const;     ///< only together with it

  // Once the command line has been read:
  bool given() const;
  void set_again() const;  ///< sets the value once more, where something else has overwritten it since
  std::string name() const;

  bool operator==(const Option&) const = default;

 private:
  friend class Command;
  CLI::Option* option_;
};

/// A program, or what follows the name of a subcommand.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  /// An option "--name VALUE", or a positional argument "name". What the value is by then counts as the
  /// default, which --help shows unless it is empty.
  Option option(const std::string& name, OptionValue value, const std::string& help) const;
  /// An option without a value, which sets `given` to true.
  Option flag(const std::string& name, bool* given, const std::string& help) const;
  /// In --help the options from here on stand under this heading, instead of "Options".
  void heading(const std::string& text) const;
  /// The end of --help: examples.
  void footer(const std::string& text) const;
  /// What is done, for a subcommand that is given, once the command line has been read.
  void when_given(const std::function<void()>& work) const;

 protected:
  CLI::App* app_;
};

/// What CommandLine::run() does last where the program fails: ends others that work with it, say. It need not return.
void call_on_failure(void (*end)(int code));

/// The whole command line.
class CommandLine : public Command {
 public:
  /// Has --help and --version, and --completion SHELL, which is not in --help (completion.h).
  CommandLine(const std::string& program, const std::string& description);
  CommandLine(const CommandLine&) = delete;
  ~CommandLine();

  /// Adds --plan FILE: a file whose lines NAME = VALUE are options that the command line does not give (TOML, as CLI11
  /// reads it). Returns it.
  Option add_plan_option() const;
  /// The options that were given, on the command line or by a plan, as such a file; but not those of not_in_plan().
  std::string plan() const;

  /// Adds --threads, which sets the number of threads as soon as it is read.
  void add_threads_option() const;

  /// A command "program NAME ...", one of which is then to be given. The program's own options may follow it, too.
  Command subcommand(const std::string& name, const std::string& help) const;

  /// Reads the command line, does what the subcommand does, then `work`, and returns the exit code of the
  /// program: 0 when work returns true, 130 when it returns false (it was interrupted), 2 for a command line
  /// that asks for something impossible and after a UsageError, 1 after any other exception; each of these
  /// with one line on standard error, which names what is most like a mistyped option or command. What --help and
  /// --version ask for is printed instead, --help on a wrong command line too. 1 too when standard
  /// output could not be written (a full disk, a reader that has gone, /dev/full). Control characters in what goes to
  /// std::cerr, names of files for instance, are shown and not sent. Of several processes that mpirun started, rank 0 says
  /// at once what is wrong; another a second later and with its number, so that what is wrong with all is said once.
  int run(int argc, const char* const* argv, const std::function<bool()>& work) const;

 private:
  std::unique_ptr<CLI::App> owned_;
};

}  // namespace gesso
