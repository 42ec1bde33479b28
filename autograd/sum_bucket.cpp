#include "gesso/autograd/sum_bucket.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace gesso {

SumBucket::SumBucket(const BatchShare& share, DType dtype)
    : share_(share), group_(share.group()), dtype_(dtype), steps_(exchange_steps(share.group().size())) {}

Index SumBucket::bytes() const {
  return size_ * static_cast<Index>(dtype_ == float32 ? sizeof(float) : sizeof(double));
}

std::size_t SumBucket::add(const Shape& shape, std::vector<Tensor> partial_sums) {
  sums_.push_back({size_, Tensor::empty(shape, dtype_), std::move(partial_sums)});
  size_ += shape.numel();
  return sums_.size() - 1;
}

SumTree::Range SumBucket::samples_of(int first, int count) const {
  return {share_.begin_of(first), share_.begin_of(first + count)};
}

std::vector<SumTree::Range> SumBucket::sums_of(int first, int count) const {
  return SumTree::sums_within(share_.total(), samples_of(first, count));
}

SumBucket::Bytes SumBucket::bytes_in(Tensor& numbers, Index begin, Index count) const {
  Bytes bytes;
  with_dtype(dtype_, [&]<class T>() {
    bytes = mutable_bytes_of(numbers.mutable_data<T>("the sum over ranks") + begin,
                             static_cast<std::size_t>(count));
  });
  return bytes;
}

void SumBucket::send() {
  tag_ = group_.new_tag();
  const std::vector<SumTree::Range> own = sums_of(group_.rank(), 1);
  for (std::size_t p = 0; p < own.size(); ++p) {
    const Tensor numbers = Tensor::empty({size_}, dtype_);
    for (const Sum& sum : sums_) {
      numbers.alias(sum.result.shape(), sum.at).copy_(sum.partial_sums[p]);
    }
    held_.push_back({own[p], numbers});
  }
  for (Sum& sum : sums_) {
    sum.partial_sums.clear();
  }
  parts_ = {{0, size_}};
  begin_step();
}

Tensor SumBucket::sum(std::size_t i) {
  wait();
  return std::exchange(sums_[i].result, {});
}

void SumBucket::begin_step() {
  const std::size_t steps = steps_.size();
  if (step_ < steps) {
    send_pieces(steps_[step_]);
  } else if (step_ < 2 * steps) {
    send_sums(steps_[2 * steps - 1 - step_]);
  } else {
    finish();
  }
}

void SumBucket::go_on() {
  if (step_ < steps_.size()) {
    add_up(steps_[step_]);
  }
  ++step_;
  begin_step();
}

// To each of the group its piece of this rank's partial sums, one after the other.
void SumBucket::send_pieces(const ExchangeStep& step) {
  const int rank = group_.rank();
  const Part part = parts_.back(), own = part.piece(step.place(rank), step.members);
  const auto sums_before = [&](int r) {
    return static_cast<Index>(sums_of(step.first_before(r), step.stride).size());
  };
  Index coming = 0;
  for (const int other : step.others(rank)) {
    coming += sums_before(other) * own.size();
  }
  const auto ranks = static_cast<std::size_t>(group_.size());
  std::vector<ProcessGroup::ConstBytes> to_each(ranks);
  std::vector<Bytes> from_each(ranks);
  sent_ = Tensor::empty({static_cast<Index>(held_.size()) * (part.size() - own.size())}, dtype_);
  received_ = Tensor::empty({coming}, dtype_);
  Index sent = 0, received = 0;
  for (const int other : step.others(rank)) {
    const Part piece = part.piece(step.place(other), step.members);
    const Index first = sent;
    for (const PartialSum& sum : held_) {
      sent_.alias({piece.size()}, sent).copy_(sum.numbers.alias({piece.size()}, piece.begin - part.begin));
      sent += piece.size();
    }
    const Index count = sums_before(other) * own.size();
    to_each[static_cast<std::size_t>(other)] = bytes_in(sent_, first, sent - first);
    from_each[static_cast<std::size_t>(other)] = bytes_in(received_, received, count);
    received += count;
  }
  under_way_ = group_.exchange(to_each, from_each, tag_);
}

// Of this rank's piece, what the group's partial sums make together.
void SumBucket::add_up(const ExchangeStep& step) {
  const int rank = group_.rank();
  const Part part = parts_.back(), own = part.piece(step.place(rank), step.members);
  std::vector<PartialSum> there;
  for (const PartialSum& sum : held_) {
    there.push_back({sum.samples, sum.numbers.alias({own.size()}, own.begin - part.begin)});
  }
  Index at = 0;
  for (const int other : step.others(rank)) {
    for (const SumTree::Range& samples : sums_of(step.first_before(other), step.stride)) {
      there.push_back({samples, received_.alias({own.size()}, at)});
      at += own.size();
    }
  }
  const std::function<Tensor(const SumTree::Range&)> sum_of = [&](const SumTree::Range& samples) -> Tensor {
    const auto found =
        std::find_if(there.begin(), there.end(), [&](const auto& sum) { return sum.samples == samples; });
    if (found != there.end()) {
      return found->numbers;
    }
    const Index middle = SumTree::middle(samples);
    return sum_of({samples.begin, middle}).add_(sum_of({middle, samples.end}));
  };
  held_.clear();
  for (const SumTree::Range& samples : sums_of(step.first_after(rank), step.stride * step.members)) {
    held_.push_back({samples, sum_of(samples)});
  }
  parts_.push_back(own);
}

// To each of the group the sums that this rank has, which in the end is all of them.
void SumBucket::send_sums(const ExchangeStep& step) {
  const Part own = parts_.back();
  parts_.pop_back();
  if (!all_.defined()) {
    all_ = Tensor::empty({size_}, dtype_);
    all_.alias({own.size()}, own.begin).copy_(held_.front().numbers);
    held_.clear();
  }
  const int rank = group_.rank();
  const auto ranks = static_cast<std::size_t>(group_.size());
  std::vector<ProcessGroup::ConstBytes> to_each(ranks);
  std::vector<Bytes> from_each(ranks);
  for (const int other : step.others(rank)) {
    const Part piece = parts_.back().piece(step.place(other), step.members);
    to_each[static_cast<std::size_t>(other)] = bytes_in(all_, own.begin, own.size());
    from_each[static_cast<std::size_t>(other)] = bytes_in(all_, piece.begin, piece.size());
  }
  under_way_ = group_.exchange(to_each, from_each, tag_);
}

void SumBucket::finish() {
  under_way_ = nullptr;
  for (const Sum& sum : sums_) {
    Tensor(sum.result).copy_(all_.alias(sum.result.shape(), sum.at));
  }
  sent_ = received_ = all_ = {};
}

}  // namespace gesso
