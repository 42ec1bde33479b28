#include "ready_made.h"

#include <algorithm>

#include "program/assets.h"
#include "program/did_you_mean.h"
#include "program/usage_error.h"

namespace gesso {

namespace fs = std::filesystem;

fs::path ready_made_folder() { return asset("models"); }

fs::path any_style_model() { return asset("any_style/any_style.safetensors"); }

std::vector<std::string> ready_made_models(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == ".safetensors" && !entry.path().filename().string().starts_with(".")) {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path find_model(const std::string& model, const fs::path& folder, const std::string& option) {
  fs::path path = model;
  const bool plain_name = !path.has_parent_path() && path.extension() != ".safetensors";
  if (!plain_name || fs::is_regular_file(path)) {
    return path;
  }
  const std::vector<std::string> names = ready_made_models(folder);
  if (std::find(names.begin(), names.end(), model) != names.end()) {
    return folder / (model + ".safetensors");
  }
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ", ") + name;
  }
  throw UsageError(concat_text(option, " ", model,
                               ": there is neither such a file nor a ready-made model of that name; ",
                               list.empty() ? "there are none in " + folder.string() : "there are " + list,
                               did_you_mean(model, names)));
}

std::string model_name(const fs::path& model) {
  const std::string stem = model.stem().string();
  const std::string folder = fs::absolute(model).lexically_normal().parent_path().filename().string();
  return stem == "model" && !folder.empty() ? folder : stem;
}

}  // namespace gesso
