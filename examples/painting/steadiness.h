// What keeps films steady: a network learns to paint a photograph and a disturbed copy of it, as the next
// frame of a film would be, alike. No films are needed (the idea is Ruder et al. 2016's temporal loss, on the
// warped copies of Gao et al. 2018's and others' work).
#pragma once

#include "gesso/core/generator.h"
#include "gesso/core/tensor.h"

namespace gesso {

/// Photographs as the next frame of a film could show them.
struct NextFrame {
  Tensor photographs;  ///< (N, 3, H, W): moved, with other noise and something bright or dark that came
  Tensor unchanged;    ///< (N, 1, H, W): 1 where nothing came or went, and what is there moved along, else 0
  Index down, right;   ///< by how many pixels they moved
};

/// The next frame of photographs (N, 3, H, W): moved by up to 8 pixels each way (the border is repeated), with
/// noise of a deviation of 0.02, and in each a disc of any brightness with a radius of 3 to 15 % of the
/// shorter side.
NextFrame next_frame(const Tensor& photographs, Generator& rng);

/// The mean square difference of both paintings (N, 3, H, W), the first one moved along, where the frame is
/// unchanged; differentiable with respect to both.
Tensor steadiness_loss(const Tensor& painted, const Tensor& painted_next, const NextFrame& next);

}  // namespace gesso
