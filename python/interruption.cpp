// Ctrl-C while gesso computes.
#include <atomic>
#include <chrono>

#include "bindings.h"

namespace gesso::python {
namespace {

std::atomic<unsigned long> main_thread = 0;

// Python acts on signals between its own instructions, of which there are none while backward() or a network runs.
void raise_for_signals() {
  using Clock = std::chrono::steady_clock;
  // Python's lock may be another thread's for 5 milliseconds; nobody notices a twentieth of a second.
  constexpr std::chrono::milliseconds pause(50);
  static Clock::time_point last;  // the main thread's, as signals are
  if (PyThread_get_thread_ident() != main_thread || Clock::now() - last < pause) {
    return;
  }
  last = Clock::now();
  const nb::gil_scoped_acquire lock;
  if (PyErr_CheckSignals() != 0) {
    throw nb::python_error();
  }
}

}  // namespace

void bind_interruption() {
  const nb::object main = nb::module_::import_("threading").attr("main_thread")();
  main_thread = nb::cast<unsigned long>(main.attr("ident"));
  set_interruption_check(raise_for_signals);
}

}  // namespace gesso::python
