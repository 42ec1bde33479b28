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
};

/// Writes one safetensors file, checkpoint.safetensors, in `folder`, which is made if it is missing. The file
/// is replaced in one instant: whenever the program is killed, a whole checkpoint is there, the new one or
/// the one before. Throws FileError when it cannot be written.
void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// Whether `folder` holds a checkpoint.
bool has_checkpoint(const std::filesystem::path& folder);

/// Reads what save_checkpoint() wrote. Throws FileError, naming the file, when it is missing or is not a
/// checkpoint.
Checkpoint load_checkpoint(const std::filesystem::path& folder);

}  // namespace gesso
