#include "interrupt.h"

#include <csignal>
#include <initializer_list>

namespace gesso {
namespace {

volatile std::sig_atomic_t requested = 0;

}  // namespace

void stop_gently_on_interrupt() {
  struct sigaction gently {};
  gently.sa_handler = [](int) { requested = 1; };
  gently.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;  // the second one ends the program
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {
      sigaction(signal, &gently, nullptr);
    }
  }
}

bool stop_requested() { return requested != 0; }

void leave_interrupts_to_parent() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGINT, &ignore, nullptr);
  sigaction(SIGHUP, &ignore, nullptr);
  struct sigaction gently {};
  gently.sa_handler = [](int) { requested = 1; };
  gently.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &gently, nullptr);
}

}  // namespace gesso
