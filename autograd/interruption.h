// Ending long work early, between operations.
#pragma once

namespace gesso {

/// Has `check` called at every operation, forward and in backward(), on the thread that runs it. What it
/// throws ends the work there, as an operation that fails would: backward() has then filled some of the
/// gradients, and layers that keep statistics may have taken in what they got. SGD and Adam step completely
/// or not at all. nullptr, the default: nothing is called. The Python module looks for Ctrl-C so, which
/// leaves the operation under way its time.
void set_interruption_check(void (*check)());

/// For the engine: calls it.
void check_interruption();

}  // namespace gesso
