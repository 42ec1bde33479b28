// The order in which ranks speak to each other so that something of each comes to all, and each speaks to few.
//
// With 8 ranks there are three steps: each exchanges all that it has with its neighbour, then with a rank 2
// apart, then 4 apart, and so it sends 3 messages instead of 7 (recursive doubling; Thakur, Rabenseifner and
// Gropp, "Optimization of collective communication operations in MPICH", 2005). For other numbers a step is
// one of groups as large as a prime factor: 12 ranks send 2 + 1 + 1 messages each, and those of a prime
// number speak to all others in one step. Every pair of ranks meets in one step at most.
#pragma once

#include <vector>

namespace gesso {

/// Ranks form groups of `members`, `stride` apart, each of which exchange what they have. After the step a rank has
/// what stride * members ranks one after the other had.
struct ExchangeStep {
  int stride, members;

  /// Which member of its group a rank is.
  int place(int rank) const { return rank / stride % members; }
  /// Member i of the group that `rank` is in.
  int member(int rank, int i) const { return rank + (i - place(rank)) * stride; }
  /// The members but for `rank` of the group that it is in, by their places.
  std::vector<int> others(int rank) const {
    std::vector<int> ranks;
    for (int i = 0; i < members; ++i) {
      if (i != place(rank)) {
        ranks.push_back(member(rank, i));
      }
    }
    return ranks;
  }
  /// Of those whose things `rank` has before the step, and after it, the first.
  int first_before(int rank) const { return rank - rank % stride; }
  int first_after(int rank) const { return rank - rank % (stride * members); }
};

/// The steps for so many ranks, from neighbours to the farthest; none for one. Large factors come first: the last
/// steps then join halves, quarters, ... of all ranks, as a SumTree does.
inline std::vector<ExchangeStep> exchange_steps(int ranks) {
  std::vector<int> factors;
  int rest = ranks;
  for (int factor = 2; rest > 1; ++factor) {
    for (; rest % factor == 0; rest /= factor) {
      factors.push_back(factor);
    }
  }
  std::vector<ExchangeStep> steps;
  int stride = 1;
  for (auto factor = factors.rbegin(); factor != factors.rend(); ++factor) {
    steps.push_back({stride, *factor});
    stride *= *factor;
  }
  return steps;
}

}  // namespace gesso
