#include "gesso/core/build_info.h"

#include "gesso/core/error.h"
#include "gesso/core/kernels/blas.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/cpu.h"
#include "gesso/core/version.h"

namespace gesso {

BuildInfo build_info() {
  BuildInfo info;
  info.version = GESSO_VERSION;
#if defined(__clang__)
  info.compiler = "Clang " __clang_version__;
#else
  info.compiler = "GCC " __VERSION__;
#endif
  info.build_type = GESSO_BUILD_TYPE;
  info.simd = name_of(best_isa());
  info.blas = blas_name();
  info.blas_core = blas_core_type();
  info.mpi = GESSO_MPI;
  info.threads = num_threads();
  return info;
}

std::string BuildInfo::str() const {
  return concat_text("gesso:     ", version, " (", build_type, ")\ncompiler:  ", compiler,
                     "\nSIMD:      ", simd, "\nBLAS:      ", blas, blas_core.empty() ? "" : ", core type ",
                     blas_core, "\nMPI:       ", mpi.empty() ? "none: one process alone" : mpi,
                     "\nthreads:   ", threads, "\n");
}

}  // namespace gesso
