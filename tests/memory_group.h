// A container's limit of the memory.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace gesso::testing {

/// A control group (cgroups, version 2 or 1) whose processes have `bytes` of memory between them; gone at the
/// end. Where this process may not make one (most often it is not root, or cgroups are mounted for reading),
/// path() is empty.
class MemoryGroup {
 public:
  explicit MemoryGroup(std::uint64_t bytes) {
    namespace fs = std::filesystem;
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line;
         path_.empty() && std::getline(groups, line);) {  // "0::/group", or "4:memory:/group"
      const std::size_t first = line.find(':'), second = line.find(':', first + 1);
      if (second == std::string::npos) {
        continue;
      }
      const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
      const bool version_2 = controllers == ",,",
                 version_1 = controllers.find(",memory,") != std::string::npos;
      // Version 2 lets groups that have processes of their own give none of their memory to groups below.
      fs::path group = fs::path(line.substr(second + 1)).relative_path();
      for (bool up = true; path_.empty() && up && (version_1 || version_2); group = group.parent_path()) {
        up = version_2 && !group.empty();
        make(fs::path("/sys/fs/cgroup") / (version_1 ? "memory" : "") / group,
             version_1 ? "memory.limit_in_bytes" : "memory.max", bytes);
      }
    }
  }
  ~MemoryGroup() {
    if (!path_.empty()) {
      ::rmdir(path_.c_str());
    }
  }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;

  const std::string& path() const { return path_; }
  /// A command of the shell that has itself and what it executes counted in the group.
  std::string join() const { return "echo $$ > " + path_ + "/cgroup.procs"; }

 private:
  void make(const std::filesystem::path& above, const char* limit, std::uint64_t bytes) {
    const std::string path = above / ("gesso-test-" + std::to_string(::getpid()));
    if (::mkdir(path.c_str(), 0755) != 0) {
      return;
    }
    std::ofstream file;
    if (std::filesystem::exists(path + "/" + limit)) {  // by the kernel
      file.open(path + "/" + limit);
      file << bytes << std::flush;
    }
    if (file.is_open() && file.good()) {
      path_ = path;
    } else {
      ::rmdir(path.c_str());
    }
  }

  std::string path_;
};

}  // namespace gesso::testing
