#include "gesso/core/convolution/winograd/kernels.h"

#include <algorithm>

#include "gesso/core/convolution/winograd/transforms.h"
#include "gesso/core/simd/stream.h"
#include "gesso/core/simd/vector.h"

namespace gesso::winograd {
namespace {

constexpr int kColumns = kTile * kStrip;  // of the result of a strip
constexpr int kPitch = kColumns + 8;  // of a row of a strip in working memory: a strip reads 2 more columns

alignas(64) const float kZeroRow[kPitch] = {};
const std::uint8_t kZeroBytes[kPitch] = {};

// The rows that a strip of one channel reads, from its first column inside the picture on.
template <int count>
struct Rows {
  bool inside[count];  // or zeros
  const float* x[count];
  const std::uint8_t* mask[count];
  int bit[count];
};

}  // namespace
}  // namespace gesso::winograd

#define GESSO_ISA_SOURCE "gesso/core/convolution/winograd/kernels_isa.h"
#include "gesso/core/simd/for_each_isa.h"

namespace gesso::winograd {

const Kernels& kernels() { return GESSO_BEST_ISA(kKernels); }

}  // namespace gesso::winograd
