#include "gesso/core/pictures/rows/sample_rows.h"

#include <algorithm>
#include <cstdlib>

#include "gesso/core/error.h"
#include "gesso/core/pictures/color_profile.h"

namespace gesso {
namespace {

class RowsOfSamples : public PictureRows {
 public:
  RowsOfSamples(const std::string& name, const SampleRowsHeader& header,
                std::function<std::unique_ptr<SampleRows>()> begin)
      : PictureRows({header.height, header.width}, header.channels % 2 == 0),
        name_(name),
        header_(header),
        begin_(std::move(begin)) {}

  Tensor next(Index rows, bool alpha) override {
    try {
      return read(rows, alpha);
    } catch (const MemoryError&) {
      throw;
    } catch (const FileError&) {
      throw;
    } catch (const Error& error) {
      throw FileError(concat_text("cannot load picture '", name_, "': ", error.what()));
    }
  }

  void rewind() override { decoder_.reset(); }

 private:
  Tensor read(Index rows, bool alpha) {
    if (!decoder_) {
      decoder_ = begin_();
    }
    const Index width = header_.width, plane = rows * width;
    PictureSamples samples{width, rows, header_.channels, header_.bits, {}, {}};
    samples.samples.reset(std::malloc(static_cast<std::size_t>(plane * header_.channels * header_.bits / 8)));
    if (!samples.samples) {
      throw MemoryError(concat_text("not enough memory for ", rows, " rows of '", name_, "'"));
    }
    decoder_->read(rows, samples.samples.get());
    if (!header_.profile.empty()) {
      convert_to_srgb(samples, header_.profile);
    }
    const PixelWalk walk = upright_walk(rows, width, 1);
    Tensor picture = Tensor::empty({1, alpha ? 4 : 3, rows, width});
    float* const planes = picture.mutable_data<float>();
    write_planes(samples, walk, planes);
    if (alpha && has_alpha()) {
      write_alpha(samples, walk, planes + 3 * plane);
    } else if (alpha) {
      std::fill_n(planes + 3 * plane, plane, 1.0F);
    }
    return picture;
  }

  std::string name_;
  SampleRowsHeader header_;
  std::function<std::unique_ptr<SampleRows>()> begin_;
  std::unique_ptr<SampleRows> decoder_;
};

}  // namespace

std::unique_ptr<PictureRows> picture_of_samples(const std::string& name, const SampleRowsHeader& header,
                                                std::function<std::unique_ptr<SampleRows>()> begin) {
  return std::make_unique<RowsOfSamples>(name, header, std::move(begin));
}

std::string beginning_of(const InputFile& file, std::size_t most) {
  return file.read(0, static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), most)));
}

void require_pixels(Index width, Index height, const LoadOptions& options) {
  if (width < 1 || height < 1) {
    throw Error("it has no valid header (it is truncated or corrupt)");
  }
  if (width > options.max_pixels / height) {
    throw Error(concat_text("it has ", width, " x ", height, " pixels, more than the limit of ",
                            options.max_pixels,
                            " (LoadOptions::max_pixels): make it smaller or raise the limit"));
  }
}

}  // namespace gesso
