#include "gesso/autograd/profiler.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace gesso {
namespace {

thread_local Profiler* active_profiler = nullptr;

}  // namespace

Profiler::Profiler() : last_(Clock::now()), before_(active_profiler) { active_profiler = this; }

Profiler::~Profiler() { active_profiler = before_; }

Profiler* Profiler::active() { return active_profiler; }

void Profiler::ended(const char* operation, const Shape& result, bool backward) {
  const Clock::time_point now = Clock::now();
  Times& times = operations_[{operation, result.str()}];
  times.calls += backward ? 0 : 1;
  (backward ? times.backward : times.forward) += std::chrono::duration<double>(now - last_).count();
  last_ = now;
}

std::string Profiler::table() const {
  std::vector<std::pair<std::pair<std::string, std::string>, Times>> rows(operations_.begin(),
                                                                          operations_.end());
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
