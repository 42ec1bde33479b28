#include "complaint.h"

#include <vector>

#include "did_you_mean.h"
#include "help.h"
#include "option_checks.h"

namespace gesso {
namespace {

// The command that was given, or the program itself.
const CLI::App& reached(const CLI::App& program) {
  const std::vector<CLI::App*> given = program.get_subcommands();
  return given.empty() ? program : *given.front();
}

std::vector<std::string> commands_of(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options_of(app)) {
    if (option->get_group() != kHidden) {
      names.push_back(name_of(*option));
    }
  }
  return names;
}

// The commands that have an option of this name: it stands before the command, or in another one.
std::vector<std::string> commands_with(const CLI::App& program, const std::string& option) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_option_no_throw(option) != nullptr) {
      names.push_back(command->get_name());
    }
  }
  return names;
}

std::string unknown_option(const CLI::App& program, const std::string& word) {
  const CLI::App& app = reached(program);
  std::string name = word.substr(0, word.find('='));
  const std::vector<std::string> owners = commands_with(program, name);
  const bool before_command = &app == &program || app.get_option_no_throw(name) != nullptr;
  if (before_command && !owners.empty()) {
    return name + " belongs behind the command, as in " + program.get_name() + " " +
           (&app == &program ? owners.front() : app.get_name()) + " " + name + " ...";
  }
  const std::string text = (&app == &program ? "there is" : app.get_name() + " has") + " no option " + name;
  name.insert(0, name.starts_with("--") ? 0 : 1, '-');  // -out
  const std::string like = did_you_mean(name, option_names(app));
  return like.empty() && !owners.empty() ? text + ", but " + in_words(owners) + " has" : text + like;
}

std::string unknown_word(const CLI::App& program, const std::string& word) {
  const std::vector<std::string> commands = commands_of(program);
  if (!commands.empty() && program.get_subcommands().empty()) {
    const std::string like = did_you_mean(word, commands);
    return "there is no command " + word + (like.empty() ? "; there are " + in_words(commands) : like);
  }
  return "what is \"" + word + "\"? It is not the value of an option, and names of options begin with --";
}

// The option that an error's text begins with.
const CLI::Option* option_in(const CLI::App& app, const std::string& text) {
  const std::string name = text.substr(0, text.find_first_of(": "));
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    if (const CLI::Option* option = level->get_option_no_throw(name)) {
      return option;
    }
  }
  return nullptr;
}

}  // namespace

std::string complaint_of(const CLI::App& program, const CLI::ParseError& error) {
  const std::string text = error.what();
  const CLI::App& app = reached(program);
  const CLI::Option* option = option_in(app, text);
  const auto is = [&](CLI::ExitCodes code) { return error.get_exit_code() == static_cast<int>(code); };
  if (is(CLI::ExitCodes::ArgumentMismatch) && option != nullptr && option->get_items_expected_max() > 0) {
    const bool twice = option->get_expected_max() == 1 && option->count() > 1;
    return name_of(*option) + (twice ? " is given " + std::to_string(option->count()) + " times; give it once"
                                     : " needs a value: " + value_of(*option));
  }
  if (is(CLI::ExitCodes::ValidationError)) {
    return text;
  }
  if (const std::vector<std::string> extras = program.remaining(true); !extras.empty()) {
    const std::string& word = extras.front();
    return word.starts_with('-') && word.size() > 1 ? unknown_option(program, word)
                                                    : unknown_word(program, word);
  }
  if (is(CLI::ExitCodes::RequiredError) && option != nullptr) {
    return name_of(*option) + " is missing: " + option->get_description();
  }
  if (is(CLI::ExitCodes::RequiredError)) {
    return "name a command: " + in_words(commands_of(program));
  }
  if (is(CLI::ExitCodes::ExcludesError) || is(CLI::ExitCodes::RequiresError)) {
    const std::string other = text.substr(text.rfind(' ') + 1);
    return text.substr(0, text.find(' ')) + (is(CLI::ExitCodes::ExcludesError)
                                                 ? " cannot be given together with " + other
                                                 : " is given only together with " + other);
  }
  if (is(CLI::ExitCodes::ConversionError)) {  // of a flag: "Could not convert: --json = maybe"
    return text.substr(text.find("--"), text.find(" =") - text.find("--")) + " takes no value";
  }
  return text;
}

bool asks_for_help(const CLI::App& program) {
  return program.get_help_ptr()->count() + reached(program).get_help_ptr()->count() > 0;
}

}  // namespace gesso
