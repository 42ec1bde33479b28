#include "gesso/layers/strips/kept_rows.h"

#include <algorithm>

namespace gesso {

KeptRows::KeptRows(const PlanesSize& size, Index rows, const std::filesystem::path& folder)
    : size_(size), rows_(rows), file_(std::make_shared<ScratchFile>(folder)) {}

std::uint64_t KeptRows::offset_of(Index row) const { return bytes_of(row); }

std::size_t KeptRows::bytes_of(Index rows) const {
  return static_cast<std::size_t>(rows * size_.channels * size_.width) * sizeof(float);
}

// A strip lies in the file as it does in memory.
void KeptRows::write(const Tensor& strip) {
  file_->write(offset_of(written_), strip.data<float>(), bytes_of(strip.size(2)));
  written_ += strip.size(2);
}

RowStreamPointer KeptRows::read(bool last) const {
  class Stream : public RowStream {
   public:
    Stream(const KeptRows& kept, bool last)
        : RowStream(kept.size_), kept_(kept), file_(kept.file_), last_(last) {}

    Tensor next() override {
      const Index rows = std::min(kept_.rows_, size().height - at_);
      Tensor strip = Tensor::empty({1, size().channels, rows, size().width});
      file_->read(kept_.offset_of(at_), strip.mutable_data<float>(), kept_.bytes_of(rows));
      if (last_) {
        file_->forget(kept_.offset_of(at_), kept_.bytes_of(rows));
      }
      at_ += rows;
      return strip;
    }

   private:
    const KeptRows kept_;
    std::shared_ptr<ScratchFile> file_;
    bool last_;
    Index at_ = 0;
  };
  return std::make_unique<Stream>(*this, last);
}

}  // namespace gesso
