// Files that grow line by line, such as log.jsonl.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace gesso {

/// Calls visit(line, number) for each line of a file, without its end, numbered from 1. A last line that a
/// kill cut short is left out; a missing file has none. Throws FileError when the file cannot be read.
void for_each_line(const std::string& path, const std::function<void(std::string_view, int)>& visit);

}  // namespace gesso
