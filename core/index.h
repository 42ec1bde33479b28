// How many blocks of a fixed size hold a number of things.
#pragma once

#include <cstdint>

namespace gesso {

/// ceil(a / b), for a >= 0 and b > 0.
inline std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace gesso
