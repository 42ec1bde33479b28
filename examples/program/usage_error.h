// The error that ends a program with exit code 2.
#pragma once

#include <string>

#include "gesso/core/error.h"

namespace gesso {

/// The command line asks for something impossible: exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Does `work` on what the command line asks for. An ArgumentError of it becomes a UsageError whose text
/// begins with `option`: "--" or "--out ", say.
template <class Work>
auto with_usage_errors(const std::string& option, Work work) {
  try {
    return work();
  } catch (const ArgumentError& error) {
    throw UsageError(option + error.what());
  }
}

}  // namespace gesso
