#include "interrupt.h"

#include <csignal>

namespace gesso {
namespace {

volatile std::sig_atomic_t requested = 0;

}  // namespace

void stop_gently_on_interrupt() {
  const auto handler = [](int signal) {
    requested = 1;
    std::signal(signal, SIG_DFL);
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
}

bool stop_requested() { return requested != 0; }

}  // namespace gesso
