// A disk that fails: at every single system call of a save, once with a full disk and once with an I/O error, the error
// is told and a whole file is left, the old one or the new one.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "files.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/report/log.h"
#include "gesso/training/report/report.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// The calls that change a disk are counted while `counting`; number `fail_at` fails with `error`. With `trickle` each
// write() takes one byte of what it is given, and every other one is interrupted by a signal.
struct Disk {
  bool counting = false, trickle = false;
  int calls = 0, fail_at = -1, error = 0;

  bool fails() {
    if (!counting || calls++ != fail_at) {
      return false;
    }
    errno = error;
    return true;
  }
} disk;

}  // namespace

// These stand before the C library's.
extern "C" {

ssize_t write(int file, const void* bytes, size_t count) {
  if (file > 2 && disk.fails()) {
    return -1;
  }
  if (file > 2 && disk.trickle && count > 0) {
    if (++disk.calls % 2 == 0) {
      errno = EINTR;
      return -1;
    }
    count = 1;
  }
  return syscall(SYS_write, file, bytes, count);
}

int fsync(int file) { return disk.fails() ? -1 : static_cast<int>(syscall(SYS_fsync, file)); }

int rename(const char* from, const char* to) noexcept {
  return disk.fails() ? -1 : static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int link(const char* from, const char* to) noexcept {
  return disk.fails() ? -1 : static_cast<int>(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  return disk.fails() ? -1 : static_cast<int>(syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}
}

namespace {

// Runs `save` with its first call failing, its second, and so on until it succeeds; `check(failed)` after each.
void with_every_fault(const std::function<void()>& save, const std::function<void(bool failed)>& check) {
  for (const int error : {ENOSPC, EIO}) {
    bool failed = true;
    int faults = 0;
    for (int call = 0; failed; ++call) {
      CAPTURE(call);
      CAPTURE(error);
      disk = {.counting = true, .fail_at = call, .error = error};
      failed = false;
      try {
        save();
      } catch (const FileError&) {
        failed = true;
      }
      const bool reached = disk.calls > call;
      disk = {};
      faults += failed;
      check(failed);
      if (reached && !failed) {
        failed = true;  // a call that may fail, such as the second name of a checkpoint
      }
      REQUIRE(call < 10000);
    }
    CHECK(faults >= 2);
  }
}

Checkpoint checkpoint(Index step) {
  return {
      .step = step,
      .model = {{"x", Tensor::full({5000}, static_cast<double>(step))}, {"y", Tensor::ones({3}, float64)}},
      .metadata = {{"a", "b"}}};
}

}  // namespace

TEST_CASE("a checkpoint on a failing disk is the old one or the new one, whole") {
  const TemporaryFolder folder;
  Index last = 1, next = 2;
  save_checkpoint(folder.path(), checkpoint(last));
  with_every_fault(
      [&] { save_checkpoint(folder.path(), checkpoint(next)); },
      [&](bool failed) {
        const Checkpoint left = load_checkpoint(folder.path());
        CHECK((left.step == next || (failed && left.step == last)));
        CHECK(left.warning.empty());
        CHECK(left.model[0].second.to_vector() == std::vector<double>(5000, static_cast<double>(left.step)));
        last = left.step;
        ++next;
      });
  save_checkpoint(folder.path(), checkpoint(next));
  CHECK(folder.entries() == 2);  // it and the one before
}

TEST_CASE("pictures, reports and plain files on a failing disk are the old ones or the new ones, whole") {
  const TemporaryFolder folder;
  const std::string path = folder / "file", picture = folder / "a.png";
  write_file_atomically(path, "before");
  const std::string after(200000, 'x');
  with_every_fault([&] { write_file_atomically(path, after); },
                   [&](bool) {
                     const std::string left = read_file(path);
                     CHECK((left == "before" || left == after));
                     CHECK(folder.entries() == 1);
                   });
  const std::string fresh = folder / "fresh";
  with_every_fault([&] { write_file_atomically(fresh, after); },
                   [&](bool failed) {
                     const bool there = std::filesystem::remove(fresh);
                     CHECK((there || failed));
                     CHECK(folder.entries() == 1);
                   });
  const Tensor black = Tensor::zeros({1, 3, 20, 20}), white = Tensor::ones({1, 3, 20, 20});
  save_picture(picture, black);
  with_every_fault([&] { save_picture(picture, white); },
                   [&](bool) {
                     const double value = load_picture(picture).at({0, 0, 0, 0});
                     CHECK((value == 0 || value == 1));
                   });
  Report report;
  report.title = "A report";
  report.write(folder / "report.html");
  const std::size_t size = read_file(folder / "report.html").size();
  with_every_fault([&] { report.write(folder / "report.html"); },
                   [&](bool) { CHECK(read_file(folder / "report.html").size() == size); });
}

TEST_CASE("a log on a full disk says so, and keeps the lines before") {
  const TemporaryFolder folder;
  LogWriter log(folder / "log.jsonl");
  log.write({{"step", 1}});
  disk = {.counting = true, .fail_at = 0, .error = ENOSPC};
  CHECK_THROWS_WITH_AS(log.write({{"step", 2}}), doctest::Contains("is the disk full?"), FileError);
  disk = {};
  CHECK(read_log(folder / "log.jsonl").size() == 1);
}

TEST_CASE("writes that take a byte at a time and are interrupted by signals arrive whole") {
  const TemporaryFolder folder;
  std::string bytes(3000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 7);
  }
  disk.trickle = true;
  write_file_atomically(folder / "file", bytes);
  disk = {};
  CHECK(read_file(folder / "file") == bytes);
}
