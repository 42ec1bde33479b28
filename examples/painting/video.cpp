#include "video.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "gesso/core/error.h"
#include "gesso/core/files/json.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

std::string ending_of(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending;
}

bool holds(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// A file, whatever its name looks like: an option or an address.
std::string file(const fs::path& path) { return "file:" + path.string(); }

void require_ffmpeg() {
  for (const char* program : {"ffmpeg", "ffprobe"}) {
    if (!on_path(program)) {
      throw FileError(
          concat_text("films are read and written by ffmpeg, and there is no ", program,
                      " on PATH; install it (Debian: apt-get install ffmpeg), or make frames of the "
                      "film in another way and use --raw"));
    }
  }
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? "" : found->is_string() ? found->get<std::string>() : json_text(*found);
}

// "16:9" or "30000/1001" as a number; 0 for what has no value ("0:1", "N/A").
double ratio(std::string text) {
  std::replace(text.begin(), text.end(), ':', '/');
  const std::size_t slash = text.find('/');
  const double above = std::atof(text.c_str());
  const double below = slash == std::string::npos ? 1 : std::atof(text.c_str() + slash + 1);
  return below > 0 && above > 0 && std::isfinite(above / below) ? above / below : 0;
}

// Degrees by which players turn the film.
double rotation_of(const Json& stream) {
  if (const auto data = stream.find("side_data_list"); data != stream.end()) {
    for (const Json& entry : *data) {
      if (entry.contains("rotation")) {
        return std::atof(text_of(entry, "rotation").c_str());
      }
    }
  }
  const auto tags = stream.find("tags");
  return tags == stream.end() ? 0 : std::atof(text_of(*tags, "rotate").c_str());
}

Size2d size_of(const Json& stream) {
  const double aspect = ratio(text_of(stream, "sample_aspect_ratio"));  // of a pixel
  const double width = std::atof(text_of(stream, "width").c_str()) * (aspect > 0 ? aspect : 1);
  const double height = std::atof(text_of(stream, "height").c_str());
  const Size2d size(std::lround(height), std::lround(width));
  const bool on_its_side = std::lround(std::abs(rotation_of(stream)) / 90) % 2 == 1;
  return on_its_side ? Size2d(size.width, size.height) : size;
}

std::string scaled_to(Size2d size) { return concat_text("scale=", size.width, ":", size.height); }

std::vector<std::string> writing(const fs::path& part, const fs::path& path, Size2d size,
                                 const std::string& rate, const fs::path& sound_of) {
  std::vector<std::string> words = {
      "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
      concat_text(size.width, "x", size.height), "-r", rate, "-i", "pipe:0", "-i", file(sound_of), "-map",
      "0:v:0", "-map", "1:a?", "-map_metadata", "1",
      // The way from red, green and blue that players take back, said in the file.
      "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-colorspace", "bt709",
      "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"};
  if (ending_of(path) == ending_of(sound_of) || ending_of(path) == ".mkv") {
    words.insert(words.end(), {"-c:a", "copy"});
  }
  words.push_back(file(part));
  return words;
}

// Beside the file, hidden, and with its ending, by which ffmpeg knows what to write.
fs::path part_of(const fs::path& path) {
  return path.parent_path() /
         ("." + path.stem().string() + ".tmp-" + std::to_string(::getpid()) + path.extension().string());
}

}  // namespace

bool has_film_ending(const fs::path& path) {
  static const std::vector<std::string> endings = {".mp4",  ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg",
                                                   ".mpeg", ".ogv", ".wmv", ".flv", ".ts",   ".mts", ".3gp"};
  return holds(endings, ending_of(path));
}

const std::vector<std::string>& written_film_endings() {
  static const std::vector<std::string> endings = {".mp4", ".m4v", ".mov", ".mkv", ".webm"};
  return endings;
}

double frame_rate(const std::string& text) {
  const bool number = !text.empty() && text.find_first_not_of("0123456789./") == std::string::npos;
  const double rate = number ? ratio(text) : 0;
  return rate >= 0.01 && rate <= 1000 ? rate : 0;
}

Video read_video(const std::string& path) {
  require_ffmpeg();
  if (!fs::exists(path)) {
    throw FileError("cannot read '" + path + "': there is no such file");
  }
  Json probed;
  try {
    probed = parse_json(output_of(
        {"ffprobe", "-v", "error", "-show_entries",
         "format=duration:stream=codec_type,codec_name,width,height,sample_aspect_ratio,avg_frame_rate,r_frame_rate,duration:"
         "stream_tags=rotate:stream_side_data=rotation:stream_disposition=attached_pic",
         "-of", "json", file(path)}));
  } catch (const FileError& error) {
    throw FileError(concat_text("cannot read '", path, "': ", error.what()));
  }
  const Json none = Json::object();
  const Json* picture = nullptr;
  Video video;
  for (const Json& stream : probed.value("streams", Json::array())) {
    const std::string kind = text_of(stream, "codec_type");
    const bool cover = text_of(stream.value("disposition", none), "attached_pic") == "1";
    if (kind == "video" && !cover && picture == nullptr) {
      picture = &stream;
      video.size = size_of(stream);
      video.seconds = std::atof(text_of(stream, "duration").c_str());
      for (const char* name : {"avg_frame_rate", "r_frame_rate"}) {
        if (video.rate.empty() && frame_rate(text_of(stream, name)) > 0) {
          video.rate = text_of(stream, name);
        }
      }
    } else if (kind == "audio" && video.sound.empty()) {
      video.sound = text_of(stream, "codec_name");
    }
  }
  if (!(video.seconds > 0)) {
    video.seconds = std::max(0.0, std::atof(text_of(probed.value("format", none), "duration").c_str()));
  }
  if (picture == nullptr || video.size.height < 1 || video.size.width < 1) {
    throw FileError("cannot read '" + path + "': there are no pictures in it");
  }
  return video;
}

Subprocess read_frames(const std::string& path, Size2d size, const std::string& rate) {
  // From the file's beginning, which sound counts from, too.
  const std::string filter = "fps=fps=" + rate + ":start_time=0," + scaled_to(size) + ",setsar=1";
  return Subprocess({"ffmpeg", "-v", "error", "-nostdin", "-i", file(path), "-map", "0:V:0", "-vf", filter,
                     "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"},
                    Subprocess::Stream::writes);
}

VideoWriter::VideoWriter(const fs::path& path, Size2d size, const std::string& rate, const fs::path& sound_of)
    : path_(path),
      part_{part_of(path)},
      ffmpeg_(writing(part_.path, path, size, rate, sound_of), Subprocess::Stream::reads) {}

VideoWriter::Part::~Part() {
  std::error_code ignored;
  fs::remove(path, ignored);
}

void VideoWriter::finish() {
  try {
    ffmpeg_.finish();
  } catch (const FileError& error) {
    throw FileError(concat_text("cannot write '", path_.string(), "': ", error.what()));
  }
  fs::rename(part_.path, path_);
}

}  // namespace gesso
