#include "judge.h"
#include "set.h"

const Exercise exercise{"05 the x-hat term", "write_dx in core/normalization/backward.cpp"};

void check(Judge& judge) {
  for (const auto& [name, set, dy] : three_sets()) {
    const Forward f = forward(set);
    Numbers g(set.x.size());
    for (int i = 0; i < set.x.size(); ++i) g[i] = set.gamma[i] * dy[i];
    judge.with(name, {{"g", g}, {"xhat", f.xhat}, {"r", {f.inv_std}}});
    judge.compare("dx", gradient_of_x(g, f.xhat, f.inv_std), backward(set, dy).dx,
                  gradient_by_differences(set, dy).dx);
  }
}
