#include "gesso/core/process_group.h"

#include <algorithm>
#include <utility>

#include "gesso/core/exchange_steps.h"

namespace gesso {
namespace {

class NothingUnderWay : public Exchange {
 public:
  bool arrived() override { return true; }
  void wait() override {}
};

class SingleProcess : public ProcessGroup {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::unique_ptr<Exchange> exchange(const std::vector<ConstBytes>&, const std::vector<Bytes>&,
                                     int) override {
    return std::make_unique<NothingUnderWay>();
  }
};

// What ranks [0, r) send begins at begins[r] of `all`; step by step, this rank has what more ranks one after the other
// had, and passes it on.
class Gathering final : public SteppedExchange {
 public:
  Gathering(ProcessGroup& group, ProcessGroup::Bytes all, std::vector<std::size_t> begins)
      : group_(group),
        all_(all),
        begins_(std::move(begins)),
        steps_(exchange_steps(group.size())),
        tag_(group.new_tag()) {
    go_on();
  }

 private:
  // What the ranks [first, first + count) give.
  ProcessGroup::Bytes of_ranks(int first, int count) const {
    const auto begin = static_cast<std::size_t>(first), end = static_cast<std::size_t>(first + count);
    return all_.subspan(begins_[begin], begins_[end] - begins_[begin]);
  }

  void go_on() override {
    if (next_ == steps_.size()) {
      under_way_ = nullptr;
      return;
    }
    const ExchangeStep step = steps_[next_++];
    const int rank = group_.rank();
    const auto ranks = static_cast<std::size_t>(group_.size());
    std::vector<ProcessGroup::ConstBytes> to_each(ranks);
    std::vector<ProcessGroup::Bytes> from_each(ranks);
    for (const int other : step.others(rank)) {
      const auto r = static_cast<std::size_t>(other);
      to_each[r] = of_ranks(step.first_before(rank), step.stride);
      from_each[r] = of_ranks(step.first_before(other), step.stride);
    }
    under_way_ = group_.exchange(to_each, from_each, tag_);
  }

  ProcessGroup& group_;
  const ProcessGroup::Bytes all_;
  const std::vector<std::size_t> begins_;
  const std::vector<ExchangeStep> steps_;
  const int tag_;
  std::size_t next_ = 0;
};

}  // namespace

bool SteppedExchange::arrived() {
  while (under_way_ && under_way_->arrived()) {
    go_on();
  }
  return !under_way_;
}

void SteppedExchange::wait() {
  while (under_way_) {
    under_way_->wait();
    go_on();
  }
}

int ProcessGroup::new_tag() {
  constexpr int tags = 32000;
  return 1 + tags_++ % tags;
}

std::unique_ptr<Exchange> ProcessGroup::gather(ConstBytes mine, Bytes all,
                                               const std::vector<std::size_t>& sizes) {
  std::vector<std::size_t> begins = {0};
  for (const std::size_t size : sizes) {
    begins.push_back(begins.back() + size);
  }
  const Bytes own = all.subspan(begins[static_cast<std::size_t>(rank())], mine.size());
  if (own.data() != mine.data()) {
    std::copy(mine.begin(), mine.end(), own.begin());
  }
  if (size() == 1) {
    return std::make_unique<NothingUnderWay>();
  }
  return std::make_unique<Gathering>(*this, all, std::move(begins));
}

void ProcessGroup::all_reduce(std::vector<double>& values) {
  const auto ranks = static_cast<std::size_t>(size());
  std::vector<double> all(ranks * values.size());
  gather(bytes_of(values.data(), values.size()), mutable_bytes_of(all.data(), all.size()),
         std::vector<std::size_t>(ranks, values.size() * sizeof(double)))
      ->wait();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = all[i];
    for (std::size_t r = 1; r < ranks; ++r) {
      values[i] += all[r * values.size() + i];
    }
  }
}

void ProcessGroup::broadcast(Bytes bytes, int root) {
  std::vector<std::size_t> sizes(static_cast<std::size_t>(size()));
  sizes[static_cast<std::size_t>(root)] = bytes.size();
  gather(rank() == root ? ConstBytes(bytes) : ConstBytes(), bytes, sizes)->wait();
}

void ProcessGroup::barrier() {
  std::vector<double> none = {0};
  all_reduce(none);
}

ProcessGroup& single_process() {
  static SingleProcess alone;
  return alone;
}

}  // namespace gesso
