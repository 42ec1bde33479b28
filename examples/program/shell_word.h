// Commands that people are told to type.
#pragma once

#include <string>

namespace gesso {

/// `text` as one word for a shell: as it is if it is plain, else in quotes: 'my run', 'it'\''s'.
std::string shell_word(const std::string& text);

}  // namespace gesso
