// The script examples/quickstart, with stand-ins for what it builds: what it says works from any folder, as it is pasted.
#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>

#include "program_runs.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

void write_program(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  write_bytes(path, text);
  fs::permissions(path, fs::perms::owner_all);
}

// What stands behind `title` in one of the lines.
std::string told(const std::string& text, const std::string& title) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (const std::size_t at = line.find(title); at != std::string::npos) {
      return line.substr(at + title.size());
    }
  }
  return "";
}

}  // namespace

TEST_CASE("quickstart, called from another folder, tells names and commands that work there") {
  const TemporaryFolder folder;
  const std::string tree = folder / "it's a tree";
  write_program(tree + "/examples/quickstart", read_file(source_path("examples/quickstart")));
  write_program(tree + "/examples/setup.sh",
                "fail() { echo \"error: $*\" >&2; exit 1; }\n"
                "install_build_packages() { :; }\nconfigure_into() { :; }\nbuild_in() { :; }\n");
  write_program(tree + "/examples/assets/styles/starry_night.jpg", "");
  // Its words, one a line; as a training it leaves a report.
  write_program(tree + "/build/bin/style-transfer",
                "#!/bin/sh\n[ \"$1\" != train ] || { mkdir -p \"$5\" && : >\"$5/report.html\"; }\n"
                "printf '%s\\n' \"$@\"\n");
  fs::create_directories(folder / "elsewhere");
  write_bytes(folder / "elsewhere/my style.jpg", "");
  write_bytes(folder / "call",
              "cd '" + (folder / "elsewhere") + "' && \"../it's a tree/examples/quickstart\" 'my style.jpg'");
  const Outcome outcome = run_command("bash " + (folder / "call"));
  CAPTURE(outcome.out);
  CAPTURE(outcome.errors);
  REQUIRE(outcome.status == 0);
  const std::string run = tree + "/runs/my style";
  CHECK(fs::exists(run + "/report.html"));
  const auto pasted = [&](const std::string& command) {
    write_bytes(folder / "pasted", "cd '" + folder.path() + "' && " + command);
    return run_command("bash " + (folder / "pasted"));
  };
  CHECK(pasted("ls " + told(outcome.out, "Open in a browser:   ")).status == 0);
  CHECK(pasted("printf %s " + told(outcome.out, "Repainted photographs:     ")).out == run + "/painted/");
  CHECK(pasted("printf %s " + told(outcome.out, "comes with gesso: ")).out ==
        tree + "/runs/first-painting.jpg");
  CHECK(pasted(told(outcome.out, "Repaint one of yours:      ")).out ==
        "stylize\n--model\n" + run + "/model.safetensors\nphoto.jpg\n--out\npainted.jpg\n");
}
