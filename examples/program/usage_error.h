// The error that ends a program with exit code 2.
#pragma once

#include "gesso/core/error.h"

namespace gesso {

/// The command line asks for something impossible: exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

}  // namespace gesso
