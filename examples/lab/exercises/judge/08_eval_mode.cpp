#include "judge.h"
#include "set.h"

const Exercise exercise{
    "08 eval mode",
    "update_running in autograd/normalization.cpp, and `statistics_of_x` of plain_backward"
    " in core/normalization/plain.h"};

void check(Judge& judge) {
  for (const auto& [name, set, dy] : three_sets()) {
    const int m = set.x.size();
    const Forward f = forward(set);
    const Moments running{0.5, 2}, of_batch{f.mean, f.variance};
    const double momentum = 0.1;
    double squares = 0;
    for (const double v : set.x) squares += (v - f.mean) * (v - f.mean);
    const double unbiased = squares / (m - 1);

    judge.with(name, {{"running mean", {running.mean}},
                      {"running variance", {running.variance}},
                      {"mean of the batch", {f.mean}},
                      {"biased variance of the batch", {f.variance}},
                      {"m", {static_cast<double>(m)}},
                      {"momentum", {momentum}}});
    const Moments yours = updated(running, of_batch, m, momentum);
    judge.compare("new running mean", {yours.mean}, {running.mean + momentum * (f.mean - running.mean)});
    judge.compare("new running variance", {yours.variance},
                  {running.variance + momentum * (unbiased - running.variance)});

    const auto loss = [&, &set = set, &dy = dy](const Numbers& x) {
      double sum = 0;
      for (int i = 0; i < m; ++i) {
        sum += dy[i] * (set.gamma[i] * (x[i] - running.mean) / std::sqrt(running.variance + set.eps));
      }
      return sum;
    };
    judge.with(name, {{"dy", dy},
                      {"gamma", set.gamma},
                      {"running mean", {running.mean}},
                      {"running variance", {running.variance}},
                      {"eps", {set.eps}}});
    judge.compare("dx", gradient_of_x_in_eval(dy, set.gamma, running, set.eps),
                  backward_of_given(set, running, dy).dx, differences(loss, set.x));
  }
}
