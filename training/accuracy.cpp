#include "gesso/training/accuracy.h"

#include "gesso/autograd/reduce.h"

namespace gesso {

double accuracy(const Tensor& logits, const std::vector<Index>& labels) {
  const auto count = static_cast<Index>(labels.size());
  require(logits.rank() == 2 && logits.size(0) == count && count > 0, "accuracy: logits have shape ",
          logits.shape(), " for ", count, " labels; there must be a row for each label, and at least one");
  const std::vector<Index> answers = argmax(logits, 1);
  Index right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    right += answers[i] == labels[i];
  }
  return static_cast<double>(right) / static_cast<double>(count);
}

}  // namespace gesso
