// The bench: one normalization of a few numbers, forward and backward, as texts of JSON. A request is
//
//     {"norm": "instance", "batch", "layer" or "group", "groups": 1,
//      "shape": [N, C, H, W], "x": [...], "dy": [...],       row-major; all N C H W numbers
//      "gamma": [...], "beta": [...], "eps": 1e-5,           C numbers each; for layer norm C H W, or C
//      "eval": false, "running_mean": [...], "running_var": [...]}     C numbers each, for eval
//
// All but norm, shape, x and dy may be left out; then they are what norm-lab takes. Every function throws
// ArgumentError that says what is wrong with a request.
#pragma once

#include <string>

namespace lab {

/// The text that norm-lab --json prints for the same numbers (norm_lab::numbers_json).
std::string bench(const std::string& request);

/// Equation (12) of docs/normalization.md, how x moves x-hat, of the elements that share statistic
/// "statistic" of the request: {"elements": [their indices in x], "matrix": [[d xhat_i / d x_j for all j],
/// ...]}. Row i is what the backward makes of a dy that is 1 at i and 0 elsewhere, with gamma 1. For up to
/// 256 elements.
std::string jacobian(const std::string& request);

/// One gradient beside its finite difference: of number "index" of the request's "of", which is "x", "gamma"
/// or "beta": {"of", "index", "gradient", "difference", "h", "loss_plus", "loss_minus"}, where the loss is
/// sum(dy y) and difference = (loss_plus - loss_minus) / 2h.
std::string difference(const std::string& request);

/// What the backward of the request has to come to, by finite differences of the forward alone:
/// {"dx": [...], "dgamma": [...], "dbeta": [...]}.
std::string check_backward(const std::string& request);

}  // namespace lab
