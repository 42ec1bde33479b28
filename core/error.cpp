#include "gesso/core/error.h"

#include <locale>
#include <sstream>

namespace gesso::detail {

std::string concat_parts(std::initializer_list<TextPart> parts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());  // 1000, also where the program's own locale writes 1.000
  for (const TextPart& part : parts) {
    part.write(text, part.value);
  }
  return text.str();
}

void throw_argument_error(std::initializer_list<TextPart> parts) { throw ArgumentError(concat_parts(parts)); }

}  // namespace gesso::detail
