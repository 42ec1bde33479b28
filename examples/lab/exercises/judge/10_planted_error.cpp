#include "judge.h"
#include "set.h"

const Exercise exercise{"10 the planted error",
                        "tests/mutants/mutants.txt, whose wrong edits ./tests/run --mutants tries"};

void check(Judge& judge) {
  for (auto& [name, set, dy] : three_sets()) {
    judge.with(name, {{"x", set.x}, {"gamma", set.gamma}, {"dy", dy}, {"eps", {set.eps}}});
    judge.compare("dx", layer_norm_backward(set.x, set.gamma, dy, set.eps), backward(set, dy).dx,
                  gradient_by_differences(set, dy).dx);
  }
}
