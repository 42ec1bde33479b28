// The training log and the progress bar.
#include "gesso/training/report/log.h"

#include <cmath>

#include "files.h"
#include "gesso/core/files/file.h"
#include "gesso/training/report/progress.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("a log is read back as it was written, one object a line") {
  const TemporaryFolder folder;
  const std::string path = folder / "log.jsonl";
  {
    LogWriter log(path);
    log.write({{"step", 1}, {"loss", 0.5}});
    log.write({{"step", 2}, {"loss", NAN}});
  }
  CHECK(read_file(path) == "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":null}\n");
  const auto entries = read_log(path);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0] == LogEntry{{"step", 1}, {"loss", 0.5}});
  CHECK(std::isnan(entries[1][1].second));
}

TEST_CASE("a resumed log drops what comes after the checkpoint and a torn last line") {
  const TemporaryFolder folder;
  const std::string path = folder / "log.jsonl";
  write_bytes(path, "{\"step\": 1, \"loss\": 3}\n{\"step\": 2, \"loss\": 2}\n{\"step\": 3, \"lo");
  CHECK(read_log(path).size() == 2);
  {
    LogWriter log(path, 1);
    log.write({{"step", 2}, {"loss", 1}});
  }
  CHECK(read_file(path) == "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":1}\n");
}

TEST_CASE("a damaged line of a log does not keep a training from going on") {
  const TemporaryFolder folder;
  const std::string path = folder / "log.jsonl";
  const std::string zeros(3, '\0');  // of a disk that lost its power
  write_bytes(path,
              "{\"step\": 1}\n{\"step\": 2, \"lo" + zeros + "\n[3]\n{\"step\": 1e999}\n{\"step\": 4}\n");
  std::vector<std::string> damaged;
  CHECK(read_log(path, &damaged).size() == 2);
  REQUIRE(damaged.size() == 3);
  CHECK(damaged[0] == path + ": line 2 is not a JSON object of numbers");
  const LogWriter log(path, 9);
  CHECK(log.damaged() == damaged);
  CHECK(read_file(path) == "{\"step\":1}\n{\"step\":4}\n");
}

TEST_CASE("lines that are not a log are named, a missing log is empty") {
  const TemporaryFolder folder;
  const std::string path = folder / "log.jsonl";
  write_bytes(path, "{\"step\": 1}\nnonsense\n");
  CHECK_THROWS_WITH_AS(read_log(path), doctest::Contains("line 2"), FileError);
  CHECK(read_log(folder / "missing").empty());
  CHECK_THROWS_AS(LogWriter(folder / "missing/log.jsonl"), FileError);
}

TEST_CASE("durations read well") {
  CHECK(ProgressBar::duration(0.2) == "0 s");
  CHECK(ProgressBar::duration(59.4) == "59 s");
  CHECK(ProgressBar::duration(125) == "2 m 05 s");
  CHECK(ProgressBar::duration(3780) == "1 h 03 m");
}
