#include "judge.h"
#include "set.h"

const Exercise exercise{"01 mean and variance", "piece_moments in core/normalization/moments.cpp"};

void check(Judge& judge) {
  struct Case {
    const char* name;
    Numbers x;
  };
  for (const auto& [name, x] : {Case{"the four numbers of docs/normalization.md", {1, 3, 3, 9}},
                                Case{"five numbers", {-2.5, 0.25, 4, 1.75, -7}}, Case{"one number", {3}},
                                Case{"numbers around a million", {1e6 + 0.25, 1e6 + 0.5, 1e6 + 1.5}}}) {
    judge.with(name, {{"x", x}, {"m", {static_cast<double>(x.size())}}});
    const Forward right = forward({x, Numbers(x.size(), 1), Numbers(x.size())});
    const Moments yours = moments(x);
    judge.compare("mean", {yours.mean}, {right.mean});
    judge.compare("variance", {yours.variance}, {right.variance});
  }
}
