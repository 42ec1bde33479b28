// Files that are never half-written, where the file system keeps none without a name (NFS, FAT; macOS).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>

#include "file_size_limit.h"
#include "files.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/scratch_file.h"

using namespace gesso;
using namespace gesso::testing;

namespace {
int refused = 0;  // files without names
}

#ifdef O_TMPFILE
// Stands before the C library's.
extern "C" int open(const char* path, int flags, ...) {
  std::va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    ++refused;
    errno = EOPNOTSUPP;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
#endif

TEST_CASE("a temporary file stands beside the target, and takes its place when it is complete") {
  const TemporaryFolder folder;
  const std::string longest(255, 'n');
  for (const std::string& name : {std::string("file"), longest}) {
    for (const char* text : {"new", "replaced"}) {
      const std::size_t before = folder.entries();
      AtomicFile file(folder / name);
      file.write(text);
      CHECK(folder.entries() == before + 1);
      file.commit();
      CHECK(read_file(folder / name) == text);
    }
  }
  CHECK(folder.entries() == 2);
#ifdef O_TMPFILE
  CHECK(refused == 4);
#endif
}

TEST_CASE("without commit(), and on a full disk, it is removed") {
  const TemporaryFolder folder;
  { AtomicFile(folder / "file").write("half of "); }
  CHECK(folder.entries() == 0);
  {
    const FileSizeLimit limit(1000);
    CHECK_THROWS_WITH_AS(write_file_atomically(folder / "file", std::string(5000, 'x')),
                         doctest::Contains("cannot write '"), FileError);
  }
  CHECK(folder.entries() == 0);
  CHECK_THROWS_WITH_AS(AtomicFile(folder / "none/file"), doctest::Contains("none' does not exist"),
                       FileError);
}

TEST_CASE("permissions are those that the umask leaves, or those of the file that is replaced") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file_atomically(folder / "file", "new");
  CHECK(std::filesystem::status(folder / "file").permissions() == std::filesystem::perms(0640));
  std::filesystem::permissions(folder / "file", std::filesystem::perms(0604));
  write_file_atomically(folder / "file", "replaced");
  CHECK(std::filesystem::status(folder / "file").permissions() == std::filesystem::perms(0604));
  ::umask(before);
}

TEST_CASE("what a killed program left is removed, what is being written stays") {
  const TemporaryFolder folder;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder / "model.safetensors");
    file.write("half");
    (void)!::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK(folder.entries() == 1);
  write_bytes(folder / "picture.jpg", "whole");
  AtomicFile writing(folder / "written");
  writing.write("more");
  CHECK(folder.entries() == 3);
  remove_leftovers(folder.path());
  CHECK(folder.entries() == 2);
  CHECK(std::filesystem::exists(folder / "picture.jpg"));
  writing.commit();
  CHECK(read_file(folder / "written") == "more");
  remove_leftovers(folder / "none");
}

TEST_CASE("intermediate results lie in a file whose name is gone before anything is in it") {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  CHECK(folder.entries() == 0);
  const int written = 42;
  int read = 0;
  file.write(1000, &written, sizeof written);
  file.read(1000, &read, sizeof read);
  CHECK(read == written);
}
