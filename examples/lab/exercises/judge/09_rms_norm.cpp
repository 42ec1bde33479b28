#include "judge.h"
#include "set.h"

const Exercise exercise{"09 RMS norm",
                        "the formula that it shares with plain_backward in core/normalization/plain.h"};

namespace {

Numbers right_rms(const Numbers& x, double eps) {
  const double rms = std::sqrt(dot(x, x) / x.size() + eps);
  Numbers xhat(x.size());
  for (int i = 0; i < x.size(); ++i) xhat[i] = x[i] / rms;
  return xhat;
}

}  // namespace

void check(Judge& judge) {
  for (const auto& [name, set, dy] : three_sets()) {
    const Numbers& x = set.x;
    Numbers g(x.size());
    for (int i = 0; i < x.size(); ++i) g[i] = set.gamma[i] * dy[i];
    judge.with(name, {{"x", x}, {"eps", {set.eps}}});
    judge.compare("xhat", rms_normalized(x, set.eps), right_rms(x, set.eps));

    // RMS norm of x is layer norm of x and -x together: their mean is 0, and the mean of their squares that
    // of x.
    const int m = x.size();
    Set both{Numbers(2 * m), Numbers(2 * m, 1), Numbers(2 * m), set.eps};
    Numbers g_both(2 * m), right(m);
    for (int i = 0; i < m; ++i) {
      both.x[i] = x[i];
      both.x[m + i] = -x[i];
      g_both[i] = g[i] / 2;
      g_both[m + i] = -g[i] / 2;
    }
    const Numbers dx = backward(both, g_both).dx;
    for (int i = 0; i < m; ++i) right[i] = dx[i] - dx[m + i];
    judge.with(name, {{"x", x}, {"g", g}, {"eps", {set.eps}}});
    judge.compare(
        "dx", gradient_of_rms(g, x, set.eps), right,
        differences([&, &set = set](const Numbers& v) { return dot(g, right_rms(v, set.eps)); }, x));
  }
}
