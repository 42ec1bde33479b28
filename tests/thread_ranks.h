// Ranks as threads of one process: a ProcessGroup without MPI, for tests of what ranks compute.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "gesso/core/parallel.h"
#include "gesso/core/process_group.h"

namespace gesso::testing {

/// Messages between threads. `number` counts those between two ranks under one tag.
class MailRoom {
 public:
  explicit MailRoom(int ranks) : ranks_(ranks) {}
  int ranks() const { return ranks_; }

  void send(int from, int to, int tag, int number, ProcessGroup::ConstBytes bytes) {
    std::lock_guard lock(mutex_);
    mail_[{from, to, tag, number}].assign(bytes.begin(), bytes.end());
    arrived_.notify_all();
  }

  /// Whether the message was there; it is then copied to `bytes`.
  bool receive(int from, int to, int tag, int number, ProcessGroup::Bytes bytes, bool wait) {
    std::unique_lock lock(mutex_);
    const std::tuple key(from, to, tag, number);
    if (wait) {
      arrived_.wait(lock, [&] { return mail_.contains(key) || failed_; });
    }
    if (failed_) {
      throw std::runtime_error("another rank has failed");
    }
    const auto message = mail_.find(key);
    if (message == mail_.end()) {
      return false;
    }
    if (message->second.size() != bytes.size()) {
      throw std::runtime_error("a message has another size than was expected");
    }
    std::copy(message->second.begin(), message->second.end(), bytes.begin());
    mail_.erase(message);
    return true;
  }

  void fail() {
    std::lock_guard lock(mutex_);
    failed_ = true;
    arrived_.notify_all();
  }

 private:
  const int ranks_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::tuple<int, int, int, int>, std::vector<std::byte>> mail_;
  bool failed_ = false;
};

class ThreadGroup : public ProcessGroup {
 public:
  ThreadGroup(MailRoom& room, int rank) : room_(room), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return room_.ranks(); }

  std::unique_ptr<Exchange> exchange(const std::vector<ConstBytes>& to_each,
                                     const std::vector<Bytes>& from_each, int tag) override {
    std::vector<int> numbers;
    for (int r = 0; r < size(); ++r) {
      const auto to = static_cast<std::size_t>(r);
      if (r != rank_ && !to_each[to].empty()) {
        room_.send(rank_, r, tag, sent_[{r, tag}]++, to_each[to]);
        ++messages;
        bytes += to_each[to].size();
      }
      numbers.push_back(r == rank_ || from_each[to].empty() ? 0 : received_[{r, tag}]++);
    }
    return std::make_unique<Receiving>(*this, from_each, tag, numbers);
  }

  std::size_t messages = 0, bytes = 0;  ///< that this rank has sent

 private:
  class Receiving : public Exchange {
   public:
    Receiving(ThreadGroup& group, std::vector<Bytes> from_each, int tag, std::vector<int> numbers)
        : group_(group), from_each_(std::move(from_each)), tag_(tag), numbers_(std::move(numbers)) {}
    bool arrived() override { return receive(false); }
    void wait() override { receive(true); }

   private:
    bool receive(bool wait) {
      for (; next_ < from_each_.size(); ++next_) {
        if (static_cast<int>(next_) != group_.rank_ && !from_each_[next_].empty() &&
            !group_.room_.receive(static_cast<int>(next_), group_.rank_, tag_, numbers_[next_],
                                  from_each_[next_], wait)) {
          return false;
        }
      }
      return true;
    }

    ThreadGroup& group_;
    const std::vector<Bytes> from_each_;
    const int tag_;
    const std::vector<int> numbers_;
    std::size_t next_ = 0;
  };

  MailRoom& room_;
  const int rank_;
  std::map<std::pair<int, int>, int> sent_, received_;  // by rank and tag
};

/// Calls work(group), with a ThreadGroup, on a thread for each of `ranks` ranks. Rethrows what the first rank
/// that failed threw.
inline void on_ranks(int ranks, const std::function<void(ThreadGroup&)>& work) {
  MailRoom room(ranks);
  std::exception_ptr failure;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r) {
    threads.emplace_back([&, r] {
      const SerialSection on_this_thread_alone;
      ThreadGroup group(room, r);
      try {
        work(group);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!failure) {
          failure = std::current_exception();
        }
        room.fail();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace gesso::testing
