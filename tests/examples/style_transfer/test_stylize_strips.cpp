// style-transfer stylize on pictures that are too large for the memory, as its users run it.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "memory_group.h"
#include "painting/model_file.h"
#include "painting/style_network.h"
#include "paths.h"
#include "program_runs.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

// A folder with a model and a picture.
struct Studio {
  TemporaryFolder folder;
  std::string model = folder / "model.safetensors", picture = folder / "photo.png", out = folder / "out.png";

  Studio(Index height, Index width, const std::string& name = "photo.png", Index channels = 3)
      : picture(folder / name) {
    Generator rng(2);
    StyleNetwork network({.width = 8, .blocks = 1}, rng);
    TrainSettings settings;
    settings.network = network.options();
    settings.styles = {"wave.jpg"};
    save_style_network(model, network, settings);
    const Tensor small = Tensor::uniform({1, channels, 30, 40}, rng);
    save_picture(picture, resize_picture(small, height, width));
  }
  std::string arguments(const std::string& options = "", const std::string& to = "out.png") const {
    return "stylize --model " + model + " " + picture + " --out " + (folder / to) + " " + options;
  }
  Outcome stylize(const std::string& options = "", const std::string& to = "out.png") const {
    return run_program("style-transfer", arguments(options, to));
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("strips paint what is painted without them, pixel by pixel") {
  for (const char* name : {"photo.png", "photo.ppm", "photo.jpg"}) {
    const Studio studio(600, 701, name);
    REQUIRE(studio.stylize().status == 0);
    const Outcome strips = studio.stylize("--memory 110M", "strips.png");
    CAPTURE(std::string(name));
    CAPTURE(strips.errors);
    REQUIRE(strips.status == 0);
    CHECK(contains(strips.errors, "701 x 600 pixels by strips of "));
    CHECK(contains(strips.errors, " of disk beside the painting, in about "));
    CHECK(identical(load_picture(studio.folder / "strips.png"), load_picture(studio.out)));
    CHECK(studio.folder.entries() == 4);
  }
}

TEST_CASE("options go by strips too" * doctest::skip(kSanitized)) {
  const Studio studio(600, 701, "photo.png", 4);
  for (const char* options : {"--keep-colors --strength 0.5", "--size 640", "--scale 0.7"}) {
    CAPTURE(std::string(options));
    REQUIRE(studio.stylize(options).status == 0);
    const Outcome strips = studio.stylize(std::string(options) + " --memory 110M", "strips.png");
    CAPTURE(strips.errors);
    REQUIRE(strips.status == 0);
    CHECK(contains(strips.errors, " by strips of "));
    CHECK(identical(load_picture(studio.folder / "strips.png"), load_picture(studio.out)));
    CHECK(identical(load_transparency(studio.folder / "strips.png"), load_transparency(studio.out)));
  }
}

TEST_CASE("the statistics of a small copy give nearly the same picture") {
  const Studio studio(700, 760);
  REQUIRE(studio.stylize().status == 0);
  const Outcome strips = studio.stylize("--thumbnail-statistics", "strips.png");
  CAPTURE(strips.errors);
  REQUIRE(strips.status == 0);
  CHECK_FALSE(contains(strips.errors, " of disk"));
  const double difference =
      mean(abs(load_picture(studio.folder / "strips.png") - load_picture(studio.out))).item();
  CHECK(difference > 0);
  CHECK(difference < 0.05);
}

TEST_CASE("a limit far below what the whole picture takes" * doctest::skip(kSanitized)) {
  const Studio studio(1500, 1600, "photo.ppm");
  const Outcome outcome =
      run_command("ulimit -v 500000; exec " + program_path("style-transfer") + " " + studio.arguments());
  CAPTURE(outcome.errors);
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.errors, " by strips of "));
  CHECK(load_picture(studio.out).size(3) == 1600);
}

TEST_CASE("a container's limit far below what the whole picture takes" * doctest::skip(kSanitized)) {
  const MemoryGroup group(150'000'000);
  if (group.path().empty()) {
    MESSAGE("not tested: this process may not limit memory by cgroups");
    return;
  }
  const Studio studio(1500, 1600, "photo.ppm");
  const auto in_container = [&](const std::string& options) {
    return run_command(group.join() + " && exec " + program_path("style-transfer") + " " +
                       studio.arguments(options));
  };
  const Outcome outcome = in_container("");
  CAPTURE(outcome.errors);
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.errors, " by strips of "));
  CHECK(load_picture(studio.out).size(3) == 1600);
  // Who claims more than the container has is told so, and not killed by the system without a word.
  const Outcome whole = in_container("--memory 8G");
  CAPTURE(whole.errors);
  CHECK(whole.status == 1);
  CHECK(contains(whole.errors, "out of memory"));
}

TEST_CASE("what does not fit is refused before it begins, with the size that fits") {
  const Studio studio(150, 30000, "photo.ppm");
  const Outcome refused = studio.stylize("--memory 100M");
  CAPTURE(refused.errors);
  CHECK(refused.status == 1);
  CHECK(contains(refused.errors, "30000 x 150 pixels take "));
  const std::size_t at = refused.errors.find("; --size ");
  REQUIRE(at != std::string::npos);
  const std::string size = refused.errors.substr(at + 9, refused.errors.find(" fits") - at - 9);
  const Outcome fits = studio.stylize("--memory 100M --size " + size);
  CAPTURE(size);
  CAPTURE(fits.errors);
  CHECK(fits.status == 0);
  const Outcome nothing = studio.stylize("--memory 20M", "none.png");
  CHECK(nothing.status == 1);
  CHECK(contains(nothing.errors, "; the smallest picture takes "));
  CHECK_FALSE(fs::exists(studio.folder / "none.png"));
  for (const char* amount : {"0", "-1G", "1X", "lots", "1GB", "nan", "1e30"}) {
    CAPTURE(amount);
    const Outcome bad = studio.stylize(std::string("--memory ") + amount, "none.png");
    CHECK(bad.status == 2);
    CHECK(contains(bad.errors, "--memory"));
  }
  const Outcome film =
      run_program("style-transfer", "stylize --model " + studio.model + " --raw 64x64 --memory 1G");
  CHECK(film.status == 2);
  CHECK(contains(film.errors, "--memory is for pictures"));
}

TEST_CASE("a full disk is one clear line, and nothing is left" * doctest::skip(kSanitized)) {
  const Studio studio(700, 701);
  const Outcome full = run_command("trap \"\" XFSZ; ulimit -f 2000; exec " + program_path("style-transfer") +
                                   " " + studio.arguments("--memory 90M"));
  CAPTURE(full.errors);
  CHECK(full.status == 1);
  CHECK(contains(full.errors, "style-transfer: cannot keep intermediate results in "));
  CHECK(studio.folder.entries() == 2);
}

TEST_CASE("killed at any moment, it leaves the whole picture or nothing") {
  const Studio studio(900, 901);
  const bool unnamed = keeps_unnamed_files(studio.folder.path());
  int killed = 0;
  for (const int milliseconds : {100, 300, 600, 900}) {
    fs::remove(studio.out);
    const pid_t child = ::fork();
    if (child == 0) {
      const int nowhere = ::open("/dev/null", O_WRONLY);
      ::dup2(nowhere, STDOUT_FILENO);
      ::dup2(nowhere, STDERR_FILENO);
      const std::string program = program_path("style-transfer");
      ::execl(program.c_str(), program.c_str(), "stylize", "--model", studio.model.c_str(),
              studio.picture.c_str(), "--out", studio.out.c_str(), "--memory", "90M", nullptr);
      ::_exit(127);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
    if (fs::exists(studio.out)) {
      CHECK(load_picture(studio.out).size(2) == 900);
    }
    for (const auto& entry : fs::directory_iterator(studio.folder.path())) {
      const std::string name = entry.path().filename().string();
      CAPTURE(name);
      CHECK((name == "model.safetensors" || name == "photo.png" || name == "out.png" ||
             (!unnamed && name.find(".tmp-") != std::string::npos)));
    }
  }
  CHECK(killed > 0);
}
