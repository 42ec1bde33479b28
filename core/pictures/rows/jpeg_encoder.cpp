// JPEG by libjpeg (libjpeg-turbo, for one), row by row.
#include "gesso/core/error.h"
#include "gesso/core/pictures/rows/row_encoders.h"

#ifdef GESSO_HAS_JPEG
#include <csetjmp>
#include <cstdio>
#include <string>
#include <vector>

#include <jpeglib.h>
#endif

namespace gesso {

#ifdef GESSO_HAS_JPEG

namespace {

struct Failure {
  jpeg_error_mgr manager;
  std::jmp_buf jump;
};

[[noreturn]] void fail(j_common_ptr jpeg) { std::longjmp(reinterpret_cast<Failure*>(jpeg->err)->jump, 1); }

void ignore(j_common_ptr, int) {}

// A buffer that is written when it is full; outside of libjpeg when it jumps.
struct Destination {
  jpeg_destination_mgr manager;
  AtomicFile* file;
  std::vector<JOCTET> buffer;
  std::string problem;  // of the file

  void reset() {
    manager.next_output_byte = buffer.data();
    manager.free_in_buffer = buffer.size();
  }
  bool write(std::size_t count) {
    try {
      file->write({reinterpret_cast<const char*>(buffer.data()), count});
      return true;
    } catch (const Error& error) {
      problem = error.what();
      return false;
    }
  }
};

void begin_writing(j_compress_ptr jpeg) { reinterpret_cast<Destination*>(jpeg->dest)->reset(); }

boolean empty_buffer(j_compress_ptr jpeg) {
  auto* const destination = reinterpret_cast<Destination*>(jpeg->dest);
  if (!destination->write(destination->buffer.size())) {
    fail(reinterpret_cast<j_common_ptr>(jpeg));
  }
  destination->reset();
  return TRUE;
}

void end_writing(j_compress_ptr jpeg) {
  auto* const destination = reinterpret_cast<Destination*>(jpeg->dest);
  if (!destination->write(destination->buffer.size() - destination->manager.free_in_buffer)) {
    fail(reinterpret_cast<j_common_ptr>(jpeg));
  }
}

class JpegEncoder : public RowEncoder {
 public:
  JpegEncoder(AtomicFile& file, PictureSize size, int channels, int quality)
      : destination_{{nullptr, 0, begin_writing, empty_buffer, end_writing},
                     &file,
                     std::vector<JOCTET>(std::size_t{1} << 16),
                     {}},
        row_(size.width * channels) {
    jpeg_.err = jpeg_std_error(&failure_.manager);
    failure_.manager.error_exit = fail;
    failure_.manager.emit_message = ignore;
    try {
      run([&] {
        jpeg_create_compress(&jpeg_);
        jpeg_.dest = &destination_.manager;
        jpeg_.image_width = static_cast<JDIMENSION>(size.width);
        jpeg_.image_height = static_cast<JDIMENSION>(size.height);
        jpeg_.input_components = channels;
        jpeg_.in_color_space = JCS_RGB;
        jpeg_set_defaults(&jpeg_);
        jpeg_set_quality(&jpeg_, quality, TRUE);
        if (quality > 90) {  // as save_picture(): colour at full resolution
          jpeg_.comp_info[0].h_samp_factor = jpeg_.comp_info[0].v_samp_factor = 1;
        }
        jpeg_start_compress(&jpeg_, TRUE);
      });
    } catch (...) {
      jpeg_destroy_compress(&jpeg_);
      throw;
    }
  }
  ~JpegEncoder() override { jpeg_destroy_compress(&jpeg_); }
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;

  void write(const std::uint8_t* samples, Index rows) override {
    run([&] {
      for (Index r = 0; r < rows; ++r) {
        auto* row = const_cast<JSAMPROW>(samples + r * row_);
        jpeg_write_scanlines(&jpeg_, &row, 1);
      }
    });
  }
  void finish() override {
    run([&] { jpeg_finish_compress(&jpeg_); });
  }

 private:
  // `work` must have nothing to destroy: libjpeg jumps out of it.
  template <class Work>
  void run(const Work& work) {
    if (setjmp(failure_.jump) != 0) {
      throw FileError(destination_.problem.empty() ? "cannot encode a JPEG file" : destination_.problem);
    }
    work();
  }

  Destination destination_;
  Failure failure_;
  jpeg_compress_struct jpeg_{};
  Index row_;
};

}  // namespace

bool can_write_jpeg_rows() { return true; }

std::unique_ptr<RowEncoder> begin_jpeg_rows(AtomicFile& file, PictureSize size, int channels, int quality) {
  return std::make_unique<JpegEncoder>(file, size, channels, quality);
}

#else

bool can_write_jpeg_rows() { return false; }
std::unique_ptr<RowEncoder> begin_jpeg_rows(AtomicFile&, PictureSize, int, int) { return nullptr; }

#endif

}  // namespace gesso
