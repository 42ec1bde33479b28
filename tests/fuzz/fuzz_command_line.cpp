// Any words on a command line do the work or end with 0, 1 or 2, and one line.
#include <iostream>
#include <sstream>
#include <vector>

#include "gesso/core/error.h"
#include "input_file.h"
#include "program/command_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words = {"program"};
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  for (std::string line; std::getline(lines, line);) {
    words.push_back(line.c_str());  // up to a zero, as the system hands them over
  }
  std::vector<const char*> arguments;
  for (const std::string& word : words) {
    arguments.push_back(word.c_str());
  }
  bool flag = false;
  int number = 3;
  gesso::Index count = 1;
  std::uint64_t seed = 1;
  double rate = 0.1;
  std::string name, norm = "batch";
  std::filesystem::path out;
  std::vector<double> mix;
  std::vector<std::string> pictures;
  gesso::CommandLine line("program", "Does things.");
  const gesso::Command train = line.subcommand("train", "Trains");
  train.flag("--flag", &flag, "");
  train.option("--number", &number, "").range(1, 10);
  train.option("--count", &count, "").positive();
  train.option("--seed", &seed, "");
  train.option("--rate", &rate, "").range(0.0, 1.0);
  const gesso::Option resume = train.option("--resume", &name, "");
  train.option("--norm", &norm, "").choices({"batch", "instance"}).excludes(resume);
  train.option("--out", &out, "");
  train.option("--mix", &mix, "").separator(',');
  train.option("pictures", &pictures, "");
  std::ostringstream output, errors;
  std::streambuf *const out_before = std::cout.rdbuf(output.rdbuf()), *const err_before =
                                                                          std::cerr.rdbuf(errors.rdbuf());
  const int code = line.run(static_cast<int>(arguments.size()), arguments.data(), [] { return true; });
  std::cout.rdbuf(out_before);
  std::cerr.rdbuf(err_before);
  if (code < 0 || code > 2 || (code != 0 && errors.str().empty()) ||
      errors.str().find('\x1b') != std::string::npos) {
    __builtin_trap();
  }
  return 0;
}
