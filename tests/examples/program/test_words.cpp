// What programs say: what was meant, commands to type, how many steps are left.
#include <doctest/doctest.h>

#include "program/did_you_mean.h"
#include "program/resume.h"
#include "program/shell_word.h"
#include "program_runs.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("did_you_mean: names that are alike, or that a word begins; nothing where none is") {
  const std::vector<std::string> names = {"starry", "wave", "waves", "engraving"};
  CHECK(did_you_mean("stary", names) == "; did you mean starry?");
  CHECK(did_you_mean("wav", names) == "; did you mean wave?");
  CHECK(did_you_mean("waves", names) == "; did you mean waves?");
  CHECK(did_you_mean("engr", names) == "; did you mean engraving?");
  CHECK(did_you_mean("zebra", names) == "");
  CHECK(did_you_mean("", names) == "");
  CHECK(did_you_mean("--", names) == "");
  CHECK(did_you_mean("wave", {}) == "");
  CHECK(did_you_mean(std::string(100000, 'w'), names) == "");
}

TEST_CASE("shell_word: one word for a shell, whatever is in it") {
  CHECK(shell_word("runs/starry_night-2") == "runs/starry_night-2");
  CHECK(shell_word("my run") == "'my run'");
  for (const std::string text :
       {"", "a b", "it\'s", "$HOME", "a;b", "*", "~", "\"x\"", "a\\b", "(x)", "Gemälde"}) {
    const TemporaryFolder folder;  // through a shell and back
    write_bytes(folder / "script", "printf %s " + shell_word(text));
    CHECK(run_command("sh " + (folder / "script")).out == text);
  }
}

TEST_CASE("a training says how many of its steps are left, and how to go on") {
  CHECK(steps_to_do(0, 250) == "for 250 steps");
  CHECK(steps_to_do(33, 250) == "for the last 217 of 250 steps");
  CHECK(steps_to_do(250, 250) == "for 0 steps, all 250 being done");
  CHECK(stopped_words(33, 250, "style-transfer train", "my run") ==
        "Stopped after 33 of 250 steps. To go on: style-transfer train --resume 'my run'");
}
