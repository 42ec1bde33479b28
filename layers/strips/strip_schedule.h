// In which passes a StripGraph is computed, and what is kept between them: numbers in, numbers out.
#pragma once

#include <vector>

#include "gesso/core/index.h"

namespace gesso {

/// A value of the graph, after those that it is made of.
struct StripNode {
  std::vector<int> inputs;
  double numbers = 0;     ///< that it has
  double products = 0;    ///< for each of them
  bool measures = false;  ///< its input, all of which must have gone by before it can be computed
};

struct StripPass {
  int target = 0;                   ///< what is computed to its last row
  std::vector<int> measured = {};   ///< what measures it
  std::vector<int> computed = {};   ///< the values that it takes, and
  std::vector<int> read = {};       ///< those that were kept
  std::vector<int> kept = {};       ///< of the computed ones, those that are kept for later passes
  std::vector<int> last_read = {};  ///< of those that were kept, those that no later pass reads
  double products = 0;
};

struct StripSchedule {
  std::vector<StripPass> passes;
  double most_kept = 0;               ///< numbers, at one time
  double most_kept_if_forgotten = 0;  ///< the same if what is read for the last time makes room as it is read
  double transferred = 0;             ///< numbers, written and read
};

/// For the value `y`. A number is written or read in the time of `transfer` products.
StripSchedule make_strip_schedule(const std::vector<StripNode>& nodes, int y, double transfer);

}  // namespace gesso
