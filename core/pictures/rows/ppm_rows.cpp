#include "gesso/core/error.h"
#include "gesso/core/pictures/ppm.h"
#include "gesso/core/pictures/rows/sample_rows.h"

namespace gesso {
namespace {

class PpmDecoder : public SampleRows {
 public:
  PpmDecoder(std::shared_ptr<const InputFile> file, const PpmHeader& header)
      : file_(std::move(file)), header_(header), at_(header.pixels) {}

  void read(Index rows, void* samples) override {
    const Index bytes = rows * header_.row_bytes();
    read_ppm_samples(header_, file_->read(at_, static_cast<std::size_t>(bytes)),
                     rows * header_.width * header_.channels, samples);
    at_ += static_cast<std::uint64_t>(bytes);
  }

 private:
  std::shared_ptr<const InputFile> file_;
  PpmHeader header_;
  std::uint64_t at_;
};

}  // namespace

std::unique_ptr<PictureRows> open_ppm_rows(const std::string& path, const LoadOptions& options) {
  const auto file = std::make_shared<const InputFile>(path);
  const auto header = ppm_header(beginning_of(*file, std::size_t{1} << 16));
  if (!header) {
    return nullptr;
  }
  require_pixels(header->width, header->height, options);
  if (!ppm_is_whole(*header, file->size())) {
    throw Error("the file ends before the picture does (it is truncated or corrupt)");
  }
  const SampleRowsHeader samples{header->width, header->height, header->channels,
                                 header->largest == 255 ? 8 : 16};
  return picture_of_samples(path, samples,
                            [file, header = *header] { return std::make_unique<PpmDecoder>(file, header); });
}

}  // namespace gesso
