// Checkpoints: everything that a training needs to go on as if it had never stopped.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "gesso/core/generator.h"
#include "gesso/layers/module.h"

namespace gesso {

/// What is saved:
///
///     save_checkpoint("run/checkpoint", {.step = step,
///                                        .model = net.state_dict(),
///                                        .optimizer = adam.state_dict(),
///                                        .generators = {{"crops", rng.state()}}});
///
/// and how it comes back:
///
///     const Checkpoint saved = load_checkpoint("run/checkpoint");
///     net.load_state_dict(saved.model);
///     adam.load_state_dict(saved.optimizer);
///     rng.set_state(saved.generators.at("crops"));
///
/// Training then continues bit for bit, given the same data and the same kind of CPU.
struct Checkpoint {
  Index step = 0;  ///< steps done
  StateDict model = {};
  StateDict optimizer = {};
  std::map<std::string, Generator::State> generators = {};
  std::map<std::string, std::string> metadata = {};  ///< settings, the loader's state, ...: any text
  /// Of a loaded one: what the user should hear of, empty if all is well. Not saved.
  std::string warning = {};
};

/// Writes one safetensors file, checkpoint.safetensors, in `folder`, which is made if it is missing. The file
/// is replaced in one instant: whenever the program is killed or the power goes, a whole checkpoint is there, the
/// new one or the one before, which is kept as previous.safetensors. Its checksum covers every byte (in builds
/// with zlib). Throws FileError when it cannot be written; then the last one is as it was.
void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// Whether `folder` holds a checkpoint.
bool has_checkpoint(const std::filesystem::path& folder);

/// Reads what save_checkpoint() wrote. If that is damaged (a bit that changed is enough) or missing, the one before
/// it is taken, and its `warning` says so. Throws FileError, naming the file, when that is missing too or neither
/// is a checkpoint.
Checkpoint load_checkpoint(const std::filesystem::path& folder);

/// Renames a damaged checkpoint to damaged.safetensors, so that the next save_checkpoint() does not keep it in place
/// of the whole one before it. For whoever goes on from a checkpoint with a warning.
void set_damaged_checkpoint_aside(const std::filesystem::path& folder);

}  // namespace gesso
