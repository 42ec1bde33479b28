#include "planted_errors.h"
#include "request.h"

namespace lab {

using namespace gesso;

std::string mutants() {
  Json list = Json::array();
  for (const PlantedError& error : planted_errors()) {
    list.push_back({{"hidden", error.hidden}, {"listing", error.listing}, {"line", error.line}});
  }
  return json_text(list);
}

std::string mutant_numbers(const std::string& text) {
  const Json request = parse_request(text);
  const auto number = field<Index>(request, "mutant");
  const auto count = static_cast<Index>(planted_errors().size());
  require(number >= 0 && number < count, "mutant ", number, " is not one of the ", count);
  const PlantedError& error = planted_errors()[static_cast<std::size_t>(number)];

  const Bench bench(request);
  const NormalizationTerms right =
      inspect_normalization(*bench.layer, bench.example.x, bench.example.upstream).parts.at(0);
  const NormalizationAxes& axes = right.axes;
  const bool of_x = bench.layer->statistics() != Statistics::running;
  const double *x = bench.example.x.data<double>(), *dy = bench.example.upstream.data<double>(),
               *gamma = bench.layer->parameters().at(0).data<double>(),
               *beta = bench.layer->parameters().at(1).data<double>();
  std::vector<double> mean = right.mean.to_vector(),
                      variance = right.variance.to_vector();  // what running ones stay
  std::vector<double> inv_std(mean.size()), y(static_cast<std::size_t>(axes.numel())), dx(y.size());
  std::vector<double> dgamma(static_cast<std::size_t>(axes.affine_size())), dbeta(dgamma.size());
  error.forward(axes, x, of_x, bench.layer->eps(), gamma, beta, Activation::none, y.data(), mean.data(),
                variance.data(), inv_std.data());
  error.backward(axes, x, of_x, mean.data(), inv_std.data(), gamma, beta, Activation::none, dy, dx.data(),
                 dgamma.data(), dbeta.data());
  return json_text({{"mean", mean},
                    {"variance", variance},
                    {"inv_std", inv_std},
                    {"y", y},
                    {"dx", dx},
                    {"dgamma", dgamma},
                    {"dbeta", dbeta}});
}

}  // namespace lab
