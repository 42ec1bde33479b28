#include "gesso/core/parallel.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>

#include "gesso/core/error.h"
#include "gesso/core/simd/cpu.h"
#include "gesso/core/system_limits.h"

namespace gesso {
namespace {

constexpr int kMaxThreads = 1024;

// Neighbouring blocks of a loop, of which its threads take the next until none is left.
struct alignas(64) Share {
  std::atomic<Index> next = 0;
  Index end = 0;
};

// One loop. Each thread has a share of its own, the same part of every loop, and takes what is left of the others' when it
// has done that. So what a thread wrote in one loop it mostly reads in the next, from its own caches: cores of
// different chiplets, or of a virtual machine that has some of each, get it from each other as slowly as from memory.
struct Job {
  const std::function<void(Index)>& run_block;
  std::span<Share> shares;  // of each thread
  std::exception_ptr failure = nullptr;
  std::mutex failure_mutex = {};

  void share_out(Index block_count) {
    const Index threads = static_cast<Index>(shares.size());
    for (Index i = 0; i < threads; ++i) {
      shares[i].next = block_count * i / threads;
      shares[i].end = block_count * (i + 1) / threads;
    }
  }

  void work(std::size_t thread) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
      Share& share = shares[(thread + i) % shares.size()];
      for (Index b = share.next++; b < share.end; b = share.next++) {
        try {
          run_block(b);
        } catch (...) {
          std::lock_guard lock(failure_mutex);
          if (!failure) {
            failure = std::current_exception();
          }
          for (Share& other : shares) other.next = other.end;
        }
      }
    }
  }
};

thread_local bool inside_loop = false;

// Waking a sleeping thread takes tens of microseconds, as long as many loops take; in training the next loop
// mostly begins sooner than that. So a thread that waits looks for a while before it sleeps.
constexpr int kLooks = 2000;  // about 50 microseconds

// Whether `ready` came true in the meantime.
template <class Ready>
bool look(int looks, Ready ready) {
  for (int i = 0; i < looks; ++i) {
    if (ready()) {
      return true;
    }
    pause_thread();
  }
  return false;
}

// Worker threads that sleep between loops. The calling thread works too, so n threads need n - 1 workers.
class Workers {
 public:
  // With more threads than cores, one that looks would keep another from working.
  explicit Workers(int count) : shares_(count + 1), looks_(count < available_cores() ? kLooks : 0) {
    try {
      for (int i = 0; i < count; ++i) {
        threads_.emplace_back([this, i] { serve(i + 1); });
      }
    } catch (const std::system_error&) {
      // The system grants no more threads: those that exist do all the work.
    }
  }

  ~Workers() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  void run(Job& job, Index block_count) {
    job.shares = shares_;
    job.share_out(block_count);
    {
      std::lock_guard lock(mutex_);
      job_ = &job;
      ++generation_;
    }
    wake_.notify_all();
    inside_loop = true;
    job.work(0);
    inside_loop = false;
    std::unique_lock lock(mutex_);
    job_ = nullptr;  // a thread that wakes only now is too late for a block: no need to wait for it
    if (busy_ > 0) {
      lock.unlock();
      look(looks_, [this] { return busy_ == 0; });
      lock.lock();
      done_.wait(lock, [this] { return busy_ == 0; });
    }
  }

 private:
  void serve(std::size_t thread) {
    inside_loop = true;
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      lock.unlock();
      look(looks_, [&] { return stop_ || generation_ != seen; });
      lock.lock();
      wake_.wait(lock, [&] { return stop_ || generation_ != seen; });
      if (stop_) {
        return;
      }
      seen = generation_;
      Job* job = job_;
      if (job == nullptr) {
        continue;
      }
      ++busy_;
      lock.unlock();
      job->work(thread);
      lock.lock();
      if (--busy_ == 0) {
        done_.notify_one();
      }
    }
  }

  std::vector<Share> shares_;  // the calling thread's first
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Job* job_ = nullptr;
  // Written under the mutex, read without it.
  std::atomic<int> busy_ = 0;  // workers inside job_
  std::atomic<std::uint64_t> generation_ = 0;
  std::atomic<bool> stop_ = false;
  const int looks_;
};

int default_thread_count() {
  if (const char* text = std::getenv("GESSO_NUM_THREADS")) {
    const int count = std::atoi(text);
    if (count >= 1 && count <= kMaxThreads) {
      return count;
    }
  }
  return available_cores();
}

struct Team {
  std::mutex mutex;  // held while a loop runs: loops of different user threads take turns
  std::atomic<int> threads = default_thread_count();
  std::unique_ptr<Workers> workers;
};

std::atomic<Team*> current_team = nullptr;

// After fork() only the thread that called it lives on. The child leaves the team of its parent alone, with
// workers that do not exist and a mutex that one of them may have held, and begins with a team of its own. The
// parent makes it: another thread may hold the allocator's lock at that moment, and not every allocator
// (AddressSanitizer's, for one) is whole again in the child when the handler runs.
thread_local Team* childs_team = nullptr;

void prepare_fork() {
  childs_team = new Team;
  childs_team->threads = current_team.load()->threads.load();
}

void discard_in_parent() {
  delete childs_team;
  childs_team = nullptr;
}

void adopt_in_child() {
  current_team = childs_team;
  childs_team = nullptr;
}

// Never destroyed, like the memory pool; the workers end with the process.
Team& team() {
  static const bool ready = [] {
    current_team = new Team;
    pthread_atfork(prepare_fork, discard_in_parent, adopt_in_child);
    return true;
  }();
  (void)ready;
  return *current_team;
}

}  // namespace

int num_threads() { return team().threads; }

void set_num_threads(int count) {
  require(count >= 1 && count <= kMaxThreads, "set_num_threads: ", count, " is not in 1 to ", kMaxThreads);
  require(!inside_loop, "set_num_threads: called inside a parallel loop; call it before or after");
  Team& own = team();
  std::lock_guard lock(own.mutex);
  own.workers.reset();
  own.threads = count;
}

SerialSection::SerialSection() : before_(inside_loop) { inside_loop = true; }

SerialSection::~SerialSection() { inside_loop = before_; }

void detail::run_blocks(Index block_count, const std::function<void(Index)>& run_block) {
  Share all;
  Job job{.run_block = run_block, .shares = {&all, 1}};
  // try_lock: while another user thread's loop runs (the data loader's, say), this one works alone instead of
  // waiting.
  Team& own = team();
  if (inside_loop || own.threads == 1 || !own.mutex.try_lock()) {
    job.share_out(block_count);
    job.work(0);
  } else {
    std::lock_guard lock(own.mutex, std::adopt_lock);
    if (!own.workers) {
      own.workers = std::make_unique<Workers>(own.threads - 1);
    }
    own.workers->run(job, block_count);
  }
  if (job.failure) {
    std::rethrow_exception(job.failure);
  }
}

}  // namespace gesso
