// The memory pool: reuse, counters, and a training loop that asks the system for nothing once it runs.
#include "gesso/core/memory/memory_pool.h"

#include <sys/resource.h>

#include <cstdint>
#include <vector>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/losses.h"
#include "gesso/layers/conv2d.h"
#include "gesso/training/optim/adam.h"
#include "support.h"

using namespace gesso;

#if defined(__SANITIZE_ADDRESS__)
// Lets an allocation that is too large fail, as it does without the sanitizer.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
#endif

namespace {

constexpr Index kMiB = 1 << 20;

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

}  // namespace

TEST_CASE("a freed block is handed out again for the same size") {
  for (Index bytes : {Index{4}, Index{1000}, 100 * kMiB / 1024, 5 * kMiB}) {
    CAPTURE(bytes);
    const void* first = Tensor::empty({bytes / 4}).data<float>();
    const std::uint64_t before = memory_stats().system_allocations;
    const Tensor again = Tensor::empty({bytes / 4});
    CHECK(again.data<float>() == first);
    CHECK(memory_stats().system_allocations == before);
  }
}

TEST_CASE("sizes of one class share blocks, slack is at most a quarter") {
  for (Index bytes : {300, 1000, 4097, 70001, 1000001, 3000001, 33000001}) {
    CAPTURE(bytes);
    const std::size_t before = memory_stats().current_bytes;
    const Tensor x = Tensor::empty({bytes / 4});
    const auto taken = static_cast<Index>(memory_stats().current_bytes - before);
    CHECK(taken >= bytes / 4 * 4);
    CHECK(taken <= std::max(bytes + bytes / 4 + 64, (bytes + 2 * kMiB) / (2 * kMiB) * 2 * kMiB));
  }
}

TEST_CASE("large blocks are aligned to huge pages") {
  const Tensor x = Tensor::empty({kMiB});  // 4 MiB
  CHECK(reinterpret_cast<std::uintptr_t>(x.data<float>()) % (2 * kMiB) == 0);
}

TEST_CASE("current and peak follow live tensors; release gives the rest back") {
  const std::size_t base = memory_stats().current_bytes;
  reset_peak_memory();
  CHECK(memory_stats().peak_bytes == base);
  {
    const Tensor a = Tensor::empty({kMiB});
    const Tensor view = a.reshape({2, kMiB / 2}), handle = a;  // no memory of their own
    CHECK(handle.data<float>() == a.data<float>());
    CHECK(memory_stats().current_bytes == base + 4 * kMiB);
    { const Tensor b = Tensor::empty({2 * kMiB}); }
    CHECK(memory_stats().current_bytes == base + 4 * kMiB);
  }
  CHECK(memory_stats().current_bytes == base);
  CHECK(memory_stats().peak_bytes == base + 12 * kMiB);
  CHECK(memory_stats().reserved_bytes >= base + 12 * kMiB);  // kept for reuse
  release_unused_memory();
  CHECK(memory_stats().reserved_bytes == memory_stats().current_bytes);
  reset_peak_memory();
  CHECK(memory_stats().peak_bytes == base);
}

TEST_CASE("a view keeps the memory alive") {
  const std::size_t base = memory_stats().current_bytes;
  Tensor part;
  {
    const Tensor whole = Tensor::full({4, kMiB / 4}, 3);
    part = whole.slice(1, 2);
  }
  CHECK(memory_stats().current_bytes == base + 4 * kMiB);
  CHECK(part.at({0, 77}) == 3);
  part = {};
  CHECK(memory_stats().current_bytes == base);
}

TEST_CASE("a program of ever new sizes does not hoard what it no longer uses") {
  for (Index i = 1; i <= 60; ++i) {
    const Tensor x = Tensor::empty({i * 5 * kMiB / 4});  // 5, 10, ... 300 MiB, untouched
  }
  CHECK(memory_stats().reserved_bytes - memory_stats().current_bytes < std::size_t{1024} << 20);
  for (Index i = 11; i <= 19; i += 2) {
    const Tensor x = Tensor::empty({i * 25 * kMiB});  // 1.1 to 1.9 GiB
  }
  CHECK(memory_stats().reserved_bytes - memory_stats().current_bytes < std::size_t{3072} << 20);
  release_unused_memory();
}

TEST_CASE("what the system cannot give is a MemoryError that says how much was asked for") {
  const std::size_t before = memory_stats().current_bytes;
  CHECK_THROWS_WITH_AS(Tensor::empty({Index{1} << 58}),
                       doctest::Contains("out of memory: a tensor of 1099511627776 MiB was asked for"),
                       MemoryError);
  CHECK_THROWS_AS(Tensor::empty({Index{1} << 59}, float64), MemoryError);
  CHECK(memory_stats().current_bytes == before);
  CHECK(Tensor::ones({3}).to_vector() == std::vector<double>{1, 1, 1});  // and all goes on
}

TEST_CASE("a steady training loop asks the system for nothing and touches no new page") {
  Generator rng(1);
  Conv2d first(3, 8, 3, {.padding = 1}, rng), second(8, 3, 3, {.padding = 1}, rng);
  std::vector<Tensor> parameters = first.parameters();
  for (const Tensor& parameter : second.parameters()) parameters.push_back(parameter);
  Adam adam(parameters, {.lr = 1e-3});
  const Tensor target = Tensor::randn({2, 3, 64, 64}, rng);
  const auto step = [&] {
    const Tensor x = Tensor::randn({2, 3, 64, 64}, rng);  // new input every time, as from a loader
    adam.zero_grad();
    const Tensor loss = mse_loss(second(relu(first(x))), target);
    loss.backward();
    adam.step();
  };
  for (int i = 0; i < 4; ++i) step();
  const std::uint64_t allocations = memory_stats().system_allocations;
  const std::size_t current = memory_stats().current_bytes;
  const long faults = page_faults();
  for (int i = 0; i < 20; ++i) step();
  const long new_faults = page_faults() - faults;
  CHECK(memory_stats().system_allocations == allocations);
  CHECK(memory_stats().current_bytes == current);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their own bookkeeping touches pages
  CHECK(new_faults < 40);  // less than two a step: a page of a thread's stack now and then
#else
  (void)new_faults;
#endif
}

TEST_CASE("large blocks of different sizes share their memory: what is reserved stays near the peak in use") {
  release_unused_memory();
  const std::size_t base = memory_stats().current_bytes;
  reset_peak_memory();
  const auto grow_and_shrink = [] {
    std::vector<Tensor> blocks;  // as in a network: pictures get smaller, then larger again
    for (Index size : {64, 40, 24, 8, 8, 24, 40, 64}) {
      blocks.push_back(Tensor::empty({size * kMiB / 4}));
    }
    blocks.erase(blocks.begin() + 1, blocks.begin() + 5);  // four neighbours become one range of 80 MiB
    blocks.push_back(Tensor::empty({72 * kMiB / 4}));
    blocks.push_back(Tensor::empty({8 * kMiB / 4}));
  };
  for (int i = 0; i < 3; ++i) {
    grow_and_shrink();
  }
  const MemoryStats stats = memory_stats();
  CHECK(stats.peak_bytes - base == 272 * kMiB);
#if !defined(__SANITIZE_ADDRESS__)  // whose chunks are smaller
  CHECK(stats.reserved_bytes - base == 272 * kMiB);
#endif
  release_unused_memory();
  CHECK(memory_stats().reserved_bytes == memory_stats().current_bytes);
}

TEST_CASE("tensors beyond the limit are refused by name, and what is kept unused makes room for them") {
  release_unused_memory();
  const std::size_t before = tensor_memory_limit(), base = memory_stats().current_bytes;
  CHECK(before > std::size_t{64} << 20);
  set_tensor_memory_limit(base + 100 * kMiB);
  {
    const Tensor most = Tensor::empty({90 * kMiB / 4});
    CHECK_THROWS_WITH_AS(Tensor::empty({20 * kMiB / 4}), doctest::Contains("20 MiB was asked for"),
                         MemoryError);
    CHECK_NOTHROW(Tensor::empty({8 * kMiB / 4}));
  }
  { const std::vector<Tensor> pieces = {Tensor::empty({40 * kMiB / 4}), Tensor::empty({40 * kMiB / 4})}; }
  CHECK_NOTHROW(Tensor::empty({96 * kMiB / 4}));
  CHECK(memory_stats().reserved_bytes <= base + 100 * kMiB);
  CHECK_THROWS_AS(Tensor::empty({Index{1} << 50}), MemoryError);
  set_tensor_memory_limit(before);
}
