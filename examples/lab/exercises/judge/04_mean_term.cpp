#include "judge.h"
#include "set.h"

const Exercise exercise{"04 the mean term", "dx_terms in core/normalization/backward.cpp"};

void check(Judge& judge) {
  for (const auto& [name, set, dy] : three_sets()) {
    const double r = forward(set).inv_std;
    const int m = set.x.size();
    Numbers g(m), right(m);
    const Terms of_gesso = terms(set, dy);
    for (int i = 0; i < m; ++i) {
      g[i] = set.gamma[i] * dy[i];
      right[i] = of_gesso.upstream[i] + of_gesso.mean_term[i];
    }
    const auto loss = [&](const Numbers& x) {  // of x-hat = (x - mean) r
      const double mean_x = mean(x);
      double sum = 0;
      for (int i = 0; i < m; ++i) sum += g[i] * (x[i] - mean_x) * r;
      return sum;
    };
    judge.with(name, {{"g", g}, {"r", {r}}});
    judge.compare("dx", gradient_of_centring(g, r), right, differences(loss, set.x));
  }
}
