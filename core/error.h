// Errors: every failure that gesso reports is a gesso::Error (or a class derived from it) whose text names
// the operation or layer, the argument and shapes at fault, and what to do.
#pragma once

#include <initializer_list>
#include <ostream>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace gesso {

/// The base of everything that gesso throws.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An argument has a shape, rank, dtype or value that the operation cannot take.
class ArgumentError : public Error {
 public:
  using Error::Error;
};

/// A file or folder cannot be read or written; the text names it and the reason.
class FileError : public Error {
 public:
  using Error::Error;
};

/// The system has no memory left for a tensor; the text says how much was asked for.
class MemoryError : public Error {
 public:
  using Error::Error;
};

namespace detail {
// An argument of concat_text(): where it is, and what writes it. It keeps the code that makes texts, of which
// there are hundreds and few are ever needed, out of line.
struct TextPart {
  template <class T>
  TextPart(const T& argument) : value(&argument) {
    if constexpr (std::is_array_v<T>) {  // "..."
      write = [](std::ostream& out, const void* text) { out << static_cast<const char*>(text); };
    } else {
      write = [](std::ostream& out, const void* part) { out << *static_cast<const T*>(part); };
    }
  }

  const void* value;
  void (*write)(std::ostream& out, const void* value);
};
std::string concat_parts(std::initializer_list<TextPart> parts);
[[noreturn]] void throw_argument_error(std::initializer_list<TextPart> parts);
}  // namespace detail

/// All arguments written one after the other: concat_text("got ", 3, " channels") is "got 3 channels".
template <class... Parts>
std::string concat_text(const Parts&... parts) {
  return detail::concat_parts({parts...});
}

/// Throws ArgumentError with the joined text of `parts` unless `condition` holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    detail::throw_argument_error({parts...});
  }
}

}  // namespace gesso
