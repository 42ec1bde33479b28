#include "gesso/core/kernels/optimal_transport.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <type_traits>
#include <vector>

#include "gesso/core/bit_cast.h"
#include "gesso/core/memory/scratch.h"

namespace gesso {
namespace {

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

// Whole numbers in the order of the floating-point ones: positive numbers need only the sign bit flipped,
// negative ones all bits. A total order, whatever is in x; -0 counts as 0.
template <class T>
KeyOf<T> key_of(T x) {
  using Key = KeyOf<T>;
  constexpr Key sign = Key{1} << (8 * sizeof(T) - 1);
  const Key bits = bit_cast<Key>(x + T{0});  // -0 + 0 is 0, and all else stays as it is
  return bits & sign ? ~bits : bits | sign;
}

template <class T>
T value_of(KeyOf<T> key) {
  using Key = KeyOf<T>;
  constexpr Key sign = Key{1} << (8 * sizeof(T) - 1);
  return bit_cast<T>(key & sign ? key ^ sign : ~key);
}

// x[index] - q(rank) for the numbers in ascending order, whose indices index_at(rank) gives.
template <class T, class IndexAt>
void difference_by_rank(const T* x, Index count, const T* target, Index target_count, T* difference,
                        IndexAt index_at) {
  const double ratio = static_cast<double>(target_count) / static_cast<double>(count);
  const double last = static_cast<double>(target_count - 1);
  for (Index rank = 0; rank < count; ++rank) {
    const double position = std::clamp((static_cast<double>(rank) + 0.5) * ratio - 0.5, 0.0, last);
    const auto below = static_cast<Index>(position);
    const Index above = std::min(below + 1, target_count - 1);
    const T part = static_cast<T>(position - static_cast<double>(below));
    const T quantile = part == 0 ? target[below] : target[below] + part * (target[above] - target[below]);
    const Index index = index_at(rank);
    difference[index] = x[index] - quantile;
  }
}

constexpr int kDigitBits = 11;
constexpr int kDigits = 3;  // of 11 bits, which cover the 32 of a key
constexpr Index kBuckets = Index{1} << kDigitBits;

// Least significant digit first (Knuth, The Art of Computer Programming 3, 5.2.5): orders the pairs (key in
// the upper half, index in the lower) by key, stably, and returns where they are, `pairs` or `other`. A digit
// that all keys share needs no pass.
const std::uint64_t* radix_sort(std::uint64_t* pairs, std::uint64_t* other, Index count) {
  const auto digit_of = [](std::uint64_t pair, int digit) {
    return (pair >> (32 + digit * kDigitBits)) & (kBuckets - 1);
  };
  std::array<std::array<std::uint32_t, kBuckets>, kDigits> starts{};
  for (Index i = 0; i < count; ++i) {
    for (int digit = 0; digit < kDigits; ++digit) {
      ++starts[digit][digit_of(pairs[i], digit)];
    }
  }
  for (int digit = 0; digit < kDigits; ++digit) {
    auto& start = starts[digit];
    if (start[digit_of(pairs[0], digit)] == count) {
      continue;
    }
    std::exclusive_scan(start.begin(), start.end(), start.begin(), std::uint32_t{0});
    for (Index i = 0; i < count; ++i) {
      other[start[digit_of(pairs[i], digit)]++] = pairs[i];
    }
    std::swap(pairs, other);
  }
  return pairs;
}

// The numbers x as sorted pairs (key, index), in this thread's scratch memory.
const std::uint64_t* sorted_pairs(const float* x, Index count) {
  std::uint64_t* pairs = scratch<std::uint64_t>(2 * count);
  for (Index i = 0; i < count; ++i) {
    pairs[i] = std::uint64_t{key_of(x[i])} << 32 | static_cast<std::uint64_t>(i);
  }
  return radix_sort(pairs, pairs + count, count);
}

}  // namespace

template <class T>
void sort_values(T* values, Index count) {
  if constexpr (std::is_same_v<T, float>) {
    const std::uint64_t* pairs = count > 0 ? sorted_pairs(values, count) : nullptr;
    for (Index i = 0; i < count; ++i) {
      values[i] = value_of<float>(static_cast<std::uint32_t>(pairs[i] >> 32));
    }
  } else {
    std::sort(values, values + count, [](T a, T b) { return key_of(a) < key_of(b); });
  }
}

template <class T>
void transport_plain(const T* x, Index count, const T* target, Index target_count, T* difference) {
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [x](Index a, Index b) { return key_of(x[a]) < key_of(x[b]); });
  difference_by_rank(x, count, target, target_count, difference,
                     [&](Index rank) { return order[static_cast<std::size_t>(rank)]; });
}

// float32 is what trains; float64 is for checking gradients, where the plain kernel will do.
template <class T>
void transport(const T* x, Index count, const T* target, Index target_count, T* difference) {
  if constexpr (std::is_same_v<T, float>) {
    const std::uint64_t* pairs = count > 0 ? sorted_pairs(x, count) : nullptr;
    difference_by_rank(x, count, target, target_count, difference,
                       [pairs](Index rank) { return static_cast<Index>(pairs[rank] & 0xffffffffu); });
  } else {
    transport_plain(x, count, target, target_count, difference);
  }
}

template void sort_values(float*, Index);
template void sort_values(double*, Index);
template void transport(const float*, Index, const float*, Index, float*);
template void transport(const double*, Index, const double*, Index, double*);
template void transport_plain(const float*, Index, const float*, Index, float*);
template void transport_plain(const double*, Index, const double*, Index, double*);

}  // namespace gesso
