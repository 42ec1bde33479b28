#include "gesso/core/generator.h"

#include <cmath>
#include <numbers>

#include "gesso/core/error.h"
#include "gesso/core/parallel.h"

namespace gesso {
namespace {

// 53 random bits as a number in [0, 1).
double to_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

// Two uniform numbers of one block.
std::array<double, 2> two_uniform(const std::array<std::uint32_t, 4>& b) {
  return {to_unit(b[0], b[1]), to_unit(b[2], b[3])};
}

// Two normal numbers of one block (Box and Muller 1958).
std::array<double, 2> two_normal(const std::array<std::uint32_t, 4>& b) {
  const auto [u, v] = two_uniform(b);
  const double radius = std::sqrt(-2.0 * std::log1p(-u));  // 1 - u is in (0, 1]
  const double angle = 2.0 * std::numbers::pi * v;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

constexpr Index kFillBlock = 1 << 14;  // elements; even, as each Philox block gives two

// values[i] = two(block i / 2)[i % 2]
template <class T, class Two>
void fill(Generator& generator, T* values, Index count, Two two) {
  const std::uint64_t seed = generator.state().seed;
  const std::uint64_t first = generator.reserve((count + 1) / 2);
  parallel_for(count, kFillBlock, [&](Index begin, Index end) {
    for (Index i = begin; i < end; i += 2) {
      const auto pair = two(Generator::block(seed, first + i / 2));
      values[i] = static_cast<T>(pair[0]);
      if (i + 1 < end) {
        values[i + 1] = static_cast<T>(pair[1]);
      }
    }
  });
}

}  // namespace

std::array<std::uint32_t, 4> Generator::block(std::uint64_t seed, std::uint64_t position) {
  std::uint32_t key0 = static_cast<std::uint32_t>(seed);
  std::uint32_t key1 = static_cast<std::uint32_t>(seed >> 32);
  std::array<std::uint32_t, 4> c = {static_cast<std::uint32_t>(position),
                                    static_cast<std::uint32_t>(position >> 32), 0, 0};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(product1 >> 32) ^ c[1] ^ key0, static_cast<std::uint32_t>(product1),
         static_cast<std::uint32_t>(product0 >> 32) ^ c[3] ^ key1, static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return c;
}

std::uint64_t Generator::reserve(std::uint64_t blocks) {
  const std::uint64_t first = state_.position;
  state_.position += blocks;
  return first;
}

double Generator::uniform() { return two_uniform(block(state_.seed, reserve(1)))[0]; }

double Generator::normal() { return two_normal(block(state_.seed, reserve(1)))[0]; }

Index Generator::below(Index count) {
  require(count > 0, "Generator::below: count is ", count, "; it must be positive");
  const auto b = block(state_.seed, reserve(1));
  const std::uint64_t bits = static_cast<std::uint64_t>(b[0]) << 32 | b[1];
  // The high word of bits * count: uniform up to a bias of count / 2^64.
  return static_cast<Index>((static_cast<unsigned __int128>(bits) * static_cast<std::uint64_t>(count)) >> 64);
}

template <class T>
void Generator::fill_uniform(T* values, Index count, double low, double high) {
  fill(*this, values, count, [=](const auto& b) {
    const auto [u, v] = two_uniform(b);
    // Rounding to T may reach `high` itself; the largest T below it keeps the interval half open.
    const auto scaled = [=](double unit) {
      const T value = static_cast<T>(low + (high - low) * unit);
      return value < static_cast<T>(high) || low >= high
                 ? value
                 : std::nextafter(static_cast<T>(high), static_cast<T>(low));
    };
    return std::array<T, 2>{scaled(u), scaled(v)};
  });
}

template <class T>
void Generator::fill_normal(T* values, Index count) {
  fill(*this, values, count, two_normal);
}

template void Generator::fill_uniform(float*, Index, double, double);
template void Generator::fill_uniform(double*, Index, double, double);
template void Generator::fill_normal(float*, Index);
template void Generator::fill_normal(double*, Index);

}  // namespace gesso
