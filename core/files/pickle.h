// Python's pickle, read without Python and without running any of it. A pickle is a program for a small stack
// machine that may name any function of Python and call it. Here a name is a name and a call is a record of what
// was to be called with what: torch_file.cpp makes tensors of the few that it knows, and whatever else the pickle
// names is an error that lists it. Not for use outside of core/files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gesso::detail {

/// A value of a pickle. Values refer to each other by their number in Pickle::values, so that a pickle that puts a
/// list into itself is no knot in memory.
struct PickleValue {
  enum class Kind {
    none,
    boolean,     ///< integer is 0 or 1
    integer,     ///< in 64 bits
    large,       ///< an integer with more bits: text holds its bytes, little-endian
    number,      ///< a float
    text,        ///< str, UTF-8
    bytes,       ///< bytes, or str of Python 2
    tuple,       ///< items
    list,        ///< items; a set too
    dict,        ///< items: key, value, key, value, ...; an OrderedDict too
    global,      ///< text is "module.name"
    call,        ///< items: what was to be called, and the tuple of its arguments
    persistent,  ///< items: the id of something that is kept outside of the pickle
  };

  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double number = 0;
  std::string text = {};
  std::vector<std::uint32_t> items = {};
};

struct Pickle {
  std::vector<PickleValue> values;
  std::uint32_t root = 0;  ///< what the pickle is of
  std::size_t size = 0;    ///< bytes it took

  const PickleValue& operator[](std::uint32_t i) const { return values[i]; }
};

/// Reads the pickle that `bytes` begin with, in time and memory proportional to its length. `known` says whether
/// the reader has a use for a global. Calls complain(), which must throw, for bytes that are not a pickle of
/// protocols 2 to 5, an operation that tensors do not need, more than 4 million values, and globals that are not
/// known, all of which it names.
Pickle read_pickle(std::string_view bytes, const std::function<bool(const std::string& global)>& known,
                   const std::function<void(const std::string& why)>& complain);

}  // namespace gesso::detail
