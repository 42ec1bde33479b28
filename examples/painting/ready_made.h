// The models that come with gesso, by name.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gesso {

/// Where they lie: examples/assets/models.
std::filesystem::path ready_made_folder();

/// The network that paints like any picture it is shown: any_style/any_style.safetensors of the assets.
std::filesystem::path any_style_model();

/// The names of the models NAME.safetensors in `folder`, sorted; none if there is no such folder.
std::vector<std::string> ready_made_models(const std::filesystem::path& folder = ready_made_folder());

/// The file that `model` means: the file of that path or, if there is none and it is a plain name, the model
/// of that name in `folder`. Throws UsageError, naming `option` and listing the models there are, for a plain name that is
/// neither. Other paths are returned as they are, for whoever opens them to complain.
std::filesystem::path find_model(const std::string& model,
                                 const std::filesystem::path& folder = ready_made_folder(),
                                 const std::string& option = "--model");

/// What a model is called in the names of files painted by it: its file's name or, for the model.safetensors
/// of a run, its folder's.
std::string model_name(const std::filesystem::path& model);

}  // namespace gesso
