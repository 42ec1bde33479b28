// Films in files of all kinds, read and written by ffmpeg: frames for repaint_film(), and a file of what it paints.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include "gesso/core/size2d.h"
#include "program/subprocess.h"

namespace gesso {

/// A film, as it is to be shown: turned upright, its pixels square.
struct Video {
  Size2d size{0};
  std::string
      rate;  ///< frames a second, "25/1" or "30000/1001"; where they vary, their mean. Empty: not known
  double seconds = 0;  ///< 0: not known
  std::string sound;   ///< how the sound is coded, "aac"; empty: there is none
};

/// Whether a file of this name is taken for a film that ffmpeg reads: .mp4, .mkv, .avi, ...
bool has_film_ending(const std::filesystem::path& path);
/// Those that films are written with: ".mp4", ".m4v", ".mov", ".mkv", ".webm".
const std::vector<std::string>& written_film_endings();

/// Throws FileError, naming the file and what ffprobe says, for one that is no film, and where there is no ffmpeg.
Video read_video(const std::string& path);

/// Frames a second as ffmpeg takes them, "24", "23.976", "30000/1001"; 0 for other text and what is not in 0.01 to 1000.
double frame_rate(const std::string& text);

/// A film's frames, scaled to `size`, 3 bytes a pixel (rgb24), `rate` of them a second: where the film's own rate is
/// another, or varies, frames are left out or shown twice, so that it stays as long as it is.
Subprocess read_frames(const std::string& path, Size2d size, const std::string& rate);

/// A film that is being written: H.264, or what the file's ending asks for. It has another name until it is finished; a
/// film that is not finished leaves nothing.
class VideoWriter {
 public:
  /// Frames of an even `size`, 3 bytes a pixel (rgb24), `rate` of them a second, come through frames(). The sound is that of
  /// the film `sound_of`, copied as it is to a file of the same ending or to .mkv, else coded as files of that ending have it.
  VideoWriter(const std::filesystem::path& path, Size2d size, const std::string& rate,
              const std::filesystem::path& sound_of);

  std::FILE* frames() const { return ffmpeg_.stream(); }
  /// Ends the film. Throws FileError, naming the file and what ffmpeg says, if it could not be written.
  void finish();
  /// Why frames() takes no more, in ffmpeg's words; empty if it says nothing.
  std::string complaint() const { return ffmpeg_.last_words(); }

 private:
  struct Part {  // removed after ffmpeg has ended
    std::filesystem::path path;
    ~Part();
  };
  std::filesystem::path path_;
  Part part_;
  Subprocess ffmpeg_;
};

}  // namespace gesso
