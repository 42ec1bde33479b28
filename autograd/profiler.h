// Where the time goes: seconds of every operation, forward and backward.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "gesso/core/shape.h"

namespace gesso {

/// One run of an operation, forward or backward.
struct ProfiledOperation {
  std::string name;                   ///< "conv2d"
  bool backward = false;              ///< whether it ran in backward()
  Shape result = {};                  ///< of the operation, also when it ran backward
  std::vector<Shape> inputs = {};     ///< those that it was given, in their order
  std::vector<Shape> gradients = {};  ///< backward: the inputs that got a gradient, in their order
  double seconds = 0;
};

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

  /// What ran so far, in its order.
  const std::vector<ProfiledOperation>& operations() const { return operations_; }
  /// A line for each operation and shape of its result, the longest first: how often it ran, milliseconds
  /// forward and backward; then the sum, and what came after the last operation (an optimiser's step, say).
  std::string table() const;

  /// The one that is alive on this thread, or null. For autograd/.
  static Profiler* active();
  /// Takes the operation down, with the time since the last. For autograd/.
  void ended(ProfiledOperation operation);

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<ProfiledOperation> operations_;
  Clock::time_point last_;
  Profiler* before_;
};

}  // namespace gesso
