#include "film.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/layers/normalization.h"
#include "stylize.h"

namespace gesso {
namespace {

using Bytes = std::vector<unsigned char>;

// Interleaved bytes to a picture (1, 3, H, W) in [0, 1].
Tensor picture_of(const Bytes& frame, std::int64_t height, std::int64_t width) {
  Tensor picture = Tensor::empty({1, 3, height, width});
  float* to = picture.mutable_data<float>();
  const std::int64_t pixels = height * width;
  for (std::int64_t i = 0; i < pixels; ++i) {
    for (std::int64_t c = 0; c < 3; ++c) {
      to[c * pixels + i] = static_cast<float>(frame[static_cast<std::size_t>(3 * i + c)]) / 255;
    }
  }
  return picture;
}

void write_into(Bytes& frame, const Tensor& picture) {
  const float* from = picture.data<float>();
  const std::int64_t pixels = picture.size(2) * picture.size(3);
  for (std::int64_t i = 0; i < pixels; ++i) {
    for (std::int64_t c = 0; c < 3; ++c) {
      frame[static_cast<std::size_t>(3 * i + c)] =
          static_cast<unsigned char>(std::lround(255 * std::clamp(from[c * pixels + i], 0.0F, 1.0F)));
    }
  }
}

double mean_change(const Bytes& a, const Bytes& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += std::abs(static_cast<int>(a[i]) - static_cast<int>(b[i]));
  }
  return static_cast<double>(sum) / static_cast<double>(255 * a.size());
}

}  // namespace

FilmSummary repaint_film(StyleNetwork& network, const FilmOptions& options, std::FILE* in, std::FILE* out,
                         const std::function<void(std::int64_t)>& frame_done) {
  require(options.width >= 1 && options.height >= 1 && options.width <= 16384 && options.height <= 16384,
          "film: frames of ", options.width, " x ", options.height, " are not within 1 x 1 to 16384 x 16384");
  network.eval();
  if (options.smooth != 0) {
    smooth_statistics(network, options.smooth);
  }
  FilmSummary summary;
  Bytes frame(static_cast<std::size_t>(3 * options.width * options.height));
  Bytes painted(frame.size()), frame_before, painted_before;
  while (const std::size_t count = std::fread(frame.data(), 1, frame.size(), in)) {
    if (count < frame.size()) {
      throw FileError(concat_text("film: frame ", summary.frames + 1, " has ", count, " bytes of ",
                                  frame.size(), "; is it ", options.width, " x ", options.height,
                                  " with 3 bytes a pixel (rgb24)?"));
    }
    const Tensor picture = picture_of(frame, options.height, options.width);
    const Tensor result = stylize(network, picture);
    write_into(painted, options.keep_colors ? keep_colors(result, picture) : result);
    if (std::fwrite(painted.data(), 1, painted.size(), out) < painted.size() || std::fflush(out) != 0) {
      throw FileError(concat_text("film: frame ", summary.frames + 1,
                                  " could not be written: the disk is full, or "
                                  "what reads the frames has ended"));
    }
    if (summary.frames > 0) {
      summary.change += mean_change(frame, frame_before);
      summary.painted_change += mean_change(painted, painted_before);
    }
    frame_before = frame;
    painted_before = painted;
    ++summary.frames;
    if (frame_done) {
      frame_done(summary.frames);
    }
  }
  if (summary.frames > 1) {
    summary.change /= static_cast<double>(summary.frames - 1);
    summary.painted_change /= static_cast<double>(summary.frames - 1);
  }
  smooth_statistics(network, {});
  return summary;
}

}  // namespace gesso
