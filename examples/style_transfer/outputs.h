// Where painted pictures and films go.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gesso {

struct PaintingTask {
  std::filesystem::path from, to;
};

/// ".jpg", of whatever case.
std::string ending_of(const std::filesystem::path& path);

/// The pictures and films that `inputs` names: files as they are, folders by the pictures in them.
std::vector<std::filesystem::path> expand(const std::vector<std::filesystem::path>& inputs);

/// Where the painting of each file goes: to the file `out` if there is one painting and the name of `out` has the ending of
/// one, else to a folder of that name; without `out` to NAME-`painter`.jpg, say, in the current folder, never over a file
/// that is there. Paintings keep the ending of what they were made from, or get `otherwise` where nothing is written with it.
/// `endings` are those that can be written. Throws UsageError where `out` has another ending (a folder of such a name is
/// there already, or named with a / at its end), is a file and several paintings come, or is what is to be painted.
std::vector<PaintingTask> plan_outputs(const std::vector<std::filesystem::path>& files,
                                       const std::filesystem::path& out, const std::string& painter,
                                       const std::vector<std::string>& endings, const std::string& otherwise);

}  // namespace gesso
