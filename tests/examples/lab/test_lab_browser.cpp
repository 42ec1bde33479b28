// The lab's page in headless Chromium: its numbers are norm-lab's, to the last printed digit. Without
// Chromium, or before examples/lab/build has made the page, there is nothing to test, and ctest says
// "Skipped".
#include <filesystem>
#include <iostream>

#include "browser.h"
#include "gesso/core/files/json.h"
#include "lab_requests.h"
#include "paths.h"
#include "program_runs.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

TEST_CASE("the page's numbers are norm-lab's, byte for byte") {
  const std::string page = source_path("build/lab/lab.html");
  if (browser().empty()) {
    std::cout << "SKIPPED: no Chromium\n";
    return;
  }
  if (!std::filesystem::exists(page)) {
    std::cout << "SKIPPED: no lab; examples/lab/build makes it\n";
    return;
  }
  const std::vector<LabCase> cases = lab_cases();
  Json requests = Json::array();
  for (const LabCase& one : cases) {
    requests.push_back(one.request);
  }
  const TemporaryFolder folder;
  write_bytes(
      folder / "script.js",
      "(async () => { while (!globalThis.gesso) await new Promise((done) => setTimeout(done, 20)); return " +
          json_text(requests) + ".map((request) => gesso.benchText(request)); })()");
  const std::string answer =
      output_of(source_path("tests/in-browser ") + browser() + " " + page + " - < " + (folder / "script.js"));
  REQUIRE_FALSE(answer.empty());
  const auto texts = parse_json(answer).get<std::vector<std::string>>();
  REQUIRE(texts.size() == cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].words);
    const Outcome program = run_program("norm-lab", cases[i].words);
    REQUIRE(program.status == 0);
    CHECK(texts[i] + "\n" == program.out);
  }
}
