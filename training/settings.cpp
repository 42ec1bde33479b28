#include "gesso/training/settings.h"

#include "gesso/core/files/json.h"

namespace gesso {

std::string setting_text(const std::string& value) { return value; }

std::string setting_text(const std::vector<std::string>& value) { return json_text(value); }

void parse_setting(const std::string&, const std::string& text, std::string& value) { value = text; }

void parse_setting(const std::string& name, const std::string& text, std::vector<std::string>& value) {
  try {
    value = parse_json(text).get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    throw ArgumentError(concat_text("setting ", name, ": '", text, "' is not a list of names"));
  }
}

void parse_setting(const std::string& name, const std::string& text, bool& value) {
  require(text == "true" || text == "false", "setting ", name, ": '", text, "' is not true or false");
  value = text == "true";
}

}  // namespace gesso
