#include "program/command_line.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "gesso/core/parallel.h"
#include "program/usage_error.h"

using namespace gesso;

namespace {

// What a program wrote, and its exit code.
struct Ending {
  int code;
  std::string out, err;
};

Ending run(
    const CommandLine& line, std::vector<const char*> words,
    const std::function<bool()>& work = [] { return true; }) {
  words.insert(words.begin(), "program");
  const std::ostringstream out, err;
  std::streambuf *const out_before = std::cout.rdbuf(out.rdbuf()), *const err_before =
                                                                       std::cerr.rdbuf(err.rdbuf());
  const int code = line.run(static_cast<int>(words.size()), words.data(), work);
  std::cout.rdbuf(out_before);
  std::cerr.rdbuf(err_before);
  return {code, out.str(), err.str()};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("options set values of every type") {
  bool yes = false, flag = false;
  int small = 0;
  Index count = 0;
  std::uint64_t seed = 0;
  double rate = 0;
  std::string name;
  std::filesystem::path folder;
  std::vector<Index> sizes;
  std::vector<double> weights;
  std::vector<std::string> names;
  std::vector<std::filesystem::path> files;
  CommandLine line("program", "Does things.");
  line.option("--yes", &yes, "");
  line.flag("--flag", &flag, "");
  line.option("--small", &small, "");
  line.option("--count", &count, "");
  line.option("--seed", &seed, "");
  line.option("--rate", &rate, "");
  line.option("--name", &name, "");
  line.option("--folder", &folder, "");
  line.option("--sizes", &sizes, "").separator(',');
  line.option("--weights", &weights, "").separator(',');
  line.option("--names", &names, "");
  line.option("files", &files, "");
  const Ending ending = run(line, {"first file",
                                   "second",
                                   "--yes",
                                   "1",
                                   "--flag",
                                   "--small",
                                   "-3",
                                   "--count",
                                   "5000000000",
                                   "--seed",
                                   "18446744073709551615",
                                   "--rate",
                                   "1e-3",
                                   "--name",
                                   "a b",
                                   "--folder",
                                   "/tmp/x y",
                                   "--sizes",
                                   "1,2",
                                   "--weights",
                                   "0.5,2",
                                   "--names",
                                   "x",
                                   "y"});
  CHECK(ending.err == "");
  REQUIRE(ending.code == 0);
  CHECK(yes);
  CHECK(flag);
  CHECK(small == -3);
  CHECK(count == 5000000000);
  CHECK(seed == 18446744073709551615u);
  CHECK(rate == 1e-3);
  CHECK(name == "a b");
  CHECK(folder == "/tmp/x y");
  CHECK(sizes == std::vector<Index>{1, 2});
  CHECK(weights == std::vector<double>{0.5, 2});
  CHECK(names == std::vector<std::string>{"x", "y"});
  CHECK(files == std::vector<std::filesystem::path>{"first file", "second"});
}

TEST_CASE("--help shows headings, defaults unless they are empty or hidden, and what is allowed") {
  Index steps = 300, hidden = 7;
  std::string empty;
  std::vector<std::string> none, some = {"a", "b"};
  CommandLine line("program", "Does things.");
  line.option("--steps", &steps, "How many").positive();
  line.heading("Look");
  line.option("--hidden", &hidden, "A secret").hide_default();
  line.option("--empty", &empty, "Nothing");
  line.option("--none", &none, "Nothings").choices({"x", "y"}).value_name("NAME");
  line.option("--some", &some, "Things");
  line.footer("Example: program");
  const Ending ending = run(line, {"--help"}, [] { return false; });
  CHECK(ending.code == 0);
  CHECK(ending.err == "");
  CHECK(ending.out.starts_with("Does things.\n\nUsage: program [OPTIONS]\n"));
  const auto has = [&](const char* part) {
    CHECK_MESSAGE(contains(ending.out, part), part, " in ", ending.out);
  };
  has("--steps N               How many (above 0; default: 300)\n");
  has("\nLook:\n  --hidden N              A secret\n");
  has("--empty TEXT            Nothing\n");
  has("--none NAME...          Nothings (x or y)\n");
  has("--some TEXT...          Things (default: a,b)\n");
  has("\nExample: program\n");
  CHECK(contains(run(line, {"--version"}).out, "gesso:"));
}

TEST_CASE("what cannot be is refused in one line that names the option, with exit code 2") {
  Index index = 1;
  int steps = 1;
  double share = 0.5, rate = 1;
  std::string norm, one, other, third;
  CommandLine line("program", "");
  line.option("--index", &index, "").not_negative();
  line.option("--steps", &steps, "").range(1, 10);
  line.option("--share", &share, "").range(0.0, 1.0);
  line.option("--rate", &rate, "").positive();
  line.option("--norm", &norm, "").choices({"batch", "instance"});
  const Option first = line.option("--one", &one, "");
  line.option("--other", &other, "").excludes(first);
  line.option("--third", &third, "").needs(first);
  const auto refused = [&](const std::vector<const char*>& words, const std::string& text) {
    bool worked = false;
    const Ending ending = run(line, words, [&] { return worked = true; });
    CHECK(ending.err == "program: " + text + " (see --help)\n");
    CHECK(ending.code == 2);
    CHECK_FALSE(worked);
  };
  refused({"--index", "-1"}, "--index: \"-1\" is not 0 or more");
  refused({"--steps", "11"}, "--steps: \"11\" is not in 1 to 10");
  refused({"--share", "1.5"}, "--share: \"1.5\" is not in 0 to 1");
  refused({"--rate", "0"}, "--rate: \"0\" is not above 0");
  refused({"--rate", "nan"}, "--rate: \"nan\" is not a number");
  refused({"--rate", "1x"}, "--rate: \"1x\" is not a number");
  refused({"--norm", "layer"}, "--norm: \"layer\" is not batch or instance");
  refused({"--one", "a", "--other", "b"}, "--one cannot be given together with --other");
  refused({"--third", "a"}, "--third is given only together with --one");
  refused({"--nonsense"}, "there is no option --nonsense");
  CHECK(run(line, {"--index", "0", "--steps", "10", "--share", "1", "--norm", "batch", "--third", "a",
                   "--one", "b"})
            .code == 0);

  std::string must;
  line.option("--must", &must, "What must be").required();
  refused({}, "--must is missing: What must be");
}

TEST_CASE("the exit code tells how the work ended") {
  const CommandLine line("program", "");
  CHECK(run(line, {}).code == 0);
  CHECK(run(line, {}, [] { return false; }).code == 130);
  const Ending usage = run(line, {}, []() -> bool { throw UsageError("name a folder"); });
  CHECK(usage.code == 2);
  CHECK(usage.err == "program: name a folder (see --help)\n");
  const Ending failure = run(line, {}, []() -> bool { throw FileError("the disk is full"); });
  CHECK(failure.code == 1);
  CHECK(failure.err == "program: the disk is full\n");
  const Ending file = run(line, {}, []() -> bool {
    throw std::filesystem::filesystem_error("x", "/some/file",
                                            std::make_error_code(std::errc::is_a_directory));
  });
  CHECK(file.code == 1);
  CHECK(file.err == "program: /some/file: Is a directory\n");
}

TEST_CASE("a subcommand has options of its own, and its work is done before the program's") {
  Index steps = 1;
  std::string order;
  CommandLine line("program", "");
  line.add_threads_option();
  const Command train = line.subcommand("train", "Trains");
  const Option option = train.option("--steps", &steps, "");
  train.when_given([&] { order += "train "; });
  line.subcommand("paint", "Paints").when_given([&] { order += "paint "; });
  const int before = num_threads();
  REQUIRE(run(line, {"--threads", "3", "train", "--steps", "5"}, [&] {
            order += "end";
            return true;
          }).code == 0);
  CHECK(order == "train end");
  CHECK(num_threads() == 3);
  set_num_threads(before);
  CHECK(option.given());
  CHECK(option.name() == "--steps");
  steps = 2;
  option.set_again();
  CHECK(steps == 5);
  CHECK(run(line, {}).err == "program: name a command: train or paint (see --help)\n");
  CHECK(contains(run(line, {"train", "--help"}).out, "Usage: program train [OPTIONS]"));
}

TEST_CASE("a mistyped command or option is answered with the one that was meant") {
  Index steps = 1;
  std::string style, raw;
  CommandLine line("program", "");
  line.add_threads_option();
  const Command train = line.subcommand("train", "Trains"), paint = line.subcommand("paint", "Paints");
  train.option("--steps", &steps, "");
  train.option("--style", &style, "").required();
  paint.option("--raw", &raw, "");
  const auto refused = [&](const std::vector<const char*>& words, const std::string& text) {
    const Ending ending = run(line, words);
    CHECK(ending.err == "program: " + text + " (see --help)\n");
    CHECK(ending.code == 2);
  };
  refused({"tarin"}, "there is no command tarin; did you mean train?");
  refused({"zebra"}, "there is no command zebra; there are train or paint");
  refused({"train", "--stpes", "3"},
          "train has no option --stpes; did you mean --steps?");  // not: --style is missing
  refused({"train", "--sty=3"}, "train has no option --sty; did you mean --style?");
  refused({"train", "-steps", "3"}, "train has no option -steps; did you mean --steps?");
  refused({"train", "--raw", "3"}, "train has no option --raw, but paint has");
  refused({"train", "--zebra"}, "train has no option --zebra");
  refused({"--steps", "3", "train"}, "--steps belongs behind the command, as in program train --steps ...");
  refused({"--steps", "3"}, "--steps belongs behind the command, as in program train --steps ...");
  refused({"--thread", "3", "train"}, "train has no option --thread; did you mean --threads?");
  refused({"paint", "that"},
          "what is \"that\"? It is not the value of an option, and names of options begin with --");
  refused({"train", "--style"}, "--style needs a value: TEXT");
  refused({"train", "--style", "--steps", "3"}, "--style: its value is missing before --steps");
  refused({"train", "--style", ""}, "--style: the value is empty");
  refused({"train", "--style", "a", "--style", "b"}, "--style is given 2 times; give it once");
}

TEST_CASE("--help helps on a command line that is wrong, and the program's options follow a command, too") {
  Index steps = 1;
  CommandLine line("program", "");
  line.add_threads_option();
  line.subcommand("train", "Trains").option("--steps", &steps, "How many");
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"train", "--help"},
                                             {"train", "--steps", "many", "--help"},
                                             {"train", "--nonsense", "--help"},
                                             {"--help", "train"}}) {
    const Ending ending = run(line, words);
    CHECK(ending.code == 0);
    CHECK(ending.err == "");
    CHECK(contains(ending.out, "--steps N               How many (default: 1)\n"));
    CHECK(contains(ending.out, "--threads N "));
  }
  const int before = num_threads();
  CHECK(run(line, {"train", "--steps", "2", "--threads", "3"}).code == 0);
  CHECK(num_threads() == 3);
  set_num_threads(before);
}

TEST_CASE("a list that is given as one word takes one word, and numbers are decimal") {
  std::vector<double> mix;
  std::vector<std::string> files;
  Index count = 0;
  CommandLine line("program", "");
  line.option("--mix", &mix, "").separator(',');
  line.option("--count", &count, "");
  line.option("files", &files, "");
  CHECK(run(line, {"--mix", "0.3,0.7", "cat.jpg", "--count", "010"}).code == 0);
  CHECK(mix == std::vector<double>{0.3, 0.7});
  CHECK(files == std::vector<std::string>{"cat.jpg"});
  CHECK(count == 10);
  CHECK(run(line, {"--mix=-1,.5", "--count=+7"}).code == 0);
  CHECK(mix == std::vector<double>{-1, 0.5});
  CHECK(count == 7);
}

TEST_CASE("--help keeps to 80 letters a line, and explains terms where they begin") {
  std::string name;
  CommandLine line(
      "program",
      "Does many things, of which there are so many that they do not fit into one line of eighty.\n"
      "  word  which means what it says, and goes on to say so for longer than a line has room for\n");
  line.option("--name-that-is-very-long", &name,
              "Words that go on and on until a line of eighty letters has no room");
  const std::string help = run(line, {"--help"}).out;
  CHECK(
      help.starts_with("Does many things, of which there are so many that they do not fit into one line\n"
                       "of eighty.\n"
                       "  word  which means what it says, and goes on to say so for longer than a line\n"
                       "        has room for\n\nUsage:"));
  CHECK(contains(help,
                 "  --name-that-is-very-long TEXT\n"
                 "                          Words that go on and on until a line of eighty letters\n"
                 "                          has no room\n"));
}

TEST_CASE("control characters in complaints are shown, and not sent to the terminal") {
  const CommandLine line("program", "");
  const Ending ending =
      run(line, {}, []() -> bool { throw FileError("\x1b[2Jevil\r.jpg: no \x9B such file"); });
  CHECK(ending.err == "program: \\x1b[2Jevil\\x0d.jpg: no \\x9b such file\n");
  const Ending told = run(line, {}, [] {
    std::cerr << "Repainting "
              << "\x1b[31m" << 3 << "\n";
    return true;
  });
  CHECK(told.err == "Repainting \\x1b[31m3\n");
}

TEST_CASE("output that cannot be written is a failure, of --help too") {
  const CommandLine line("program", "");
  const auto on_full_disk = [&](std::vector<const char*> words) {
    words.insert(words.begin(), "program");
    std::ofstream full("/dev/full");
    std::ostringstream err;
    std::streambuf *const out_before = std::cout.rdbuf(full.rdbuf()), *const err_before =
                                                                          std::cerr.rdbuf(err.rdbuf());
    const int code = line.run(static_cast<int>(words.size()), words.data(), [] {
      std::cout << "model.safetensors\n";
      return true;
    });
    std::cout.clear();
    std::cout.rdbuf(out_before);
    std::cerr.rdbuf(err_before);
    CHECK(contains(err.str(), "program: standard output cannot be written"));
    return code;
  };
  CHECK(on_full_disk({}) == 1);
  CHECK(on_full_disk({"--help"}) == 1);
}

TEST_CASE("a number too large for its type is refused, not made the largest there is") {
  std::uint64_t seed = 1;
  int small = 1;
  std::vector<Index> sizes;
  CommandLine line("program", "");
  line.option("--seed", &seed, "");
  line.option("--small", &small, "");
  line.option("--sizes", &sizes, "").separator(',');
  CHECK(run(line, {"--seed", "18446744073709551615"}).code == 0);
  CHECK(seed == ~std::uint64_t{0});
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"--seed", "18446744073709551616"},
                                             {"--seed=99999999999999999999"},
                                             {"--small", "2147483648"},
                                             {"--small", "-2147483649"},
                                             {"--sizes", "1,9223372036854775808"}}) {
    const Ending ending = run(line, words);
    CHECK(ending.code == 2);
    CHECK(contains(ending.err, "is too large"));
  }
}
