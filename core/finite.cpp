#include "gesso/core/finite.h"

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "gesso/core/bit_cast.h"
#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

// The bits of the exponent are all set in NaN and in infinities, and only there.
template <class T>
GESSO_SIMD bool block_is_finite(const T* x, Index n) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits exponent = sizeof(T) == 4 ? Bits{0x7F800000} : static_cast<Bits>(0x7FF0000000000000);
  Bits found = 0;
  for (Index i = 0; i < n; ++i) {
    found |= (bit_cast<Bits>(x[i]) & exponent) == exponent ? Bits{1} : Bits{0};
  }
  return found == 0;
}

}  // namespace

bool all_finite(const Tensor& x) {
  std::atomic<bool> finite = true;
  with_dtype(x.dtype(), [&]<class T>() {
    const T* values = x.data<T>();
    parallel_for(x.numel(), kElementwiseBlock, [&](Index begin, Index end) {
      if (!block_is_finite(values + begin, end - begin)) {
        finite = false;
      }
    });
  });
  return finite;
}

}  // namespace gesso
