// What this build is and what it runs on, for --version and for reports.
#pragma once

#include <string>

namespace gesso {

struct BuildInfo {
  std::string version;     ///< of gesso, "0.1.0"
  std::string compiler;    ///< "GCC 12.2.0"
  std::string build_type;  ///< "Release"
  std::string simd;        ///< name_of(best_isa()): "AVX-512"
  std::string blas;        ///< blas_name(): "OpenBLAS 0.3.21"
  std::string blas_core;   ///< blas_core_type(): "SkylakeX"
  std::string mpi;         ///< the standard that the MPI of this build keeps to, "3.1"; empty without one
  int threads = 0;         ///< num_threads()

  /// All of it in lines of "name: value".
  std::string str() const;
};

BuildInfo build_info();

}  // namespace gesso
