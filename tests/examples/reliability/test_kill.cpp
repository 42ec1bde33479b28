// A real training, killed again and again at moments that nobody chose, ends where one ends that was left alone: the
// same model, byte by byte.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "files.h"
#include "gesso/core/files/checksum.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/generator.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/report/log.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

// Starts style-transfer, silent.
pid_t start(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {program_path("style-transfer")};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    (void)!std::freopen("/dev/null", "w", stdout);
    (void)!std::freopen("/dev/null", "w", stderr);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("a training killed at 20 random moments ends with the same model, bit for bit") {
  const TemporaryFolder folder;
  const auto training = [&](const std::string& out) {
    return std::vector<std::string>{"train",
                                    "--style",
                                    source_path("examples/assets/styles/stained_glass.jpg"),
                                    "--out",
                                    folder / out,
                                    "--steps",
                                    "300",
                                    "--width",
                                    "4",
                                    "--blocks",
                                    "1",
                                    "--crop",
                                    "32",
                                    "--batch",
                                    "2",
                                    "--style-size",
                                    "64",
                                    "--sample-every",
                                    "2"};
  };
  REQUIRE(wait_for(start(training("whole"))) == 0);
  Generator rng(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));
  int kills = 0;
  Index furthest = 0;
  while (kills < 20) {
    const bool begun = has_checkpoint(folder / "parted/checkpoint");
    const pid_t child =
        start(begun ? std::vector<std::string>{"train", "--resume", folder / "parted"} : training("parted"));
    // From the first moments of the program to some steps into the training.
    std::this_thread::sleep_for(
        std::chrono::microseconds(rng.below(2) == 0 ? rng.below(150'000) : rng.below(600'000)));
    ::kill(child, SIGKILL);
    const int status = wait_for(child);
    REQUIRE((status == -SIGKILL || status == 0));
    ++kills;
    if (has_checkpoint(folder / "parted/checkpoint")) {
      const Checkpoint left = load_checkpoint(folder / "parted/checkpoint");
      CHECK(left.step >= furthest);
      CHECK(left.warning.empty());
      furthest = left.step;
    }
  }
  CAPTURE(furthest);
  const bool begun = has_checkpoint(folder / "parted/checkpoint");
  REQUIRE(wait_for(start(begun ? std::vector<std::string>{"train", "--resume", folder / "parted"}
                               : training("parted"))) == 0);
  CHECK(read_file(folder / "parted/model.safetensors").size() ==
        read_file(folder / "whole/model.safetensors").size());
  // The metadata is the same too: the two runs differ in their folder alone.
  CHECK(read_file(folder / "parted/model.safetensors") == read_file(folder / "whole/model.safetensors"));
  CHECK(read_log(folder / "parted/log.jsonl").size() == 300);
  for (const auto& entry : fs::recursive_directory_iterator(folder / "parted")) {
    CHECK(entry.path().filename().string().find(".tmp-") == std::string::npos);
  }
}

TEST_CASE("a program killed while it writes checkpoints leaves whole ones, and nothing else") {
  const TemporaryFolder folder;
  const bool unnamed = keeps_unnamed_files(folder.path());
  Generator rng(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));
  int found = 0;
  for (int kills = 0; kills < 20; ++kills) {
    const fs::path there = fs::path(folder.path()) / std::to_string(kills);
    fs::create_directory(there);
    const pid_t child = ::fork();
    if (child == 0) {
      const Tensor weights = Tensor::ones({1'000'000});
      for (Index step = 1;; ++step) {
        save_checkpoint(there, {.step = step, .model = {{"weights", weights}}});
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(rng.below(60'000)));
    ::kill(child, SIGKILL);
    REQUIRE(wait_for(child) == -SIGKILL);
    for (const auto& entry : fs::directory_iterator(there)) {
      const std::string name = entry.path().filename().string();
      CAPTURE(name);
      // What replaces another has a name of its own for a moment, when it is whole.
      const bool named = name == "checkpoint.safetensors" || name == "previous.safetensors";
      CHECK((named || name.find(".tmp-") != std::string::npos));
      if (named || unnamed) {
        CHECK(load_safetensors(entry.path().string()).checksum == has_checksums());
      }
      ++found;
    }
  }
  CHECK(found > 0);
}
