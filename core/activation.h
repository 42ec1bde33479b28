// What an operation does to its result in the same pass over memory, before it writes it.
#pragma once

namespace gesso {

enum class Activation {
  none,  ///< y = z
  relu,  ///< y = max(z, 0); NaN stays NaN
};

}  // namespace gesso
