// score-film: how much repainted films flicker, beside the film that they were made from.
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/files/json.h"
#include "painting/flicker.h"
#include "program/command_line.h"
#include "program/usage_error.h"

namespace {

using namespace gesso;

struct Options {
  std::string raw, film;
  std::vector<std::string> painted;
  double still_below = 0.02;
  bool json = false;
};

Index bytes_of_frame(const std::string& raw) {
  const auto size = parse_frame_size(raw);
  if (!size) {
    throw UsageError("--raw: " + raw + ": give width and height in pixels, as in 640x360");
  }
  return size->bytes();
}

// A film in a file, frame by frame.
class RawFilm {
 public:
  RawFilm(const std::string& path, Index bytes)
      : path_(path), file_(std::fopen(path.c_str(), "rb"), std::fclose), frame_(bytes) {
    if (!file_) {
      throw FileError("cannot read '" + path + "': " + std::generic_category().message(errno));
    }
  }
  // Whether there was another frame; throws FileError for one that is cut short.
  bool next() {
    const std::size_t count = std::fread(frame_.data(), 1, frame_.size(), file_.get());
    if (count > 0 && count < frame_.size()) {
      throw FileError(concat_text(path_, ": the last frame has ", count, " bytes of ", frame_.size(),
                                  "; is --raw its size, with 3 bytes a pixel (rgb24)?"));
    }
    return count > 0;
  }
  const unsigned char* frame() const { return frame_.data(); }

 private:
  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::vector<unsigned char> frame_;
};

FlickerScore score(const Options& options, const std::string& painted_path) {
  const Index bytes = bytes_of_frame(options.raw);
  RawFilm film(options.film, bytes), painted(painted_path, bytes);
  FlickerMeter meter(bytes, options.still_below);
  for (;;) {
    const bool more = film.next();
    if (more != painted.next()) {
      throw FileError(concat_text(painted_path, ": it has ", more ? "fewer" : "more", " frames than ",
                                  options.film, "; score the painting of that very film"));
    }
    if (!more) {
      break;
    }
    meter.add(film.frame(), painted.frame());
  }
  if (meter.score().frames < 2) {
    throw FileError(options.film + ": it has fewer than two frames, of which nothing can be said");
  }
  return meter.score();
}

void run(const Options& options) {
  Json all = Json::array();
  for (const std::string& painted : options.painted) {
    const FlickerScore s = score(options, painted);
    if (options.json) {
      all.push_back({{"film", painted},
                     {"frames", s.frames},
                     {"change", s.change},
                     {"painted_change", s.painted_change},
                     {"still", s.still},
                     {"still_change", s.still_change},
                     {"still_painted_change", s.still_painted_change},
                     {"flicker", s.flicker()}});
      continue;
    }
    if (&painted == &options.painted.front()) {
      std::printf("%" PRId64 " frames; %.0f %% of the film's pixels stand still. Changes in %% of white:\n",
                  s.frames, 100 * s.still);
      std::printf("%8s %8s %8s  %s\n", "change", "still", "flicker", "film");
      std::printf("%8.3f %8.3f %8.3f  %s\n", 100 * s.change, 100 * s.still_change, 0.0, options.film.c_str());
    }
    std::printf("%8.3f %8.3f %8.3f  %s\n", 100 * s.painted_change, 100 * s.still_painted_change,
                100 * s.flicker(), painted.c_str());
  }
  if (options.json) {
    std::cout << json_text(all, 1) << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CommandLine line("score-film",
                   "Scores repainted films: how much they flicker.\n"
                   "  change   how much a pixel changes from one frame to the next, on average\n"
                   "  still    the same, where the film stood still but for its noise\n"
                   "  flicker  still, less that of the film itself: lower is steadier\n"
                   "The first row is the film itself.");
  line.option("--raw", &options.raw,
              "The size of the frames, as in 640x360; all films are 3 bytes a pixel (rgb24) and no more")
      .required()
      .value_name("WxH");
  line.option("--film", &options.film, "The film that all others were made from")
      .required()
      .value_name("FILE");
  line.option("painted", &options.painted, "Repainted films").required();
  line.option("--still-below", &options.still_below,
              "A pixel stands still if it changes by no more than this part of white")
      .range(0.0, 1.0);
  line.flag("--json", &options.json, "Prints all numbers, as JSON");
  line.footer("Example:\n  score-film --raw 320x240 --film film.rgb painted.rgb painted-smooth.rgb");
  return line.run(argc, argv, [&] {
    run(options);
    return true;
  });
}
