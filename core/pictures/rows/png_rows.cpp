// PNG by libpng, row by row.
#include "gesso/core/error.h"
#include "gesso/core/pictures/color_profile.h"
#include "gesso/core/pictures/exif.h"
#include "gesso/core/pictures/picture_check.h"
#include "gesso/core/pictures/rows/sample_rows.h"

#ifdef GESSO_HAS_PNG
#include <png.h>

#include <bit>
#endif

namespace gesso {

#ifdef GESSO_HAS_PNG

namespace {

constexpr std::size_t kSignature = 8, kLargestChunk = std::size_t{16} << 20;

std::uint32_t big_endian32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) {
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  return value;
}

// The file without its pixels: the chunks but IDAT. Throws Error unless chunks fit, up to the end chunk.
std::string chunks_without_pixels(const InputFile& file) {
  std::string chunks = file.read(0, kSignature);
  std::uint64_t at = kSignature;
  while (file.size() - at >= 12) {
    const std::string head = file.read(at, 8), type = head.substr(4);
    const std::uint64_t length = big_endian32(head);
    if (length > file.size() - at - 12) {
      break;
    }
    if (type == "IEND") {
      return chunks;
    }
    if (type != "IDAT" && length <= kLargestChunk && chunks.size() < 4 * kLargestChunk) {
      chunks += file.read(at, static_cast<std::size_t>(12 + length));
    }
    at += 12 + length;
  }
  throw Error("the file ends before the picture does (it is truncated or corrupt)");
}

// libpng's errors are jumps out of its functions, which must not cross a C++ object; the error's words stay here.
struct Failure {
  std::string words;
};

[[noreturn]] void fail(png_structp png, png_const_charp words) {
  static_cast<Failure*>(png_get_error_ptr(png))->words = words;
  png_longjmp(png, 1);
}

void ignore(png_structp, png_const_charp) {}

struct Source {
  const InputFile* file;
  std::uint64_t at = 0;
};

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto* const source = static_cast<Source*>(png_get_io_ptr(png));
  bool done = false;
  try {
    source->file->read(source->at, to, count);
    source->at += count;
    done = true;
  } catch (const Error&) {
    // Out of the handler first.
  }
  if (!done) {
    png_error(png, "the file ends before the picture does (it is truncated or corrupt)");
  }
}

class PngDecoder : public SampleRows {
 public:
  explicit PngDecoder(std::shared_ptr<const InputFile> file) : file_(std::move(file)), source_{file_.get()} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure_, fail, ignore);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw MemoryError("not enough memory to read a PNG file");
    }
    try {
      begin();
    } catch (...) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw;
    }
  }
  ~PngDecoder() override { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  SampleRowsHeader header() const {
    return {static_cast<Index>(png_get_image_width(png_, info_)),
            static_cast<Index>(png_get_image_height(png_, info_)), png_get_channels(png_, info_),
            png_get_bit_depth(png_, info_)};
  }

  void read(Index rows, void* samples) override {
    auto* const row = static_cast<png_bytep>(samples);
    const std::size_t row_bytes = png_get_rowbytes(png_, info_);
    run([&] {
      for (Index r = 0; r < rows; ++r) {
        png_read_row(png_, row + static_cast<std::size_t>(r) * row_bytes, nullptr);
        if (++read_ == png_get_image_height(png_, info_)) {
          png_read_end(png_, nullptr);
        }
      }
    });
  }

 private:
  void begin() {
    png_set_read_fn(png_, &source_, read_bytes);
    png_set_user_limits(png_, 1'000'000, 1'000'000);
    png_set_chunk_malloc_max(png_, kLargestChunk);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
    run([&] {
      png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_QUIET_USE);
      png_read_info(png_, info_);
      png_set_expand(png_);  // palettes to colours, tRNS to alpha, fewer than 8 bits to 8
      if (std::endian::native == std::endian::little) {
        png_set_swap(png_);
      }
      png_read_update_info(png_, info_);
    });
  }

  // `work` must have nothing to destroy: libpng jumps out of it.
  template <class Work>
  void run(const Work& work) {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      throw Error(concat_text("it cannot be decoded (", failure_.words, ")"));
    }
    work();
  }

  std::shared_ptr<const InputFile> file_;
  Source source_;
  Failure failure_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  png_uint_32 read_ = 0;
};

}  // namespace

std::unique_ptr<PictureRows> open_png_rows(const std::string& path, const LoadOptions& options) {
  const auto file = std::make_shared<const InputFile>(path);
  if (picture_format(beginning_of(*file, 64)) != PictureFormat::png) {
    return nullptr;
  }
  const std::string chunks = chunks_without_pixels(*file);
  const auto size = picture_size(chunks, PictureFormat::png);
  if (!size) {
    throw Error("it has no valid header (it is truncated or corrupt)");
  }
  require_pixels(size->width, size->height, options);
  const std::string_view head = find_png_chunk(chunks, "IHDR");
  const bool interlaced = head.size() >= 13 && head[12] != 0;
  if (interlaced || exif_orientation(chunks) != 1) {
    return nullptr;
  }
  SampleRowsHeader header = PngDecoder(file).header();
  header.profile = color_profile(chunks);
  return picture_of_samples(path, header, [file] { return std::make_unique<PngDecoder>(file); });
}

#else

std::unique_ptr<PictureRows> open_png_rows(const std::string&, const LoadOptions&) { return nullptr; }

#endif

}  // namespace gesso
