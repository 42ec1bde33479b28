// JPEG by libjpeg (libjpeg-turbo, for one), row by row.
#include <algorithm>

#include "gesso/core/error.h"
#include "gesso/core/pictures/color_profile.h"
#include "gesso/core/pictures/exif.h"
#include "gesso/core/pictures/jpeg.h"
#include "gesso/core/pictures/picture_check.h"
#include "gesso/core/pictures/rows/sample_rows.h"

#ifdef GESSO_HAS_JPEG
#include <csetjmp>
#include <cstdio>
#include <vector>

#include <jpeglib.h>
// After it:
#include <jerror.h>
#endif

namespace gesso {

#ifdef GESSO_HAS_JPEG

namespace {

// libjpeg's errors are jumps out of its functions, which must not cross a C++ object; the error's words stay here.
struct Failure {
  jpeg_error_mgr manager;
  std::jmp_buf jump;
  char words[JMSG_LENGTH_MAX] = {};
};

[[noreturn]] void fail(j_common_ptr jpeg) {
  auto* const failure = reinterpret_cast<Failure*>(jpeg->err);
  jpeg->err->format_message(jpeg, failure->words);
  std::longjmp(failure->jump, 1);
}

// Warnings (level -1) are of data that are missing or corrupt; a decoder would go on with gray. Bytes between segments are
// none of the picture's.
void fail_on_warning(j_common_ptr jpeg, int level) {
  if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA) {
    fail(jpeg);
  }
}

constexpr std::size_t kBuffer = std::size_t{1} << 16;

struct Source {
  jpeg_source_mgr manager;
  const InputFile* file;
  std::uint64_t at;
  std::vector<JOCTET> buffer;
};

// Fills the buffer; false at the file's end, and where it cannot be read.
bool refill(Source& source) {
  const std::uint64_t left = source.file->size() - source.at;
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBuffer));
  try {
    source.file->read(source.at, source.buffer.data(), count);
  } catch (const Error&) {
    return false;
  }
  source.at += count;
  source.manager.next_input_byte = source.buffer.data();
  source.manager.bytes_in_buffer = count;
  return count > 0;
}

boolean fill_buffer(j_decompress_ptr jpeg) {
  auto* const source = reinterpret_cast<Source*>(jpeg->src);
  if (!refill(*source)) {
    // An end marker: cameras forget it. Where data are missing, libjpeg warns.
    source->buffer[0] = 0xFF;
    source->buffer[1] = JPEG_EOI;
    source->manager.next_input_byte = source->buffer.data();
    source->manager.bytes_in_buffer = 2;
  }
  return TRUE;
}

void skip(j_decompress_ptr jpeg, long count) {
  while (count > static_cast<long>(jpeg->src->bytes_in_buffer)) {
    count -= static_cast<long>(jpeg->src->bytes_in_buffer);
    fill_buffer(jpeg);
  }
  jpeg->src->next_input_byte += count;
  jpeg->src->bytes_in_buffer -= static_cast<std::size_t>(count);
}

void nothing(j_decompress_ptr) {}

class JpegDecoder : public SampleRows {
 public:
  explicit JpegDecoder(std::shared_ptr<const InputFile> file) : file_(std::move(file)) {
    source_ = {{nullptr, 0, nothing, fill_buffer, skip, jpeg_resync_to_restart, nothing},
               file_.get(),
               0,
               std::vector<JOCTET>(kBuffer)};
    jpeg_.err = jpeg_std_error(&failure_.manager);
    failure_.manager.error_exit = fail;
    failure_.manager.emit_message = fail_on_warning;
    try {
      begin();
    } catch (...) {
      jpeg_destroy_decompress(&jpeg_);
      throw;
    }
  }
  ~JpegDecoder() override { jpeg_destroy_decompress(&jpeg_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  void read(Index rows, void* samples) override {
    auto* const row = static_cast<JSAMPROW>(samples);
    const std::size_t row_bytes = static_cast<std::size_t>(jpeg_.output_width) * jpeg_.output_components;
    run([&] {
      for (Index r = 0; r < rows; ++r) {
        JSAMPROW to = row + static_cast<std::size_t>(r) * row_bytes;
        jpeg_read_scanlines(&jpeg_, &to, 1);
      }
    });
  }

  int channels() const { return jpeg_.output_components; }
  bool has_several_scans() const { return several_scans_; }

 private:
  void begin() {
    run([&] {
      jpeg_create_decompress(&jpeg_);
      jpeg_.src = &source_.manager;
      jpeg_read_header(&jpeg_, TRUE);
      jpeg_.out_color_space = jpeg_.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
      jpeg_.dct_method = JDCT_ISLOW;
      several_scans_ = jpeg_has_multiple_scans(&jpeg_) != FALSE;
      if (!several_scans_) {
        jpeg_start_decompress(&jpeg_);
      }
    });
  }

  // `work` must have nothing to destroy: libjpeg jumps out of it.
  template <class Work>
  void run(const Work& work) {
    if (setjmp(failure_.jump) != 0) {
      throw Error(concat_text("it cannot be decoded (", failure_.words, ")"));
    }
    work();
  }

  std::shared_ptr<const InputFile> file_;
  Source source_{};
  Failure failure_;
  jpeg_decompress_struct jpeg_{};
  bool several_scans_ = false;
};

// One scan, of gray or three colours. (Several scans, as progressive files have, are decoded as one whole.)
bool goes_by_rows(const Jpeg& header) {
  return std::any_of(header.segments.begin(), header.segments.end(), [](const JpegSegment& segment) {
    const bool sequential = segment.marker == 0xC0 || segment.marker == 0xC1;
    return sequential && segment.body.size() > 5 && (segment.body[5] == 1 || segment.body[5] == 3);
  });
}

}  // namespace

std::unique_ptr<PictureRows> open_jpeg_rows(const std::string& path, const LoadOptions& options) {
  const auto file = std::make_shared<const InputFile>(path);
  const std::string begin = beginning_of(*file, std::size_t{16} << 20);
  if (picture_format(begin) != PictureFormat::jpeg) {
    return nullptr;
  }
  const Jpeg header = read_jpeg(begin, true);
  const auto size = jpeg_size(header);
  if (!size) {
    throw Error("it has no valid header (it is truncated or corrupt)");
  }
  require_pixels(size->width, size->height, options);
  if (!goes_by_rows(header) || exif_orientation(begin) != 1) {
    return nullptr;
  }
  const JpegDecoder decoder(file);
  if (decoder.has_several_scans()) {
    return nullptr;
  }
  const SampleRowsHeader samples{size->width, size->height, decoder.channels(), 8, color_profile(begin)};
  return picture_of_samples(path, samples, [file] { return std::make_unique<JpegDecoder>(file); });
}

#else

std::unique_ptr<PictureRows> open_jpeg_rows(const std::string&, const LoadOptions&) { return nullptr; }

#endif

}  // namespace gesso
