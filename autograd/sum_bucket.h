// Sums over the samples of a batch that is shared out, on their way together (batch_share.h).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "gesso/autograd/batch_share.h"
#include "gesso/core/exchange_steps.h"
#include "gesso/core/process_group.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// Numbers of one dtype, each to be the sum over all samples of the batch along the SumTree, of which every rank has
/// partial sums.
///
/// They go by exchange_steps(), forth and back. In each step forth a rank gives the others of its group a
/// part of all that it has and keeps its own part, for which it gets theirs; what it then has of the tree, it
/// adds up. In the end it has the sum of all samples for 1 / size() of the numbers. The steps back, in
/// reverse, bring these together. With P ranks whose samples are one partial sum each, a rank sends 2 (P - 1)
/// / P of the bytes, the least that an all-reduce can, in 2 log2(P) messages if P is a power of two (Thakur
/// et al., 2005, section 4.4).
class SumBucket final : public SteppedExchange {
 public:
  SumBucket(const BatchShare& share, DType dtype);

  Index bytes() const;  ///< of the sums in it

  /// Adds a sum of this shape, of which `partial_sums` are this rank's; returns its number.
  std::size_t add(const Shape& shape, std::vector<Tensor> partial_sums);
  /// Nothing is added after that.
  void send();
  bool sent() const { return tag_ != 0; }

  /// Sum number i; waits for it.
  Tensor sum(std::size_t i);

 private:
  struct Sum {
    Index at;  // in the bucket
    Tensor result;
    std::vector<Tensor> partial_sums;
  };
  struct PartialSum {
    SumTree::Range samples;
    Tensor numbers;
  };
  struct Part {  // of the bucket's numbers
    Index begin, end;
    Index size() const { return end - begin; }
    Part piece(int i, int pieces) const {
      return {begin + size() * i / pieces, begin + size() * (i + 1) / pieces};
    }
  };
  using Bytes = ProcessGroup::Bytes;

  // The samples of `count` ranks, and the sums that they make.
  SumTree::Range samples_of(int first, int count) const;
  std::vector<SumTree::Range> sums_of(int first, int count) const;
  Bytes bytes_in(Tensor& numbers, Index begin, Index count) const;

  void begin_step();
  void go_on() override;
  void send_pieces(const ExchangeStep& step);
  void add_up(const ExchangeStep& step);
  void send_sums(const ExchangeStep& step);
  void finish();

  const BatchShare& share_;
  ProcessGroup& group_;
  const DType dtype_;
  const std::vector<ExchangeStep> steps_;
  std::vector<Sum> sums_;
  Index size_ = 0;  // numbers in all
  int tag_ = 0;

  std::size_t step_ = 0;          // of 2 * steps_.size(), forth and back
  std::vector<Part> parts_;       // after 0, 1, ... steps forth, what this rank adds up
  std::vector<PartialSum> held_;  // of the last of them
  Tensor sent_, received_, all_;
};

}  // namespace gesso
