// Planted errors: the plain kernel of normalization (core/normalization/plain.h) with one line that is wrong,
// to be found.
#pragma once

#include <string>
#include <vector>

#include "gesso/core/normalization/plain.h"

namespace lab {

struct PlantedError {
  const char* hidden;   ///< what is wrong, in words; also its name in tests/mutants/mutants.txt
  const char* listing;  ///< the kernel's text, plain_forward and plain_backward
  int line;             ///< where the listing is wrong, counted from 1
  decltype(&gesso::plain_forward) forward;
  decltype(&gesso::plain_backward) backward;
};

/// All of them; their code is made by planted_errors.cmake.
const std::vector<PlantedError>& planted_errors();

/// [{"hidden", "listing", "line"}, ...]
std::string mutants();

/// What kernel number "mutant" makes of a request of the bench (bench.h): {"mean", "variance", "inv_std",
/// "y", "dx", "dgamma", "dbeta"}. Throws ArgumentError for a number that there is not.
std::string mutant_numbers(const std::string& request);

}  // namespace lab
