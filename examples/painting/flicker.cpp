#include "flicker.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "gesso/core/error.h"

namespace gesso {
namespace {

int change_of_pixel(const unsigned char* a, const unsigned char* b) {
  return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

double part_of_white(Index sum, double pixels) {
  return pixels > 0 ? static_cast<double>(sum) / (3 * 255 * pixels) : 0;
}

}  // namespace

std::optional<FrameSize> parse_frame_size(const std::string& text) {
  FrameSize size{};
  char end = 0;
  const bool read =
      std::sscanf(text.c_str(), "%" SCNd64 "x%" SCNd64 "%c", &size.width, &size.height, &end) == 2;
  const auto fits = [](Index side) { return side >= 1 && side <= 16384; };
  return read && fits(size.width) && fits(size.height) ? std::optional(size) : std::nullopt;
}

FlickerMeter::FlickerMeter(Index bytes, double still_below)
    : bytes_(static_cast<std::size_t>(bytes)), still_below_(static_cast<int>(3 * 255 * still_below)) {
  require(bytes > 0 && bytes % 3 == 0, "FlickerMeter: a frame of ", bytes,
          " bytes; it must have 3 for each pixel");
  require(still_below >= 0 && still_below <= 1, "FlickerMeter: still_below is ", still_below,
          "; it must be from 0 to 1");
}

void FlickerMeter::add(const unsigned char* frame, const unsigned char* painted) {
  if (frames_ > 0) {
    for (std::size_t i = 0; i < bytes_; i += 3) {
      const int change = change_of_pixel(frame + i, frame_before_.data() + i);
      const int painted_change = change_of_pixel(painted + i, painted_before_.data() + i);
      change_ += change;
      painted_change_ += painted_change;
      if (change <= still_below_) {
        ++still_pixels_;
        still_change_ += change;
        still_painted_change_ += painted_change;
      }
    }
  }
  frame_before_.assign(frame, frame + bytes_);
  painted_before_.assign(painted, painted + bytes_);
  ++frames_;
}

FlickerScore FlickerMeter::score() const {
  if (frames_ < 2) {
    return {.frames = frames_};
  }
  const double pixels = static_cast<double>(frames_ - 1) * static_cast<double>(bytes_) / 3;
  const double still = static_cast<double>(still_pixels_);
  return {.frames = frames_,
          .change = part_of_white(change_, pixels),
          .painted_change = part_of_white(painted_change_, pixels),
          .still = still / pixels,
          .still_change = part_of_white(still_change_, still),
          .still_painted_change = part_of_white(still_painted_change_, still)};
}

}  // namespace gesso
