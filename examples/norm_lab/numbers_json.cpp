#include "numbers_json.h"

#include "differences.h"
#include "gesso/core/files/json.h"

namespace norm_lab {

using namespace gesso;

std::string numbers_json(Norm norm, NormalizationLayer& layer, const Example& example) {
  const Gradients gradients = gradients_of(layer, example);
  const Differences differences = differences_of(layer, example, gradients);
  const NormalizationTerms& terms = gradients.seen.parts.at(0);
  const Shape& shape = example.x.shape();
  Json statistics = Json::array();
  for (Index s = 0; s < terms.axes.statistics(); ++s) {
    statistics.push_back(statistic_name(terms.axes, shape, s));
  }
  const auto list = [](const Tensor& tensor) { return tensor.to_vector(); };
  const Json all = {{"norm", name_of(norm)},
                    {"groups", terms.axes.groups},
                    {"eps", layer.eps()},
                    {"eval", layer.statistics() == Statistics::running},
                    {"shape", {shape[0], shape[1], shape[2], shape[3]}},
                    {"x", list(example.x)},
                    {"gamma", list(layer.parameters().at(0))},
                    {"beta", list(layer.parameters().at(1))},
                    {"statistics", statistics},
                    {"elements_per_statistic", terms.axes.elements_per_statistic()},
                    {"mean", list(terms.mean)},
                    {"variance", list(terms.variance)},
                    {"inv_std", list(terms.inv_std)},
                    {"x_hat", list(terms.xhat)},
                    {"y", list(gradients.seen.y)},
                    {"dy", list(example.upstream)},
                    {"dx_terms",
                     {{"upstream", list(terms.upstream_term)},
                      {"mean", list(terms.mean_term)},
                      {"x_hat", list(terms.xhat_term)}}},
                    {"dx", list(gradients.dx)},
                    {"dgamma", list(gradients.dgamma)},
                    {"dbeta", list(gradients.dbeta)},
                    {"removed_by_mean", list(terms.removed_by_mean)},
                    {"removed_by_x_hat", list(terms.removed_by_xhat)},
                    {"finite_differences",
                     {{"dx", list(differences.dx)},
                      {"dgamma", list(differences.dgamma)},
                      {"dbeta", list(differences.dbeta)}}}};
  return json_text(all, 1);
}

}  // namespace norm_lab
