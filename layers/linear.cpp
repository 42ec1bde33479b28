#include "gesso/layers/linear.h"

#include "gesso/layers/init.h"

namespace gesso {

Linear::Linear(Index in, Index out, const LinearOptions& options, Generator& rng) {
  require(in >= 1 && out >= 1, "Linear: ", in, " input and ", out,
          " output features; both must be at least 1");
  weight = register_parameter("weight", Tensor::empty({out, in}));
  bias = register_parameter("bias", options.bias ? Tensor::empty({out}) : Tensor());
  init::default_layer_(weight, bias, rng);
}

std::string Linear::extra_repr() const {
  return concat_text("in_features=", weight.size(1), ", out_features=", weight.size(0),
                     bias.defined() ? "" : ", bias=false");
}

}  // namespace gesso
