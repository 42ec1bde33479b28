#include "stages.h"

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/graph_dot.h"
#include "gesso/autograd/reduce.h"

namespace norm_lab {

using namespace gesso;

namespace {

// The forward, recorded; gradients are undefined yet.
std::vector<Stage> record_stages(const NormalizationLayer& layer, const NormalizationAxes& axes,
                                 const Example& example) {
  const Shape& shape = example.x.shape();
  const bool per_element = axes.rows == AffineRows::per_element;
  // Layer norm's axes call all channels of a sample one.
  const Index groups = axes.groups, channels = shape[1] / groups;
  const Shape grouped{shape[0], groups, channels, shape[2], shape[3]};
  const Shape affine =
      per_element ? Shape{1, 1, shape[1], shape[2], shape[3]} : Shape{1, groups, channels, 1, 1};
  const std::vector<int> shared =
      axes.share_samples ? std::vector<int>{0, 2, 3, 4} : std::vector<int>{2, 3, 4};
  const auto leaf = [](const Tensor& values, const Shape& as) {
    return Tensor::from(values.to_vector(), as, float64).requires_grad_();
  };
  const Tensor x = leaf(example.x, grouped), gamma = leaf(layer.parameters().at(0), affine),
               beta = leaf(layer.parameters().at(1), affine);
  const Tensor mu = mean(x, shared, true);
  const Tensor d = x - mu;
  const Tensor q = square(d);
  const Tensor v = mean(q, shared, true);
  const Tensor e = v + layer.eps();
  const Tensor s = sqrt(e);
  const Tensor r = 1.0 / s;
  const Tensor xhat = d * r;
  const Tensor p = gamma * xhat;
  const Tensor y = p + beta;
  return {{"x", "", "dd + dmu / m", x, {}},
          {"gamma", "", "sum(dp xhat)", gamma, {}},
          {"beta", "", "sum(dy)", beta, {}},
          {"mu", "mean(x)", "-sum(dd)", mu, {}},
          {"d", "x - mu", "r dxhat + 2 d dq", d, {}},
          {"q", "d^2", "dv / m", q, {}},
          {"v", "mean(q)", "de", v, {}},
          {"e", "v + eps", "ds / (2 s)", e, {}},
          {"s", "sqrt(e)", "-dr / s^2", s, {}},
          {"r", "1 / s", "sum(d dxhat)", r, {}},
          {"xhat", "d r", "gamma dp", xhat, {}},
          {"p", "gamma xhat", "dy", p, {}},
          {"y", "p + beta", "given", y, {}}};
}

// At most four numbers, so that a node stays small.
std::string few_numbers(const Tensor& tensor) {
  std::string text;
  for (Index i = 0; i < std::min<Index>(4, tensor.numel()); ++i) {
    text += concat_text(i > 0 ? ", " : "", short_number(tensor.data<double>()[i]));
  }
  return text + (tensor.numel() > 4 ? ", ..." : "");
}

}  // namespace

std::vector<Stage> stages_of(const NormalizationLayer& layer, const NormalizationAxes& axes,
                             const Example& example) {
  std::vector<Stage> stages = record_stages(layer, axes, example);
  for (Stage& stage : stages) {
    if (!stage.forward.empty()) {
      stage.value.retain_grad();
    }
  }
  const Tensor& y = stages.back().value;
  y.backward(Tensor::from(example.upstream.to_vector(), y.shape(), float64));
  for (Stage& stage : stages) {
    stage.gradient = stage.value.grad();
  }
  return stages;
}

std::string stages_dot(const NormalizationLayer& layer, const NormalizationAxes& axes,
                       const Example& example) {
  const std::vector<Stage> known = stages_of(layer, axes, example);
  // backward() has freed that graph: it is recorded once more to be drawn.
  const std::vector<Stage> drawn = record_stages(layer, axes, example);
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const Stage& stage = known[i];
    set_label(drawn[i].value,
              concat_text(stage.name, stage.forward.empty() ? "" : " = ", stage.forward, " = ",
                          few_numbers(stage.value), "\nd", stage.name, " = ", few_numbers(stage.gradient)));
  }
  return graph_dot(drawn.back().value);
}

}  // namespace norm_lab
