// Ctrl-C during a training.
#pragma once

namespace gesso {

/// From here on Ctrl-C, a SIGTERM, or the end of the terminal (SIGHUP) makes stop_requested() true, so that the
/// training ends after the step under way with everything saved; a second one ends the program at once. A signal that
/// the program was started to ignore (by nohup, or in the background of a script) stays ignored.
void stop_gently_on_interrupt();

bool stop_requested();

/// In a child by fork() of a program that does that: Ctrl-C and the end of the terminal, which reach both,
/// are the parent's affair, which asks its child to stop by SIGTERM, any number of times; then
/// stop_requested() is true here.
void leave_interrupts_to_parent();

}  // namespace gesso
