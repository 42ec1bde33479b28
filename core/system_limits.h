// What of the computer this process may use: containers (cgroups, version 2 and 1) and ulimit counted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace gesso {

/// The CPUs that the process may run on at the same time: its affinity, cut to the time that its container grants
/// (cpu.max), rounded up. At least 1.
int available_cores();

/// The most bytes of memory that the process can ever have: the computer's, or less if its container (memory.max) or
/// ulimit -v says so.
std::uint64_t memory_limit();

/// The bytes that are left for it now: what the system can give without swapping, and what is left of the limits. At
/// least 0, at most memory_limit().
std::uint64_t available_memory();

namespace detail {

struct CgroupLimits {
  double cpus;           ///< time of so many CPUs; infinity without a limit
  std::uint64_t memory;  ///< bytes; the largest number without a limit
  std::uint64_t
      available;  ///< bytes that are left of it; pages of files, which the system gives up, are not used
};

/// The limits of the group that `membership`, the text of /proc/self/cgroup, names, and of the groups above it; `root`
/// is where groups are mounted (/sys/fs/cgroup).
CgroupLimits cgroup_limits(const std::filesystem::path& root, const std::string& membership);

}  // namespace detail
}  // namespace gesso
