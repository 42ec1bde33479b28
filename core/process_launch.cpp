#include "gesso/core/process_launch.h"

#include <cstdlib>
#include <initializer_list>

namespace gesso {
namespace {

// The number in the first of these variables that is there.
std::optional<int> number_in(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* text = std::getenv(name)) {
      return std::atoi(text);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<LaunchedRank> launched_rank() {
  const std::optional<int> rank = number_in({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"});
  const std::optional<int> size = number_in({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"});
  if (!rank || !size) {
    return std::nullopt;
  }
  const std::optional<int> here = number_in({"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"});
  return LaunchedRank{*rank, *size, here.value_or(1)};
}

}  // namespace gesso
