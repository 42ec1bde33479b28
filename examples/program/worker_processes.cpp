#include "worker_processes.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/parallel.h"
#include "interrupt.h"

namespace gesso {
namespace {

constexpr int kLookMilliseconds = 200;  // between looks at stop_requested(), and between messages of progress

// Each of these is false at the end of the stream: the other process is gone.
bool send_bytes(int stream, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t sent = ::send(stream, at, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return false;
    }
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_bytes(int stream, void* bytes, std::size_t size) {
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t received = ::recv(stream, at, size, 0);
    if (received < 0 && errno == EINTR) {
      continue;
    }
    if (received <= 0) {
      return false;
    }
    at += received;
    size -= static_cast<std::size_t>(received);
  }
  return true;
}

// What a child says of its job.
struct Message {
  enum class Kind : std::uint64_t { progress, result, stopped, failed };
  Kind kind = Kind::stopped;
  Index done = 0;         // of progress
  std::string text = {};  // the status, the result, or the error's text
};

bool send_message(int stream, const Message& message) {
  const std::array<std::uint64_t, 3> head{static_cast<std::uint64_t>(message.kind),
                                          static_cast<std::uint64_t>(message.done), message.text.size()};
  return send_bytes(stream, head.data(), sizeof head) &&
         send_bytes(stream, message.text.data(), message.text.size());
}

bool receive_message(int stream, Message& message) {
  std::array<std::uint64_t, 3> head{};
  if (!receive_bytes(stream, head.data(), sizeof head)) {
    return false;
  }
  message.kind = static_cast<Message::Kind>(head[0]);
  message.done = static_cast<Index>(head[1]);
  message.text.resize(head[2]);
  return receive_bytes(stream, message.text.data(), message.text.size());
}

using Work = std::function<std::optional<std::string>(Index, const JobProgress&)>;

// A child's life: a job, its result, the next job, until there are no more.
[[noreturn]] void serve(int stream, const Work& work) {
  auto told = std::chrono::steady_clock::now();
  const JobProgress progress = [&](Index done, const std::string& status) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told >= std::chrono::milliseconds(kLookMilliseconds)) {
      told = now;
      send_message(stream, {Message::Kind::progress, done, status});
    }
    return !stop_requested();
  };
  for (Index job = 0; receive_bytes(stream, &job, sizeof job);) {
    Message message;
    try {
      if (std::optional<std::string> result = work(job, progress)) {
        message = {Message::Kind::result, 0, std::move(*result)};
      }
    } catch (const std::exception& error) {
      message = {Message::Kind::failed, 0, error.what()};
    }
    if (!send_message(stream, message)) {
      break;
    }
  }
  ::_exit(0);  // nothing of the parent's is to be flushed or cleaned up here
}

// The children, as many as asked for; they end with this object.
class Workers {
 public:
  Workers() = default;
  void start(Index count, const Work& work) {
    const int threads = std::max(1, num_threads() / static_cast<int>(count));
    const pid_t parent = ::getpid();
    for (Index i = 0; i < count; ++i) {
      std::array<int, 2> ends{};
      const pid_t child = ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0 ? ::fork() : -1;
      if (child < 0) {
        throw Error("no process could be started: " + std::generic_category().message(errno));
      }
      if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) {
          ::_exit(1);  // it died before that
        }
        for (const Worker& other : workers_) {  // whose end of the stream would else stay open
          ::close(other.stream);
        }
        ::close(ends[0]);
        leave_interrupts_to_parent();
        set_num_threads(threads);
        serve(ends[1], work);
      }
      ::close(ends[1]);
      workers_.push_back({child, ends[0]});
    }
  }
  ~Workers() {
    for (const Worker& worker : workers_) {
      ::kill(worker.process, SIGKILL);
      ::close(worker.stream);
      while (::waitpid(worker.process, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t size() const { return workers_.size(); }

  void give(std::size_t worker, Index job) const {
    if (!send_bytes(workers_[worker].stream, &job, sizeof job)) {
      fail();
    }
  }
  Message take(std::size_t worker) const {
    Message message;
    if (!receive_message(workers_[worker].stream, message)) {
      fail();
    }
    return message;
  }
  void ask_to_stop() const {
    for (const Worker& worker : workers_) {
      ::kill(worker.process, SIGTERM);
    }
  }
  // Those that have something to say, after a while at most.
  std::vector<std::size_t> ready() const {
    std::vector<pollfd> streams;
    for (const Worker& worker : workers_) {
      streams.push_back({worker.stream, POLLIN, 0});
    }
    ::poll(streams.data(), streams.size(), kLookMilliseconds);
    std::vector<std::size_t> list;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (streams[i].revents != 0) {
        list.push_back(i);
      }
    }
    return list;
  }

 private:
  struct Worker {
    pid_t process;
    int stream;
  };

  [[noreturn]] static void fail() {
    throw Error("a process that did a part of the work has died (of too little memory?)");
  }

  std::vector<Worker> workers_;
};

}  // namespace

bool work_in_processes(
    Index count, Index processes, const Work& work,
    const std::function<void(Index job, const std::string& result)>& done,
    const std::function<void(Index job, Index done, const std::string& status)>& show_progress) {
  require(processes >= 1, "work_in_processes: processes is ", processes, "; there must be at least 1");
  if (count == 0) {
    return true;
  }
  Workers workers;
  workers.start(std::min(count, processes), work);
  std::vector<Index> job_of(workers.size());
  Index next = 0, finished = 0, under_way = 0;
  bool stopping = false;
  const auto stop = [&] {
    if (!stopping) {
      stopping = true;
      workers.ask_to_stop();
    }
  };
  const auto give_next = [&](std::size_t worker) {
    if (next < count && !stopping) {
      job_of[worker] = next;
      workers.give(worker, next++);
      ++under_way;
    }
  };
  for (std::size_t worker = 0; worker < workers.size(); ++worker) {
    give_next(worker);
  }
  while (under_way > 0) {
    if (stop_requested()) {
      stop();
    }
    for (const std::size_t worker : workers.ready()) {
      const Message message = workers.take(worker);
      const Index job = job_of[worker];
      if (message.kind == Message::Kind::progress) {
        if (show_progress) {
          show_progress(job, message.done, message.text);
        }
        continue;
      }
      if (message.kind == Message::Kind::failed) {
        throw Error(message.text);
      }
      --under_way;
      if (message.kind == Message::Kind::stopped) {
        stop();
        continue;
      }
      give_next(worker);
      done(job, message.text);
      ++finished;
    }
  }
  return finished == count;
}

}  // namespace gesso
