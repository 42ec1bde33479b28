// The folder of a run: which file is where, and how a run is begun and resumed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "gesso/core/files/folder_lock.h"
#include "gesso/core/process_group.h"
#include "gesso/training/checkpoint.h"

namespace gesso {

///     const RunFolder folder("runs/starry");
///     folder.create();                                        // for a new run
///     training.resume(folder.checkpoint_to_resume("train"));  // or to go on with an old one
///
/// Where several processes train together, rank 0 alone locks, makes and changes the folder; the others read a checkpoint
/// when it has.
class RunFolder {
 public:
  RunFolder(std::filesystem::path folder, ProcessGroup& ranks = single_process())
      : root(std::move(folder)), ranks_(&ranks) {}

  std::filesystem::path root;

  /// What was trained, once training is done.
  std::filesystem::path model() const { return root / "model.safetensors"; }
  std::filesystem::path checkpoint() const { return root / "checkpoint"; }  ///< a folder: see checkpoint.h
  std::filesystem::path samples() const { return root / "samples"; }        ///< pictures made on the way
  std::filesystem::path log() const { return root / "log.jsonl"; }          ///< see report/log.h
  std::filesystem::path record() const { return root / "normalization.jsonl"; }  ///< see report/recorder.h
  std::filesystem::path report() const { return root / "report.html"; }          ///< see report/report.h

  /// Throws ArgumentError if the folder is a file or holds a run already (a checkpoint); touches nothing. A program
  /// asks this before it loads pictures and networks, and calls create() once those are found good.
  void check_new() const;

  /// Makes the folder, for a new run, and locks it. A folder whose run was killed before its first checkpoint counts
  /// as empty. Throws as check_new() does, and FileError if it cannot be made or another program works in it.
  void create() const;

  /// Locks the folder and returns the checkpoint in it; if that was damaged, it is put aside and the one before it is
  /// returned, with a warning. Throws ArgumentError if there is none, or if its metadata say (under "command") that
  /// another command than `command` wrote it. Throws FileError as load_checkpoint() does, and if another program
  /// works in the folder.
  Checkpoint checkpoint_to_resume(const std::string& command) const;

  /// Locks the folder until this RunFolder and its copies are gone; does nothing if they have it. (create(),
  /// checkpoint_to_resume() and train() do it.) Removes what killed runs left half-written. Throws FileError, naming
  /// the other, if another program works in it.
  void lock() const;

 private:
  bool is_first() const { return ranks_->rank() == 0; }

  ProcessGroup* ranks_;
  mutable std::shared_ptr<const FolderLock> lock_ = {};
};

}  // namespace gesso
