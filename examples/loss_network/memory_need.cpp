#include "memory_need.h"

#include <algorithm>
#include <optional>

#include "crops.h"
#include "program/assets.h"

namespace gesso {

MemoryNeed memory_for_loss_network(const LossNetworkSettings& settings,
                                   const std::vector<std::string>& files) {
  LossNetworkSettings small = settings;
  small.batch = 2;
  small.crop = std::min<Index>(settings.crop, 96);
  small.painters.clear();
  const double larger =
      static_cast<double>(settings.crop * settings.crop) / static_cast<double>(small.crop * small.crop);
  std::optional<LossNetworkTraining> training;
  // What a step takes does not depend on what the pictures show, and those of the folders may be broken.
  const std::vector<std::string> any_pictures(2, asset("photos/cat.jpg"));
  const double start = peak_memory_of([&] { training.emplace(small, any_pictures); });
  const double step = peak_memory_of([&] { training->training().step(); });
  const double test = peak_memory_of([&] { training->unexplained(); });
  const double pictures = memory_of_small(files) * (settings.painters.empty() ? 1 : 2);
  return memory_of_process(step * larger * static_cast<double>(settings.batch) / 2,
                           std::max(start, test) * larger, pictures, training->training().model());
}

}  // namespace gesso
