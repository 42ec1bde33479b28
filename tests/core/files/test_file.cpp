// Files: whole reads, mapping, and writes that happen completely or not at all.
#include "gesso/core/files/file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "files.h"
#include "gesso/core/error.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// While it lives, files of this process cannot grow beyond `bytes`: writes fail as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

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
    CHECK(MappedFile(folder / "file").bytes() == bytes);
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
  CHECK_THROWS_WITH_AS(MappedFile{folder / "none"}, doctest::Contains("there is no such file"), FileError);
  CHECK_THROWS_WITH_AS(MappedFile{folder.path()}, doctest::Contains("it is a folder"), FileError);
  CHECK_THROWS_WITH_AS(MappedFile{"/dev/zero"}, doctest::Contains("not a regular file"), FileError);
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
