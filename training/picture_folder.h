// Batches of random crops from a folder of photographs, to train on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso {

struct FolderScan {
  bool folders_inside = true;                      ///< look into the folders inside, too
  std::vector<std::string>* complaints = nullptr;  ///< gets a line for each folder inside that cannot be read
};

/// The pictures in `folder` and the folders inside it, sorted by name; hidden files and folders are left out.
/// Symbolic links are followed, each folder once, wherever links lead. Throws FileError when `folder` is missing,
/// cannot be read or holds none.
std::vector<std::string> pictures_in(const std::filesystem::path& folder, const FolderScan& scan = {});

struct PictureFolderOptions {
  Index crop = 128;  ///< side of the square crops, pixels
  Index batch = 4;   ///< crops in a batch
  /// A crop shows a square whose side is a random part, min_scale to max_scale, of the picture's short side,
  /// but no fewer than `crop` pixels where the picture has them: only smaller pictures are ever enlarged.
  double min_scale = 0.5;
  double max_scale = 1;
  bool flip = true;                      ///< mirrors each crop with probability 1/2
  std::uint64_t seed = 1;                ///< decides the order of the pictures and all crops
  Index ahead = 2;                       ///< batches prepared before they are asked for
  Index cache_bytes = Index{512} << 20;  ///< decoded pictures are kept in up to this much memory
};

/// An endless stream of batches (batch, 3, crop, crop) in [0, 1]. Every epoch shows each picture once, in a
/// new random order; the turn of a picture that cannot be read goes to the one after it. A batch may hold the
/// end of one epoch and the beginning of the next. A thread of its own decodes and crops ahead. The files,
/// the options and the position in the stream alone decide what comes next: it does not depend on timing, the
/// cache or the number of threads, and can go on from a saved state.
///
///     PictureFolder photographs("photos", {.crop = 256, .batch = 4, .seed = 7});
///     Tensor batch = photographs.next();
class PictureFolder {
 public:
  /// How many crops have been drawn: with folder and options, that decides all that follows.
  struct State {
    Index crops = 0;
  };

  /// Over pictures_in(folder). Throws as that does, and ArgumentError for options out of range.
  PictureFolder(const std::filesystem::path& folder, const PictureFolderOptions& options = {});
  /// The same over given files.
  PictureFolder(std::vector<std::string> files, const PictureFolderOptions& options = {});
  /// Stops the thread, which finishes no more than the picture at hand.
  ~PictureFolder();
  PictureFolder(const PictureFolder&) = delete;
  PictureFolder& operator=(const PictureFolder&) = delete;

  /// The next batch. A picture that cannot be read is left out from then on and reported by take_warnings().
  /// Throws FileError when no picture is left, MemoryError when there is no memory for one.
  Tensor next();

  /// From now on next() gives crops first to first + count - 1 of each batch alone, for a process that has those. All
  /// positions are those of whole batches. Throws ArgumentError unless they are in a batch.
  void set_share(Index first, Index count);

  /// The position after the batch that next() gave last.
  State state() const;
  /// Goes on from there. Throws ArgumentError for a negative position.
  void set_state(State state);

  /// One line for each picture, or folder inside, found unreadable since the last call.
  std::vector<std::string> take_warnings();
  /// The files: those of the folder, sorted by name, or those given, in their order.
  const std::vector<std::string>& files() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace gesso
