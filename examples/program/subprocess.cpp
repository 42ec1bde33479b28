#include "subprocess.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <system_error>

#include "gesso/core/error.h"

extern char** environ;

namespace gesso {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

// What posix_spawn() is told about the child.
class SpawnSetup {
 public:
  SpawnSetup() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
};

}  // namespace

bool on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access(((folder.empty() ? "." : folder) + "/" + program).c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

Subprocess::Subprocess(const std::vector<std::string>& words, Stream stream) : name_(words.at(0)) {
  std::array<int, 2> ends{};
  errors_ = std::tmpfile();
  if (errors_ == nullptr || ::pipe(ends.data()) != 0) {
    const int error = errno;
    if (errors_ != nullptr) {
      std::fclose(errors_);
    }
    throw FileError(concat_text(name_, " cannot be started: ", reason(error)));
  }
  for (const int end : ends) {  // another child that held it would keep this one waiting for its end
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  const bool reads = stream == Stream::reads;
  const int ours = ends[reads ? 1 : 0], its = ends[reads ? 0 : 1];
  SpawnSetup setup;
  posix_spawn_file_actions_adddup2(&setup.files, its, reads ? STDIN_FILENO : STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&setup.files, reads ? STDOUT_FILENO : STDIN_FILENO, "/dev/null",
                                   reads ? O_WRONLY : O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&setup.files, fileno(errors_), STDERR_FILENO);
  sigset_t to_default;
  sigemptyset(&to_default);
  sigaddset(&to_default, SIGPIPE);  // which we ignore: it shall end when nobody reads
  posix_spawnattr_setsigdefault(&setup.attributes, &to_default);
  posix_spawnattr_setpgroup(&setup.attributes, 0);  // a group of its own, which Ctrl-C does not reach
  posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (const std::string& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  const int error =
      posix_spawnp(&process_, name_.c_str(), &setup.files, &setup.attributes, arguments.data(), environ);
  ::close(its);
  if (error != 0) {
    ::close(ours);
    std::fclose(errors_);
    throw FileError(concat_text(name_, " cannot be started: ", reason(error)));
  }
  stream_ = ::fdopen(ours, reads ? "wb" : "rb");
}

Subprocess::~Subprocess() {
  if (stream_ != nullptr) {
    std::fclose(stream_);
  }
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  std::fclose(errors_);
}

void Subprocess::finish() {
  if (stream_ != nullptr) {
    std::fclose(stream_);
    stream_ = nullptr;
  }
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const std::string words = last_words();
    throw FileError(concat_text(name_, words.empty() ? " failed" : " says: " + words));
  }
}

std::string Subprocess::last_words() const {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t count = ::pread(fileno(errors_), part.data(), part.size(), static_cast<off_t>(text.size()));
    if (count <= 0) {
      break;
    }
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    last = line.empty() ? last : line;
  }
  return last;
}

std::string output_of(const std::vector<std::string>& words) {
  Subprocess program(words, Subprocess::Stream::writes);
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t count = std::fread(part.data(), 1, part.size(), program.stream())) {
    text.append(part.data(), count);
  }
  program.finish();
  return text;
}

}  // namespace gesso
