#include "gesso/core/files/json.h"

namespace gesso {

Json parse_json(std::string_view text) { return Json::parse(text); }

std::string json_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gesso
