#include "worker_processes.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/parallel.h"
#include "interrupt.h"

namespace gesso {
namespace {

constexpr int kLookMilliseconds = 200;  // between looks at stop_requested()

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

struct Reply {
  bool failed = false;
  std::string text = {};  // the result, or the error's text
};

bool send_reply(int stream, const Reply& reply) {
  const std::array<std::uint64_t, 2> head{reply.failed ? 1U : 0U, reply.text.size()};
  return send_bytes(stream, head.data(), sizeof head) &&
         send_bytes(stream, reply.text.data(), reply.text.size());
}

bool receive_reply(int stream, Reply& reply) {
  std::array<std::uint64_t, 2> head{};
  if (!receive_bytes(stream, head.data(), sizeof head)) {
    return false;
  }
  reply.failed = head[0] != 0;
  reply.text.resize(head[1]);
  return receive_bytes(stream, reply.text.data(), reply.text.size());
}

// A child's life: a job, its reply, the next job, until there are no more.
[[noreturn]] void serve(int stream, const std::function<std::string(Index)>& work) {
  for (Index job = 0; receive_bytes(stream, &job, sizeof job);) {
    Reply reply;
    try {
      reply.text = work(job);
    } catch (const std::exception& error) {
      reply = {true, error.what()};
    }
    if (!send_reply(stream, reply)) {
      break;
    }
  }
  ::_exit(0);  // nothing of the parent's is to be flushed or cleaned up here
}

// The children, as many as asked for; they end with this object.
class Workers {
 public:
  Workers() = default;
  void start(Index count, const std::function<std::string(Index)>& work) {
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
  Reply take(std::size_t worker) const {
    Reply reply;
    if (!receive_reply(workers_[worker].stream, reply)) {
      fail();
    }
    return reply;
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

bool work_in_processes(Index count, Index processes, const std::function<std::string(Index job)>& work,
                       const std::function<void(Index job, const std::string& result)>& done) {
  require(processes >= 1, "work_in_processes: processes is ", processes, "; there must be at least 1");
  if (count == 0) {
    return true;
  }
  Workers workers;
  workers.start(std::min(count, processes), work);
  std::vector<Index> job_of(workers.size());
  Index next = 0, finished = 0;
  const auto give_next = [&](std::size_t worker) {
    if (next < count) {
      job_of[worker] = next;
      workers.give(worker, next++);
    }
  };
  for (std::size_t worker = 0; worker < workers.size(); ++worker) {
    give_next(worker);
  }
  while (finished < count) {
    if (stop_requested()) {
      return false;
    }
    for (const std::size_t worker : workers.ready()) {
      const Reply reply = workers.take(worker);
      if (reply.failed) {
        throw Error(reply.text);
      }
      const Index job = job_of[worker];
      give_next(worker);
      done(job, reply.text);
      ++finished;
    }
  }
  return true;
}

}  // namespace gesso
