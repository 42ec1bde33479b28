// Random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). The i-th
// number is a function of the seed and i alone, so tensors fill in parallel and get the same values for any
// thread count.
#pragma once

#include <array>
#include <cstdint>

#include "gesso/core/index.h"

namespace gesso {

/// A stream of random numbers. Copy it to replay it; save state() to continue later.
class Generator {
 public:
  /// Everything that decides what comes next.
  struct State {
    std::uint64_t seed = 0;
    std::uint64_t position = 0;  ///< in blocks of four 32-bit numbers
    bool operator==(const State&) const = default;
  };

  explicit Generator(std::uint64_t seed = 0) : state_{seed, 0} {}
  explicit Generator(State state) : state_(state) {}

  const State& state() const { return state_; }
  void set_state(State state) { state_ = state; }

  /// One block of four random 32-bit numbers at `position`, without moving the stream.
  static std::array<std::uint32_t, 4> block(std::uint64_t seed, std::uint64_t position);

  /// Takes `blocks` blocks from the stream and returns the position of the first.
  std::uint64_t reserve(std::uint64_t blocks);

  /// A number in [0, 1).
  double uniform();
  /// A number in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// A number from the normal distribution with mean 0 and standard deviation 1.
  double normal();
  /// A whole number in [0, count). Throws ArgumentError unless count > 0.
  Index below(Index count);

  /// Fills values[0 .. count) with numbers in [low, high).
  template <class T>
  void fill_uniform(T* values, Index count, double low, double high);
  /// Fills values[0 .. count) with normally distributed numbers, mean 0 and standard deviation 1.
  template <class T>
  void fill_normal(T* values, Index count);

 private:
  State state_;
};

}  // namespace gesso
