// The training log and the progress bar.
#include "gesso/training/log.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include "gesso/core/file.h"
#include "gesso/training/progress.h"
#include "support.h"

using namespace gesso;

namespace {

const std::string kPath = (std::filesystem::temp_directory_path() / "gesso_test_log.jsonl").string();

}  // namespace

TEST_CASE("a log is read back as it was written, one object a line") {
  {
    LogWriter log(kPath);
    log.write({{"step", 1}, {"loss", 0.5}});
    log.write({{"step", 2}, {"loss", NAN}});
  }
  CHECK(read_file(kPath) == "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":null}\n");
  const auto entries = read_log(kPath);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0] == LogEntry{{"step", 1}, {"loss", 0.5}});
  CHECK(std::isnan(entries[1][1].second));
}

TEST_CASE("a resumed log drops what comes after the checkpoint and a torn last line") {
  std::ofstream(kPath) << "{\"step\": 1, \"loss\": 3}\n{\"step\": 2, \"loss\": 2}\n{\"step\": 3, \"lo";
  CHECK(read_log(kPath).size() == 2);
  {
    LogWriter log(kPath, 1);
    log.write({{"step", 2}, {"loss", 1}});
  }
  CHECK(read_file(kPath) == "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":1}\n");
}

TEST_CASE("lines that are no log are named, a missing log is empty") {
  std::ofstream(kPath) << "{\"step\": 1}\nnonsense\n";
  CHECK_THROWS_WITH_AS(read_log(kPath), doctest::Contains("line 2"), FileError);
  std::filesystem::remove(kPath);
  CHECK(read_log(kPath).empty());
  CHECK_THROWS_AS(LogWriter("/nowhere/at/all/log.jsonl"), FileError);
}

TEST_CASE("durations read well") {
  CHECK(ProgressBar::duration(0.2) == "0 s");
  CHECK(ProgressBar::duration(59.4) == "59 s");
  CHECK(ProgressBar::duration(125) == "2 m 05 s");
  CHECK(ProgressBar::duration(3780) == "1 h 03 m");
}
