#include "gesso/autograd/weight_normalization.h"

#include <algorithm>
#include <tuple>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/matmul.h"
#include "gesso/autograd/normalization.h"
#include "gesso/autograd/reduce.h"

namespace gesso {
namespace {

void require_rows(const Tensor& weight, const char* operation, const char* name) {
  require_defined(weight, operation, name);
  require(weight.rank() >= 2, operation, ": ", name, " has shape ", weight.shape(),
          "; it needs two dimensions or more, (outputs, inputs, ...)");
}

Tensor matrix_of(const Tensor& weight) {
  return weight.reshape({weight.size(0), weight.shape().numel(1, weight.rank())});
}

void require_vectors(const Tensor& weight, const SingularVectors& vectors, const char* operation) {
  require_rows(weight, operation, "weight");
  const Shape rows{weight.size(0)}, columns{weight.shape().numel(1, weight.rank())};
  for (const auto& [vector, name, shape] :
       {std::tuple(&vectors.u, "u", &rows), std::tuple(&vectors.v, "v", &columns)}) {
    require_defined(*vector, operation, name);
    require(vector->shape() == *shape, operation, ": ", name, " has shape ", vector->shape(), ", weight ",
            weight.shape(), " needs ", *shape);
    require_same_dtype(*vector, weight, operation);
  }
}

// As PyTorch's F.normalize: a vector of length 1, or a shorter one for a vector near 0.
Tensor unit(const Tensor& vector, double eps) { return vector / std::max(norm(vector).item(), eps); }

}  // namespace

Tensor row_norms(const Tensor& weight) {
  require_rows(weight, "row_norms", "weight");
  std::vector<int> inputs;
  for (int d = 1; d < weight.rank(); ++d) {
    inputs.push_back(d);
  }
  return norm(weight, inputs, true);
}

// With v-hat = v / |v| of a row: dg = sum(dw v-hat), and dv = g / |v| (dw - v-hat sum(dw v-hat)).
Tensor weight_norm(const Tensor& v, const Tensor& g) {
  require_rows(v, "weight_norm", "v");
  require_defined(g, "weight_norm", "g");
  const Tensor lengths = row_norms(v);
  require(g.shape() == lengths.shape(), "weight_norm: g has shape ", g.shape(), ", v ", v.shape(), " needs ",
          lengths.shape(), ", a length for every row");
  return v * (g / lengths);
}

Tensor standardize_weight(const Tensor& weight, double eps) {
  require_rows(weight, "standardize_weight", "weight");
  const Tensor rows = matrix_of(weight);
  require(rows.size(1) != 1, "standardize_weight: weight ", weight.shape(),
          " has one number for each output, whose variance is 0: it would be 0 whatever it is");
  return layer_norm(rows, {rows.size(1)}, {}, {}, {.eps = eps}).reshape(weight.shape());
}

void power_iteration(const Tensor& weight, const SingularVectors& vectors, Index iterations, double eps) {
  require_vectors(weight, vectors, "power_iteration");
  const NoGradGuard no_grad;
  const Tensor matrix = matrix_of(weight.detach());
  Tensor u = vectors.u, v = vectors.v;  // handles to the same tensors
  for (Index i = 0; i < iterations; ++i) {
    v.copy_(unit(matmul(u.reshape({1, u.numel()}), matrix).reshape(v.shape()), eps));
    u.copy_(unit(matmul(matrix, v.reshape({v.numel(), 1})).reshape(u.shape()), eps));
  }
}

// With w = weight / sigma, spectral norm has dweight = (dw - u v^T sum(dw w)) / sigma.
Tensor largest_singular_value(const Tensor& weight, const SingularVectors& vectors) {
  require_vectors(weight, vectors, "largest_singular_value");
  // Copies, as later iterations move the vectors while a backward may still want them as they are.
  const Tensor u = vectors.u.detach().clone().reshape({1, weight.size(0)});
  const Tensor v = vectors.v.detach().clone().reshape({vectors.v.numel(), 1});
  return matmul(u, matmul(matrix_of(weight), v)).reshape({});
}

}  // namespace gesso
