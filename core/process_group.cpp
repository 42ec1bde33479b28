#include "gesso/core/process_group.h"

#include <algorithm>

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
  std::unique_ptr<Exchange> exchange(const std::vector<ConstBytes>& to_each,
                                     const std::vector<Bytes>& from_each, int) override {
    std::copy(to_each.front().begin(), to_each.front().end(), from_each.front().begin());
    return std::make_unique<NothingUnderWay>();
  }
};

constexpr int kInOrder = 0;  // the tag of what all ranks begin in one order

}  // namespace

int ProcessGroup::new_tags() {
  constexpr int pairs = 16000;
  return kInOrder + 1 + 2 * (tags_++ % pairs);
}

std::unique_ptr<Exchange> ProcessGroup::gather(ConstBytes mine, const std::vector<Bytes>& from_each) {
  return exchange(std::vector<ConstBytes>(static_cast<std::size_t>(size()), mine), from_each, kInOrder);
}

void ProcessGroup::all_reduce(std::vector<double>& values) {
  const auto ranks = static_cast<std::size_t>(size());
  std::vector<double> all(ranks * values.size());
  std::vector<Bytes> from_each;
  for (std::size_t r = 0; r < ranks; ++r) {
    from_each.push_back(mutable_bytes_of(all.data() + r * values.size(), values.size()));
  }
  gather(bytes_of(values.data(), values.size()), from_each)->wait();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = all[i];
    for (std::size_t r = 1; r < ranks; ++r) {
      values[i] += all[r * values.size() + i];
    }
  }
}

void ProcessGroup::broadcast(Bytes bytes, int root) {
  const auto ranks = static_cast<std::size_t>(size()), from = static_cast<std::size_t>(root);
  std::vector<ConstBytes> to_each(ranks);
  std::vector<Bytes> from_each(ranks);
  std::vector<std::byte> sent;
  if (rank() == root) {
    sent.assign(bytes.begin(), bytes.end());
    std::fill(to_each.begin(), to_each.end(), ConstBytes(sent));
  }
  from_each[from] = bytes;
  exchange(to_each, from_each, kInOrder)->wait();
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
