// An example made of numbers that somebody gives: norm-lab's --x, --dy, --shape and --seed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "walk.h"

namespace norm_lab {

struct GivenNumbers {
  std::vector<gesso::Index>
      shape;                  ///< N, C, H, W; empty: one plane of one row for x, else that of the example
  std::vector<double> x, dy;  ///< row-major; empty: drawn, or number_example()'s
  std::optional<std::uint64_t> seed;  ///< draws what is not given
};

/// number_example() if neither x nor shape nor seed is given, with dy in place of its own. Else x and dy as
/// given; what is not given is drawn from the seed (1 without one), normally distributed, with one digit
/// after the point. Throws ArgumentError, whose text begins with the name of a member, for a shape that is
/// not four sizes above 0 or holds more than 4096 numbers, and for another count of numbers than the shape
/// has.
Example given_example(const GivenNumbers& given);

/// Throws ArgumentError, whose text begins with the name of what is wrong ("groups", "norm", "gamma", "beta",
/// "running-mean", "running-var"), for what make_layer() makes no layer of that takes this x.
void check_layer(Norm norm, const gesso::Shape& x, gesso::Index groups, const AffineNumbers& affine,
                 const std::optional<RunningNumbers>& running = {});

}  // namespace norm_lab
