#include "picture.h"

#include <algorithm>

#include "gesso/autograd/graph.h"
#include "gesso/core/normalization/normalization.h"
#include "gesso/layers/normalization/layer.h"
#include "painting/stylize.h"
#include "request.h"

namespace lab {

using namespace gesso;
using norm_lab::Norm;

namespace {

Tensor tensor_of(const std::vector<float>& pixels, const Shape& shape) {
  require(static_cast<Index>(pixels.size()) == shape.numel(), "the picture has ", pixels.size(),
          " numbers, but its shape ", shape, " has ", shape.numel());
  Tensor tensor = Tensor::empty(shape);
  std::copy(pixels.begin(), pixels.end(), tensor.mutable_data<float>());
  return tensor;
}

Tensor picture_of(const Json& request, const std::vector<float>& pixels) {
  const auto height = field<Index>(request, "height"), width = field<Index>(request, "width");
  require(height >= 1 && width >= 1, "a picture of ", width, " x ", height, " pixels has none");
  return tensor_of(pixels, {1, 3, height, width});
}

NormalizationAxes axes_of(Norm norm, const Shape& x, Index groups) {
  switch (norm) {
    case Norm::instance:
      return NormalizationAxes::instance(x);
    case Norm::batch:
      return NormalizationAxes::batch(x);
    case Norm::layer:
      return NormalizationAxes::layer(x, 3);
    case Norm::group:
      return NormalizationAxes::group(x, groups);
  }
  return {};
}

struct StatisticsOf {
  std::vector<double> mean, variance, inv_std;

  explicit StatisticsOf(const NormalizationAxes& axes)
      : mean(static_cast<std::size_t>(axes.statistics())), variance(mean), inv_std(mean) {}
  StatisticsOut out() { return {mean.data(), variance.data(), inv_std.data()}; }
};

}  // namespace

std::string normalize_picture(const std::string& text, const std::vector<float>& pixels,
                              std::vector<float>& y) {
  const Json request = parse_request(text);
  const Norm norm = norm_named(field<std::string>(request, "norm"));
  const Shape shape(field<std::vector<Index>>(request, "shape"));
  require(shape.rank() == 4 && shape.numel() > 0, "shape ", shape, " is not (N, 3, H, W) with a pixel");
  const auto groups = field_or<Index>(request, "groups", 1);
  norm_lab::check_layer(norm, shape, groups, {});
  const Tensor x = tensor_of(pixels, shape);
  const NormalizationAxes axes = axes_of(norm, shape, groups);
  StatisticsOf statistics(axes);
  y.resize(pixels.size());
  normalize_forward<float>(axes, x.data<float>(), field_or<double>(request, "eps", 1e-5), nullptr, nullptr,
                           Activation::none, y.data(), statistics.out());
  Json names = Json::array();
  for (Index s = 0; s < axes.statistics(); ++s) {
    names.push_back(norm_lab::statistic_name(axes, shape, s));
  }
  return json_text({{"statistics", names}, {"mean", statistics.mean}, {"variance", statistics.variance}});
}

std::vector<float> Painter::stylize(const std::string& text, const std::vector<float>& pixels) {
  const Json request = parse_request(text);
  const auto strength = field_or<double>(request, "strength", 1);
  require(strength >= 0 && strength <= 1, "strength is ", strength, "; it must be from 0 to 1");
  const auto style = field_or<Index>(request, "styleIndex", 0);
  const auto styles = static_cast<Index>(loaded_.settings.styles.size());
  require(style >= 0 && style < styles, "styleIndex is ", style, ", and the network has ", styles,
          styles == 1 ? " style" : " styles", ", counted from 0");
  // A network that has learned strengths has a row that leaves photographs as they are.
  const bool learned = loaded_.settings.strength;
  std::vector<double> rows(static_cast<std::size_t>(loaded_.network->options().styles), 0.0);
  rows[0] = learned ? 1 - strength : 0;
  rows[static_cast<std::size_t>(loaded_.settings.row_of_style(style))] = learned ? strength : 1;
  loaded_.network->set_mix(rows);
  const PaintOptions options{.opacity = opacity_for(strength, learned)};
  const Tensor painting = gesso::stylize(*loaded_.network, picture_of(request, pixels), options);
  return {painting.data<float>(), painting.data<float>() + painting.numel()};
}

std::string Painter::layer_statistics(const std::string& text, const std::vector<float>& pixels) {
  const Tensor picture = picture_of(parse_request(text), pixels);
  Json layers = Json::array();
  std::vector<std::pair<Module*, int>> hooks;
  for (const auto& [name, module] : loaded_.network->named_modules()) {
    if (dynamic_cast<NormalizationLayer*>(module) == nullptr) {
      continue;
    }
    const auto look = [&layers, name = name](const Module&, const Tensor& input, const Tensor&) {
      const NormalizationAxes axes = NormalizationAxes::instance(input.shape());
      StatisticsOf statistics(axes);
      compute_statistics<float>(axes, input.data<float>(), 0, statistics.out());
      layers.push_back({{"name", name}, {"mean", statistics.mean}, {"variance", statistics.variance}});
    };
    hooks.emplace_back(module, module->register_forward_hook(look));
  }
  gesso::stylize(*loaded_.network, picture);
  for (const auto& [module, hook] : hooks) {
    module->remove_forward_hook(hook);
  }
  return json_text(layers);
}

}  // namespace lab
