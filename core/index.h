// Index: how gesso counts elements, sizes and positions.
#pragma once

#include <cstdint>

namespace gesso {

/// Signed, so that differences and loops that count down mean what they say.
using Index = std::int64_t;

/// a / b rounded up, for a >= 0 and b > 0.
constexpr Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

}  // namespace gesso
