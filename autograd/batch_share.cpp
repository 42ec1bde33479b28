#include "gesso/autograd/batch_share.h"

#include <algorithm>
#include <utility>

#include "gesso/autograd/graph.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/kernels/elementwise.h"

namespace gesso {
namespace {

thread_local std::shared_ptr<BatchShare> current_share;

// The sum over the tree below `range`, of which of_sample(n) is a leaf.
Tensor sum_of_range(const SumTree::Range& range, const std::function<Tensor(Index)>& of_sample) {
  if (range.end - range.begin == 1) {
    return of_sample(range.begin);
  }
  const Index middle = SumTree::middle(range);
  Tensor sum = sum_of_range({range.begin, middle}, of_sample);
  return sum.add_(sum_of_range({middle, range.end}, of_sample));
}

void add_sums_within(const SumTree::Range& node, const SumTree::Range& range,
                     std::vector<SumTree::Range>& sums) {
  if (node.begin >= range.end || node.end <= range.begin) {
    return;
  }
  if (node.begin >= range.begin && node.end <= range.end) {
    sums.push_back(node);
    return;
  }
  const Index middle = SumTree::middle(node);
  add_sums_within({node.begin, middle}, range, sums);
  add_sums_within({middle, node.end}, range, sums);
}

}  // namespace

std::vector<SumTree::Range> SumTree::sums_within(Index total, const Range& range) {
  std::vector<Range> sums;
  add_sums_within({0, total}, range, sums);
  return sums;
}

// ---- buckets

// Sums on their way together. Of `size` numbers in all, each rank adds up its part: it receives the partial sums of all
// ranks for it, adds those along the tree, and sends the result to all. That is as little as any all-reduce sends, as long
// as the samples of a rank are one partial sum.
class BatchShare::Bucket {
 public:
  Bucket(BatchShare& share, DType dtype) : share_(share), dtype_(dtype) {
    for (int r = 0; r < share.group_.size(); ++r) {
      sums_of_.push_back(SumTree::sums_within(share.total_, {share.begin_of(r), share.begin_of(r + 1)}));
    }
  }

  Index bytes() const {
    return size_ * static_cast<Index>(dtype_ == float32 ? sizeof(float) : sizeof(double));
  }

  // `partial_sums` are this rank's; returns which sum it is.
  std::size_t add(const Shape& shape, std::vector<Tensor> partial_sums) {
    sums_.push_back({size_, Tensor::empty(shape, dtype_), std::move(partial_sums)});
    size_ += shape.numel();
    return sums_.size() - 1;
  }

  void send() {
    tag_ = share_.group_.new_tags();
    with_dtype(dtype_, [&]<class T>() { send_partial_sums<T>(); });
  }

  bool progress() {
    while (under_way_ && under_way_->arrived()) {
      go_on();
    }
    return !under_way_;
  }

  Tensor sum(std::size_t i) {
    while (under_way_) {
      under_way_->wait();
      go_on();
    }
    return std::exchange(sums_[i].result, {});
  }

  bool sent() const { return tag_ != 0; }

 private:
  struct Sum {
    Index at;  // in the bucket
    Tensor result;
    std::vector<Tensor> partial_sums;
  };

  int rank() const { return share_.group_.rank(); }
  std::size_t ranks() const { return sums_of_.size(); }
  Index part_begin(std::size_t r) const {
    return size_ * static_cast<Index>(r) / static_cast<Index>(ranks());
  }
  Index part_size(std::size_t r) const { return part_begin(r + 1) - part_begin(r); }

  // Of the tensors that numbers [begin, begin + size) of the bucket lie in, calls copy(numbers, where in the range, count).
  template <class T, class Tensors, class Copy>
  void for_part(Index begin, Index size, Tensors tensor_of, Copy copy) {
    for (Sum& sum : sums_) {
      const Index count = sum.result.numel();
      const Index from = std::max(begin, sum.at), to = std::min(begin + size, sum.at + count);
      if (from < to) {
        copy(tensor_of(sum).template mutable_data<T>("the sum over ranks") + (from - sum.at), from - begin,
             to - from);
      }
    }
  }

  // To rank r: for each partial sum of this rank, part r of it.
  template <class T>
  void send_partial_sums() {
    const Index own_sums = static_cast<Index>(sums_of_[static_cast<std::size_t>(rank())].size());
    const auto own = static_cast<std::size_t>(rank());
    sent_ = Tensor::empty({size_ * own_sums}, dtype_);
    Index received = 0;
    for (const auto& sums : sums_of_) {
      received += static_cast<Index>(sums.size()) * part_size(own);
    }
    received_ = Tensor::empty({received}, dtype_);
    T* to = sent_.mutable_data<T>();
    T* from = received_.mutable_data<T>();
    std::vector<ProcessGroup::ConstBytes> to_each;
    std::vector<ProcessGroup::Bytes> from_each;
    for (std::size_t r = 0; r < ranks(); ++r) {
      const Index count = part_size(r);
      to_each.push_back(bytes_of(to, static_cast<std::size_t>(count * own_sums)));
      for (Index p = 0; p < own_sums; ++p, to += count) {
        for_part<T>(
            part_begin(r), count,
            [p](Sum& sum) -> Tensor& { return sum.partial_sums[static_cast<std::size_t>(p)]; },
            [to](const T* numbers, Index at, Index n) { std::copy_n(numbers, n, to + at); });
      }
      const Index coming = static_cast<Index>(sums_of_[r].size()) * part_size(own);
      from_each.push_back(mutable_bytes_of(from, static_cast<std::size_t>(coming)));
      from += coming;
    }
    for (Sum& sum : sums_) {
      sum.partial_sums.clear();
    }
    under_way_ = share_.group_.exchange(to_each, from_each, tag_);
  }

  // Adds up this rank's part, and sends it to all.
  template <class T>
  void send_part() {
    const auto own = static_cast<std::size_t>(rank());
    const Index count = part_size(own);
    std::vector<std::pair<SumTree::Range, Index>> places;  // of each partial sum, in received_
    Index at = 0;
    for (const auto& sums : sums_of_) {
      for (const SumTree::Range& range : sums) {
        places.emplace_back(range, at);
        at += count;
      }
    }
    const std::function<Tensor(const SumTree::Range&)> sum_of = [&](const SumTree::Range& range) -> Tensor {
      const auto found =
          std::find_if(places.begin(), places.end(), [&](const auto& p) { return p.first == range; });
      if (found != places.end()) {
        return received_.alias({count}, found->second);
      }
      const Index middle = SumTree::middle(range);
      return sum_of({range.begin, middle}).add_(sum_of({middle, range.end}));
    };
    sent_ = sum_of({0, share_.total_});
    all_ = Tensor::empty({size_}, dtype_);
    std::vector<ProcessGroup::Bytes> from_each;
    for (std::size_t r = 0; r < ranks(); ++r) {
      from_each.push_back(
          mutable_bytes_of(all_.mutable_data<T>() + part_begin(r), static_cast<std::size_t>(part_size(r))));
    }
    const auto mine = bytes_of(sent_.data<T>(), static_cast<std::size_t>(count));
    under_way_ =
        share_.group_.exchange(std::vector<ProcessGroup::ConstBytes>(ranks(), mine), from_each, tag_ + 1);
    summed_ = true;
  }

  void go_on() {
    with_dtype(dtype_, [&]<class T>() {
      if (!summed_) {
        send_part<T>();
        return;
      }
      under_way_ = nullptr;
      for_part<T>(
          0, size_, [](Sum& sum) -> Tensor& { return sum.result; },
          [&](T* numbers, Index at, Index n) { std::copy_n(all_.data<T>() + at, n, numbers); });
      sent_ = received_ = all_ = {};
    });
  }

  BatchShare& share_;
  const DType dtype_;
  std::vector<std::vector<SumTree::Range>> sums_of_;  // of each rank, its partial sums
  std::vector<Sum> sums_;
  Index size_ = 0;  // numbers in all
  int tag_ = 0;
  Tensor sent_, received_, all_;
  bool summed_ = false;
  std::unique_ptr<Exchange> under_way_;
};

// ---- the share

BatchShare::BatchShare(ProcessGroup& group, Index total) : group_(group), total_(total) {
  require(total >= 1, "BatchShare: a batch of ", total, " samples; it must have at least 1");
  for (Index r = 0, ranks = group.size(); r <= ranks; ++r) {
    begins_.push_back((total * r + ranks - 1) / ranks);
  }
}

BatchShare::BatchShare(const BatchShare& whole, Index total)
    : group_(whole.group_), total_(total), begins_(whole.begins_) {
  require(total >= 1 && total <= whole.total_, "BatchShare: the first ", total, " of ", whole.total_,
          " samples; there must be so many, and at least 1");
  for (Index& begin : begins_) {
    begin = std::min(begin, total);
  }
}

BatchShare::~BatchShare() = default;

std::shared_ptr<BatchShare> BatchShare::current() { return current_share; }

void BatchShare::require_own(const char* operation, Index samples) const {
  require(alone() || samples == count(), operation, ": ", samples, " samples; rank ", group_.rank(), " of ",
          group_.size(), " has ", count(), " of the batch of ", total_,
          ", and where a batch is shared out, what has weights takes a rank's own samples");
}

std::function<Tensor()> BatchShare::sum(const char* operation, Index samples, const Shape& shape, DType dtype,
                                        const std::function<Tensor(Index)>& of_sample) {
  require_own(operation, samples);
  if (alone()) {
    Tensor sum = samples == 0 ? Tensor::zeros(shape, dtype) : sum_of_range({0, samples}, of_sample);
    return [sum = std::move(sum)]() mutable { return std::move(sum); };
  }
  const auto from_total = [&](Index n) { return of_sample(n - first()); };
  std::vector<Tensor> partial_sums;
  for (const SumTree::Range& range : SumTree::sums_within(total_, {first(), first() + samples})) {
    partial_sums.push_back(sum_of_range(range, from_total));
  }
  std::shared_ptr<Bucket>& open = open_[dtype == float32 ? 0 : 1];
  if (!open) {
    open = std::make_shared<Bucket>(*this, dtype);
  }
  const std::size_t i = open->add(shape, std::move(partial_sums));
  const std::shared_ptr<Bucket> bucket = open;
  if (open->bytes() >= bucket_bytes) {
    send(open);
  }
  progress();
  return [self = shared_from_this(), bucket, i, &open] {
    if (!bucket->sent()) {
      self->send(open);
    }
    return bucket->sum(i);
  };
}

void BatchShare::send(std::shared_ptr<Bucket>& bucket) {
  bucket->send();
  on_way_.push_back(std::exchange(bucket, nullptr));
}

void BatchShare::progress() {
  std::erase_if(on_way_, [](const std::shared_ptr<Bucket>& bucket) { return bucket->progress(); });
}

std::function<std::vector<double>()> BatchShare::gather(const char* operation, Index samples,
                                                        std::vector<double> rows) {
  require_own(operation, samples);
  if (alone()) {
    return [rows = std::move(rows)] { return rows; };
  }
  struct Rows {
    std::vector<double> mine, all;
    std::unique_ptr<Exchange> under_way;
  };
  const auto state = std::make_shared<Rows>();
  // A rank without samples does not know the width: the first rank with some tells it to all.
  double width = samples > 0 ? static_cast<double>(rows.size()) / static_cast<double>(samples) : 0;
  if (std::adjacent_find(begins_.begin(), begins_.end()) != begins_.end()) {
    std::vector<double> widths(static_cast<std::size_t>(group_.size()));
    widths[static_cast<std::size_t>(group_.rank())] = width;
    group_.all_reduce(widths);
    width = *std::max_element(widths.begin(), widths.end());
  }
  state->mine = std::move(rows);
  state->all.resize(static_cast<std::size_t>(width * static_cast<double>(total_)));
  std::vector<ProcessGroup::Bytes> from_each;
  for (int r = 0; r < group_.size(); ++r) {
    from_each.push_back(mutable_bytes_of(state->all.data() + begin_of(r) * static_cast<Index>(width),
                                         static_cast<std::size_t>(count_of(r) * static_cast<Index>(width))));
  }
  state->under_way = group_.gather(bytes_of(state->mine.data(), state->mine.size()), from_each);
  return [state] {
    state->under_way->wait();
    return state->all;
  };
}

BatchShareGuard::BatchShareGuard(ProcessGroup& group, Index total)
    : before_(std::exchange(current_share, std::make_shared<BatchShare>(group, total))) {}

BatchShareGuard::BatchShareGuard(Index total) : before_(current_share) {
  require(before_ != nullptr, "BatchShareGuard: no batch is shared out");
  current_share = std::make_shared<BatchShare>(*before_, total);
}

BatchShareGuard::~BatchShareGuard() { current_share = before_; }

// y = the rows of all ranks; every rank has dL/dy for all of them, so dx = those of its own
Tensor gather_samples(const Tensor& x) {
  const std::shared_ptr<BatchShare> share = BatchShare::current();
  if (!share || share->alone()) {
    return x;
  }
  require_defined(x, "gather_samples", "x");
  require(x.rank() >= 1 && x.size(0) == share->count(), "gather_samples: x has shape ", x.shape(), "; rank ",
          share->group().rank(), " has ", share->count(), " of the ", share->total(), " samples");
  Tensor y = Tensor::empty(x.shape().with(0, share->total()), x.dtype());
  const Index width = x.shape().numel(1, x.rank());
  with_dtype(x.dtype(), [&]<class T>() {
    T* rows = y.mutable_data<T>();
    std::vector<ProcessGroup::Bytes> from_each;
    for (int r = 0; r < share->group().size(); ++r) {
      from_each.push_back(mutable_bytes_of(rows + share->begin_of(r) * width,
                                           static_cast<std::size_t>(share->count_of(r) * width)));
    }
    share->group().gather(bytes_of(x.data<T>(), static_cast<std::size_t>(x.numel())), from_each)->wait();
  });
  return record("gather_samples", y, {x}, [share, shape = x.shape(), width](const Tensor& dy, Gradients& d) {
    share->progress();
    d(0, [&] { return dy.alias(shape, share->first() * width); });
  });
}

// y = sum of w[n] x[n], so dx[n] = w[n] dy
Tensor sum_samples(const Tensor& x, const std::vector<double>& weights) {
  require_defined(x, "sum_samples", "x");
  require(x.rank() >= 1, "sum_samples: x is a scalar; it must be (samples, ...)");
  const std::shared_ptr<BatchShare> current = BatchShare::current();
  const Index samples = x.size(0), total = current ? current->total() : samples;
  require(static_cast<Index>(weights.size()) == total, "sum_samples: ", weights.size(),
          " weights for a batch of ", total, "; each sample needs one");
  const auto share =
      current ? current : std::make_shared<BatchShare>(single_process(), std::max<Index>(1, total));
  const Shape shape(std::vector<Index>(x.shape().begin() + 1, x.shape().end()));
  const auto own = weights.begin() + share->first();
  const std::vector<double> own_weights(own, own + samples);
  const auto weighted = [&](Index n) {
    return x.alias(shape, n * shape.numel()).clone().mul_(own_weights[static_cast<std::size_t>(n)]);
  };
  const Tensor y = [&] {
    const NoGradGuard no_grad;
    return share->sum("sum_samples", samples, shape, x.dtype(), weighted)();
  }();
  return record("sum_samples", y, {x}, [own_weights, shape = x.shape()](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      Tensor dx = Tensor::empty(shape, dy.dtype());
      for (Index n = 0; n < shape[0]; ++n) {
        dx.alias(dy.shape(), n * dy.numel()).copy_(dy).mul_(own_weights[static_cast<std::size_t>(n)]);
      }
      return dx;
    });
  });
}

}  // namespace gesso
