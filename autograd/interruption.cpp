#include "gesso/autograd/interruption.h"

#include <atomic>

namespace gesso {
namespace {

std::atomic<void (*)()> current = nullptr;

}  // namespace

void set_interruption_check(void (*check)()) { current = check; }

void check_interruption() {
  if (const auto check = current.load(std::memory_order_relaxed)) {
    check();
  }
}

}  // namespace gesso
