#include "gesso/autograd/batch_share.h"

#include <algorithm>
#include <utility>

#include "gesso/autograd/graph.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/autograd/sum_bucket.h"
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
  std::shared_ptr<SumBucket>& open = open_[dtype == float32 ? 0 : 1];
  if (!open) {
    open = std::make_shared<SumBucket>(*this, dtype);
  }
  const std::size_t i = open->add(shape, std::move(partial_sums));
  const std::shared_ptr<SumBucket> bucket = open;
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

void BatchShare::send(std::shared_ptr<SumBucket>& bucket) {
  bucket->send();
  on_way_.push_back(std::exchange(bucket, nullptr));
}

void BatchShare::progress() {
  std::erase_if(on_way_, [](const std::shared_ptr<Exchange>& exchange) { return exchange->arrived(); });
}

std::vector<std::size_t> BatchShare::sizes_of_rows(Index bytes) const {
  std::vector<std::size_t> sizes;
  for (int r = 0; r < group_.size(); ++r) {
    sizes.push_back(static_cast<std::size_t>(count_of(r) * bytes));
  }
  return sizes;
}

std::function<std::vector<double>()> BatchShare::gather(const char* operation, Index samples,
                                                        std::vector<double> rows) {
  require_own(operation, samples);
  if (alone()) {
    return [rows = std::move(rows)] { return rows; };
  }
  struct Rows {
    std::vector<double> all;
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
  state->all.resize(static_cast<std::size_t>(width * static_cast<double>(total_)));
  state->under_way = group_.gather(bytes_of(rows.data(), rows.size()),
                                   mutable_bytes_of(state->all.data(), state->all.size()),
                                   sizes_of_rows(static_cast<Index>(width * sizeof(double))));
  on_way_.emplace_back(state, state->under_way.get());
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
    share->group()
        .gather(bytes_of(x.data<T>(), static_cast<std::size_t>(x.numel())),
                mutable_bytes_of(y.mutable_data<T>(), static_cast<std::size_t>(y.numel())),
                share->sizes_of_rows(width * static_cast<Index>(sizeof(T))))
        ->wait();
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
