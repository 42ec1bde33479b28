// style-transfer stylize: films, in files by ffmpeg, or as bare frames from pipe to pipe.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "commands.h"
#include "gesso/training/report/progress.h"
#include "outputs.h"
#include "painting/film.h"
#include "painting/stylize.h"
#include "painting/video.h"
#include "painting_memory.h"
#include "program/interrupt.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

// "4.99 %"
std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * share);
  return text;
}

void print_flicker(const FlickerScore& score) {
  std::cerr << score.frames << (score.frames == 1 ? " frame" : " frames");
  if (score.frames > 1) {
    std::cerr << "; from one to the next they change by " << percent(score.change)
              << " of white, the painted ones by " << percent(score.painted_change);
  }
  if (score.still > 0) {
    std::cerr << " (" << percent(score.still_change) << " and " << percent(score.still_painted_change)
              << " where the film stands still)";
  }
  std::cerr << "\n";
}

void check_smooth(double smooth) {
  if (!(smooth >= 0 && smooth < 1)) {
    throw UsageError(concat_text("--smooth is ", smooth, "; it must be 0 or more and below 1"));
  }
}

// The film's size, scaled to the short side `side` (0: as it is), in even numbers of pixels: colour is stored at half
// resolution.
Size2d size_to_paint(Size2d film, Index side) {
  const Index shorter = std::min(film.height, film.width);
  const double factor = side == 0 ? 1 : static_cast<double>(side) / static_cast<double>(shorter);
  const auto even = [&](Index length) {
    return std::max<Index>(2, 2 * static_cast<Index>(factor * static_cast<double>(length) / 2 + 1e-6));
  };
  return {even(film.height), even(film.width)};
}

// "29.97"
std::string shown(const std::string& rate) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", frame_rate(rate));
  return text;
}

}  // namespace

bool StylizeCommand::names_a_film() const {
  return has_film_ending(out) || std::any_of(inputs.begin(), inputs.end(), has_film_ending);
}

void StylizeCommand::check_film() const {
  check_smooth(smooth);
  if (inputs.size() != 1) {
    throw UsageError(concat_text("one film at a time, please: ", inputs.size(), " files are named"));
  }
  const fs::path& film = inputs.front();
  if (!has_film_ending(film) && ending_of(film) != ".gif") {
    throw UsageError(concat_text(film.string(), " is no film, but --out ", out.string(),
                                 " is; for a painted ", "picture give it the ending of one"));
  }
  if (!fps.empty() && frame_rate(fps) == 0) {
    throw UsageError("--fps " + fps + ": give frames a second, as in 25, 23.976 or 30000/1001");
  }
}

void StylizeCommand::repaint_film_file(StyleNetwork& network, const std::string& painter,
                                       const std::string& painter_name) {
  const auto [from, to] = plan_outputs(inputs, out, painter_name, written_film_endings(), ".mp4").front();
  const Video video = read_video(from.string());
  const std::string rate = fps.empty() ? video.rate : fps;
  if (rate.empty()) {
    throw UsageError(from.string() +
                     ": the film does not say how many frames a second it has; say it by --fps");
  }
  const Size2d painted = size_to_paint(video.size, size);
  require_memory_to_repaint(painted, 1, paint.scale, bytes_per_pixel(network), from.string());
  const auto frames = static_cast<Index>(std::llround(video.seconds * frame_rate(rate)));
  std::cerr << "Repainting the film " << from.string() << " in the style of " << painter << ": "
            << (frames > 0 ? concat_text(frames, " frames of ") : "frames of ") << painted.width << " x "
            << painted.height << ", " << shown(rate) << " a second, "
            << (video.sound.empty() ? "without sound" : "with its sound") << "\n";
  fs::create_directories(fs::absolute(to).parent_path());
  stop_gently_on_interrupt();
  Subprocess reader = read_frames(from.string(), painted, rate);
  VideoWriter writer(to, painted, rate, from);
  ProgressBar progress("Repainting frames", frames);
  FlickerScore score;
  try {
    score = repaint_film(network,
                         {.width = painted.width,
                          .height = painted.height,
                          .smooth = smooth,
                          .paint = paint,
                          .stop = stop_requested},
                         reader.stream(), writer.frames(), [&](Index done) { progress.update(done); });
  } catch (const FileError&) {  // ffmpeg knows better what is wrong
    if (const std::string why = writer.complaint(); !why.empty()) {
      throw FileError(concat_text("cannot write '", to.string(), "': ffmpeg says: ", why));
    }
    throw;
  }
  progress.finish();
  if (stop_requested()) {
    interrupted = true;
    std::cerr << "Stopped after " << score.frames << " frames; no film has been written\n";
    return;
  }
  try {
    reader.finish();
  } catch (const FileError& error) {
    throw FileError(concat_text("cannot read '", from.string(), "': ", error.what()));
  }
  if (score.frames == 0) {
    throw FileError("cannot read '" + from.string() + "': there is no frame in it");
  }
  writer.finish();
  print_flicker(score);
  if (const std::string trouble = reader.last_words(); !trouble.empty()) {
    std::cerr << "style-transfer: " << from.string()
              << " is damaged, and what could be read of it is repainted: ffmpeg says: " << trouble << "\n";
  }
  std::cout << to.string() << "\n";
}

void StylizeCommand::repaint_frames(StyleNetwork& network, const std::string& painter) {
  const auto frame = parse_frame_size(raw);
  if (!frame) {
    throw UsageError(concat_text("--raw ", raw, ": give width and height in pixels, as in 640x360"));
  }
  check_smooth(smooth);
  if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO)) {
    throw UsageError(
        "--raw needs frames on standard input and something that takes them from standard output; see the "
        "example in --help");
  }
  require_memory_to_repaint({frame->height, frame->width}, 1, paint.scale, bytes_per_pixel(network),
                            "--raw " + raw);
  const FilmOptions options{.width = frame->width, .height = frame->height, .smooth = smooth, .paint = paint};
  std::cerr << "Repainting frames of " << options.width << " x " << options.height << " in the style of "
            << painter << "\n";
  ProgressBar progress("Repainting frames", 0);
  const FlickerScore score =
      repaint_film(network, options, stdin, stdout, [&](Index frames) { progress.update(frames); });
  progress.finish();
  print_flicker(score);
}

}  // namespace gesso
