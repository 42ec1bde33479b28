// Which instruction set kernels use. Runs once for each name that GESSO_SIMD may have (tests/CMakeLists.txt).
#include "gesso/core/simd/cpu.h"

#include <cstdlib>

#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
#include "support.h"

using namespace gesso;

TEST_CASE("kernels use the best instruction set that the CPU has and GESSO_SIMD allows") {
  const char* const wanted = std::getenv("GESSO_SIMD");
  CHECK(best_isa() <= cpu_isa());
  if (wanted == nullptr || isa_named(wanted) >= cpu_isa()) {
    CHECK(best_isa() == cpu_isa());
  } else {
    CHECK(best_isa() == isa_named(wanted));
  }
  CHECK(build_info().simd == name_of(best_isa()));
}

TEST_CASE("instruction sets have names, and others are refused") {
  CHECK(isa_named("avx512") == Isa::avx512);
  CHECK(isa_named("avx2") == Isa::avx2);
  CHECK(isa_named("baseline") == Isa::baseline);
  CHECK_THROWS_WITH_AS(isa_named("AVX2"), doctest::Contains("no instruction set \"AVX2\" (GESSO_SIMD"),
                       ArgumentError);
}
