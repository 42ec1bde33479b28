// Networks that are no longer as they began.
#pragma once

#include "gesso/core/generator.h"
#include "gesso/layers/module.h"

namespace gesso::testing {

/// Other weights than those of the beginning: gammas are not 1, running statistics not 0 and 1.
inline void stir(Module& network, Generator& rng) {
  for (auto& [name, tensor] : network.state_dict()) {
    if (tensor.rank() <= 2 && !name.ends_with("num_batches_tracked")) {
      Tensor handle = tensor;
      handle.copy_(Tensor::uniform(tensor.shape(), rng, 0.5, 1.5));
    }
  }
}

}  // namespace gesso::testing
