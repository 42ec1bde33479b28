// Errors: every failure that gesso reports is a gesso::Error (or a class derived from it) whose text names
// the operation or layer, the argument and shapes at fault, and what to do.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

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

/// All arguments written one after the other: concat_text("got ", 3, " channels") is "got 3 channels".
template <class... Parts>
std::string concat_text(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// Throws ArgumentError with the joined text of `parts` unless `condition` holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    throw ArgumentError(concat_text(parts...));
  }
}

}  // namespace gesso
