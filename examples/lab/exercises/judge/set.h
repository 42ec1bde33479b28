// One set S of m elements that share a mean and a variance, normalized by gesso's own code. Every element has
// a gamma and a beta: layer norm over m numbers, the most general case.
#pragma once

#include "exercise.h"

struct Set {
  Numbers x, gamma, beta;
  double eps = 1e-5;
};

struct Forward {
  double mean = 0, variance = 0, inv_std = 0;
  Numbers xhat, y;
};
/// By plain_forward() of core/normalization/plain.h.
Forward forward(const Set& set);

struct Gradients {
  Numbers dx, dgamma, dbeta;
};
/// By the kernel that trains networks, normalize_backward() of core/normalization/backward.cpp.
Gradients backward(const Set& set, const Numbers& dy);
/// By the same, with a mean and a variance that x does not move.
Gradients backward_of_given(const Set& set, Moments given, const Numbers& dy);
/// Of the loss sum(dy y), by finite differences of forward().
Gradients gradient_by_differences(const Set& set, const Numbers& dy);

/// The three terms of dx, by normalize_backward_terms().
struct Terms {
  Numbers upstream, mean_term, xhat_term;
};
Terms terms(const Set& set, const Numbers& dy);

/// The four numbers of docs/normalization.md; seven whose gammas differ; and the seven with a large eps.
struct NamedSet {
  const char* name;
  Set set;
  Numbers dy;
};
std::vector<NamedSet> three_sets();
