// The processes that mpirun started, as a ProcessGroup. The only place that knows MPI; built with it where CMake finds
// one (Debian: libopenmpi-dev), and any MPI 3 will do.
#pragma once

#include "gesso/core/process_group.h"

namespace gesso {

/// Whether this build has MPI.
bool has_mpi();

/// The group of all processes (MPI_COMM_WORLD). The first call begins MPI, the end of the program ends it; all calls must
/// come from one thread. Throws Error in a build without MPI.
ProcessGroup& mpi_world();

/// Ends all processes of mpi_world() with this exit code, at once.
[[noreturn]] void abort_mpi_world(int code);

}  // namespace gesso
