// The profiler counts operations, and times what runs between them.
#include "gesso/autograd/profiler.h"

#include <chrono>
#include <sstream>
#include <thread>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

struct Row {
  int calls;
  double forward, backward;
};

// The numbers of the line that begins with `name`.
Row row_of(const std::string& table, const std::string& name) {
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) {
      Row row{};
      std::istringstream(line.substr(45)) >> row.calls >> row.forward >> row.backward;
      return row;
    }
  }
  FAIL("no line of " << name << " in\n" << table);
  return {};
}

}  // namespace

TEST_CASE("every operation is counted, forward and backward are timed") {
  const Tensor x = random_input({3, 4});
  const Profiler profiler;
  Tensor y = exp(x);
  {
    const NoGradGuard no_grad;
    exp(x);
  }
  y.register_hook([](const Tensor&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // before exp's backward
    return Tensor();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // before square's forward
  sum(square(y)).backward();
  const std::string table = profiler.table();
  CAPTURE(table);
  CHECK(row_of(table, "exp ").calls == 2);
  CHECK(row_of(table, "exp ").backward >= 20);  // with what its backward calls
  CHECK(row_of(table, "square ").calls == 1);
  CHECK(row_of(table, "square ").forward >= 10);
  CHECK(row_of(table, "square ").backward < row_of(table, "exp ").backward);
  CHECK(row_of(table, "all ").calls == 4);
  CHECK(table.find("(3, 4)") != std::string::npos);
}

TEST_CASE("only the latest profiler counts, and nobody when there is none") {
  CHECK(Profiler::active() == nullptr);
  const Profiler outer;
  {
    const Profiler inner;
    neg(Tensor::ones({2}));
    CHECK(row_of(inner.table(), "neg ").calls == 1);
  }
  CHECK(Profiler::active() == &outer);
  CHECK(row_of(outer.table(), "all ").calls == 0);
}
