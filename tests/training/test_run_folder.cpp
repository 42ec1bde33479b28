// The folder of a run: a new one, one to go on with, and what is refused.
#include "gesso/training/run_folder.h"

#include "files.h"
#include "gesso/core/error.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

TEST_CASE("a new run needs a folder that holds none") {
  const TemporaryFolder temporary;
  const RunFolder folder{temporary / "runs/one"};
  folder.check_new();
  CHECK(!fs::exists(folder.root));
  folder.create();
  CHECK(fs::is_directory(folder.root));
  write_bytes(temporary / "runs/one/notes.txt", "mine");
  CHECK_NOTHROW(folder.create());  // what else is in it does not matter
  const std::string holds = folder.root.string() + " already holds a run; go on with it by --resume " +
                            folder.root.string() + ", or name another folder";
  write_bytes(folder.log(), "");
  CHECK_NOTHROW(folder.create());  // killed before its first checkpoint
  save_checkpoint(folder.checkpoint(), {.step = 1});
  CHECK_THROWS_WITH_AS(folder.check_new(), holds.c_str(), ArgumentError);
  CHECK_THROWS_WITH_AS(folder.create(), holds.c_str(), ArgumentError);

  write_bytes(temporary / "file", "");
  CHECK_THROWS_WITH_AS(RunFolder{temporary / "file"}.create(),
                       (temporary / "file is a file; name a folder").c_str(), ArgumentError);
  CHECK_THROWS_WITH_AS(RunFolder{temporary / "file/inside"}.create(),
                       doctest::Contains("the folder cannot be made"), FileError);
}

TEST_CASE("a run is resumed by the command that began it") {
  const TemporaryFolder temporary;
  const RunFolder folder{temporary.path()};
  CHECK_THROWS_WITH_AS(folder.checkpoint_to_resume("train"),
                       (temporary.path() + ": there is no checkpoint in it").c_str(), ArgumentError);
  save_checkpoint(folder.checkpoint(), {.step = 3, .metadata = {{"command", "train-any"}}});
  CHECK(folder.checkpoint_to_resume("train-any").step == 3);
  CHECK_THROWS_WITH_AS(
      folder.checkpoint_to_resume("train"),
      (temporary.path() + ": it is a run of train-any; go on with it by train-any --resume").c_str(),
      ArgumentError);
  save_checkpoint(folder.checkpoint(), {.step = 4});  // of a version that did not write its name
  CHECK(folder.checkpoint_to_resume("train").step == 4);
  write_bytes(folder.checkpoint() / "checkpoint.safetensors", "torn");
  CHECK_THROWS_AS(folder.checkpoint_to_resume("train"), ArgumentError);  // the one before is of train-any
  fs::remove(folder.checkpoint() / "previous.safetensors");
  CHECK_THROWS_AS(folder.checkpoint_to_resume("train"), FileError);
}
