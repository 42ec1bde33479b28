#include "gesso/core/text.h"

#include <algorithm>
#include <numeric>

#include <cctype>

namespace gesso {
namespace {

constexpr std::string_view kEscaped = "percent:";
constexpr std::string_view kHex = "0123456789ABCDEF";

unsigned byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

// How many bytes the character at the front of `text` has; 0 if it is none. RFC 3629, section 4: no longer forms
// than needed, no surrogates, nothing above 10FFFF.
std::size_t character_length(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const unsigned second = byte_at(text, 1);
  const bool allowed = !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second > 0x9F) &&
                       !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second > 0x8F);
  return allowed ? length : 0;
}

int hex_value(char digit) {
  const std::size_t value = kHex.find(static_cast<char>(std::toupper(static_cast<unsigned char>(digit))));
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const unsigned first = byte_at(text, 0);
    const bool control = (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F ||
                         (first == 0xC2 && length == 2 && byte_at(text, 1) < 0xA0);
    if (length > 0 && !control) {
      shown += text.substr(0, length);
    }
    for (std::size_t i = 0; (length == 0 || control) && i < (length == 0 ? 1 : length); ++i) {
      shown += "\\x";
      shown += static_cast<char>(std::tolower(kHex[byte_at(text, i) >> 4]));
      shown += static_cast<char>(std::tolower(kHex[byte_at(text, i) & 15]));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return shown;
}

std::string to_utf8(const std::string& text) {
  if (is_utf8(text) && !text.starts_with(kEscaped)) {
    return text;
  }
  std::string escaped(kEscaped);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte)) || std::string_view("/._-").find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      escaped += '%';
      escaped += kHex[byte >> 4];
      escaped += kHex[byte & 15];
    }
  }
  return escaped;
}

std::string from_utf8(const std::string& text) {
  if (!text.starts_with(kEscaped)) {
    return text;
  }
  std::string bytes;
  for (std::size_t i = kEscaped.size(); i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      bytes += static_cast<char>(16 * high + low);
      i += 2;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(a.size() + 1);  // distances of the beginnings of `a` to that of `b`
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (const char letter : b) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < a.size(); ++j) {
      const std::size_t changed = diagonal + (a[j] == letter ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

std::string nearest_word(std::string_view word, const std::vector<std::string>& known) {
  std::string nearest;
  std::size_t least = std::string::npos;
  for (const std::string& other : known) {
    if (const std::size_t apart = letters_apart(word, other); apart < least) {
      least = apart;
      nearest = other;
    }
  }
  return nearest;
}

}  // namespace gesso
