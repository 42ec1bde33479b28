#include "judge.h"
#include "set.h"

const Exercise exercise{"02 x-hat and y",
                        "inverse_std and write_y in core/normalization/forward.cpp, Plane::z in planes.h"};

void check(Judge& judge) {
  std::vector<NamedSet> sets = three_sets();
  sets.push_back({"numbers that are all the same", {{2, 2, 2}, {1, 1, 1}, {0.5, 0.5, 0.5}}, {}});
  for (const auto& [name, set, dy] : sets) {
    const Forward right = forward(set);
    judge.with(name,
               {{"x", set.x}, {"mean", {right.mean}}, {"variance", {right.variance}}, {"eps", {set.eps}}});
    judge.compare("xhat", normalized(set.x, {right.mean, right.variance}, set.eps), right.xhat);
    judge.with(name, {{"xhat", right.xhat}, {"gamma", set.gamma}, {"beta", set.beta}});
    judge.compare("y", scaled(right.xhat, set.gamma, set.beta), right.y);
  }
}
