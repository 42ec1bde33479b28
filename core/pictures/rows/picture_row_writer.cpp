#include "gesso/core/pictures/rows/picture_row_writer.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/pictures/picture_bytes.h"
#include "gesso/core/pictures/picture_codec.h"
#include "gesso/core/pictures/rows/row_encoders.h"
#include "gesso/core/pictures/webp.h"

namespace gesso {
namespace {

constexpr const char* kOperation = "begin_picture";

std::string ending_of(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

bool is_jpeg(const std::string& ending) { return ending == ".jpg" || ending == ".jpeg"; }

bool goes_by_rows(const std::string& ending) {
  return ending == ".ppm" || (ending == ".png" && can_write_png_rows()) ||
         (is_jpeg(ending) && can_write_jpeg_rows());
}

// Writes bytes of a picture of one size, in order.
class CheckedWriter : public PictureRowWriter {
 public:
  CheckedWriter(Size2d size, int channels) : size_(size), channels_(channels) {}

  void write(const Tensor& rows) final {
    const PictureBytes bytes = picture_bytes(rows, kOperation, true);
    require(bytes.size.width == size_.width && bytes.channels == channels_ &&
                written_ + bytes.size.height <= size_.height,
            kOperation, ": rows of shape ", rows.shape(), " after ", written_, " rows of a picture of ",
            channels_, " channels and ", size_.width, " x ", size_.height, " pixels");
    write(bytes);
    written_ += bytes.size.height;
  }

  void finish() final {
    require(written_ == size_.height, kOperation, ": ", written_, " rows of ", size_.height, " were written");
    end();
  }

 protected:
  virtual void write(const PictureBytes& rows) = 0;
  virtual void end() = 0;
  PictureSize size() const { return {size_.width, size_.height}; }
  int channels() const { return channels_; }

 private:
  Size2d size_;
  int channels_;
  Index written_ = 0;
};

class EncodedRows : public CheckedWriter {
 public:
  EncodedRows(const std::string& path, const std::string& ending, Size2d size, int channels, int quality)
      : CheckedWriter(size, channels), file_(path) {
    const PictureSize sides{size.width, size.height};
    encoder_ = ending == ".ppm"   ? begin_ppm_rows(file_, sides, channels)
               : ending == ".png" ? begin_png_rows(file_, sides, channels)
                                  : begin_jpeg_rows(file_, sides, channels, quality);
  }

 protected:
  void write(const PictureBytes& rows) override { encoder_->write(rows.samples.data(), rows.size.height); }
  void end() override {
    encoder_->finish();
    file_.commit();
  }

 private:
  AtomicFile file_;
  std::unique_ptr<RowEncoder> encoder_;
};

class HeldRows : public CheckedWriter {
 public:
  HeldRows(const std::string& path, const std::string& ending, Size2d size, int channels, int quality)
      : CheckedWriter(size, channels), path_(path), ending_(ending), quality_(quality) {
    bytes_.reserve(static_cast<std::size_t>(size.height * size.width * channels));
  }

 protected:
  void write(const PictureBytes& rows) override {
    bytes_.insert(bytes_.end(), rows.samples.begin(), rows.samples.end());
  }
  void end() override {
    const std::uint8_t* const samples = bytes_.data();
    write_file_atomically(path_, ending_ == ".png" ? encode_png_samples(samples, size(), channels())
                                 : is_jpeg(ending_)
                                     ? encode_jpeg_samples(samples, size(), channels(), quality_)
                                     : encode_webp_samples(samples, size(), channels(), quality_));
  }

 private:
  std::string path_, ending_;
  int quality_;
  std::vector<std::uint8_t> bytes_;
};

class PpmRows : public RowEncoder {
 public:
  PpmRows(AtomicFile& file, PictureSize size) : file_(file), row_(3 * size.width) {
    file_.write(concat_text("P6\n", size.width, " ", size.height, "\n255\n"));
  }
  void write(const std::uint8_t* samples, Index rows) override {
    file_.write({reinterpret_cast<const char*>(samples), static_cast<std::size_t>(rows * row_)});
  }
  void finish() override {}

 private:
  AtomicFile& file_;
  Index row_;
};

}  // namespace

std::unique_ptr<RowEncoder> begin_ppm_rows(AtomicFile& file, PictureSize size, int) {
  return std::make_unique<PpmRows>(file, size);
}

std::unique_ptr<PictureRowWriter> begin_picture(const std::string& path, Size2d size, int channels,
                                                const SaveOptions& options) {
  const std::string ending = ending_of(path);
  const bool alpha = ending == ".png" || ending == ".webp";
  require(has_writable_ending(path), kOperation, ": '", path,
          "' must end in .png, .jpg, .jpeg, .webp or .ppm");
  require(channels == 3 || (channels == 4 && alpha), kOperation, ": ", channels, " channels for '", path,
          "'; it can have 3", alpha ? " or 4" : "");
  require(size.height >= 1 && size.width >= 1, kOperation, ": a picture of ", size.width, " x ", size.height);
  require(options.jpeg_quality >= 1 && options.jpeg_quality <= 100, kOperation, ": the quality is ",
          options.jpeg_quality, "; it must be 1 to 100");
  require(ending != ".webp" || has_webp(), kOperation,
          ": this gesso was built without libwebp, which WebP needs: install it (Debian: ",
          "libwebp-dev) and build again, or save a PNG or JPEG");
  const Index longest = is_jpeg(ending) ? 65535 : ending == ".webp" ? 16383 : 1'000'000;
  require(std::max(size.height, size.width) <= longest, kOperation, ": the picture has ", size.width, " x ",
          size.height, " pixels; no side of a ", ending, " file may be longer than ", longest,
          ending == ".png" || ending == ".ppm" ? "" : ": save a PNG");
  if (goes_by_rows(ending)) {
    return std::make_unique<EncodedRows>(path, ending, size, channels, options.jpeg_quality);
  }
  return std::make_unique<HeldRows>(path, ending, size, channels, options.jpeg_quality);
}

double memory_of_picture_writer(const std::string& path, Size2d size, int channels) {
  // The samples, what the encoder makes of them and the file.
  return goes_by_rows(ending_of(path))
             ? 0
             : 3.0 * channels * static_cast<double>(size.height) * static_cast<double>(size.width);
}

}  // namespace gesso
