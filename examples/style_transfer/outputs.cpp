#include "outputs.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "gesso/core/error.h"
#include "gesso/training/picture_folder.h"
#include "painting/video.h"
#include "program/usage_error.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

bool holds(const std::vector<std::string>& endings, const std::string& ending) {
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

std::string listed(const std::vector<std::string>& endings) {
  std::string text;
  for (std::size_t i = 0; i < endings.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == endings.size() ? " or " : ", ") + endings[i];
  }
  return text;
}

// Whether a name that nothing has yet is that of a file, not of a folder: "x.gif", but not "x", "x/" or "strength-0.5".
bool names_a_file(const fs::path& out) {
  const std::string ending = ending_of(out);
  return ending.size() > 1 && std::isalpha(static_cast<unsigned char>(ending[1])) != 0;
}

// That paintings can be written to `out`.
void check(const fs::path& out, std::size_t paintings, const std::vector<std::string>& endings) {
  const bool there = fs::exists(out);
  if (out.empty() || fs::is_directory(out) || (!there && !names_a_file(out))) {
    return;
  }
  const bool right = holds(endings, ending_of(out));
  if (paintings != 1 && (there || right)) {
    throw UsageError(
        concat_text("--out ", out.string(), " is a file; ", paintings, " pictures need a folder"));
  }
  if (!right) {
    throw UsageError(concat_text("--out ", out.string(), ": the name must end in ", listed(endings),
                                 there ? "" : ", or in / if it is meant to be a folder"));
  }
}

}  // namespace

std::string ending_of(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending;
}

// The pictures that the arguments name: files as they are, folders by the pictures in them.
std::vector<fs::path> expand(const std::vector<fs::path>& inputs) {
  std::vector<fs::path> pictures;
  for (const fs::path& input : inputs) {
    if (!fs::is_directory(input)) {
      pictures.push_back(input);
      continue;
    }
    const std::vector<std::string> found = pictures_in(input, {.folders_inside = false});
    pictures.insert(pictures.end(), found.begin(), found.end());
  }
  return pictures;
}

std::vector<PaintingTask> plan_outputs(const std::vector<fs::path>& files, const fs::path& out,
                                       const std::string& painter, const std::vector<std::string>& endings,
                                       const std::string& otherwise) {
  check(out, files.size(), endings);
  std::vector<PaintingTask> tasks;
  if (!out.empty() && !fs::is_directory(out) && holds(endings, ending_of(out))) {
    tasks.push_back({files.front(), out});
  } else {
    std::set<fs::path> taken;
    for (const fs::path& file : files) {
      fs::path name = file.filename();
      if (!holds(endings, ending_of(name))) {
        name.replace_extension(otherwise);
      }
      if (out.empty()) {
        name = name.stem().string() + "-" + painter + name.extension().string();
      }
      // Files of one name from two folders: the later ones get a number.
      const fs::path wanted = name;
      for (int i = 2; !taken.insert(name).second || (out.empty() && fs::exists(name)); ++i) {
        name = wanted.stem().string() + "-" + std::to_string(i) + wanted.extension().string();
      }
      tasks.push_back({file, out / name});
    }
  }
  for (const PaintingTask& task : tasks) {
    if (fs::exists(task.to) && fs::exists(task.from) && fs::equivalent(task.from, task.to)) {
      throw UsageError(
          concat_text("--out would overwrite ", task.from.string(), " itself; name another place"));
    }
  }
  return tasks;
}

}  // namespace gesso
