#include "gesso/training/report/lines.h"

#include <filesystem>

#include "gesso/core/files/file.h"

namespace gesso {

void for_each_line(const std::string& path, const std::function<void(std::string_view, int)>& visit) {
  if (!std::filesystem::exists(path)) {
    return;
  }
  const std::string text = read_file(path);
  std::size_t begin = 0;
  for (int number = 1; begin < text.size(); ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) {
      break;  // cut short by a kill
    }
    visit(std::string_view(text).substr(begin, end - begin), number);
    begin = end + 1;
  }
}

}  // namespace gesso
