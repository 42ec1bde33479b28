#include "did_you_mean.h"

#include <algorithm>

#include "gesso/core/text.h"

namespace gesso {

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
  constexpr std::size_t longest = 64;  // no name is longer, and the time grows with the length
  const std::size_t letters = word.size() - std::min(word.size(), word.find_first_not_of('-'));
  if (letters == 0 || word.size() > longest) {
    return "";
  }
  std::string name = nearest_word(word, names);
  if (letters_apart(word, name) > (letters + 1) / 3) {
    const auto longer = std::find_if(names.begin(), names.end(),
                                     [&](const std::string& other) { return other.starts_with(word); });
    name = longer == names.end() ? "" : *longer;
  }
  return name.empty() ? "" : "; did you mean " + name + "?";
}

}  // namespace gesso
