#include "ranks.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <streambuf>

#include "command_line.h"
#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
#include "gesso/core/parallel.h"
#include "gesso/core/process_launch.h"
#include "gesso/core/system_limits.h"
#include "gesso/training/mpi_group.h"

namespace gesso {
namespace {

// Where everything may be written, and nothing comes of it.
class Silence : public std::streambuf {
  int overflow(int character) override { return traits_type::not_eof(character); }
  std::streamsize xsputn(const char*, std::streamsize count) override { return count; }
};

void share_cores(int processes) {
  const bool chosen = std::getenv("GESSO_NUM_THREADS") != nullptr || num_threads() != available_cores();
  if (processes > 1 && !chosen) {
    const auto cores = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
    set_num_threads(std::clamp(cores / processes, 1, num_threads()));
  }
}

ProcessGroup& begin() {
  const std::optional<LaunchedRank> launched = launched_rank();
  if (!launched || launched->size == 1) {
    return single_process();
  }
  if (!has_mpi()) {
    throw Error(
        concat_text("mpirun started ", launched->size,
                    " processes, and this build has no MPI to train together by: install one (Debian: "
                    "libopenmpi-dev) and build again, or start the program alone"));
  }
  ProcessGroup& world = mpi_world();
  call_on_failure(abort_mpi_world);
  share_cores(launched->on_this_machine);
  if (world.rank() > 0) {
    static Silence silence;
    std::cout.rdbuf(&silence);
    std::cerr.rdbuf(&silence);
  }
  return world;
}

}  // namespace

ProcessGroup& program_ranks() {
  static ProcessGroup& ranks = begin();
  return ranks;
}

std::string ranks_help(const std::string& command) {
  const std::string mpi = build_info().mpi;
  return "\nSeveral processes or machines train together, to the same bits:\n" +
         (mpi.empty()
              ? "  not in this build, which has no MPI (Debian: install libopenmpi-dev, and build again)"
              : concat_text("  mpirun -n 4 ", command, " ...     (this build has MPI ", mpi, ")"));
}

}  // namespace gesso
