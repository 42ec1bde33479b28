// Programs that mpirun starts several times over, to train together.
#pragma once

#include <string>

#include "gesso/core/process_group.h"

namespace gesso {

/// The processes of this program: those that mpirun started, or this one alone. The first call, among several,
/// - makes rank 0 the one that speaks: std::cout and std::cerr of the others are silent from here on;
/// - ends them all when one of them fails: CommandLine::run() says which, and why;
/// - shares the machine's cores among its processes, unless --threads or GESSO_NUM_THREADS says how many each takes.
/// Throws Error when mpirun started several and this build has no MPI.
ProcessGroup& program_ranks();

/// For --help of a program or command that trains, its name, behind a line of the footer: how to start it on
/// several ranks, and whether this build has the MPI for it.
std::string ranks_help(const std::string& command);

}  // namespace gesso
