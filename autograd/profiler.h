// Where the time goes: seconds of every operation, forward and backward.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "gesso/core/shape.h"

namespace gesso {

/// While one lives, it times the operations of its thread: from the end of one operation to the end of the
/// next, so what lies between two operations counts for the second. A later one hides it while it lives.
///
///     Profiler profiler;
///     loss_of(net(x)).backward();
///     adam.step();
///     std::cout << profiler.table();
class Profiler {
 public:
  Profiler();
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  /// A line for each operation and shape of its result, the longest first: how often it ran, milliseconds
  /// forward and backward; then the sum, and what came after the last operation (an optimiser's step, say).
  std::string table() const;

  /// The one that is alive on this thread, or null. For autograd/.
  static Profiler* active();
  void ended(const char* operation, const Shape& result, bool backward);

 private:
  using Clock = std::chrono::steady_clock;
  struct Times {
    int calls = 0;
    double forward = 0, backward = 0;  // seconds
  };
  std::map<std::pair<std::string, std::string>, Times> operations_;  // by name and shape
  Clock::time_point last_;
  Profiler* before_;
};

}  // namespace gesso
