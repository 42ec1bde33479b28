// The processes that work on one training together, as the code above the network sees them: a rank, a number of
// them, and messages. One process alone is a group of one, to which every operation below is no work.
// training/mpi_group.h makes groups of MPI's processes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace gesso {

/// Messages under way. The memory that they come from and go to must live, and stay as it is, until they have arrived.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Whether all have arrived. Does not wait; what a network needs done meanwhile, it does.
  virtual bool arrived() = 0;
  /// Waits until all have.
  virtual void wait() = 0;
};

/// One in several steps, of which each is an exchange that begins when the one before has arrived.
class SteppedExchange : public Exchange {
 public:
  bool arrived() final;
  void wait() final;

 protected:
  /// What was under way has arrived: takes it, and puts what comes next under way, or nothing when all is done.
  virtual void go_on() = 0;

  std::unique_ptr<Exchange> under_way_;
};

/// Ranks 0 to size() - 1. Operations are collective: all ranks call them, in the same order, with sizes that fit.
class ProcessGroup {
 public:
  using ConstBytes = std::span<const std::byte>;
  using Bytes = std::span<std::byte>;

  virtual ~ProcessGroup() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Sends to_each[r] to each other rank r and receives from_each[r] from it; any of them may be empty, and
  /// what is this rank's own is left alone. Returns at once. Exchanges of one `tag`, 0 to 32766, meet in the
  /// order in which each rank begins them; those of different tags may be begun in any order.
  virtual std::unique_ptr<Exchange> exchange(const std::vector<ConstBytes>& to_each,
                                             const std::vector<Bytes>& from_each, int tag) = 0;

  /// A tag for exchanges that ranks may begin in different orders: the same on each rank that has asked as often.
  int new_tag();

  // ---- what is made of it, by exchange_steps(): a rank sends log2(size()) messages where that is a whole number

  /// `all` becomes what all ranks give as `mine`, one after the other, sizes[r] bytes of rank r. `mine` is
  /// copied at once, and may be where it goes to.
  std::unique_ptr<Exchange> gather(ConstBytes mine, Bytes all, const std::vector<std::size_t>& sizes);
  /// What each rank gives as `mine`, in their order.
  template <class T>
  std::vector<T> gather_each(const T& mine);
  /// values[i] = the sum over ranks, added in the order of ranks: the same bits on each.
  void all_reduce(std::vector<double>& values);
  /// `bytes` become those of rank `root`.
  void broadcast(Bytes bytes, int root = 0);
  /// Returns when every rank has come here.
  void barrier();

 private:
  int tags_ = 0;
};

/// The group of one.
ProcessGroup& single_process();

template <class T>
ProcessGroup::ConstBytes bytes_of(const T* values, std::size_t count) {
  return std::as_bytes(std::span(values, count));
}
template <class T>
ProcessGroup::Bytes mutable_bytes_of(T* values, std::size_t count) {
  return std::as_writable_bytes(std::span(values, count));
}

template <class T>
std::vector<T> ProcessGroup::gather_each(const T& mine) {
  std::vector<T> all(static_cast<std::size_t>(size()));
  gather(bytes_of(&mine, 1), mutable_bytes_of(all.data(), all.size()),
         std::vector<std::size_t>(all.size(), sizeof mine))
      ->wait();
  return all;
}

}  // namespace gesso
