// PNG by libpng, row by row.
#include <string>

#include "gesso/core/error.h"
#include "gesso/core/pictures/rows/row_encoders.h"

#ifdef GESSO_HAS_PNG
#include <png.h>
#endif

namespace gesso {

#ifdef GESSO_HAS_PNG

namespace {

// What libpng wants to write is gathered and written outside of it: its errors are jumps, ours are exceptions.
void gather(png_structp png, png_bytep bytes, std::size_t count) {
  try {
    static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
    return;
  } catch (...) {
    // Out of the handler first.
  }
  png_error(png, "not enough memory");
}

void flush(png_structp) {}

[[noreturn]] void fail(png_structp png, png_const_charp) { png_longjmp(png, 1); }
void ignore(png_structp, png_const_charp) {}

class PngEncoder : public RowEncoder {
 public:
  PngEncoder(AtomicFile& file, PictureSize size, int channels)
      : file_(file), row_(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(channels)) {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, fail, ignore);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_write_struct(&png_, nullptr);
      throw MemoryError("not enough memory to write a PNG file");
    }
    png_set_write_fn(png_, &bytes_, gather, flush);
    run([&] {
      png_set_user_limits(png_, 1'000'000, 1'000'000);
      png_set_compression_level(png_, 6);
      png_set_IHDR(png_, info_, static_cast<png_uint_32>(size.width), static_cast<png_uint_32>(size.height),
                   8, channels == 4 ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                   PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
      png_write_info(png_, info_);
    });
  }
  ~PngEncoder() override { png_destroy_write_struct(&png_, &info_); }
  PngEncoder(const PngEncoder&) = delete;
  PngEncoder& operator=(const PngEncoder&) = delete;

  void write(const std::uint8_t* samples, Index rows) override {
    run([&] {
      for (Index r = 0; r < rows; ++r) {
        png_write_row(png_, samples + static_cast<std::size_t>(r) * row_);
      }
    });
  }
  void finish() override {
    run([&] { png_write_end(png_, info_); });
  }

 private:
  // `work` must have nothing to destroy: libpng jumps out of it.
  template <class Work>
  void run(const Work& work) {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      throw MemoryError("not enough memory to write a PNG file");
    }
    work();
    file_.write(bytes_);
    bytes_.clear();
  }

  AtomicFile& file_;
  std::size_t row_;
  std::string bytes_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

bool can_write_png_rows() { return true; }

std::unique_ptr<RowEncoder> begin_png_rows(AtomicFile& file, PictureSize size, int channels) {
  return std::make_unique<PngEncoder>(file, size, channels);
}

#else

bool can_write_png_rows() { return false; }
std::unique_ptr<RowEncoder> begin_png_rows(AtomicFile&, PictureSize, int) { return nullptr; }

#endif

}  // namespace gesso
