// style-transfer stylize, given films: what ffmpeg makes is repainted as long and as fast as it is, with its sound.
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>

#include "gesso/core/error.h"
#include "painting/video.h"
#include "program/shell_word.h"
#include "program_runs.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

bool without_ffmpeg() {
  if (on_path("ffmpeg") && on_path("ffprobe")) {
    return false;
  }
  MESSAGE("SKIPPED: no ffmpeg");
  return true;
}

// A film that ffmpeg makes: moving stripes, and a tone for as long, if `sound` says how it is coded.
std::string make_film(const TemporaryFolder& folder, const std::string& name, const std::string& pictures,
                      const std::string& more, bool sound = true) {
  const std::string path = folder / name;
  const Outcome made =
      run_command("ffmpeg -v error -f lavfi -i testsrc=" + pictures +
                  (sound ? " -f lavfi -i sine=frequency=440:duration=1 " : " ") + more + " " + path);
  CAPTURE(made.errors);
  REQUIRE(made.status == 0);
  return path;
}

// The bytes of the sound as it is coded.
std::string sound_of(const std::string& path) {
  return run_command("ffmpeg -v error -i " + path + " -map 0:a -c copy -f md5 -").out;
}

Outcome stylize(const std::string& arguments) {
  return run_program("style-transfer", "stylize --model wave " + arguments);
}

}  // namespace

TEST_CASE("frame rates are numbers or fractions") {
  CHECK(frame_rate("25") == 25);
  CHECK(frame_rate("23.976") == doctest::Approx(23.976));
  CHECK(frame_rate("30000/1001") == doctest::Approx(29.97).epsilon(1e-4));
  for (const char* text :
       {"", "x", "0", "0/0", "-25", "25fps", "1/0", "1e3", "2000", "nan", "25,scale=1:1"}) {
    CAPTURE(text);
    CHECK(frame_rate(text) == 0);
  }
}

TEST_CASE("a film is repainted with its rate, its length and its sound") {
  if (without_ffmpeg()) {
    return;
  }
  const TemporaryFolder folder;
  const std::string film =
      make_film(folder, "in.mp4", "size=65x48:rate=30000/1001:duration=1", "-pix_fmt yuv444p -c:a aac");
  const std::string painted = folder / "out.mp4";
  const Outcome outcome = stylize(film + " --smooth 0.5 --out " + painted);
  CAPTURE(outcome.errors);
  REQUIRE(outcome.status == 0);
  CHECK(outcome.out == painted + "\n");
  CHECK(outcome.errors.find("30 frames of 64 x 48, 29.97 a second, with its sound") != std::string::npos);
  CHECK(outcome.errors.find("30 frames; from one to the next they change by ") != std::string::npos);
  const Video before = read_video(film), after = read_video(painted);
  CHECK(after.rate == "30000/1001");
  CHECK(after.size == Size2d(48, 64));
  CHECK(after.seconds == doctest::Approx(before.seconds).epsilon(0.02));
  CHECK(sound_of(painted) == sound_of(film));
  CHECK(folder.entries() == 2);  // nothing is left but the films

  // Another rate keeps the length; another kind of file has its own sound; --size is the short side.
  REQUIRE(stylize(film + " --fps 10 --size 24 --out " + (folder / "out.mkv")).status == 0);
  const Video slower = read_video(folder / "out.mkv");
  CHECK(frame_rate(slower.rate) == 10);
  CHECK(slower.size == Size2d(24, 32));
  CHECK(slower.seconds == doctest::Approx(1).epsilon(0.1));
  CHECK(slower.sound == "aac");
  // Into a folder, and without a name.
  fs::create_directories(folder / "painted");
  REQUIRE(stylize(film + " --size 16 --out " + (folder / "painted")).status == 0);
  CHECK(fs::exists(folder / "painted/in.mp4"));
  REQUIRE(run_command("cd " + folder.path() + " && " + program_path("style-transfer") +
                      " stylize --model wave --size 16 in.mp4")
              .status == 0);
  CHECK(fs::exists(folder / "in-wave.mp4"));
}

TEST_CASE("films without sound, of odd sizes, of varying rate, turned by a quarter; moving GIF pictures") {
  if (without_ffmpeg()) {
    return;
  }
  const TemporaryFolder folder;
  const std::string silent =
      make_film(folder, "silent.mp4", "size=48x32:rate=10:duration=1", "-pix_fmt yuv420p", false);
  CHECK(read_video(silent).sound == "");
  REQUIRE(stylize(silent + " --out " + (folder / "silent-out.mp4")).status == 0);
  CHECK(read_video(folder / "silent-out.mp4").sound == "");

  // Of 30 frames those whose number is 0, 1 or 2 of ten: times vary, and the film stays as long as it is.
  const std::string varying = make_film(folder, "varying.mp4", "size=48x32:rate=30:duration=1",
                                        "-vf \"select=lt(mod(n\\\\,10)\\\\,3)\" -vsync vfr -c:a aac");
  const Video before = read_video(varying);
  REQUIRE(stylize(varying + " --out " + (folder / "varying-out.mp4")).status == 0);
  const Video after = read_video(folder / "varying-out.mp4");
  CHECK(after.seconds == doctest::Approx(before.seconds).epsilon(0.1));
  CHECK(frame_rate(after.rate) == doctest::Approx(frame_rate(before.rate)).epsilon(0.01));

  const std::string turned = folder / "turned.mp4";
  REQUIRE(run_command("ffmpeg -v error -i " + silent + " -c copy -metadata:s:v rotate=90 " + turned).status ==
          0);
  CHECK(read_video(turned).size == Size2d(48, 32));
  REQUIRE(stylize(turned + " --out " + (folder / "turned-out.mp4")).status == 0);
  CHECK(read_video(folder / "turned-out.mp4").size == Size2d(48, 32));

  const std::string gif = make_film(folder, "moving.gif", "size=32x32:rate=10:duration=1", "", false);
  REQUIRE(stylize(gif + " --out " + (folder / "moving.mp4")).status == 0);
  CHECK(frame_rate(read_video(folder / "moving.mp4").rate) == 10);
}

TEST_CASE("what is no film, and what cannot be written, is said in one line") {
  const TemporaryFolder folder;
  write_bytes(folder / "text.mp4", "not a film");
  write_bytes(folder / "in.mp4", "");
  const auto refused = [&](const std::string& arguments, int status, const std::string& text) {
    const Outcome outcome = stylize(arguments);
    CAPTURE(arguments);
    CAPTURE(outcome.errors);
    CHECK(outcome.status == status);
    CHECK(outcome.errors.find(text) != std::string::npos);
    CHECK(outcome.errors.starts_with("style-transfer: "));
    CHECK(outcome.out == "");
  };
  const std::string in = folder / "in.mp4", photo = source_path("examples/assets/photos/cat.jpg");
  refused(in + " " + in, 2, "one film at a time");
  refused(in + " --fps fast", 2, "--fps fast: give frames a second");
  refused(in + " --fps 0", 2, "--fps 0: give frames a second");
  refused(in + " --smooth 1", 2, "--smooth is 1");
  refused(in + " --out x.png", 2, "--out x.png: the name must end in .mp4, .m4v, .mov, .mkv or .webm");
  refused(in + " --out " + in, 2, "itself");
  refused(photo + " --out x.mp4", 2, "is no film");
  refused(photo + " --fps 25", 2, "--fps is for films");
  refused("--raw 64x64 --fps 25", 2, "--fps is for films in files");
  const Outcome missing =
      run_command("PATH=/nowhere " + program_path("style-transfer") + " stylize --model wave " + in);
  CHECK(missing.status == 1);
  CHECK(missing.errors.find("there is no ffmpeg on PATH; install it") != std::string::npos);
  if (without_ffmpeg()) {
    return;
  }
  refused(folder / "none.mp4", 1, "none.mp4': there is no such file");
  refused(folder / "text.mp4", 1, "text.mp4': ffprobe says: ");
  refused(folder / "in.mp4", 1, "in.mp4': ffprobe says: ");
  const std::string whole = read_file(
      make_film(folder, "whole.mkv", "size=64x48:rate=10:duration=4", "-g 1 -pix_fmt yuv420p", false));
  write_bytes(folder / "torn.mkv", whole.substr(0, whole.size() / 2));
  const Outcome torn = stylize((folder / "torn.mkv") + " --out " + (folder / "torn-out.mkv"));
  CAPTURE(torn.errors);
  CHECK(torn.status == 0);
  CHECK(torn.errors.find("torn.mkv is damaged, and what could be read of it is repainted: ffmpeg says: ") !=
        std::string::npos);
  const std::string sound =
      make_film(folder, "sound.mp4", "size=32x32:rate=10:duration=1", "-map 1:a -c:a aac");
  refused(sound, 1, "there are no pictures in it");
}

TEST_CASE("a film that is interrupted leaves no file") {
  if (without_ffmpeg()) {
    return;
  }
  const TemporaryFolder folder;
  const std::string film =
      make_film(folder, "in.mp4", "size=320x240:rate=25:duration=60", "-pix_fmt yuv420p", false);
  const Outcome stopped =
      run_command("timeout --foreground --preserve-status -s INT 2 " + program_path("style-transfer") +
                  " stylize --model wave " + film + " --out " + (folder / "out.mp4"));  // as Ctrl-C does
  CAPTURE(stopped.errors);
  CHECK(stopped.status == 130);
  CHECK(stopped.errors.find("frames; no film has been written") != std::string::npos);
  CHECK(folder.entries() == 1);
}

TEST_CASE("bare frames: --scale paints them otherwise, and numbers are short") {
  const TemporaryFolder folder;
  std::string frames;
  for (int i = 0; i < 2 * 3 * 32 * 24; ++i) {
    frames += static_cast<char>(i * i % 251 / 2 + (i > 3 * 32 * 24 ? 20 : 0));
  }
  write_bytes(folder / "in", frames);
  const auto painted = [&](const std::string& more) {
    const Outcome outcome = run_command(program_path("style-transfer") +
                                        " stylize --model wave --raw 32x24 " + more + " <" + (folder / "in"));
    CAPTURE(outcome.errors);
    CHECK(outcome.status == 0);
    CHECK(outcome.out.size() == frames.size());
    const std::size_t percent = outcome.errors.find(" % of white");
    REQUIRE(percent != std::string::npos);
    CHECK(outcome.errors[percent - 3] == '.');  // "12.34 %"
    return outcome.out;
  };
  CHECK(painted("--scale 0.5") != painted(""));
}
