#include "gesso/core/files/elements.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "gesso/core/bit_cast.h"
#include "gesso/core/parallel.h"

static_assert(std::endian::native == std::endian::little, "files of weights are little-endian");

namespace gesso::detail {
namespace {

constexpr double kExactBelow = 0x1p53;  // float64 holds every whole number below

// Those of safetensors (its Dtype), and C128, which only PyTorch has.
constexpr std::array kFormats = {
    ElementFormat{"F64", 64, true},     ElementFormat{"F32", 32, true},
    ElementFormat{"F16", 16, true},     ElementFormat{"BF16", 16, true},
    ElementFormat{"I64", 64, true},     ElementFormat{"I32", 32, true},
    ElementFormat{"I16", 16, true},     ElementFormat{"I8", 8, true},
    ElementFormat{"U64", 64, true},     ElementFormat{"U32", 32, true},
    ElementFormat{"U16", 16, true},     ElementFormat{"U8", 8, true},
    ElementFormat{"BOOL", 8, true},     ElementFormat{"C64", 64, false},
    ElementFormat{"C128", 128, false},  ElementFormat{"F8_E4M3", 8, false},
    ElementFormat{"F8_E5M2", 8, false}, ElementFormat{"F8_E8M0", 8, false},
    ElementFormat{"F6_E2M3", 6, false}, ElementFormat{"F6_E3M2", 6, false},
    ElementFormat{"F4", 4, false},
};

float from_bfloat16(std::uint16_t bits) { return bit_cast<float>(std::uint32_t{bits} << 16); }

// IEEE 754 half precision: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits.
float from_half(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits} >> 15 << 31;
  const std::uint32_t exponent = bits >> 10 & 31;
  const std::uint32_t fraction = bits & 1023;
  if (exponent == 31) {  // infinity, NaN
    return bit_cast<float>(sign | 0x7F800000u | fraction << 13);
  }
  if (exponent == 0) {  // zero, subnormal: fraction * 2^-24
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  return bit_cast<float>(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

// Reads one element after the other, in pieces, and converts each.
template <class From, class To, class Convert>
Tensor converted(const Shape& shape, const ReadBytes& read, Convert convert) {
  Tensor tensor = Tensor::empty(shape, std::is_same_v<To, double> ? float64 : float32);
  To* out = tensor.mutable_data<To>("load");
  constexpr Index piece = (1 << 20) / sizeof(From);
  std::vector<From> numbers(static_cast<std::size_t>(std::min(piece, shape.numel())));
  for (Index at = 0; at < shape.numel(); at += piece) {
    const Index count = std::min(piece, shape.numel() - at);
    read(static_cast<std::uint64_t>(at) * sizeof(From), numbers.data(),
         static_cast<std::size_t>(count) * sizeof(From));
    parallel_for(count, 1 << 16, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        out[at + i] = convert(numbers[static_cast<std::size_t>(i)]);
      }
    });
  }
  return tensor;
}

template <class From, class To>
Tensor cast(const Shape& shape, const ReadBytes& read) {
  return converted<From, To>(shape, read, [](From value) { return static_cast<To>(value); });
}

template <class T>
Tensor as_they_are(const Shape& shape, const ReadBytes& read) {
  Tensor tensor = Tensor::empty(shape, std::is_same_v<T, double> ? float64 : float32);
  read(0, tensor.mutable_data<T>("load"), static_cast<std::size_t>(shape.numel()) * sizeof(T));
  return tensor;
}

}  // namespace

const ElementFormat* find_element_format(std::string_view name) {
  const auto found =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const auto& f) { return f.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

std::string readable_element_formats() {
  std::string names;
  for (const ElementFormat& format : kFormats) {
    if (format.readable) {
      names += (names.empty() ? "" : ", ") + std::string(format.name);
    }
  }
  return names;
}

Tensor read_elements(const ElementFormat& format, const Shape& shape, const ReadBytes& read,
                     const std::function<void(const std::string& why)>& complain) {
  const std::string_view name = format.name;
  if (name == "F32") return as_they_are<float>(shape, read);
  if (name == "F64") return as_they_are<double>(shape, read);
  if (name == "F16") return converted<std::uint16_t, float>(shape, read, from_half);
  if (name == "BF16") return converted<std::uint16_t, float>(shape, read, from_bfloat16);
  if (name == "I32") return cast<std::int32_t, double>(shape, read);
  if (name == "U32") return cast<std::uint32_t, double>(shape, read);
  if (name == "I16") return cast<std::int16_t, float>(shape, read);
  if (name == "U16") return cast<std::uint16_t, float>(shape, read);
  if (name == "I8") return cast<std::int8_t, float>(shape, read);
  if (name == "U8") return cast<std::uint8_t, float>(shape, read);
  if (name == "BOOL") {
    return converted<std::uint8_t, float>(shape, read, [](std::uint8_t v) { return v != 0 ? 1.0f : 0.0f; });
  }
  if (name == "I64" || name == "U64") {
    const Tensor tensor =
        name == "I64" ? cast<std::int64_t, double>(shape, read) : cast<std::uint64_t, double>(shape, read);
    const double* values = tensor.data<double>();
    if (!std::all_of(values, values + tensor.numel(), [](double v) { return std::fabs(v) < kExactBelow; })) {
      complain("it has whole numbers of 2^53 or more, which float64 cannot hold exactly");
    }
    return tensor;
  }
  complain(concat_text("its dtype is ", std::string(name), "; gesso reads ", readable_element_formats()));
  return {};
}

}  // namespace gesso::detail
