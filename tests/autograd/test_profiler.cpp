// The profiler counts operations, and times what runs between them.
#include "gesso/autograd/profiler.h"

#include <chrono>
#include <sstream>
#include <thread>
#include <vector>

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
  sum(square(exp(x))).backward();  // what an operation's first time takes more is not of interest
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

TEST_CASE("the operations are told with their shapes, backward with those of the gradients") {
  const Tensor x = random_input({2, 3}), constant = Tensor::ones({3}, DType::float64);
  const Profiler profiler;
  sum(x * constant).backward();
  const std::vector<ProfiledOperation>& ran = profiler.operations();
  REQUIRE(ran.size() == 4);  // mul and sum, and back
  CHECK(ran[0].name == "mul");
  CHECK_FALSE(ran[0].backward);
  CHECK(ran[0].result == Shape{2, 3});
  CHECK(ran[0].inputs == std::vector<Shape>{{2, 3}, {3}});
  CHECK(ran[0].gradients.empty());
  CHECK(ran[3].name == "mul");
  CHECK(ran[3].backward);
  CHECK(ran[3].inputs == ran[0].inputs);
  CHECK(ran[3].gradients == std::vector<Shape>{{2, 3}});  // the constant gets none
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
