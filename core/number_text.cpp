#include "gesso/core/number_text.h"

#include <cmath>
#include <limits>
#include <locale>
#include <sstream>

namespace gesso {

#if defined(__cpp_lib_to_chars)

std::string number_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::errc read_number(std::string_view text, double& value) { return detail::read_whole(text, value); }

#else  // a standard library that has them for whole numbers only (libc++): streams do it, in no language

std::string number_text(double value) {
  for (int digits = 1;; ++digits) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(digits);
    out << value;
    double read = 0;
    if (digits == std::numeric_limits<double>::max_digits10 ||
        (read_number(out.str(), read) == std::errc() && read == value)) {
      return out.str();
    }
  }
}

std::errc read_number(std::string_view text, double& value) {
  std::istringstream in{std::string(text)};
  in.imbue(std::locale::classic());
  double read = 0;
  in >> std::noskipws >> read;
  const bool bad = in.fail();
  if (!in.eof() || text.starts_with('+') || text.find_first_not_of("0123456789+-.eE") != text.npos ||
      (bad && !std::isinf(read))) {
    return std::errc::invalid_argument;
  }
  if (bad) {
    return std::errc::result_out_of_range;
  }
  value = read;
  return std::errc();
}

#endif

}  // namespace gesso
