#include "completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "gesso/core/error.h"
#include "help.h"
#include "option_checks.h"

namespace gesso {
namespace {

// An option "--name", or a command.
struct Entry {
  std::string name, help;
  bool takes_value = false;
  std::vector<std::string> words;  // what the value may be; empty: a file, a number, ...
};

// A line without what shells and their description columns would take for something else.
std::string plain(std::string text) {
  text = text.substr(0, text.find('\n'));
  const auto special = [](char c) {
    return std::string_view("'\"`$\\[]:").find(c) != std::string_view::npos;
  };
  std::erase_if(text, special);
  return text;
}

std::vector<Entry> entries_of(const CLI::App& app) {
  std::vector<Entry> entries;
  for (const CLI::Option* option : options_of(app)) {
    if (option->get_group() != kHidden) {
      entries.push_back({name_of(*option), plain(option->get_description()), !value_of(*option).empty(),
                         words_of(*option)});
    }
  }
  return entries;
}

std::vector<const CLI::App*> commands_of(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App*) { return true; });
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

std::string names(const std::vector<Entry>& entries) {
  std::vector<std::string> words;
  for (const Entry& entry : entries) {
    words.push_back(entry.name);
  }
  return join(words);
}

// A name that a shell function may have.
std::string identifier(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return "_" + name;
}

// What the program itself takes, under "", and what each of its commands takes.
std::vector<std::pair<std::string, std::vector<Entry>>> levels_of(const CLI::App& program) {
  std::vector<std::pair<std::string, std::vector<Entry>>> levels = {{"", entries_of(program)}};
  for (const CLI::App* command : commands_of(program)) {
    levels.emplace_back(command->get_name(), entries_of(*command));
  }
  return levels;
}

std::string for_bash(const CLI::App& program) {
  std::vector<std::string> commands;
  for (const CLI::App* command : commands_of(program)) {
    commands.push_back(command->get_name());
  }
  std::ostringstream values, options;
  for (const auto& [command, entries] : levels_of(program)) {
    options << "    '" << command << "') words='" << names(entries) << "' ;;\n";
    for (const Entry& entry : entries) {
      if (entry.takes_value) {
        values << "    '" << command << " " << entry.name << "') "
               << (entry.words.empty()
                       ? ""
                       : "COMPREPLY=($(compgen -W '" + join(entry.words) + "' -- \"$word\")); ")
               << "return ;;\n";
      }
    }
  }
  const std::string function = identifier(program.get_name());
  std::ostringstream script;
  script << "# Completion of " << program.get_name() << " for bash.\n"
         << function << "() {\n"
         << "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= words= i\n"
         << "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         << "    case \" " << join(commands)
         << " \" in *\" ${COMP_WORDS[i]} \"*) command=${COMP_WORDS[i]}; break ;; esac\n"
         << "  done\n"
         << "  COMPREPLY=()\n"
         << "  case \"$command $previous\" in\n"
         << values.str() << "  esac\n"
         << "  case $command in\n"
         << options.str() << "  esac\n";
  if (!commands.empty()) {
    script << "  [ -n \"$command\" ] || words+=' " << join(commands) << "'\n"
           << "  [[ -z $command || $word == -* ]] || return\n";
  } else {
    script << "  [[ $word == -* ]] || return\n";
  }
  script << "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         << "}\n"
         << "complete -o bashdefault -o default -F " << function << " " << program.get_name() << "\n";
  return script.str();
}

std::string zsh_arguments(const std::vector<Entry>& entries, const std::string& indent) {
  std::string text;
  for (const Entry& entry : entries) {
    text += indent + "'" + entry.name + "[" + entry.help + "]";
    if (entry.takes_value) {
      text += entry.words.empty() ? ": :_files" : ": :(" + join(entry.words) + ")";
    }
    text += "' \\\n";
  }
  return text;
}

std::string for_zsh(const CLI::App& program) {
  const std::vector<const CLI::App*> commands = commands_of(program);
  std::ostringstream script;
  script << "#compdef " << program.get_name() << "\n";
  if (commands.empty()) {
    script << "_arguments \\\n" << zsh_arguments(entries_of(program), "  ") << "  '*: :_files'\n";
    return script.str();
  }
  script << "local -a commands=(\n";
  for (const CLI::App* command : commands) {
    script << "  '" << command->get_name() << ":" << plain(command->get_description()) << "'\n";
  }
  script << ")\nlocal state line\n_arguments -C \\\n"
         << zsh_arguments(entries_of(program), "  ") << "  '1: :->command' \\\n  '*:: :->rest'\n"
         << "case $state in\n  command) _describe command commands ;;\n  rest)\n    case $line[1] in\n";
  for (const CLI::App* command : commands) {
    script << "      " << command->get_name() << ")\n        _arguments \\\n"
           << zsh_arguments(entries_of(*command), "          ") << "          '*: :_files' ;;\n";
  }
  script << "    esac ;;\nesac\n";
  return script.str();
}

std::string for_fish(const CLI::App& program) {
  std::ostringstream script;
  const auto line = [&](const std::string& condition) -> std::ostream& {
    script << "complete -c " << program.get_name();
    return condition.empty() ? script : script << " -n '" << condition << "'";
  };
  const std::vector<const CLI::App*> commands = commands_of(program);
  for (const CLI::App* command : commands) {
    line("__fish_use_subcommand") << " -f -a " << command->get_name() << " -d '"
                                  << plain(command->get_description()) << "'\n";
  }
  for (const auto& [command, entries] : levels_of(program)) {
    const std::string condition = !command.empty()   ? "__fish_seen_subcommand_from " + command
                                  : commands.empty() ? ""
                                                     : "__fish_use_subcommand";
    for (const Entry& entry : entries) {
      line(condition) << " -l " << entry.name.substr(2) << " -d '" << entry.help << "'"
                      << (!entry.takes_value    ? ""
                          : entry.words.empty() ? " -r"
                                                : " -x -a '" + join(entry.words) + "'")
                      << "\n";
    }
  }
  return script.str();
}

}  // namespace

const std::vector<std::string>& completion_shells() {
  static const std::vector<std::string> shells = {"bash", "zsh", "fish"};
  return shells;
}

std::string completion_script(const CLI::App& program, const std::string& shell) {
  if (shell == "bash") {
    return for_bash(program);
  }
  if (shell == "zsh") {
    return for_zsh(program);
  }
  require(shell == "fish", "completion_script: no completion for \"", shell, "\"; known are bash, zsh, fish");
  return for_fish(program);
}

}  // namespace gesso
