// What the trainings of style networks have in common.
#pragma once

#include "gesso/training/training_loop.h"
#include "losses.h"

namespace gesso {

/// A tenth of the steps to warm up, 30 at most; then half a cosine down to a hundredth.
Schedule style_schedule(Index steps);

/// The losses of a batch for the training and its log: "content", "style", "tv", "range", and "photograph"
/// where a photograph of the batch was to stay as it is, "steadiness" where that was asked for.
BatchLoss batch_loss(const Losses& losses);

}  // namespace gesso
