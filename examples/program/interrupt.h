// Ctrl-C during a training.
#pragma once

namespace gesso {

/// From here on Ctrl-C, or a SIGTERM, makes stop_requested() true, so that the training ends after the step
/// under way with everything saved; a second one ends the program at once.
void stop_gently_on_interrupt();

bool stop_requested();

}  // namespace gesso
