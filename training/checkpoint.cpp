#include "gesso/training/checkpoint.h"

#include <charconv>
#include <optional>
#include <system_error>

#include "gesso/core/files/checksum.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

// Entries of the file: tensors model.NAME and optimizer.NAME; metadata format, step, generator.NAME ("seed
// position") and metadata.KEY.
constexpr const char* kFileName = "checkpoint.safetensors";
constexpr const char* kPrevious = "previous.safetensors";
constexpr const char* kDamaged = "damaged.safetensors";
// The second is the first with a checksum, without which it is refused.
constexpr const char* kFormat = "gesso checkpoint 1";
constexpr const char* kCheckedFormat = "gesso checkpoint 2";

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
  Metadata metadata = {{"format", has_checksums() ? kCheckedFormat : kFormat},
                       {"step", std::to_string(checkpoint.step)}};
  for (const auto& [name, state] : checkpoint.generators) {
    metadata["generator." + name] = concat_text(state.seed, ' ', state.position);
  }
  for (const auto& [key, value] : checkpoint.metadata) {
    metadata["metadata." + key] = value;
  }
  remove_leftovers(folder);
  const fs::path current = folder / kFileName, previous = folder / kPrevious;
  // The one so far gets a second name, without a moment in which it has none. Where the file system knows no second
  // names, there is no previous checkpoint.
  const fs::path second = folder / concat_text(kPrevious, ".tmp-link");
  fs::remove(second, error);
  if (fs::create_hard_link(current, second, error); !error) {
    fs::rename(second, previous, error);
    fs::remove(second, error);  // rename() leaves it where both are names of one file already
  }
  save_safetensors(current.string(), tensors, metadata, {.checksum = true});
}

bool has_checkpoint(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kFileName, ignored) || fs::exists(folder / kPrevious, ignored);
}

void set_damaged_checkpoint_aside(const fs::path& folder) {
  std::error_code ignored;
  fs::rename(folder / kFileName, folder / kDamaged, ignored);
}

namespace {

Checkpoint load_file(const fs::path& path) {
  const Source source{path.string()};
  const SafetensorsFile file = load_safetensors(source.path);
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || (format->second != kFormat && format->second != kCheckedFormat)) {
    source.fail(concat_text("its metadata does not say \"", kFormat, "\" or \"", kCheckedFormat, '"'));
  }
  if (format->second == kCheckedFormat && !file.checksum) {
    source.fail("it has lost its checksum");
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
  if (!has_step || checkpoint.step < 0) {
    source.fail(has_step ? concat_text("its step is ", checkpoint.step) : "its metadata has no step");
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

}  // namespace

Checkpoint load_checkpoint(const fs::path& folder) {
  try {
    return load_file(folder / kFileName);
  } catch (const FileError& damage) {
    std::optional<Checkpoint> previous;
    try {
      previous = load_file(folder / kPrevious);
    } catch (const FileError&) {
      throw damage;
    }
    previous->warning =
        concat_text(damage.what(), "; going on from the checkpoint before it, at step ", previous->step);
    return *std::move(previous);
  }
}

}  // namespace gesso
