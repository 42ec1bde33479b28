#include "walk.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <tuple>

#include "differences.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "stages.h"

namespace norm_lab {

using namespace gesso;

namespace {

Tensor mirrored(const Tensor& x) {
  Tensor mirror = Tensor::empty(x.shape(), float64);
  const Index width = x.size(3);
  const double* from = x.data<double>();
  double* to = mirror.mutable_data<double>();
  for (Index i = 0; i < x.numel(); ++i) {
    to[i] = from[i - i % width + (width - 1 - i % width)];
  }
  return mirror;
}

std::string percent(double share) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", 100 * share);
  return buffer;
}

std::string over_what(const NormalizationAxes& axes, Index channels) {
  if (axes.share_samples) {
    return "each channel c over all samples of the batch";
  }
  return axes.groups == channels ? "each plane (n, c) by itself"
         : axes.groups == 1      ? "each sample n over all its channels"
                                 : "each sample n over groups of its channels";
}

// A row of `texts` for each statistic.
template <class Texts>
Table table_of_statistics(const NormalizationAxes& axes, const Shape& x, std::vector<std::string> columns,
                          Texts texts) {
  columns.insert(columns.begin(), "statistic");
  Table table{"", columns, {}};
  for (Index s = 0; s < axes.statistics(); ++s) {
    std::vector<std::string> row = texts(s);
    row.insert(row.begin(), statistic_name(axes, x, s));
    table.rows.push_back(row);
  }
  return table;
}

double number(const Tensor& tensor, Index i = 0) { return tensor.data<double>()[i]; }

// "1 sample", "2 samples"
std::string counted(Index count, const char* what) {
  return concat_text(count, ' ', what, count == 1 ? "" : "s");
}

// "2, 0.5", at most eight of them
std::string list_of(const Tensor& values, Index most) {
  std::string text;
  for (Index i = 0; i < std::min(most, values.numel()); ++i) {
    text += (i > 0 ? ", " : "") + short_number(number(values, i));
  }
  return text + (values.numel() > most ? ", ..." : "");
}

std::string affine_words(const Tensor& gamma, const Tensor& beta) {
  return concat_text("Here gamma is ", list_of(gamma, 8), ", and beta ", list_of(beta, 8),
                     gamma.rank() > 1     ? ": one each for every element of a sample."
                     : gamma.numel() == 1 ? "."
                                          : ": one each for every channel.");
}

// ", by finite differences"; `shape` is that of the gradient.
std::string differences_name(const Tensor& differences, const Shape& shape) {
  return concat_text(", by finite differences",
                     differences.numel() < shape.numel() ? " (of the corner)" : "");
}

// The first numbers of a stage in statistic 0.
std::string stage_numbers(const Tensor& values, const NormalizationAxes& axes, bool parameter) {
  constexpr Index most = 4;
  if (parameter || values.numel() == axes.statistics()) {
    return parameter ? list_of(values, most) : short_number(number(values));
  }
  std::string text;
  const Index m = axes.elements_per_statistic();
  for (Index k = 0; k < std::min(most, m); ++k) {
    text += (k > 0 ? ", " : "") + short_number(number(values, axes.element(0, k)));
  }
  return text + (m > most ? ", ..." : "");
}

std::vector<Block> tell_stages(const NormalizationLayer& layer, const NormalizationAxes& axes,
                               const Example& example, const std::string& first_statistic) {
  const std::vector<Stage> stages = stages_of(layer, axes, example);
  const auto is_parameter = [](const Stage& stage) { return stage.name == "gamma" || stage.name == "beta"; };
  Table forward{"Forward", {"node", "numbers"}, {}},
      backward{"Backward, from the last node to the first", {"gradient", "numbers"}, {}};
  for (const Stage& stage : stages) {
    forward.rows.push_back({stage.name + (stage.forward.empty() ? "" : " = " + stage.forward),
                            stage_numbers(stage.value, axes, is_parameter(stage))});
    backward.rows.insert(backward.rows.begin(), {concat_text("d", stage.name, " = ", stage.backward),
                                                 stage_numbers(stage.gradient, axes, is_parameter(stage))});
  }
  return {Text{concat_text(
              "The layer as a graph of small operations, each with its own derivative; the numbers are "
              "those of statistic ",
              first_statistic,
              ". d and x are used twice: their gradients have two terms. What comes out is the dx above.")},
          forward, backward};
}

// a number to subtract: "4" or "(-4)"
std::string bracketed(double value) {
  return value < 0 ? concat_text("(", short_number(value), ")") : short_number(value);
}

}  // namespace

const char* name_of(Norm norm) {
  return norm == Norm::instance ? "instance"
         : norm == Norm::batch  ? "batch"
         : norm == Norm::layer  ? "layer"
                                : "group";
}

std::string statistic_name(const NormalizationAxes& axes, const Shape& x, Index s) {
  if (axes.share_samples) {
    return concat_text("c=", s);
  }
  const Index n = s / axes.groups, group = s % axes.groups;
  const Index channels = x[1] / axes.groups;  // of a group
  return channels == 1      ? concat_text("n=", n, " c=", group)
         : axes.groups == 1 ? concat_text("n=", n)
                            : concat_text("n=", n, " c=", group * channels, "..", (group + 1) * channels - 1);
}

Example number_example() {
  const Shape shape{2, 2, 3, 3};
  return {Tensor::from({1, 2,  3, 2,  4,  6,  3, 6,  9,   // mean 4
                        0, 1,  0, 1,  4,  1,  0, 1,  1,   // mean 1
                        8, 8,  8, 8,  20, 8,  8, 8,  14,  // mean 10
                        5, -5, 5, -5, 5,  -5, 5, -5, 9},  // mean 1
                       shape, float64),
          Tensor::from({1,    0,    0,    0,    1,   0,    0,    0,    1,    // a diagonal
                        0.5,  0.5,  0.5,  0.5,  0.5, 0.5,  0.5,  0.5,  0.5,  // along the constant 1
                        -0.2, -0.2, -0.2, -0.2, 1,   -0.2, -0.2, -0.2, 0.4,  // along x - mean
                        1,    -1,   0,    0.5,  2,   -1,   0,    0,    0.3},
                       shape, float64),
          {},
          "These numbers were chosen by hand: plane n=0 c=1 is constant, and plane n=1 c=0 is a tenth of x - "
          "mean of its plane."};
}

Example picture_example(const std::string& path, Index short_side) {
  constexpr double most = 4e6;  // pixels; the lab looks at every one, many times
  const Size2d size = read_picture_size(path);
  const double factor =
      static_cast<double>(short_side) / static_cast<double>(std::min(size.height, size.width));
  require(factor * factor * static_cast<double>(size.height) * static_cast<double>(size.width) <= most, path,
          ": a picture of ", size.width, " x ", size.height,
          " pixels is too narrow to look at with a short side of ", short_side,
          "; cut it first, or take a smaller --size");
  const Tensor picture = resize_short_side(load_picture(path), short_side).to(float64);
  const Tensor x = concat({picture, 0.35 * picture + 0.55}, 0);
  return {x,
          mirrored(x),
          {"the picture", "in fog"},
          "Here the loss is the sum of y times the mirrored batch, so dy is the batch's mirror image."};
}

std::unique_ptr<NormalizationLayer> make_layer(Norm norm, const Shape& x, Index groups,
                                               const AffineNumbers& affine,
                                               const std::optional<RunningNumbers>& running) {
  const Index channels = x[1];
  std::unique_ptr<NormalizationLayer> layer;
  if (norm == Norm::instance) {
    layer = std::make_unique<InstanceNorm2d>(
        channels,
        InstanceNormOptions{.eps = affine.eps, .affine = true, .track_running_stats = running.has_value()});
  } else if (norm == Norm::batch) {
    layer = std::make_unique<BatchNorm2d>(channels, BatchNormOptions{.eps = affine.eps});
  } else if (norm == Norm::layer) {
    layer = std::make_unique<LayerNorm>(Shape{x[1], x[2], x[3]}, LayerNormOptions{.eps = affine.eps});
  } else {
    layer = std::make_unique<GroupNorm>(groups, channels, GroupNormOptions{.eps = affine.eps});
  }
  layer->to(float64);
  const auto fill = [&](Tensor parameter, const std::vector<double>& given, double even, double odd) {
    double* values = parameter.mutable_data<double>();
    const Index count = parameter.numel(), each = count / channels;
    const bool one_by_one = static_cast<Index>(given.size()) == count;
    for (Index i = 0; i < count; ++i) {
      values[i] = !given.empty()      ? given.at(static_cast<std::size_t>(one_by_one ? i : i / each))
                  : i / each % 2 == 0 ? even
                                      : odd;
    }
  };
  fill(layer->parameters().at(0), affine.gamma, 2, 0.5);
  fill(layer->parameters().at(1), affine.beta, 1, -1);
  if (running) {
    layer->set_statistics(Statistics::running);
    layer->eval();
    for (auto& [name, statistic] : layer->named_buffers()) {
      const std::vector<double>& given = name == "running_mean" ? running->mean : running->variance;
      if (statistic.rank() == 1 && !given.empty()) {
        statistic.copy_(Tensor::from(given, {channels}, float64));
      }
    }
  }
  return layer;
}

Gradients gradients_of(NormalizationLayer& layer, const Example& example) {
  Gradients result;
  result.seen = inspect_normalization(layer, example.x, example.upstream);
  layer.zero_grad();
  Tensor x = example.x.clone().requires_grad_();
  layer(x).backward(example.upstream);
  result.dx = x.grad();
  result.dgamma = layer.parameters().at(0).grad();
  result.dbeta = layer.parameters().at(1).grad();
  result.difference = 0;
  for (const double difference : (result.seen.dx - result.dx).to_vector()) {
    result.difference = std::max(result.difference, std::abs(difference));
  }
  return result;
}

std::vector<Section> walk(NormalizationLayer& layer, const Example& example) {
  const Shape& shape = example.x.shape();
  const std::string printed = layer.describe();
  const Tensor gamma = layer.parameters().at(0), beta = layer.parameters().at(1);
  const Gradients gradients = gradients_of(layer, example);
  const Differences differences = differences_of(layer, example, gradients);
  const NormalizationTerms& terms = gradients.seen.parts.at(0);
  const NormalizationAxes& axes = terms.axes;
  const bool pictures = !example.samples.empty();

  std::vector<Section> sections;
  const auto section = [&](std::string title, std::vector<Block> blocks) {
    sections.push_back({std::move(title), std::move(blocks)});
  };

  std::vector<Block> input = {Text{concat_text(
      printed, " sees an x of shape ", shape, ", that is ", counted(shape[0], "sample"), " n of ",
      counted(shape[1], "channel"), " c, each a plane of ", shape[2], " x ", shape[3],
      " numbers. It takes mean and variance of ", over_what(axes, shape[1]), ": ",
      counted(axes.statistics(), "statistic"), " of m = ", axes.elements_per_statistic(), " numbers.")}};
  if (pictures) {
    input.push_back(Pictures{"The batch", example.x, example.samples});
  }
  input.push_back(Values{"x", example.x});
  if (pictures) {
    input.push_back(Histogram{"Where the values of x lie", example.x});
  }
  section("Input", input);

  section(
      "Statistics",
      {Text{"The mean, the variance about it (divided by m, not m - 1), and one over the standard deviation. "
            "eps stands inside the root and keeps it from dividing by 0 where all numbers are equal."},
       Formula{{"mean     = (1/m) sum x", "variance = (1/m) sum (x - mean)^2",
                concat_text("inv_std  = 1 / sqrt(variance + eps)        eps = ", layer.eps())}},
       table_of_statistics(axes, shape, {"mean", "variance", "inv_std"}, [&](Index s) {
         return std::vector<std::string>{short_number(number(terms.mean, s)),
                                         short_number(number(terms.variance, s)),
                                         short_number(number(terms.inv_std, s))};
       })});

  std::vector<Block> normalized = {
      Formula{{"x-hat = (x - mean) inv_std",
               concat_text("x-hat[0,0,0,0] = (", short_number(number(example.x)), " - ",
                           bracketed(number(terms.mean)), ") * ", short_number(number(terms.inv_std)), " = ",
                           short_number(number(terms.xhat)))}},
      Values{"x-hat", terms.xhat}};
  if (pictures) {
    normalized.push_back(
        Pictures{"x-hat as pictures: 0.5 + 0.2 x-hat", 0.5 + 0.2 * terms.xhat, example.samples});
    normalized.push_back(Histogram{"Where the values of x-hat lie", terms.xhat});
  }
  section("Normalized values: mean 0 and variance 1", normalized);

  section("Result: a scale and a shift that are trained",
          {Text{affine_words(gamma, beta)},
           Formula{{"y = gamma x-hat + beta",
                    concat_text("y[0,0,0,0] = ", short_number(number(gamma)), " * ",
                                bracketed(number(terms.xhat)), " + ", short_number(number(beta)), " = ",
                                short_number(number(gradients.seen.y)))}},
           Values{"y", gradients.seen.y}});

  section(
      "Backward: what arrives",
      {Text{"The upstream gradient dy says how much the loss grows when y grows. " + example.about_upstream},
       Values{"dy", example.upstream}});

  std::vector<Block> parameters = {Formula{{"dgamma = sum dy x-hat      dbeta = sum dy"}}};
  if (gamma.rank() == 1) {
    Table table{"", {"channel", "dgamma", "by differences", "dbeta", "by differences"}, {}};
    for (Index c = 0; c < shape[1]; ++c) {
      table.rows.push_back({concat_text("c=", c), short_number(number(gradients.dgamma, c)),
                            short_number(number(differences.dgamma, c)),
                            short_number(number(gradients.dbeta, c)),
                            short_number(number(differences.dbeta, c))});
    }
    parameters.insert(parameters.begin(), Text{"Sums over all elements that share a gamma and a beta."});
    parameters.push_back(table);
  } else {
    parameters.insert(
        parameters.begin(),
        Text{"Every element of a sample has its own gamma and beta; the sums are over the samples."});
    const Shape one{1, shape[1], shape[2], shape[3]};
    for (const auto& [name, gradient, difference] :
         {std::tuple{"dgamma", gradients.dgamma, differences.dgamma},
          std::tuple{"dbeta", gradients.dbeta, differences.dbeta}}) {
      parameters.push_back(Values{name, gradient.alias(one)});
      parameters.push_back(Values{name + differences_name(difference, one), difference});
    }
  }
  parameters.push_back(Text{
      concat_text("The finite differences are (loss(gamma + h) - loss(gamma - h)) / 2h of the loss sum dy y, "
                  "with h = 0.001; they come from the forward alone. Largest difference from the backward: ",
                  short_number(differences.largest_error_affine), ".")});
  section("Gradients of gamma and beta", parameters);

  OneScale terms_and_sum{"On one scale, the three terms, their sum, and its finite differences:",
                         {Values{"inv_std g: the upstream gradient, scaled", terms.upstream_term},
                          Values{"- inv_std mean(g): through the mean", terms.mean_term},
                          Values{"- inv_std x-hat mean(g x-hat): through the variance", terms.xhat_term},
                          Values{"dx: their sum", gradients.seen.dx}}};
  terms_and_sum.values.push_back(Values{"dx" + differences_name(differences.dx, shape), differences.dx});
  section("Gradient of x: three terms",
          {Text{"x moves y directly, and through the mean, and through the variance. With g = gamma dy and "
                "mean(...) over the numbers of a statistic:"},
           Formula{{"dx =  inv_std g", "    - inv_std mean(g)", "    - inv_std x-hat mean(g x-hat)"}},
           terms_and_sum,
           Formula{{concat_text("dx[0,0,0,0] = ", short_number(number(terms.upstream_term)), " + ",
                                bracketed(number(terms.mean_term)), " + ", bracketed(number(terms.xhat_term)),
                                " = ", short_number(number(gradients.seen.dx)))}},
           Text{concat_text("Largest difference from what the layer's own backward computes: ",
                            short_number(gradients.difference), ". From finite differences: ",
                            short_number(differences.largest_error_dx), ".")}});

  if (!pictures) {
    section("The same backward, one node at a time",
            tell_stages(layer, axes, example, statistic_name(axes, shape, 0)));
  }

  section(
      "What the two projections removed",
      {Text{"Both terms are projections: the first takes out the part of g along the constant 1, the "
            "second the part along x-hat. A step along either would change only a mean or a variance, which "
            "the layer normalizes away again. Shares of |g|^2, in percent; with what is left they make 100."},
       Formula{{"mean part:  m mean(g)^2 / |g|^2", "x-hat part: (sum g x-hat)^2 / (|x-hat|^2 |g|^2)"}},
       table_of_statistics(axes, shape, {"mean part", "x-hat part", "left"}, [&](Index s) {
         const double by_mean = number(terms.removed_by_mean, s), by_xhat = number(terms.removed_by_xhat, s);
         return std::vector<std::string>{percent(by_mean), percent(by_xhat),
                                         percent(std::max(0.0, 1 - by_mean - by_xhat))};
       })});
  return sections;
}

}  // namespace norm_lab
