#include "gesso/training/checkpoint.h"

#include <charconv>
#include <system_error>

#include "gesso/core/files/safetensors.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

// Entries of the file: tensors model.NAME and optimizer.NAME; metadata format, step, generator.NAME ("seed
// position") and metadata.KEY.
constexpr const char* kFileName = "checkpoint.safetensors";
constexpr const char* kFormat = "gesso checkpoint 1";

// A checkpoint file under examination: every complaint names it.
struct Source {
  std::string path;

  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(path + " is not a whole checkpoint: " + reason);
  }

  template <class T>
  T number(const std::string& key, std::string_view text) const {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
      fail(concat_text(key, " is \"", text, "\", which is no number"));
    }
    return value;
  }
};

// Whether `name` begins with `prefix`, which is then taken off.
bool take_prefix(std::string& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) {
    return false;
  }
  name.erase(0, prefix.size());
  return true;
}

// What a killed program left of its last attempt.
void remove_leftovers(const fs::path& folder) {
  std::error_code ignored;
  const std::string beginning = std::string(kFileName) + ".tmp-";
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(beginning)) {
      fs::remove(entry.path(), ignored);
    }
  }
}

}  // namespace

void save_checkpoint(const fs::path& folder, const Checkpoint& checkpoint) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw FileError(concat_text("cannot make the folder ", folder.string(), ": ", error.message()));
  }
  NamedTensors tensors;
  for (const auto& [name, tensor] : checkpoint.model) {
    tensors.emplace_back("model." + name, tensor);
  }
  for (const auto& [name, tensor] : checkpoint.optimizer) {
    tensors.emplace_back("optimizer." + name, tensor);
  }
  Metadata metadata = {{"format", kFormat}, {"step", std::to_string(checkpoint.step)}};
  for (const auto& [name, state] : checkpoint.generators) {
    metadata["generator." + name] = concat_text(state.seed, ' ', state.position);
  }
  for (const auto& [key, value] : checkpoint.metadata) {
    metadata["metadata." + key] = value;
  }
  remove_leftovers(folder);
  save_safetensors((folder / kFileName).string(), tensors, metadata);
}

bool has_checkpoint(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kFileName, ignored);
}

Checkpoint load_checkpoint(const fs::path& folder) {
  const Source source{(folder / kFileName).string()};
  const SafetensorsFile file = load_safetensors(source.path);
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kFormat) {
    source.fail(concat_text("its metadata does not say \"", kFormat, '"'));
  }
  Checkpoint checkpoint;
  bool has_step = false;
  for (const auto& [key, value] : file.metadata) {
    std::string name = key;
    if (name == "step") {
      checkpoint.step = source.number<Index>(key, value);
      has_step = true;
    } else if (take_prefix(name, "generator.")) {
      const std::size_t space = value.find(' ');
      if (space == std::string::npos) {
        source.fail(concat_text(key, " is \"", value, "\", not a seed and a position"));
      }
      const std::string_view text = value;
      checkpoint.generators[name] = {source.number<std::uint64_t>(key, text.substr(0, space)),
                                     source.number<std::uint64_t>(key, text.substr(space + 1))};
    } else if (take_prefix(name, "metadata.")) {
      checkpoint.metadata[name] = value;
    }
  }
  if (!has_step) {
    source.fail("its metadata has no step");
  }
  for (const auto& [key, tensor] : file.tensors) {
    std::string name = key;
    if (take_prefix(name, "model.")) {
      checkpoint.model.emplace_back(name, tensor);
    } else if (take_prefix(name, "optimizer.")) {
      checkpoint.optimizer.emplace_back(name, tensor);
    } else {
      source.fail("the tensor \"" + key + "\" belongs neither to a model nor to an optimizer");
    }
  }
  return checkpoint;
}

}  // namespace gesso
