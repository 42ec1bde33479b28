// The programs of one file: the README shows first_program.cpp as it is, and all of them run.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "files.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/files/file.h"
#include "gesso/core/pictures/picture.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// What the program prints, run in the top folder. Fails unless it ends well.
std::string output_of(const std::string& program, const std::string& arguments = "") {
  const TemporaryFolder folder;
  const std::string command = concat_text("cd '", source_path(""), "' && ", program_path(program), " ",
                                          arguments, " > '", folder / "out", "'");
  const int status = std::system(command.c_str());
  REQUIRE(WEXITSTATUS(status) == 0);
  return read_file(folder / "out");
}

// The numbers behind "step: " in lines of that form.
std::vector<double> losses_in(const std::string& output) {
  std::vector<double> losses;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (const auto colon = line.find(": "); line.find_first_not_of("0123456789") == colon) {
      losses.push_back(std::atof(line.c_str() + colon + 2));
    }
  }
  return losses;
}

}  // namespace

TEST_CASE("the README shows first_program.cpp") {
  const std::string readme = read_file(source_path("README.md")), fence = "```cpp\n";
  const auto begin = readme.find(fence) + fence.size();
  REQUIRE(begin > fence.size());
  CHECK(readme.substr(begin, readme.find("```", begin) - begin) ==
        read_file(source_path("examples/first_program.cpp")));
}

TEST_CASE("first-program learns") {
  const std::vector<double> losses = losses_in(output_of("first-program"));
  REQUIRE(losses.size() == 5);
  for (int i = 1; i < 5; ++i) CHECK(losses[i] < losses[i - 1]);
  CHECK(losses[4] < 0.7 * losses[0]);
}

TEST_CASE("own-operation: its gradient is right, and a network learns with it") {
  const std::string output = output_of("own-operation");
  CHECK(output.starts_with("ok: 20 gradients"));
  const std::vector<double> losses = losses_in(output);
  REQUIRE(losses.size() == 5);
  CHECK(losses[4] < 0.01);
}

TEST_CASE("style-recipe trains, repaints and is no longer than it promises") {
  const TemporaryFolder folder;
  const std::string result = folder / "painted.png";
  const std::string output = output_of(
      "style-recipe", "2 examples/assets/styles/waves.jpg examples/assets/photos/bee.jpg " + result);
  CHECK(output.starts_with("0: content "));
  const Tensor painted = load_picture(result);
  CHECK(painted.size(2) >= 256);
  CHECK(variance(painted).item() > 0);
  const std::string source = read_file(source_path("examples/style_recipe.cpp"));
  CHECK(std::count(source.begin(), source.end(), '\n') <= 120);
  CHECK(source.find("#include \"") == std::string::npos);  // of gesso, the one header for users alone
}

TEST_CASE("compare-own-network compares, and says in a page what it found") {
  const TemporaryFolder folder;
  output_of("compare-own-network", "'" + folder.path() + "' 3");
  const std::string page = read_file(folder / "report.html");
  CHECK(page.find("Waves in bad light") != std::string::npos);
  CHECK(page.find("the loss on the test batch is lower with instance than with batch") != std::string::npos);
}
