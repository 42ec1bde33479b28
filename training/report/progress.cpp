#include "gesso/training/report/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "gesso/core/text.h"

namespace gesso {
namespace {

constexpr int kBarWidth = 24;

bool stderr_is_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) && kind != nullptr && std::string_view(kind) != "dumb";
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string speed_text(double steps_a_second) {
  char text[48];
  if (steps_a_second >= 1) {
    std::snprintf(text, sizeof text, "%.1f/s", steps_a_second);
  } else {
    std::snprintf(text, sizeof text, "%.1f s each", 1 / steps_a_second);
  }
  return text;
}

}  // namespace

ProgressBar::ProgressBar(std::string title, Index total, Index done, Style style)
    : title_(std::move(title)),
      total_(total),
      begun_at_(done),
      done_(done),
      bar_(style == Style::automatic ? stderr_is_terminal() : style == Style::bar) {}

ProgressBar::~ProgressBar() { finish(); }

void ProgressBar::update(Index done, const std::string& status) {
  done_ = done;
  status_ = status;
  const auto interval = bar_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000);
  const Clock::time_point now = Clock::now();
  const Clock::time_point last = shown_ == Clock::time_point{} ? begin_ : shown_;
  if (now - last >= interval || (total_ > 0 && done_ >= total_)) {
    shown_ = now;
    show();
  }
}

void ProgressBar::skip(Index done, const std::string& status) {
  begun_at_ += done - done_;
  update(done, status);
}

void ProgressBar::show() {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  const double speed = seconds > 0 ? static_cast<double>(done_ - begun_at_) / seconds : 0;
  std::string line = title_ + " ";
  if (bar_ && total_ > 0) {
    const int filled = static_cast<int>(kBarWidth * std::min(done_, total_) / total_);
    line += '[' + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] ";
  }
  line += std::to_string(done_);
  if (total_ > 0) {
    line += '/' + std::to_string(total_);
  }
  if (speed > 0) {
    line += "  " + speed_text(speed);
  }
  if (speed > 0 && total_ > 0) {
    line += done_ < total_ ? "  " + duration(static_cast<double>(total_ - done_) / speed) + " left"
                           : "  took " + duration(seconds);
  }
  if (!status_.empty()) {
    line += "  " + status_;
  }
  line = printable(line);
  if (bar_) {
    std::size_t length = std::min(line.size(), terminal_width() - 1);
    while (length < line.size() && (line[length] & 0xC0) == 0x80) {
      --length;  // not in the middle of a UTF-8 letter
    }
    line.resize(length);
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
    open_ = true;
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

void ProgressBar::message(const std::string& text) {
  std::fprintf(stderr, "%s%s\n", open_ ? "\r\033[K" : "", printable(text).c_str());
  if (open_) {
    show();
  }
}

void ProgressBar::finish() {
  if (open_) {
    show();
    std::fputc('\n', stderr);
    open_ = false;
  }
}

std::string ProgressBar::duration(double seconds) {
  const auto whole = std::llround(std::clamp(seconds, 0.0, 1e9));
  char text[48];
  if (whole < 60) {
    std::snprintf(text, sizeof text, "%lld s", whole);
  } else if (whole < 3600) {
    std::snprintf(text, sizeof text, "%lld m %02lld s", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld h %02lld m", whole / 3600, whole / 60 % 60);
  }
  return text;
}

}  // namespace gesso
