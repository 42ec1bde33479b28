// Texts that come from outside, names of files above all: on their way to a terminal and into JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gesso {

/// Whether `text` is UTF-8 (RFC 3629), as JSON texts must be; names of files may be any bytes.
bool is_utf8(std::string_view text);

/// `text` so that a terminal shows it and does nothing else: control characters (in ASCII and the C1 ones of Unicode)
/// and bytes that are no UTF-8 become `\x1b` and the like; line ends and tabs stay.
std::string printable(std::string_view text);

/// `text` if it is UTF-8. If not, "percent:" and the text with %XX for each byte that is no letter, digit or one of
/// "/._-" (RFC 3986); so too a text that itself begins with "percent:". Never ambiguous.
std::string to_utf8(const std::string& text);
/// The opposite.
std::string from_utf8(const std::string& text);

/// How many letters have to be put in, left out or changed to make one of the other (Levenshtein 1966).
std::size_t letters_apart(std::string_view a, std::string_view b);

/// The one of `known` that `word` was most likely meant to be: the fewest letters_apart(), the first of equals. "" of none. Takes time in proportion to the letters of `word` times all
/// others.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace gesso
