// Parallel loops: every element once, nested loops, exceptions, and sums that no number of threads changes.
#include "gesso/core/parallel.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <set>
#include <stdexcept>
#include <thread>

#include "gesso/autograd/normalization.h"
#include "gesso/core/error.h"
#include "support.h"

using namespace gesso;

namespace {

// Runs the rest of a test with each number of threads and restores the number of before.
template <class Body>
void for_thread_counts(Body body) {
  const int before = num_threads();
  for (int threads : {1, 2, 3, 8}) {
    CAPTURE(threads);
    set_num_threads(threads);
    CHECK(num_threads() == threads);
    body();
  }
  set_num_threads(before);
}

}  // namespace

TEST_CASE("every element is visited once, in blocks that begin at multiples of the block") {
  for_thread_counts([] {
    for (Index count : {0, 1, 2, 63, 64, 65, 1000}) {
      for (Index block : {1, 7, 64, 5000}) {
        std::vector<std::atomic<int>> visits(count);
        std::atomic<bool> aligned = true;
        parallel_for(count, block, [&](Index begin, Index end) {
          if (begin % block != 0 || (end - begin != block && end != count)) aligned = false;
          for (Index i = begin; i < end; ++i) ++visits[i];
        });
        CHECK(aligned);
        CHECK(std::all_of(visits.begin(), visits.end(), [](const auto& n) { return n == 1; }));
      }
    }
    parallel_for(-5, 1, [](Index, Index) { FAIL("nothing to do"); });
  });
}

TEST_CASE("more than one thread takes part") {
  const int before = num_threads();
  set_num_threads(3);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> arrived = 0;
  parallel_for(3, 1, [&](Index, Index) {  // each block waits for the two others
    ++arrived;
    while (arrived < 3) std::this_thread::yield();
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  set_num_threads(before);
  CHECK(threads.size() == 3);
}

TEST_CASE("a loop inside a loop runs on its own thread") {
  for_thread_counts([] {
    std::atomic<int> total = 0;
    std::atomic<bool> moved = false;
    parallel_for(10, 1, [&](Index, Index) {
      const auto self = std::this_thread::get_id();
      parallel_for(10, 1, [&](Index, Index) {
        if (num_threads() > 1 && std::this_thread::get_id() != self) moved = true;
        ++total;
      });
    });
    CHECK(total == 100);
    CHECK_FALSE(moved);
  });
}

TEST_CASE("the first exception comes out, and the next loop works") {
  for_thread_counts([] {
    CHECK_THROWS_WITH_AS(parallel_for(1000, 1,
                                      [](Index i, Index) {
                                        if (i == 17) throw std::out_of_range("seventeen");
                                      }),
                         "seventeen", std::out_of_range);
    std::atomic<int> started = 0;
    CHECK_THROWS_AS(parallel_for(100000, 1,
                                 [&](Index, Index) {
                                   ++started;
                                   throw std::runtime_error("all fail");
                                 }),
                    std::runtime_error);
    CHECK(started < 100);  // what has not begun is given up
    std::atomic<int> visits = 0;
    parallel_for(100, 1, [&](Index, Index) { ++visits; });
    CHECK(visits == 100);
  });
}

TEST_CASE("loops of several user threads get along") {
  const int before = num_threads();
  set_num_threads(2);
  std::atomic<Index> total = 0;
  std::vector<std::thread> users;
  for (int u = 0; u < 4; ++u) {
    users.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        parallel_for(50, 3, [&](Index begin, Index end) { total += end - begin; });
      }
    });
  }
  for (std::thread& user : users) user.join();
  set_num_threads(before);
  CHECK(total == 4 * 200 * 50);
}

TEST_CASE("parallel_sum adds blocks in order: the same bits for every number of threads") {
  // Terms of very different size, whose float sum depends on the order of addition.
  const auto term = [](Index i) {
    return std::sin(static_cast<float>(i)) * std::exp2(static_cast<float>(i % 40));
  };
  const auto block_sum = [&](Index begin, Index end) {
    float sum = 0;
    for (Index i = begin; i < end; ++i) sum += term(i);
    return sum;
  };
  for (Index count : {0, 1, 99, 100, 101, 12345}) {
    float expected = 0;
    for (Index begin = 0; begin < count; begin += 100) {
      expected += block_sum(begin, std::min<Index>(count, begin + 100));
    }
    for_thread_counts([&] { CHECK(parallel_sum<float>(count, 100, block_sum) == expected); });
  }
}

TEST_CASE("numbers of threads that make no sense are refused") {
  const int before = num_threads();
  CHECK_THROWS_WITH_AS(set_num_threads(0), doctest::Contains("set_num_threads: 0 is not in 1 to 1024"),
                       ArgumentError);
  CHECK_THROWS_AS(set_num_threads(-3), ArgumentError);
  CHECK_THROWS_AS(set_num_threads(5000), ArgumentError);
  CHECK(num_threads() == before);
  set_num_threads(2);
  CHECK_THROWS_WITH_AS(parallel_for(4, 1, [](Index, Index) { set_num_threads(3); }),
                       doctest::Contains("inside a parallel loop"), ArgumentError);
  set_num_threads(before);
}

// Not with AddressSanitizer, whose allocator does not come through fork() beside another thread.
TEST_CASE("a forked child has threads of its own: it neither hangs nor dies, and computes the same" *
          doctest::skip(gesso::testing::kSanitized || gesso::testing::kEmulated)) {
  const int before = num_threads();
  Generator rng(1);
  const Tensor x = Tensor::randn({4, 16, 40, 40}, rng);
  for (int parent : {2, 4}) {
    set_num_threads(parent);
    const Tensor expected = instance_norm(x);
    for (int child : {0, 1, 3, 4}) {  // 0: as many as the parent
      for (int repetition = 0; repetition < 5; ++repetition) {
        std::atomic<bool> done = false;
        std::thread other([&] {  // holds locks at any moment, the memory pool's for one
          while (!done) Tensor::zeros({8, 1000});
        });
        const pid_t id = fork();
        if (id == 0) {
          alarm(20);  // a child that hangs is killed
          if (child > 0) set_num_threads(child);
          const bool right = num_threads() == (child > 0 ? child : parent) &&
                             gesso::testing::identical(instance_norm(x), expected);
          _exit(right ? 0 : 1);
        }
        int status = -1;
        waitpid(id, &status, 0);
        done = true;
        other.join();
        CAPTURE(parent);
        CAPTURE(child);
        CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
        CHECK(gesso::testing::identical(instance_norm(x), expected));  // the parent goes on
      }
    }
  }
  set_num_threads(before);
}
