// Work that is ended from outside, between operations.
#include "gesso/autograd/interruption.h"

#include <doctest/doctest.h>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Interrupted {};

int operations_left = 0;

void count_down() {
  if (operations_left-- == 0) {
    throw Interrupted();
  }
}

// Ends what is done while it lives after so many operations.
struct After {
  explicit After(int operations) {
    operations_left = operations;
    set_interruption_check(count_down);
  }
  ~After() { set_interruption_check(nullptr); }
};

}  // namespace

TEST_CASE("what the check throws ends forward and backward between operations") {
  Tensor x = Tensor::full({3}, 2).requires_grad_();
  const auto function = [&] { return sum(square(square(x))); };
  {
    const After interruption(1);
    CHECK_THROWS_AS(function(), Interrupted);
  }
  const Tensor y = function();
  {
    const After interruption(2);
    CHECK_THROWS_AS(y.backward(), Interrupted);
  }
  CHECK_FALSE(x.grad().defined());
  // Nothing of it is left: the next one is whole.
  function().backward();
  CHECK(x.grad().to_vector() == std::vector<double>(3, 32));
}

TEST_CASE("it is called at every operation, and without one nothing is") {
  Tensor x = Tensor::full({3}, 2).requires_grad_();
  {
    const After interruption(100);
    sum(square(x)).backward();
  }
  const int calls = 100 - operations_left;
  CHECK(calls >= 5);  // two operations forward, three nodes back
  sum(square(x)).backward();
  CHECK(operations_left == 100 - calls);
}
