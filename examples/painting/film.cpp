#include "film.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/layers/normalization/layer.h"
#include "stylize.h"

namespace gesso {
namespace {

using Bytes = std::vector<unsigned char>;

// Interleaved bytes to a picture (1, 3, H, W) in [0, 1].
Tensor picture_of(const Bytes& frame, Index height, Index width) {
  Tensor picture = Tensor::empty({1, 3, height, width});
  float* to = picture.mutable_data<float>();
  const Index pixels = height * width;
  for (Index i = 0; i < pixels; ++i) {
    for (Index c = 0; c < 3; ++c) {
      to[c * pixels + i] = static_cast<float>(frame[static_cast<std::size_t>(3 * i + c)]) / 255;
    }
  }
  return picture;
}

void write_into(Bytes& frame, const Tensor& picture) {
  const float* from = picture.data<float>();
  const Index pixels = picture.size(2) * picture.size(3);
  for (Index i = 0; i < pixels; ++i) {
    for (Index c = 0; c < 3; ++c) {
      frame[static_cast<std::size_t>(3 * i + c)] =
          static_cast<unsigned char>(std::lround(255 * std::clamp(from[c * pixels + i], 0.0F, 1.0F)));
    }
  }
}

// Smooths the statistics of a network while it is alive.
class Smoothing {
 public:
  Smoothing(Module& network, double keep) : network_(network) {
    if (keep != 0) {
      smooth_statistics(network, keep);
    }
  }
  ~Smoothing() { smooth_statistics(network_, {}); }
  Smoothing(const Smoothing&) = delete;
  Smoothing& operator=(const Smoothing&) = delete;

 private:
  Module& network_;
};

}  // namespace

FlickerScore repaint_film(StyleNetwork& network, const FilmOptions& options, std::FILE* in, std::FILE* out,
                          const std::function<void(Index)>& frame_done) {
  require(options.width >= 1 && options.height >= 1 && options.width <= 16384 && options.height <= 16384,
          "film: frames of ", options.width, " x ", options.height, " are not within 1 x 1 to 16384 x 16384");
  network.eval();
  const Smoothing smoothing(network, options.smooth);
  FlickerMeter flicker(3 * options.width * options.height);
  Index frames = 0;
  Bytes frame(static_cast<std::size_t>(3 * options.width * options.height)), painted(frame.size());
  while (const std::size_t count = std::fread(frame.data(), 1, frame.size(), in)) {
    if (count < frame.size()) {
      throw FileError(concat_text("film: frame ", frames + 1, " has ", count, " bytes of ", frame.size(),
                                  "; is it ", options.width, " x ", options.height,
                                  " with 3 bytes a pixel (rgb24)?"));
    }
    const Tensor picture = picture_of(frame, options.height, options.width);
    const Tensor result = stylize(network, picture, options.scale);
    write_into(painted, options.keep_colors ? keep_colors(result, picture) : result);
    if (std::fwrite(painted.data(), 1, painted.size(), out) < painted.size() || std::fflush(out) != 0) {
      throw FileError(concat_text("film: frame ", frames + 1,
                                  " could not be written: the disk is full, or "
                                  "what reads the frames has ended"));
    }
    flicker.add(frame.data(), painted.data());
    ++frames;
    if (frame_done) {
      frame_done(frames);
    }
  }
  return flicker.score();
}

}  // namespace gesso
