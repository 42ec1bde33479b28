// What mpirun and its like tell a process by its environment, before it knows of MPI.
#pragma once

#include <optional>

namespace gesso {

/// A process that was started as one of several.
struct LaunchedRank {
  int rank = 0;
  int size = 1;
  int on_this_machine = 1;  ///< of all, how many run here
};

/// Which one this is; nothing for a process that was started alone. Knows Open MPI's mpirun, that of MPICH and its
/// relatives (Hydra), and Slurm's srun where that speaks PMI.
std::optional<LaunchedRank> launched_rank();

}  // namespace gesso
