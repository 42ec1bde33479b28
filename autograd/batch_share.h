// A batch whose samples are shared out among the ranks of a ProcessGroup, so that every number comes out as it would
// on one process, bit for bit:
//
//     ProcessGroup& group = mpi_world();      // or single_process()
//     const BatchShareGuard guard(group, 8);  // a batch of 8, of which this rank has some
//     const auto share = BatchShare::current();
//     const Tensor x = batch.slice(share->first(), share->first() + share->count());
//     const Tensor each = mse_of_samples(net(x), x);  // (share->count())
//     mean(gather_samples(each)).backward();          // of all 8 samples, on every rank
//
// The rules: a tensor with a batch dimension holds this rank's samples; a tensor without one (a weight, a loss) is
// whole, and the same on every rank. Three kinds of operations lead from the first to the second, and they alone speak
// to other ranks:
//
// - The gradient of a weight is a sum over samples. conv2d, conv_transpose2d, linear and the normalizations make one
//   gradient for each sample and add those up along a fixed binary tree over the samples of the whole batch, whoever
//   has them (SumTree). Sums travel in buckets while backward goes on.
// - gather_samples() brings the rows of all ranks together, sum_samples() adds them up; what follows is
//   computed by every rank for itself.
// - Batch norm's statistics, and their gradients, are merged over all samples in their order.
//
// An operation of one's own whose weight's gradient sums over samples says so by set_sum_over_samples().
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "gesso/autograd/graph.h"
#include "gesso/core/process_group.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// In which order the samples of a batch are added up: the first half, rounded up, and the rest, each as a sum of its
/// own. A half, quarter, ... of the batch, as ranks have them, is one partial sum.
struct SumTree {
  struct Range {
    Index begin, end;
    bool operator==(const Range&) const = default;
  };
  static Index middle(const Range& range) { return range.begin + (range.end - range.begin + 1) / 2; }
  /// The largest sums in the tree over `total` samples that are made of `range`'s alone, in order.
  static std::vector<Range> sums_within(Index total, const Range& range);
};

class SumBucket;

/// Which samples of a batch this rank has, and what leads from them to the whole.
class BatchShare : public std::enable_shared_from_this<BatchShare> {
 public:
  /// Of `total` samples rank r of R has those from ceil(total r / R) on.
  BatchShare(ProcessGroup& group, Index total);
  /// The first `total` samples of another share's batch, each where it is; a rank may be left with none. Throws
  /// ArgumentError unless there are so many.
  BatchShare(const BatchShare& whole, Index total);
  ~BatchShare();
  BatchShare(const BatchShare&) = delete;
  BatchShare& operator=(const BatchShare&) = delete;

  /// The share that holds on this thread now, or null: every tensor is whole.
  static std::shared_ptr<BatchShare> current();

  ProcessGroup& group() const { return group_; }
  bool alone() const { return group_.size() == 1; }
  Index total() const { return total_; }
  Index first() const { return begin_of(group_.rank()); }
  Index count() const { return count_of(group_.rank()); }
  Index begin_of(int rank) const { return begins_[static_cast<std::size_t>(rank)]; }
  /// Sums travel together in messages of about so many bytes; fewer would begin them sooner, more would send fewer. For
  /// this thread, and no matter for results.
  static inline thread_local Index bucket_bytes = Index{1} << 20;

  Index count_of(int rank) const { return begin_of(rank + 1) - begin_of(rank); }

  /// Begins the sum over all samples of the batch of `of_sample(i)`, called for 0 <= i < samples: a fresh tensor of one
  /// shape and dtype each. What is returned gives the sum, and waits for it where it must. Throws ArgumentError, naming
  /// `operation`, unless `samples` is count(); a rank alone may have any number.
  std::function<Tensor()> sum(const char* operation, Index samples, const Shape& shape, DType dtype,
                              const std::function<Tensor(Index i)>& of_sample);

  /// The rows of all ranks, samples * `width` numbers each, in the order of samples. What is returned waits for them.
  std::function<std::vector<double>()> gather(const char* operation, Index samples, std::vector<double> rows);

  /// Lets messages under way move on; operations call it now and then.
  void progress();

  /// How many bytes the rows of each rank take, if a sample's take `bytes`: for ProcessGroup::gather().
  std::vector<std::size_t> sizes_of_rows(Index bytes) const;

 private:
  void require_own(const char* operation, Index samples) const;
  void send(std::shared_ptr<SumBucket>& bucket);

  ProcessGroup& group_;
  const Index total_;
  std::vector<Index> begins_;           // of each rank's samples, and the end of all
  std::shared_ptr<SumBucket> open_[2];  // of float32 and float64, being filled
  std::vector<std::shared_ptr<Exchange>> on_way_;
};

/// While one lives, the batch on this thread is one of `total` samples, shared out among `group`. With a
/// group of one it still fixes the order of sums: results are those of any other number of ranks.
class BatchShareGuard {
 public:
  BatchShareGuard(ProcessGroup& group, Index total);
  /// The batch is the first `total` samples of the one that is shared out now.
  explicit BatchShareGuard(Index total);
  ~BatchShareGuard();
  BatchShareGuard(const BatchShareGuard&) = delete;
  BatchShareGuard& operator=(const BatchShareGuard&) = delete;

 private:
  std::shared_ptr<BatchShare> before_;
};

/// x (samples, ...) of all ranks, one after the other; x itself where no batch is shared. Every rank goes on
/// with all of it and so has the gradient of every row: backward takes this rank's. Throws ArgumentError
/// unless x has as many rows as this rank has samples.
Tensor gather_samples(const Tensor& x);

/// The sum over all samples n of the batch of weights[n] x[n], for x (samples, ...): whole, of the shape of a
/// sample. What gather_samples() would bring to every rank is added up on the way, so it takes no more for
/// more ranks. Throws ArgumentError unless there is a weight for each sample of the batch, and x has this rank's.
Tensor sum_samples(const Tensor& x, const std::vector<double>& weights);

/// Sets the gradient of input i of an operation, a sum over samples, of which sum_of(first, count) gives that
/// over some: all of them at once without a share, else sample by sample, as BatchShare::sum() adds them up.
template <class SumOf>
void set_sum_over_samples(Gradients& d, std::size_t i, const std::shared_ptr<BatchShare>& share,
                          const char* operation, Index samples, const Shape& shape, DType dtype,
                          SumOf sum_of) {
  if (share && d.wanted(i)) {
    d.later(i, share->sum(operation, samples, shape, dtype, [&](Index n) { return sum_of(n, Index{1}); }));
  } else {
    d(i, [&] { return sum_of(Index{0}, samples); });
  }
}

}  // namespace gesso
