#include "bench.h"

#include <memory>
#include <optional>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/files/json.h"
#include "gesso/core/normalization/normalization.h"
#include "norm_lab/differences.h"
#include "norm_lab/numbers_json.h"
#include "request.h"

namespace lab {

using namespace gesso;

namespace {

constexpr Index kMostInMatrix = 256;

}  // namespace

std::string bench(const std::string& request) {
  const Bench bench(parse_request(request));
  return norm_lab::numbers_json(bench.norm, *bench.layer, bench.example);
}

std::string jacobian(const std::string& request) {
  const Json json = parse_request(request);
  const Bench bench(json);
  const NormalizationInspection seen =
      inspect_normalization(*bench.layer, bench.example.x, bench.example.upstream);
  const NormalizationTerms& terms = seen.parts.at(0);
  const NormalizationAxes& axes = terms.axes;
  const Index s = field<Index>(json, "statistic"), m = axes.elements_per_statistic();
  require(s >= 0 && s < axes.statistics(), "statistic ", s, " is not one of the ", axes.statistics());
  require(m <= kMostInMatrix, "a statistic of ", m, " numbers has a matrix of ", m * m,
          "; take a shape with up to ", kMostInMatrix, " numbers to a statistic");
  Tensor dy = Tensor::zeros(bench.example.x.shape(), float64), dx = dy.clone();
  Json elements = Json::array(), matrix = Json::array();
  for (Index i = 0; i < m; ++i) {
    const Index e = axes.element(s, i);
    dy.mutable_data<double>()[e] = 1;
    normalize_backward<double>(axes,
                               {bench.example.x.data<double>(),
                                {terms.mean.data<double>(), terms.inv_std.data<double>()},
                                bench.layer->statistics() != Statistics::running,
                                nullptr,
                                nullptr,
                                Activation::none,
                                dy.data<double>()},
                               {dx.mutable_data<double>(), nullptr, nullptr});
    dy.mutable_data<double>()[e] = 0;
    Json row = Json::array();
    for (Index j = 0; j < m; ++j) {
      row.push_back(dx.data<double>()[axes.element(s, j)]);
    }
    elements.push_back(e);
    matrix.push_back(row);
  }
  return json_text({{"elements", elements}, {"matrix", matrix}});
}

std::string difference(const std::string& request) {
  const Json json = parse_request(request);
  const Bench bench(json);
  const auto of = field<std::string>(json, "of");
  require(of == "x" || of == "gamma" || of == "beta", "of is \"", of, "\"; take x, gamma or beta");
  const auto operand = of == "x"       ? norm_lab::Operand::x
                       : of == "gamma" ? norm_lab::Operand::gamma
                                       : norm_lab::Operand::beta;
  const auto index = field<Index>(json, "index");
  const norm_lab::Gradients gradients = norm_lab::gradients_of(*bench.layer, bench.example);
  const norm_lab::Difference found =
      norm_lab::difference_of(*bench.layer, bench.example, gradients, operand, index);
  const Tensor& gradient = of == "x" ? gradients.dx : of == "gamma" ? gradients.dgamma : gradients.dbeta;
  return json_text({{"of", of},
                    {"index", index},
                    {"gradient", gradient.data<double>()[index]},
                    {"difference", found.difference},
                    {"h", found.h},
                    {"loss_plus", found.loss_above},
                    {"loss_minus", found.loss_below}});
}

std::string check_backward(const std::string& request) {
  const Bench bench(parse_request(request));
  const norm_lab::Differences found = norm_lab::differences_of(
      *bench.layer, bench.example, norm_lab::gradients_of(*bench.layer, bench.example));
  return json_text({{"dx", found.dx.to_vector()},
                    {"dgamma", found.dgamma.to_vector()},
                    {"dbeta", found.dbeta.to_vector()}});
}

}  // namespace lab
