#include "gesso/core/system_limits.h"

#if defined(__linux__)
#include <sched.h>
#endif
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

namespace gesso {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The number that a text begins with, after blanks.
std::optional<std::uint64_t> number_in(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  std::uint64_t value = 0;
  if (begin == std::string_view::npos ||
      std::from_chars(text.data() + begin, text.data() + text.size(), value).ec != std::errc()) {
    return std::nullopt;  // "max"
  }
  return value;
}

// The number after `name` at the beginning of a line.
std::optional<std::uint64_t> number_after(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) {
      return number_in(std::string_view(line).substr(name.size()));
    }
  }
  return std::nullopt;
}

// `group` below `root`, and all above it down to root itself.
std::vector<fs::path> groups_from(const fs::path& root, const std::string& group) {
  std::vector<fs::path> groups = {root};
  fs::path path = root;
  for (const fs::path& part : fs::path(group).relative_path()) {
    path /= part;
    groups.push_back(path);
  }
  return groups;
}

struct MemoryFiles {
  const char *most, *used, *reclaimable;
};

void limit_memory(const fs::path& group, const MemoryFiles& files, detail::CgroupLimits& limits) {
  const std::uint64_t most = number_in(text_of(group / files.most)).value_or(kUnlimited);
  if (most > kUnlimited / 4) {
    return;  // none; version 1 writes a number near 2^63
  }
  const std::uint64_t used = number_in(text_of(group / files.used)).value_or(0);
  const std::uint64_t reclaimable =
      std::min(used, number_after(text_of(group / "memory.stat"), files.reclaimable).value_or(0));
  limits.memory = std::min(limits.memory, most);
  limits.available = std::min(limits.available, most - std::min(most, used - reclaimable));
}

void limit_cpus(std::optional<std::uint64_t> quota, std::optional<std::uint64_t> period,
                detail::CgroupLimits& limits) {
  if (quota && period && *period > 0) {
    limits.cpus = std::min(limits.cpus, static_cast<double>(*quota) / static_cast<double>(*period));
  }
}

detail::CgroupLimits own_limits() {
  return detail::cgroup_limits("/sys/fs/cgroup", text_of("/proc/self/cgroup"));
}

// ulimit -v
std::uint64_t address_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : kUnlimited;
}

}  // namespace

detail::CgroupLimits detail::cgroup_limits(const fs::path& root, const std::string& membership) {
  CgroupLimits limits{std::numeric_limits<double>::infinity(), kUnlimited, kUnlimited};
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {  // "0::/group", or "4:cpu,cpuacct:/group" of version 1
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    std::string controllers = line.substr(first, second - first + 1);  // ":cpu,cpuacct:"
    std::replace(controllers.begin(), controllers.end(), ':', ',');
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      for (const fs::path& path : groups_from(root, group)) {
        limit_memory(path, {"memory.max", "memory.current", "inactive_file "}, limits);
        const std::string quota = text_of(path / "cpu.max");  // "200000 100000", or "max 100000"
        limit_cpus(number_in(quota), number_in(quota.substr(std::min(quota.find(' '), quota.size()))),
                   limits);
      }
    }
    if (controllers.find(",memory,") != std::string::npos) {
      for (const fs::path& path : groups_from(root / "memory", group)) {
        limit_memory(path, {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "},
                     limits);
      }
    }
    if (controllers.find(",cpu,") != std::string::npos) {
      for (const fs::path& path : groups_from(root / "cpu", group)) {
        limit_cpus(number_in(text_of(path / "cpu.cfs_quota_us")),  // -1 without a limit
                   number_in(text_of(path / "cpu.cfs_period_us")), limits);
      }
    }
  }
  return limits;
}

int available_cores() {
  int allowed = static_cast<int>(std::thread::hardware_concurrency());
#if defined(__linux__)  // elsewhere a process may run on all
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof cores, &cores) == 0) {
    allowed = CPU_COUNT(&cores);
  }
#endif
  const double granted = std::ceil(own_limits().cpus);
  return std::max(1, granted < allowed ? static_cast<int>(granted) : allowed);
}

std::uint64_t memory_limit() {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  const std::uint64_t physical = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return std::min({physical, own_limits().memory, address_limit()});
}

std::uint64_t available_memory() {
  const auto free = number_after(text_of("/proc/meminfo"), "MemAvailable:");
  const std::uint64_t of_system = free ? *free * 1024 : kUnlimited;
  // Of ulimit -v: what is resident counts, not what is mapped, because the memory pool maps in advance. Code and stacks
  // of threads are mapped too.
  constexpr std::uint64_t kCode = std::uint64_t{256} << 20;
  const std::string pages = text_of("/proc/self/statm");  // mapped, resident, ...
  const std::uint64_t resident =
      number_in(pages.substr(std::min(pages.find(' '), pages.size()))).value_or(0) *
      static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t addresses = address_limit();
  const std::uint64_t of_addresses =
      addresses == kUnlimited ? kUnlimited : addresses - std::min(addresses, resident + kCode);
  return std::min({of_system, own_limits().available, of_addresses, memory_limit()});
}

}  // namespace gesso
