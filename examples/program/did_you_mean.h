// What somebody meant who mistyped a name.
#pragma once

#include <string>
#include <vector>

namespace gesso {

/// "; did you mean starry?" for "stary": the name that is most like `word`, one letter in three being wrong, or that
/// `word` is the beginning of. Empty where there is none.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& names);

}  // namespace gesso
