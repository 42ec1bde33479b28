// The progress bar: what it writes to standard error, as a bar and as plain lines.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <functional>

#include "files.h"
#include "gesso/core/files/file.h"
#include "gesso/training/report/progress.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
using Style = ProgressBar::Style;

namespace {

// What `work` writes to standard error, which is a file meanwhile.
std::string standard_error_of(const std::function<void()>& work) {
  const TemporaryFolder folder;
  std::fflush(stderr);
  const int before = ::dup(STDERR_FILENO);
  const int file = ::open((folder / "err").c_str(), O_CREAT | O_WRONLY, 0600);
  REQUIRE((before >= 0 && file >= 0));
  ::dup2(file, STDERR_FILENO);
  work();
  std::fflush(stderr);
  ::dup2(before, STDERR_FILENO);
  ::close(file);
  ::close(before);
  return read_file(folder / "err");
}

// What is left on a terminal's screen after `text`: "\r\033[K" clears the line.
std::string screen_of(std::string text) {
  for (std::size_t clear; (clear = text.find("\r\033[K")) != std::string::npos;) {
    const std::size_t line = text.rfind('\n', clear) + 1;  // 0 without one, as npos + 1 is 0
    text.erase(line, clear + 4 - line);
  }
  return text;
}

}  // namespace

TEST_CASE("a bar is drawn over itself and ends with what was done") {
  const std::string text = standard_error_of([] {
    ProgressBar progress("Training", 8, 0, Style::bar);
    for (int step = 1; step <= 8; ++step) {
      progress.update(step, "loss 1.25");
    }
  });
  const std::string screen = screen_of(text);
  CHECK(screen.starts_with("Training [########################] 8/8  "));
  CHECK(screen.find("  took 0 s  loss 1.25\n") != std::string::npos);
  CHECK(screen.find('\n') == screen.size() - 1);
}

TEST_CASE("messages stand above the bar") {
  const std::string text = standard_error_of([] {
    ProgressBar progress("Training", 4, 0, Style::bar);
    progress.message("first");
    progress.update(4);
    progress.message("one picture cannot be read");
    progress.finish();
    progress.finish();
  });
  CHECK(screen_of(text).starts_with("first\none picture cannot be read\nTraining [####"));
}

TEST_CASE("without a known total there is a count and a speed, but no bar and no time left") {
  const std::string text = standard_error_of([] {
    ProgressBar progress("Frames", 0, 0, Style::bar);
    ::usleep(110'000);
    progress.update(3);
  });
  const std::string screen = screen_of(text);
  CHECK(screen.starts_with("Frames 3  "));
  CHECK(screen.find("/s\n") != std::string::npos);
}

TEST_CASE("steps that took no work count for the bar, not for the speed") {
  const std::string text = standard_error_of([] {
    ProgressBar progress("Repainting", 3, 0, Style::bar);
    progress.skip(1, "1 failed");
    ::usleep(110'000);
    progress.skip(2, "2 failed");
  });
  const std::string screen = screen_of(text);
  CHECK(screen.starts_with("Repainting [################........] 2/3  2 failed\n"));
  const std::string some = screen_of(standard_error_of([] {
    ProgressBar progress("Repainting", 2, 0, Style::bar);
    progress.skip(1);
    ::usleep(200'000);
    progress.update(2);
  }));
  const std::size_t at = some.find("2/2  ");
  REQUIRE(at != std::string::npos);
  CHECK(std::stod(some.substr(at + 5)) <= 5.0);  // one picture in 0.2 seconds, not two
}

TEST_CASE("a bar fits its line, and no letter is cut in two") {
  const std::string text = standard_error_of([] {
    ProgressBar progress("Training", 1, 0, Style::bar);
    std::string status;
    for (int i = 0; i < 100; ++i) {
      status += "é";
    }
    progress.update(1, status);
  });
  const std::string screen = screen_of(text);
  CHECK(screen.size() <= 80);
  CHECK(screen.ends_with("é\n"));
}

TEST_CASE("elsewhere a short job ends with a plain line, without control characters") {
  const std::string text = standard_error_of([] {
    ProgressBar progress("Training", 300, 298);
    for (int step = 299; step <= 300; ++step) {
      progress.update(step, "loss 1.25");
    }
  });
  CHECK(text.starts_with("Training 300/300  "));
  CHECK(text.ends_with("  took 0 s  loss 1.25\n"));
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("names in messages and titles send nothing to the terminal") {
  const std::string text = standard_error_of([] {
    ProgressBar progress("\x1b[31mred.jpg", 2, 0, Style::lines);
    progress.message("\x1b]0;title\x07 caf\xE9.jpg cannot be read");
    progress.update(2, "\x07");
  });
  CHECK(text.starts_with("\\x1b]0;title\\x07 caf\\xe9.jpg cannot be read\n\\x1b[31mred.jpg 2/2"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
}
