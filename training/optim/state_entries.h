// A state that is taken apart, entry by entry. Not for use outside of training/optim.
#pragma once

#include <map>
#include <string>

#include "gesso/layers/module.h"

namespace gesso {

/// What load_state_dict() of an optimiser reads from. What is wrong with the entries is collected, so that one error
/// names all of it before anything is changed.
class StateEntries {
 public:
  explicit StateEntries(const StateDict& state) : rest_(state.begin(), state.end()) {}

  /// Whether an entry that was not taken yet begins with `prefix`.
  bool has(const std::string& prefix) const;
  /// The entry of that name, undefined where it is missing.
  Tensor take(const std::string& key, const Shape& shape);
  /// Whether all entries taken so far were there and had their shapes.
  bool good() const { return problems_.empty(); }
  /// Throws ArgumentError, in the name of an optimiser of so many parameters, if there was a problem or an entry that
  /// nobody took is left.
  void finish(const char* optimizer, std::size_t parameters);

 private:
  std::map<std::string, Tensor> rest_;
  std::string problems_;
};

}  // namespace gesso
