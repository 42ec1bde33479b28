// train-classifier: it learns what can be learned, from a folder and from MNIST's files, and refuses the rest.
#include <cstdlib>

#include "files.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/pictures/picture.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

const TemporaryFolder kFolder;

int run(const std::string& arguments) {
  return WEXITSTATUS(std::system((program_path("train-classifier") + " " + arguments + " >" + kFolder.path() +
                                  "/out.txt 2>" + kFolder.path() + "/err.txt")
                                     .c_str()));
}
std::string said() { return read_file(kFolder / "out.txt"); }
std::string complained() { return read_file(kFolder / "err.txt"); }

// Stripes across and stripes down, each picture with its own noise.
void write_stripes(const std::string& folder, Index count, std::uint64_t seed) {
  Generator rng(seed);
  for (const bool across : {true, false}) {
    fs::create_directories(folder + (across ? "/across" : "/down"));
    for (Index n = 0; n < count; ++n) {
      Tensor picture = Tensor::uniform({1, 3, 16, 16}, rng, 0, 0.5);
      for (Index i = 0; i < 16; ++i) {
        for (Index j = 0; j < 16; ++j) {
          picture.set({0, 1, i, j}, (across ? i : j) % 4 < 2 ? 0.9 : 0.1);
        }
      }
      save_picture(folder + (across ? "/across/" : "/down/") + std::to_string(n) + ".png", picture);
    }
  }
}

}  // namespace

TEST_CASE("it learns to tell stripes apart, with each normalization") {
  write_stripes(kFolder / "train", 24, 1);
  write_stripes(kFolder / "test", 8, 2);
  for (const char* norm : {"batch", "instance", "none"}) {
    CAPTURE(norm);
    const int status = run("--data folder --folder " + (kFolder / "train") + " --test " + (kFolder / "test") +
                           " --side 16 --width 8 --batch 8 --epochs 20 --lr 0.01 --norm " + norm + " --out " +
                           kFolder / "net.safetensors");
    CAPTURE(complained());
    REQUIRE(status == 0);
    CHECK(said() == "100.00 % of 16 test pictures are named rightly\n");
  }
  CHECK(SafetensorsReader(kFolder / "net.safetensors").contains("features.0.weight"));
}

TEST_CASE("what it cannot do is said in one line") {
  CHECK(run("--folder " + (kFolder / "nowhere")) == 1);
  CHECK(complained().find("train-images-idx3-ubyte") != std::string::npos);
  CHECK(run("--data folder --folder " + kFolder.path()) == 2);
  CHECK(run("") == 2);
  CHECK(run("--folder x --side 16") == 2);
  CHECK(complained().find("--side is for --data folder") != std::string::npos);
  CHECK(run("--folder x --norm nonsense") == 2);
  CHECK(complained().find("--norm: \"nonsense\" is not batch, ") != std::string::npos);
}
