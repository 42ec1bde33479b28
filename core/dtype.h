// The two element types, chosen at run time: float32 to work with, float64 to check gradients with.
#pragma once

#include <cstddef>
#include <ostream>
#include <type_traits>

namespace gesso {

enum class DType { float32, float64 };

inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;

/// The DType of a C++ type: dtype_of<float> is float32.
template <class T>
inline constexpr DType dtype_of = std::is_same_v<T, double> ? DType::float64 : DType::float32;

/// Bytes of one element.
constexpr std::size_t size_of(DType dtype) { return dtype == DType::float64 ? 8 : 4; }

constexpr const char* name_of(DType dtype) { return dtype == DType::float64 ? "float64" : "float32"; }

inline std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name_of(dtype); }

/// Calls `f.template operator()<T>()` with the C++ type of `dtype`: the one place where run-time dtype meets
/// compile-time type.
///
///     with_dtype(x.dtype(), [&]<class T>() { std::copy_n(x.data<T>(), x.numel(), y.mutable_data<T>()); });
template <class F>
decltype(auto) with_dtype(DType dtype, F&& f) {
  if (dtype == DType::float64) {
    return f.template operator()<double>();
  }
  return f.template operator()<float>();
}

}  // namespace gesso
