#include "request.h"

#include <optional>
#include <vector>

namespace lab {

using namespace gesso;
using norm_lab::Norm;
using Numbers = std::vector<double>;

Norm norm_named(const std::string& name) {
  for (const Norm norm : {Norm::instance, Norm::batch, Norm::layer, Norm::group}) {
    if (name == norm_lab::name_of(norm)) {
      return norm;
    }
  }
  throw ArgumentError("norm is \"" + name + "\"; take instance, batch, layer or group");
}

Json parse_request(const std::string& text) {
  try {
    Json request = parse_json(text);
    require(request.is_object(), "the request is no object of JSON");
    return request;
  } catch (const Json::exception& error) {
    throw ArgumentError(concat_text("the request is no JSON: ", error.what()));
  }
}

Bench::Bench(const Json& request) : norm(norm_named(field<std::string>(request, "norm"))) {
  example = norm_lab::given_example({.shape = field<std::vector<Index>>(request, "shape"),
                                     .x = field<Numbers>(request, "x"),
                                     .dy = field<Numbers>(request, "dy"),
                                     .seed = {}});
  const auto groups = field_or<Index>(request, "groups", 1);
  const norm_lab::AffineNumbers affine{
      .gamma = field_or<Numbers>(request, "gamma", {}),
      .beta = field_or<Numbers>(request, "beta", {}),
      .eps = field_or<double>(request, "eps", norm_lab::AffineNumbers().eps)};
  std::optional<norm_lab::RunningNumbers> running;
  if (field_or<bool>(request, "eval", false)) {
    running = {.mean = field_or<Numbers>(request, "running_mean", {}),
               .variance = field_or<Numbers>(request, "running_var", {})};
  }
  const Shape& shape = example.x.shape();
  norm_lab::check_layer(norm, shape, groups, affine, running);
  layer = norm_lab::make_layer(norm, shape, groups, affine, running);
}

}  // namespace lab
