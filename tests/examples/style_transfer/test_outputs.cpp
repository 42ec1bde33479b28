// Where style-transfer stylize writes what it paints, and what it says when a picture fails.
#include <algorithm>
#include <filesystem>

#include "gesso/core/pictures/picture.h"
#include "program_runs.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

const std::string kPhoto = source_path("examples/assets/photos/cat.jpg");

Outcome stylize(const std::string& arguments) {
  return run_program("style-transfer", "stylize --model wave --size 32 " + arguments);
}

}  // namespace

TEST_CASE("what can be written is written, in the format that the name says") {
  const TemporaryFolder folder;
  for (std::string name : {"a.png", "a.jpg", "a.jpeg", "a.webp", "a.JPG"}) {
    CAPTURE(name);
    const Outcome outcome = stylize(kPhoto + " --out " + (folder / name));
    CHECK(outcome.status == 0);
    CHECK(outcome.out == (folder / name) + "\n");
    CHECK(load_picture(folder / name).size(2) == 32);
  }
  const std::string png = read_file(folder / "a.png"), webp = read_file(folder / "a.webp");
  CHECK(png.substr(1, 3) == "PNG");
  CHECK(png.size() < 3 * 32 * 32 * 3 / 2);  // of 32 x 48 pixels or so; compressed, not stored
  CHECK(webp.substr(8, 4) == "WEBP");
}

TEST_CASE("another ending is refused with those that can be written, and no folder of that name is made") {
  const TemporaryFolder folder;
  for (std::string name : {"x.gif", "x.psd", "x.bmp", "x.tiff", "x.xyz", "x.jpg~.svg", "x.pngg"}) {
    const Outcome outcome = stylize(kPhoto + " --out " + (folder / name));
    CAPTURE(outcome.errors);
    CHECK(outcome.status == 2);
    CHECK(
        outcome.errors ==
        "style-transfer: --out " + (folder / name) +
            ": the name must end in .png, .jpg, .jpeg, .webp or .ppm, or in / if it is meant to be a folder "
            "(see --help)\n");
  }
  const Outcome several = stylize(kPhoto + " " + kPhoto + " --out " + (folder / "x.png"));
  CHECK(several.status == 2);
  CHECK(several.errors.find("x.png is a file; 2 pictures need a folder") != std::string::npos);
  CHECK(folder.entries() == 0);
}

TEST_CASE(
    "folders: names without an ending, with a number's, with a / at the end, and those that are there") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "there.psd");
  for (std::string name : {"plain", "strength-0.5", "named.psd/", "there.psd", "deep/er/"}) {
    CAPTURE(name);
    CHECK(stylize(kPhoto + " --out " + (folder / name)).status == 0);
    CHECK(fs::exists((folder / name) + "/cat.jpg"));
  }
}

TEST_CASE("a list of weights takes one word, and the picture is a picture") {
  const TemporaryFolder folder;
  CHECK(stylize("--mix 1 " + kPhoto + " --out " + (folder / "a.png")).status == 0);
  CHECK(fs::exists(folder / "a.png"));
}

TEST_CASE("a picture that fails is not part of the speed; alone, its error is the program's") {
  const TemporaryFolder folder;
  const Outcome alone = stylize(folder / "none.jpg");
  CAPTURE(alone.errors);
  CHECK(alone.status == 1);
  CHECK(alone.errors.ends_with("\nstyle-transfer: cannot read '" + (folder / "none.jpg") +
                               "': there is no such file\n"));
  CHECK(std::count(alone.errors.begin(), alone.errors.end(), '\n') == 2);
  CHECK(alone.errors.find("/s") == alone.errors.find("/stylize"));
  CHECK(alone.errors.find("0.00 GB") == std::string::npos);
  const Outcome both =
      stylize((folder / "none.jpg") + " " + (folder / "none.png") + " --out " + (folder / "x"));
  CAPTURE(both.errors);
  CHECK(both.status == 1);
  CHECK(both.errors.find("Repainting 2/2  2 failed\n") != std::string::npos);
  CHECK(both.errors.ends_with(
      "style-transfer: 2 of 2 pictures could not be repainted; the reasons stand above\n"));
}
