// What a process may use: limits of containers, from files as the kernel writes them.
#include "gesso/core/system_limits.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include "files.h"
#include "gesso/core/parallel.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

void write(const TemporaryFolder& root, const std::string& file, const std::string& text) {
  fs::create_directories(fs::path(root / file).parent_path());
  write_bytes(root / file, text);
}

constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_CASE("cgroups of version 2: the tightest limit on the way up counts") {
  const TemporaryFolder root;
  const auto limits = [&](const std::string& membership) {
    return detail::cgroup_limits(root.path(), membership);
  };
  CHECK(limits("0::/a/b\n").memory == kNone);
  CHECK(std::isinf(limits("0::/a/b\n").cpus));
  write(root, "memory.max", "max\n");
  write(root, "cpu.max", "max 100000\n");
  CHECK(limits("0::/a/b\n").available == kNone);
  write(root, "a/memory.max", "1000000\n");
  write(root, "a/memory.current", "700000\n");
  write(root, "a/memory.stat", "anon 300000\nfile 400000\nactive_file 100000\ninactive_file 250000\n");
  write(root, "a/cpu.max", "150000 100000\n");
  write(root, "a/b/memory.max", "5000000\n");
  write(root, "a/b/memory.current", "600000\n");
  write(root, "a/b/cpu.max", "400000 100000\n");
  CHECK(limits("0::/a/b\n").memory == 1000000);
  CHECK(limits("0::/a/b\n").available == 1000000 - (700000 - 250000));
  CHECK(limits("0::/a/b\n").cpus == 1.5);
  CHECK(limits("0::/\n").memory == kNone);
  // In a container that sees its own group as the root.
  write(root, "memory.max", "2000\n");
  write(root, "memory.current", "3000\n");
  CHECK(limits("0::/\n").memory == 2000);
  CHECK(limits("0::/\n").available == 0);
  CHECK(limits("0::/not/mounted/here\n").memory == 2000);
  CHECK(limits("").memory == kNone);
  CHECK(limits("nonsense").memory == kNone);
}

TEST_CASE("cgroups of version 1 count too") {
  const TemporaryFolder root;
  write(root, "memory/box/memory.limit_in_bytes", "3000\n");
  write(root, "memory/box/memory.usage_in_bytes", "2500\n");
  write(root, "memory/box/memory.stat", "total_inactive_file 500\n");
  write(root, "memory/memory.limit_in_bytes", "9223372036854771712\n");
  write(root, "cpu/box/cpu.cfs_quota_us", "300000\n");
  write(root, "cpu/box/cpu.cfs_period_us", "100000\n");
  write(root, "cpu/free/cpu.cfs_quota_us", "-1\n");
  write(root, "cpu/free/cpu.cfs_period_us", "100000\n");
  const auto limits = detail::cgroup_limits(root.path(), "9:memory:/box\n4:cpu,cpuacct:/box\n0::/\n");
  CHECK(limits.memory == 3000);
  CHECK(limits.available == 1000);
  CHECK(limits.cpus == 3);
  CHECK(std::isinf(detail::cgroup_limits(root.path(), "4:cpu:/free\n").cpus));
}

TEST_CASE("this process has memory and cores, and no more threads than those by default") {
  CHECK(available_cores() >= 1);
  CHECK(memory_limit() > (std::uint64_t{1} << 26));
  CHECK(available_memory() <= memory_limit());
  CHECK(available_memory() > 0);
}
