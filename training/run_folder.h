// The folder of a run: which file is where, and how a run is begun and resumed.
#pragma once

#include <filesystem>
#include <string>

#include "gesso/training/checkpoint.h"

namespace gesso {

///     const RunFolder folder{"runs/starry"};
///     folder.create();                                        // for a new run
///     training.resume(folder.checkpoint_to_resume("train"));  // or to go on with an old one
struct RunFolder {
  std::filesystem::path root;

  /// What was trained, once training is done.
  std::filesystem::path model() const { return root / "model.safetensors"; }
  std::filesystem::path checkpoint() const { return root / "checkpoint"; }  ///< a folder: see checkpoint.h
  std::filesystem::path samples() const { return root / "samples"; }        ///< pictures made on the way
  std::filesystem::path log() const { return root / "log.jsonl"; }          ///< see report/log.h
  std::filesystem::path record() const { return root / "normalization.jsonl"; }  ///< see report/recorder.h
  std::filesystem::path report() const { return root / "report.html"; }          ///< see report/report.h

  /// Makes the folder, for a new run. Throws ArgumentError if it is a file or holds a run already (a log or a
  /// checkpoint), FileError if it cannot be made.
  void create() const;

  /// The checkpoint in it. Throws ArgumentError if there is none, or if its metadata say (under "command")
  /// that another command than `command` wrote it. Throws FileError as load_checkpoint() does.
  Checkpoint checkpoint_to_resume(const std::string& command) const;
};

}  // namespace gesso
