// std::bit_cast for standard libraries that lack it (libc++ before 14); all compilers have what it is made
// of.
#pragma once

namespace gesso {

/// The bits of `from`, read as a To, which must be as large.
template <class To, class From>
constexpr To bit_cast(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

}  // namespace gesso
