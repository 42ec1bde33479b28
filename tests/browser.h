// Pages in headless Chromium.
#pragma once

#include <array>
#include <cstdio>
#include <string>

#include "files.h"
#include "support.h"

namespace gesso::testing {

// Before anything else runs: errors are counted, whoever makes them.
inline const char* const kCountErrors = R"(<script>
  const errors = [];
  addEventListener("error", (event) => errors.push(event.message));
  addEventListener("securitypolicyviolation", (event) => errors.push("asked for " + event.blockedURI));
  for (const kind of ["error", "warn"]) console[kind] = (...words) => errors.push(words.join(" "));
</script>)";

// What the command prints; its errors are not of interest.
inline std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), n);
  }
  pclose(pipe);
  return text;
}

/// The browser's command, or nothing if there is none.
inline std::string browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    if (!output_of(std::string("command -v ") + name).empty()) {
      return name;
    }
  }
  return "";
}

/// The title of a page of `width,height` pixels after `script` at its end has run; `errors` in it holds all
/// that went wrong so far.
inline std::string title_in_browser(std::string html, const std::string& script, const std::string& size) {
  const TemporaryFolder folder;
  html.insert(html.find("<head>") + 6, kCountErrors);
  html.insert(html.rfind("</body>"), script);
  write_bytes(folder / "report.html", html);
  const std::string dom = output_of(
      "timeout 60 " + browser() +
      " --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
      " --disable-background-networking --disable-component-update --disable-dev-shm-usage"
      " --virtual-time-budget=5000 --window-size=" +
      size + " --user-data-dir=" + (folder / "profile") + " --dump-dom file://" + (folder / "report.html"));
  const std::size_t begin = dom.find("<title>");
  return begin == std::string::npos ? "the browser gave no page"
                                    : dom.substr(begin + 7, dom.find("</title>", begin) - begin - 7);
}

}  // namespace gesso::testing
