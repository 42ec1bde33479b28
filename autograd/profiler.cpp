#include "gesso/autograd/profiler.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

namespace gesso {
namespace {

thread_local Profiler* active_profiler = nullptr;

}  // namespace

Profiler::Profiler() : last_(Clock::now()), before_(active_profiler) { active_profiler = this; }

Profiler::~Profiler() { active_profiler = before_; }

Profiler* Profiler::active() { return active_profiler; }

void Profiler::ended(ProfiledOperation operation) {
  const Clock::time_point now = Clock::now();
  operation.seconds = std::chrono::duration<double>(now - last_).count();
  operations_.push_back(std::move(operation));
  last_ = now;
}

std::string Profiler::table() const {
  struct Times {
    int calls = 0;
    double forward = 0, backward = 0;  // seconds
  };
  std::map<std::pair<std::string, std::string>, Times> sums;  // by name and shape
  for (const ProfiledOperation& operation : operations_) {
    Times& times = sums[{operation.name, operation.result.str()}];
    times.calls += operation.backward ? 0 : 1;
    (operation.backward ? times.backward : times.forward) += operation.seconds;
  }
  std::vector<std::pair<std::pair<std::string, std::string>, Times>> rows(sums.begin(), sums.end());
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second.forward + a.second.backward > b.second.forward + b.second.backward;
  });
  std::string text;
  const auto line = [&](const std::string& name, const std::string& shape, const Times& times) {
    char buffer[256];
    std::snprintf(buffer, sizeof buffer, "%-20s %-24s %5d %9.2f %9.2f\n", name.c_str(), shape.c_str(),
                  times.calls, 1e3 * times.forward, 1e3 * times.backward);
    text += buffer;
  };
  text += "operation            result                   calls   forward  backward  (ms)\n";
  Times all;
  for (const auto& [key, times] : rows) {
    line(key.first, key.second, times);
    all.calls += times.calls;
    all.forward += times.forward;
    all.backward += times.backward;
  }
  line("all", "", all);
  line("after the last", "", {.forward = std::chrono::duration<double>(Clock::now() - last_).count()});
  return text;
}

}  // namespace gesso
