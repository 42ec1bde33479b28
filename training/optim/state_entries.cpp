#include "gesso/training/optim/state_entries.h"

namespace gesso {

bool StateEntries::has(const std::string& prefix) const {
  const auto next = rest_.lower_bound(prefix);
  return next != rest_.end() && next->first.starts_with(prefix);
}

Tensor StateEntries::take(const std::string& key, const Shape& shape) {
  const auto found = rest_.find(key);
  if (found == rest_.end()) {
    problems_ += key + " is missing; ";
    return {};
  }
  Tensor value = found->second;
  rest_.erase(found);
  if (!value.defined() || value.shape() != shape) {
    problems_ += concat_text(key, " is ", value.describe(), " and should have shape ", shape, "; ");
  }
  return value;
}

void StateEntries::finish(const char* optimizer, std::size_t parameters) {
  for (const auto& [key, value] : rest_) {
    problems_ += key + " is unexpected; ";
  }
  require(problems_.empty(), optimizer, "::load_state_dict: ", problems_,
          "nothing was changed; the state must be that of the same optimiser over the same ", parameters,
          " parameters");
}

}  // namespace gesso
