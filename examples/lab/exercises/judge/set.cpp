#include "set.h"

#include "gesso/core/normalization/normalization.h"
#include "gesso/core/normalization/plain.h"
#include "judge.h"

using gesso::Activation;
using gesso::NormalizationAxes;

namespace {

NormalizationAxes axes(const Set& set) { return NormalizationAxes::layer({1, set.x.size()}, 1); }

gesso::NormalizeBackwardIn<double> backward_in(const Set& set, const double& mean, const double& inv_std,
                                               bool of_x, const Numbers& dy) {
  return {set.x.begin(),    {&mean, &inv_std}, of_x,      set.gamma.begin(),
          set.beta.begin(), Activation::none,  dy.begin()};
}

Gradients backward(const Set& set, double mean, double inv_std, bool of_x, const Numbers& dy) {
  Gradients gradients{Numbers(set.x.size()), Numbers(set.x.size()), Numbers(set.x.size())};
  gesso::normalize_backward<double>(
      axes(set), backward_in(set, mean, inv_std, of_x, dy),
      {gradients.dx.begin(), gradients.dgamma.begin(), gradients.dbeta.begin()});
  return gradients;
}

}  // namespace

Forward forward(const Set& set) {
  Forward f;
  f.xhat = f.y = Numbers(set.x.size());
  gesso::plain_forward(axes(set), set.x.begin(), true, set.eps, set.gamma.begin(), set.beta.begin(),
                       Activation::none, f.y.begin(), &f.mean, &f.variance, &f.inv_std);
  for (int i = 0; i < set.x.size(); ++i) f.xhat[i] = (set.x[i] - f.mean) * f.inv_std;
  return f;
}

Gradients backward(const Set& set, const Numbers& dy) {
  const Forward f = forward(set);
  return backward(set, f.mean, f.inv_std, true, dy);
}

Gradients backward_of_given(const Set& set, Moments given, const Numbers& dy) {
  double inv_std = 0;
  gesso::inverse_std(&given.variance, 1, set.eps, &inv_std);
  return backward(set, given.mean, inv_std, false, dy);
}

Gradients gradient_by_differences(const Set& set, const Numbers& dy) {
  const auto of = [&](Numbers Set::*member) {
    return differences(
        [&](const Numbers& moved) {
          Set other = set;
          other.*member = moved;
          return dot(dy, forward(other).y);
        },
        set.*member);
  };
  return {of(&Set::x), of(&Set::gamma), of(&Set::beta)};
}

Terms terms(const Set& set, const Numbers& dy) {
  const Forward f = forward(set);
  const int m = set.x.size();
  Numbers xhat(m);
  Terms terms{Numbers(m), Numbers(m), Numbers(m)};
  gesso::normalize_backward_terms<double>(
      axes(set), backward_in(set, f.mean, f.inv_std, true, dy),
      {xhat.begin(), terms.upstream.begin(), terms.mean_term.begin(), terms.xhat_term.begin()});
  return terms;
}

std::vector<NamedSet> three_sets() {
  const Set seven{{0.3, -1.2, 2.5, 0.7, -0.4, 1.9, -2.2},
                  {1.5, 0.5, -1, 2, 0.8, -0.3, 1.1},
                  {0.1, -0.2, 0.3, 0, 0.5, -0.6, 0.7}};
  const Numbers dy{0.6, -0.9, 0.2, 1.4, -0.5, 0.8, -1.1};
  Set large_eps = seven;
  large_eps.eps = 0.5;
  return {{"the four numbers of docs/normalization.md",
           {{1, 3, 3, 9}, Numbers(4, 3.0), Numbers(4)},
           {1, 0, 0, 0}},
          {"seven numbers and gammas that differ", seven, dy},
          {"a large eps", large_eps, dy}};
}
