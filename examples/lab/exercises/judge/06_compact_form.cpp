#include "judge.h"
#include "set.h"

const Exercise exercise{"06 the compact form",
                        "plain_backward in core/normalization/plain.h, with one gamma"};

void check(Judge& judge) {
  for (auto [name, set, dy] : three_sets()) {
    set.gamma = Numbers(set.x.size(), set.gamma[0]);  // one for all
    const Forward f = forward(set);
    const double dgamma = dot(dy, f.xhat), dbeta = dot(dy, Numbers(dy.size(), 1));
    judge.with(std::string(name) + ", one gamma for all", {{"dy", dy},
                                                           {"xhat", f.xhat},
                                                           {"gamma", {set.gamma[0]}},
                                                           {"r", {f.inv_std}},
                                                           {"dgamma", {dgamma}},
                                                           {"dbeta", {dbeta}}});
    judge.compare("dx", compact_gradient_of_x(dy, f.xhat, set.gamma[0], f.inv_std, dgamma, dbeta),
                  backward(set, dy).dx, gradient_by_differences(set, dy).dx);
  }
}
