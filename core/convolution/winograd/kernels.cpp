#include "gesso/core/convolution/winograd/kernels.h"

#include <algorithm>

#include "gesso/core/convolution/winograd/transforms.h"
#include "gesso/core/simd/stream.h"
#include "gesso/core/simd/vector.h"

#define GESSO_ISA_SOURCE "gesso/core/convolution/winograd/kernels_isa.h"
#include "gesso/core/simd/for_each_isa.h"

namespace gesso::winograd {

const Kernels& kernels() { return GESSO_BEST_ISA(kKernels); }

}  // namespace gesso::winograd
