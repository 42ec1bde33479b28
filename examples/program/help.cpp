#include "help.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "option_checks.h"

namespace gesso {
namespace {

constexpr std::size_t kWidth = 80, kColumn = 26;

// `text` in lines that end before `kWidth`, each after the first indented by `indent`. Words are not broken.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string lines;
  std::size_t at = indent;
  for (std::string word; words >> word;) {
    if (lines.empty()) {
      lines = word;
    } else if (at + 1 + word.size() > kWidth) {
      lines += "\n" + std::string(indent, ' ') + word;
      at = indent;
    } else {
      lines += " " + word;
      ++at;
    }
    at += word.size();
  }
  return lines;
}

// A line of a description: "  name   what it is" is continued where "what" begins.
std::string wrapped_term(const std::string& line) {
  const std::size_t name = line.find_first_not_of(' ');
  const std::size_t gap = name == 0 ? std::string::npos : line.find("  ", name);
  const std::size_t begin = gap == std::string::npos ? 0 : line.find_first_not_of(' ', gap);
  return line.substr(0, begin) + wrapped(line.substr(begin), begin);
}

std::string row(const std::string& name, const std::string& description) {
  std::string text = "  " + name;
  if (text.size() + 2 > kColumn) {
    text += "\n" + std::string(kColumn, ' ');
  } else {
    text.resize(kColumn, ' ');
  }
  return text + wrapped(description, kColumn) + "\n";
}

// Behind the description: what is allowed, what else is needed, the default.
std::string facts_of(const CLI::Option& option) {
  std::vector<std::string> facts;
  const auto add = [&](const std::string& fact) { facts.push_back(fact); };
  if (option.get_required()) {
    add("required");
  }
  if (const std::string allowed = allowed_by(option); !allowed.empty()) {
    add(allowed);
  }
  for (const CLI::Option* other : option.get_needs()) {
    add("with " + name_of(*other));
  }
  for (const CLI::Option* other : option.get_excludes()) {
    add("not with " + name_of(*other));
  }
  std::string otherwise = option.get_default_str();  // of a list "[1,2]"
  if (otherwise.starts_with('[') && otherwise.ends_with(']')) {
    otherwise = otherwise.substr(1, otherwise.size() - 2);
  }
  if (!otherwise.empty()) {
    add("default: " + otherwise);
  }
  std::string text;
  for (const std::string& fact : facts) {
    text += (text.empty() ? " (" : "; ") + fact;
  }
  return text.empty() ? text : text + ")";
}

std::string row_of(const CLI::Option& option) {
  std::string name = option.get_positional() ? value_of(option) : option.get_name(false, true);
  if (!option.get_positional()) {
    if (const std::size_t comma = name.find(','); comma != std::string::npos) {
      name.insert(comma + 1, " ");  // "-h, --help"
    }
    const std::string value = value_of(option);
    name += value.empty() ? "" : " " + value;
  }
  return row(name, option.get_description() + facts_of(option));
}

}  // namespace

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  std::vector<const CLI::Option*> options;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      const bool known = std::any_of(options.begin(), options.end(), [&](const CLI::Option* other) {
        return name_of(*other) == name_of(*option);
      });
      if (option->nonpositional() && !known) {
        options.push_back(option);
      }
    }
  }
  return options;
}

std::string name_of(const CLI::Option& option) {
  const std::string names = option.get_name(false, true);
  return names.substr(names.rfind(',') + 1);
}

std::string value_of(const CLI::Option& option) {
  if (option.get_type_size() == 0 || option.get_items_expected_max() == 0) {
    return "";
  }
  std::string type = option.get_type_name();  // ends in ":" and what its checks say
  type = option.get_positional() ? option.get_name() : type.substr(0, type.find(':'));
  if (option.get_positional()) {
    std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::toupper(c); });
  }
  const bool list = option.get_expected_max() == CLI::detail::expected_max_vector_size;
  return type + (!list                            ? ""
                 : option.get_delimiter() == '\0' ? "..."
                                                  : std::string(1, option.get_delimiter()) + "...");
}

std::string Help::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const {
  std::ostringstream out;
  std::istringstream description(app->get_description());
  for (std::string line; std::getline(description, line);) {
    out << wrapped_term(line) << "\n";
  }
  out << "\n";
  out << "Usage: " << name << " [OPTIONS]";
  const auto commands = app->get_subcommands([](const CLI::App*) { return true; });
  const auto positionals =
      app->get_options([](const CLI::Option* option) { return option->get_positional(); });
  for (const CLI::Option* option : positionals) {
    out << (option->get_required() ? " " + value_of(*option) : " [" + value_of(*option) + "]");
  }
  out << (commands.empty() ? "\n" : " COMMAND ...\n");
  for (const CLI::Option* option : positionals) {
    out << (option == positionals.front() ? "\n" : "") << row_of(*option);
  }
  if (!commands.empty()) {
    out << "\nCommands, each with a --help of its own:\n";
    for (const CLI::App* command : commands) {
      out << row(command->get_name(), command->get_description());
    }
  }
  const std::vector<const CLI::Option*> options = options_of(*app);
  std::vector<std::string> groups;
  for (const CLI::Option* option : options) {
    const std::string& group = option->get_group();
    if (group != kHidden && std::find(groups.begin(), groups.end(), group) == groups.end()) {
      groups.push_back(group);
    }
  }
  for (const std::string& group : groups) {
    out << "\n" << group << ":\n";
    for (const CLI::Option* option : options) {
      out << (option->get_group() == group ? row_of(*option) : "");
    }
  }
  const std::string footer = app->get_footer();
  out << (footer.empty() ? "" : "\n" + footer + "\n");
  return out.str();
}

}  // namespace gesso
