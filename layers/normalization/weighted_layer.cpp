#include "gesso/layers/normalization/weighted_layer.h"

#include <algorithm>
#include <utility>

namespace gesso {

std::string classic_weight_key(const std::string& key) {
  static const std::string parametrizations = "parametrizations.weight.";
  static constexpr std::pair<const char*, const char*> names[] = {{"original0", "weight_g"},
                                                                  {"original1", "weight_v"},  // weight norm
                                                                  {"original", "weight_orig"},
                                                                  {"0._u", "weight_u"},
                                                                  {"0._v", "weight_v"}};  // spectral norm
  for (const auto& [modern, classic] : names) {
    const std::string end = parametrizations + modern;
    const std::string before = key.substr(0, key.size() - std::min(key.size(), end.size()));
    if (key == before + end && (before.empty() || before.ends_with('.'))) {
      return before + classic;
    }
  }
  return key;
}

}  // namespace gesso
