// Other programs as children.
#include "program/subprocess.h"

#include <unistd.h>

#include <csignal>

#include "gesso/core/error.h"
#include "program_runs.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("a child reads what is written to it, and is read to its end") {
  const TemporaryFolder folder;
  Subprocess tee({"tee", folder / "it's a \"name\" $HOME"}, Subprocess::Stream::reads);
  std::fputs("hello\n", tee.stream());
  tee.finish();
  CHECK(read_file(folder / "it's a \"name\" $HOME") == "hello\n");
  CHECK(output_of({"printf", "%s|", "a b", "*", ""}) == "a b|*||");
  CHECK(output_of({"head", "-c", "300000", "/dev/zero"}).size() == 300000);
}

TEST_CASE("a child that fails is named, with its last word; so is one that cannot be started") {
  CHECK_THROWS_WITH_AS(output_of({"sh", "-c", "echo first >&2; echo the last >&2; exit 3"}),
                       "sh says: the last", FileError);
  CHECK_THROWS_WITH_AS(output_of({"sh", "-c", "exit 3"}), "sh failed", FileError);
  CHECK_THROWS_WITH_AS(output_of({"sh", "-c", "kill -9 $$"}), "sh failed", FileError);
  CHECK_THROWS_WITH_AS(output_of({"/nowhere/program"}),
                       doctest::Contains("/nowhere/program cannot be started"), FileError);
  CHECK(on_path("sh"));
  CHECK_FALSE(on_path("no-program-of-this-name"));
}

TEST_CASE("a child that is left ends, and two do not hold each other's pipes") {
  Subprocess first({"cat"}, Subprocess::Stream::reads);
  {
    const Subprocess second({"sleep", "1000"}, Subprocess::Stream::writes);  // ended here
  }
  const Subprocess third({"sleep", "1000"}, Subprocess::Stream::writes);
  first.finish();  // would wait for ever if the third held the other end
}

TEST_CASE("a child whose reader has gone ends, though this program ignores SIGPIPE") {
  std::signal(SIGPIPE, SIG_IGN);
  Subprocess yes({"yes"}, Subprocess::Stream::writes);
  CHECK(std::fgetc(yes.stream()) == 'y');
  CHECK_THROWS_AS(yes.finish(), FileError);  // by SIGPIPE
}
