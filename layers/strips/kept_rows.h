// Pictures in a file, strip by strip.
#pragma once

#include <memory>

#include "gesso/core/files/scratch_file.h"
#include "gesso/layers/strips/row_stream.h"

namespace gesso {

/// A picture that is written once, from top to bottom, and read any number of times.
class KeptRows {
 public:
  KeptRows(const PlanesSize& size, Index rows, const std::filesystem::path& folder);

  void write(const Tensor& strip);
  bool complete() const { return written_ == size_.height; }
  /// From the first row. With `last`, nobody else will read it: the room of each strip is given back once it is read.
  RowStreamPointer read(bool last) const;

 private:
  std::uint64_t offset_of(Index row) const;
  std::size_t bytes_of(Index rows) const;

  PlanesSize size_;
  Index rows_, written_ = 0;
  std::shared_ptr<ScratchFile> file_;
};

}  // namespace gesso
