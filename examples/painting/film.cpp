#include "film.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/finite.h"
#include "gesso/core/normalization/normalization.h"
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

// What `norm` gives for x by averaged statistics, which move towards those of x.
Tensor normalize_smoothly(const NormalizationLayer& norm, const Tensor& x, double keep,
                          RunningStatistics& average) {
  const Tensor frame = x.reshape(norm.batched_shape(x.shape()));
  const NormalizationPart part = norm.parts(frame.shape()).front();
  const NormalizationAxes& axes = part.axes;
  require(axes.samples == 1 && axes.groups == axes.channels && !part.running.mean.defined(), norm.type_name(),
          ": statistics are smoothed over the frames of a film, one picture at a time, in instance norms; x "
          "has shape ",
          frame.shape());
  std::vector<double> mean(axes.channels), variance(axes.channels), inv_std(axes.channels);
  with_dtype(x.dtype(), [&]<class T>() {
    compute_statistics(axes, frame.data<T>(), norm.eps(), {mean.data(), variance.data(), inv_std.data()});
  });
  const RunningStatistics own{Tensor::from(mean, {axes.channels}), Tensor::from(variance, {axes.channels})};
  if (average.mean.defined()) {
    average.mean.mul_(keep).add_(own.mean, 1 - keep);
    average.variance.mul_(keep).add_(own.variance, 1 - keep);
  } else {
    average = own;
  }
  const RunningStatistics used{average.mean.to(x.dtype()), average.variance.to(x.dtype())};
  return instance_norm(frame, part.gamma, part.beta, used, false, {.eps = norm.eps()}, norm.activation())
      .reshape(x.shape());
}

}  // namespace

SmoothedStatistics::SmoothedStatistics(Module& network, double keep) {
  require(keep >= 0 && keep < 1, "film: smoothing keeps ", keep,
          " of the average; it must be 0 or more and below 1");
  for (const auto& [name, module] : network.named_modules()) {
    auto* norm = dynamic_cast<NormalizationLayer*>(module);
    if (norm != nullptr && norm->statistics() == Statistics::per_instance) {
      norm->replace_forward([norm, keep, average = RunningStatistics{}](const Tensor& x) mutable {
        return normalize_smoothly(*norm, x, keep, average);
      });
      norms_.push_back(norm);
    }
  }
}

SmoothedStatistics::~SmoothedStatistics() {
  for (Module* norm : norms_) {
    norm->replace_forward({});
  }
}

FlickerScore repaint_film(StyleNetwork& network, const FilmOptions& options, std::FILE* in, std::FILE* out,
                          const std::function<void(Index)>& frame_done) {
  require(options.width >= 1 && options.height >= 1 && options.width <= 16384 && options.height <= 16384,
          "film: frames of ", options.width, " x ", options.height, " are not within 1 x 1 to 16384 x 16384");
  network.eval();
  std::optional<SmoothedStatistics> smoothed;
  if (options.smooth != 0) {
    smoothed.emplace(network, options.smooth);
  }
  FlickerMeter flicker(3 * options.width * options.height);
  Index frames = 0;
  Bytes frame(static_cast<std::size_t>(3 * options.width * options.height)), painted(frame.size());
  while (!options.stop || !options.stop()) {
    const std::size_t count = std::fread(frame.data(), 1, frame.size(), in);
    if (count == 0) {
      break;
    }
    if (count < frame.size()) {
      throw FileError(concat_text("film: frame ", frames + 1, " has ", count, " bytes of ", frame.size(),
                                  "; is it ", options.width, " x ", options.height,
                                  " with 3 bytes a pixel (rgb24)?"));
    }
    const Tensor picture = picture_of(frame, options.height, options.width);
    const Tensor painting = stylize(network, picture, options.paint);
    if (!all_finite(painting)) {
      throw Error(
          concat_text("film: the network's painting of frame ", frames + 1,
                      " is not a picture: it has values that are not numbers (NaN); the model is spoilt"));
    }
    write_into(painted, painting);
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
