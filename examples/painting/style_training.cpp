#include "style_training.h"

#include <algorithm>

namespace gesso {

Schedule style_schedule(Index steps) {
  return WarmupCosine{.warmup = std::min<Index>(30, steps / 10), .total = steps, .floor = 0.01};
}

BatchLoss batch_loss(const Losses& losses) {
  LogEntry numbers = {
      {"content", losses.content}, {"style", losses.style}, {"tv", losses.tv}, {"range", losses.range}};
  if (losses.photograph > 0) {
    numbers.emplace_back("photograph", losses.photograph);
  }
  if (losses.steadiness > 0) {
    numbers.emplace_back("steadiness", losses.steadiness);
  }
  return {losses.total, numbers};
}

}  // namespace gesso
