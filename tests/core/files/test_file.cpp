// Files: reads, whole and in parts, and writes that happen completely or not at all.
#include "gesso/core/files/file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "file_size_limit.h"
#include "files.h"
#include "gesso/core/error.h"
#include "gesso/core/files/folder_lock.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("what is written is read back, whatever the bytes and the size") {
  const TemporaryFolder folder;
  for (const std::size_t size : {0, 1, 4096, 70000, 300001}) {
    CAPTURE(size);
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<char>(i * 31 + i / 257);
    }
    write_file_atomically(folder / "file", bytes);
    CHECK(read_file(folder / "file") == bytes);
    const InputFile file(folder / "file");
    REQUIRE(file.size() == size);
    CHECK(file.read(0, size) == bytes);
    CHECK(file.read(size / 3, size / 2) == bytes.substr(size / 3, size / 2));
    CHECK_THROWS_WITH_AS(file.read(1, size + 1), doctest::Contains("it became shorter"), FileError);
    CHECK(folder.entries() == 1);
  }
}

TEST_CASE("a file without a size is read to its end") {
  CHECK(read_file("/proc/self/status").find("Name:") == 0);
  CHECK(read_file("/dev/null").empty());
}

TEST_CASE("reading names the file and the reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(read_file(folder / "none"), doctest::Contains("none': there is no such file"),
                       FileError);
  CHECK_THROWS_WITH_AS(read_file(folder.path()), doctest::Contains("it is a folder"), FileError);
  CHECK_THROWS_WITH_AS(InputFile{folder / "none"}, doctest::Contains("there is no such file"), FileError);
  CHECK_THROWS_WITH_AS(InputFile{folder.path()}, doctest::Contains("it is a folder"), FileError);
  CHECK_THROWS_WITH_AS(InputFile{"/dev/zero"}, doctest::Contains("not a regular file"), FileError);
  write_bytes(folder / "ten", "0123456789");
  CHECK(read_file(folder / "ten", 10).size() == 10);
  CHECK_THROWS_WITH_AS(read_file(folder / "ten", 9), doctest::Contains("more than 9 bytes"), FileError);
  CHECK_THROWS_WITH_AS(read_file("/dev/zero", 100000), doctest::Contains("more than 100000 bytes"),
                       FileError);
}

TEST_CASE("writing names the file and the reason, and leaves nothing behind") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(write_file_atomically("", "x"), doctest::Contains("name is empty"), FileError);
  CHECK_THROWS_WITH_AS(write_file_atomically(folder.path(), "x"), doctest::Contains("it is a folder"),
                       FileError);
  CHECK_THROWS_WITH_AS(write_file_atomically(folder / "no/such/file", "x"),
                       doctest::Contains("no/such' does not exist"), FileError);
  write_bytes(folder / "plain", "text");
  CHECK_THROWS_WITH_AS(write_file_atomically(folder / "plain/file", "x"), doctest::Contains("plain/file': "),
                       FileError);
  CHECK_THROWS_WITH_AS(write_file_atomically("/dev/full", "x"), doctest::Contains("the disk is full"),
                       FileError);
  CHECK(folder.entries() == 1);
}

TEST_CASE("a write that fails half-way leaves the old file as it was") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "before");
  {
    const FileSizeLimit limit(1000);
    CHECK_THROWS_WITH_AS(write_file_atomically(folder / "file", std::string(5000, 'x')),
                         doctest::Contains("cannot write '"), FileError);
  }
  CHECK(read_file(folder / "file") == "before");
  CHECK(folder.entries() == 1);
}

TEST_CASE("an AtomicFile that is not committed never appears") {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "file");
    file.write("half of ");
    CHECK_FALSE(std::filesystem::exists(folder / "file"));
  }
  CHECK(folder.entries() == 0);
  AtomicFile file(folder / "file");
  file.write("both ");
  file.write("halves");
  file.commit();
  CHECK(read_file(folder / "file") == "both halves");
  CHECK(folder.entries() == 1);
}

TEST_CASE("what is being written has no name, and a kill leaves nothing of it") {
  const TemporaryFolder folder;
  if (!keeps_unnamed_files(folder.path())) {
    MESSAGE("not tested: this file system keeps no files without names");
    return;
  }
  for (const std::size_t before : {0, 1}) {
    CAPTURE(before);  // whether there is a file of that name already
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      AtomicFile file(folder / "file");
      file.write(std::string(100000, 'x'));
      (void)!::write(ready[1], "x", 1);
      ::pause();
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    CHECK(folder.entries() == before);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(folder.entries() == before);
    write_file_atomically(folder / "file", "whole");
    CHECK(folder.entries() == 1);
    CHECK(read_file(folder / "file") == "whole");
    ::close(ready[0]);
    ::close(ready[1]);
  }
}

TEST_CASE("a new file has the permissions that the umask leaves") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file_atomically(folder / "file", "new");
  ::umask(before);
  CHECK(std::filesystem::status(folder / "file").permissions() == std::filesystem::perms(0640));
}

TEST_CASE("the longest name is written and replaced, a longer one refused before anything is written") {
  const TemporaryFolder folder;
  const std::string longest(255, 'n');
  write_file_atomically(folder / longest, "new");
  write_file_atomically(folder / longest, "replaced");
  CHECK(read_file(folder / longest) == "replaced");
  CHECK(folder.entries() == 1);
  CHECK_THROWS_WITH_AS(AtomicFile(folder / (longest + "n")), doctest::Contains("too long"), FileError);
}

TEST_CASE("a file of the current folder, by its bare name") {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file_atomically("file", "new");
  write_file_atomically("file", "replaced");
  std::filesystem::current_path(before);
  CHECK(read_file(folder / "file") == "replaced");
  CHECK(folder.entries() == 1);
}

TEST_CASE("what appears at the name in the meantime is replaced") {
  const TemporaryFolder folder;
  AtomicFile file(folder / "file");
  file.write("later");
  write_bytes(folder / "file", "sooner");
  file.commit();
  CHECK(read_file(folder / "file") == "later");
  CHECK(folder.entries() == 1);
  AtomicFile blocked(folder / "blocked");
  std::filesystem::create_directory(folder / "blocked");
  CHECK_THROWS_WITH_AS(blocked.commit(), doctest::Contains("it is a folder"), FileError);
}

TEST_CASE("a replaced file keeps its permissions, and a symbolic link stays one") {
  const TemporaryFolder folder;
  write_bytes(folder / "file", "old");
  std::filesystem::permissions(folder / "file", std::filesystem::perms(0640));
  std::filesystem::create_symlink("file", folder / "link");
  write_file_atomically(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(read_file(folder / "file") == "new");
  CHECK(std::filesystem::status(folder / "file").permissions() == std::filesystem::perms(0640));
}

TEST_CASE("devices are written to, not replaced") {
  write_file_atomically("/dev/null", "gone");
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("a folder is one program's at a time, and free when that has been killed") {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    const std::string owner = "another program works in it (process " + std::to_string(::getpid()) + " on ";
    CHECK_THROWS_WITH_AS(FolderLock(folder.path()), doctest::Contains(owner.c_str()), FileError);
    CHECK_THROWS_WITH_AS(FolderLock(folder.path()), doctest::Contains(folder.path().c_str()), FileError);
  }
  CHECK_NOTHROW(FolderLock(folder.path()));
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    (void)!::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK_THROWS_AS(FolderLock(folder.path()), FileError);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK_NOTHROW(FolderLock(folder.path()));
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK_THROWS_WITH_AS(FolderLock(folder / "none"), doctest::Contains("none: cannot write in it: No such"),
                       FileError);
}
