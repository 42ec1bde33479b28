#include "gesso/core/process_group.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "gesso/core/exchange_steps.h"
#include "support.h"
#include "thread_ranks.h"

using namespace gesso;
using gesso::testing::on_ranks;
using gesso::testing::ThreadGroup;

namespace {

// Messages that a rank sends for what it needs of all others.
std::size_t messages_of(int ranks) {
  std::size_t messages = 0;
  for (const ExchangeStep& step : exchange_steps(ranks)) {
    messages += static_cast<std::size_t>(step.members - 1);
  }
  return messages;
}

}  // namespace

TEST_CASE("the steps of ranks: few messages, each pair in one step at most, and something of each to all") {
  CHECK(exchange_steps(1).empty());
  CHECK(messages_of(2) == 1);
  CHECK(messages_of(6) == 3);
  CHECK(messages_of(7) == 6);
  CHECK(messages_of(32) == 5);
  for (int ranks = 1; ranks <= 36; ++ranks) {
    CAPTURE(ranks);
    for (int rank = 0; rank < ranks; ++rank) {
      CAPTURE(rank);
      std::vector<int> met(static_cast<std::size_t>(ranks));
      int has = 1;  // what so many ranks had, from first_before() on
      for (const ExchangeStep& step : exchange_steps(ranks)) {
        CHECK(step.stride == has);
        CHECK(step.member(rank, step.place(rank)) == rank);
        for (int i = 0; i < step.members; ++i) {
          const int other = step.member(rank, i);
          CHECK(step.place(other) == i);
          CHECK(step.first_after(other) == step.first_after(rank));
          CHECK(step.first_before(other) == step.first_after(rank) + i * step.stride);
          met.at(static_cast<std::size_t>(other)) += other == rank ? 0 : 1;
        }
        has *= step.members;
      }
      CHECK(has == ranks);
      for (const int times : met) {
        CHECK(times <= 1);
      }
    }
  }
}

TEST_CASE("gather brings together what each rank gives, some of it nothing") {
  for (const int ranks : {1, 2, 3, 5, 6, 8, 12, 32}) {
    CAPTURE(ranks);
    on_ranks(ranks, [ranks](ThreadGroup& group) {
      const auto text_of = [](int rank) {
        return std::string(static_cast<std::size_t>(rank * 5 % 4), static_cast<char>('a' + rank));
      };
      std::string expected;
      std::vector<std::size_t> sizes;
      for (int r = 0; r < ranks; ++r) {
        expected += text_of(r);
        sizes.push_back(text_of(r).size());
      }
      std::string all(expected.size(), ' '), again = all;
      const std::string mine = text_of(group.rank());
      const auto first =
          group.gather(bytes_of(mine.data(), mine.size()), mutable_bytes_of(all.data(), all.size()), sizes);
      const auto second = group.gather(bytes_of(mine.data(), mine.size()),
                                       mutable_bytes_of(again.data(), again.size()), sizes);
      second->wait();  // before the first
      first->wait();
      CHECK(first->arrived());
      CHECK(all == expected);
      CHECK(again == expected);
      CHECK(group.messages <= 2 * messages_of(ranks));
    });
  }
}

TEST_CASE("all_reduce, broadcast and barrier, by few messages") {
  for (const int ranks : {1, 3, 4, 6, 32}) {
    CAPTURE(ranks);
    on_ranks(ranks, [ranks](ThreadGroup& group) {
      // Added in the order of ranks, whoever met first: 1e16 swallows what comes one by one.
      std::vector<double> values = {group.rank() == 0 ? 1e16 : 1.0, 2.0};
      group.all_reduce(values);
      CHECK(values == std::vector<double>{1e16, 2.0 * ranks});
      CHECK(group.messages == messages_of(ranks));
      const int root = ranks - 1;
      int number = group.rank() == root ? 7 : 0;
      group.broadcast(mutable_bytes_of(&number, 1), root);
      CHECK(number == 7);
      CHECK(group.messages <= 2 * messages_of(ranks));
      group.barrier();
    });
  }
  std::vector<double> values = {4};
  single_process().all_reduce(values);
  CHECK(values == std::vector<double>{4});
}
