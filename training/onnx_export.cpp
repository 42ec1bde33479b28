#include "gesso/training/onnx_export.h"

#include <cmath>
#include <map>
#include <numbers>

#include "gesso/autograd/graph.h"
#include "gesso/core/files/file.h"
#include "gesso/layers/activations.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/dropout.h"
#include "gesso/layers/linear.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/normalization/rms_norm.h"
#include "gesso/layers/resampling.h"
#include "gesso/layers/sequential.h"

#ifdef GESSO_HAS_ONNX
#include "gesso/training/onnx/fold_batch_norm.h"
#include "gesso/training/onnx/nodes.h"
#endif

namespace gesso {

#ifdef GESSO_HAS_ONNX

namespace {

constexpr int kOpset = 17, kIrVersion = 8;  // that ONNX 1.12 brought, and everything since reads
constexpr const char* kOutput = "output";

}  // namespace

struct OnnxGraph::Model : detail::OnnxNodes {
  std::string input;

  std::string activated(const FusedActivation& layer, const std::string& y) {
    return layer.activation() == Activation::relu ? operation("Relu", {y}) : y;
  }

  // What both convolutions have in common.
  template <class Layer>
  std::pair<onnx::NodeProto*, std::string> convolving(const char* operation, const Layer& layer,
                                                      const std::string& x) {
    std::vector<std::string> inputs = {x, numbers(layer.effective_weight())};
    if (layer.bias.defined()) {
      inputs.push_back(numbers(layer.bias));
    }
    auto result = node(operation, inputs);
    onnx::NodeProto* conv = result.first;
    set(conv, "kernel_shape", Ints{layer.weight.size(2), layer.weight.size(3)});
    set(conv, "strides", Ints{layer.options().stride.height, layer.options().stride.width});
    set(conv, "dilations", Ints{layer.options().dilation.height, layer.options().dilation.width});
    set(conv, "group", layer.options().groups);
    return result;
  }

  std::string transposed_convolution(const ConvTranspose2d& layer, const std::string& x) {
    const auto [rows, columns] = layer.options().padding;
    auto [conv, y] = convolving("ConvTranspose", layer, x);
    set(conv, "pads", Ints{rows, columns, rows, columns});
    set(conv, "output_padding",
        Ints{layer.options().output_padding.height, layer.options().output_padding.width});
    return y;
  }

  std::string pad(const std::string& x, const Padding2d& p, const char* mode) {
    auto [pad, y] = node("Pad", {x, whole_numbers({0, 0, p.top, p.left, 0, 0, p.bottom, p.right})});
    set(pad, "mode", mode);
    return y;
  }

  std::string convolution(const Conv2d& layer, std::string x) {
    const Conv2dFunctionOptions& o = layer.options();
    const auto [rows, columns] = o.padding;
    const bool padded_before = o.padding_mode != PaddingMode::zeros && (rows > 0 || columns > 0);
    require(!o.same || o.padding_mode == PaddingMode::zeros, "export_onnx: Conv2d(", layer.extra_repr(),
            "): `same` with padding other than zeros has no word in ONNX");
    if (padded_before) {
      x = pad(x, {columns, columns, rows, rows}, o.padding_mode == PaddingMode::reflect ? "reflect" : "edge");
    }
    auto [conv, y] = convolving("Conv", layer, x);
    if (o.same && o.stride == Size2d(1)) {  // the same for every size
      const Index down = o.dilation.height * (layer.weight.size(2) - 1);
      const Index across = o.dilation.width * (layer.weight.size(3) - 1);
      set(conv, "pads", Ints{down / 2, across / 2, down - down / 2, across - across / 2});
    } else if (o.same) {
      require(o.dilation == Size2d(1), "export_onnx: Conv2d(", layer.extra_repr(),
              "): ONNX Runtime does not run `same` with both stride and dilation");
      set(conv, "auto_pad", "SAME_UPPER");
    } else if (!padded_before) {
      set(conv, "pads", Ints{rows, columns, rows, columns});
    }
    return activated(layer, y);
  }

  std::pair<onnx::NodeProto*, std::string> pooling(const char* operation, const Pool2dOptions& o,
                                                   const std::string& x) {
    auto [pool, y] = node(operation, {x});
    set(pool, "kernel_shape", Ints{o.kernel.height, o.kernel.width});
    set(pool, "strides", Ints{o.stride.height, o.stride.width});
    set(pool, "pads", Ints{o.padding.height, o.padding.width, o.padding.height, o.padding.width});
    set(pool, "ceil_mode", Index{o.ceil_mode});
    return {pool, y};
  }

  // `nearest`: how a place between pixels is rounded; null to blend.
  std::string resize(const std::string& x, double scale, const char* coordinates, const char* nearest) {
    auto [resize, y] = node("Resize", {x, "", numbers(Tensor::from({1, 1, scale, scale}))});
    set(resize, "mode", nearest ? "nearest" : "linear");
    set(resize, "coordinate_transformation_mode", coordinates);
    if (nearest) {
      set(resize, "nearest_mode", nearest);
    }
    return y;
  }

  std::string bilinear(const Upsample& layer, const std::string& x) {
    const double scale = layer.options().scale;
    // Below 1.5, pictures of several pixels may keep their size, and PyTorch's convention is then to copy them.
    require(scale <= 1 || scale >= 1.5, "export_onnx: ", layer.describe(),
            ": small pictures are enlarged by a scale between 1 and 1.5 in another way in ONNX");
    return resize(x, scale, layer.options().align_corners ? "align_corners" : "half_pixel", nullptr);
  }

  // Opset 17 has no word for it; its parts are x / 2 (1 + t).
  std::string gelu(const GELU& layer, const std::string& x) {
    std::string t;
    if (layer.approximation() == GeluApproximation::none) {
      t = operation("Erf", {operation("Mul", {x, number(std::sqrt(0.5))})});
    } else {
      const std::string cube = operation("Mul", {x, operation("Mul", {x, x})});
      const std::string sum = operation("Add", {x, operation("Mul", {cube, number(0.044715)})});
      t = operation("Tanh", {operation("Mul", {sum, number(std::sqrt(2 / std::numbers::pi))})});
    }
    return operation("Mul", {operation("Mul", {x, number(0.5)}), operation("Add", {t, number(1)})});
  }

  std::string prelu(const PReLU& layer, const std::string& x) {
    Ints shape(static_cast<std::size_t>(std::max(1, ranks[x] - 1)), 1);  // as it broadcasts: (C, 1, 1)
    shape[0] = layer.weight.numel();
    return operation("PRelu", {x, numbers(layer.weight, shape)});
  }

  // Each instance by itself over groups of channels: the groups as channels of a picture of one row, then gamma and beta.
  std::string group_norm(const GroupNorm& layer, const Tensor& gamma, const Tensor& beta,
                         const std::string& x) {
    const Tensor ones = Tensor::ones({layer.groups()}), zeros = Tensor::zeros({layer.groups()});
    auto [norm, y] = node(
        "InstanceNormalization",
        {operation("Reshape", {x, whole_numbers({0, layer.groups(), -1})}), numbers(ones), numbers(zeros)});
    set(norm, "epsilon", layer.eps());
    const std::string back = operation("Reshape", {y, operation("Shape", {x})});
    const Ints each = {layer.channels(), 1, 1};
    return operation("Add", {operation("Mul", {back, numbers(gamma, each)}), numbers(beta, each)});
  }

  std::string layer_norm(const LayerNorm& layer, const std::string& x) {
    const Shape& shape = layer.normalized_shape();
    auto [norm, y] =
        node("LayerNormalization", {x, numbers(layer.weight.defined() ? layer.weight : Tensor::ones(shape)),
                                    numbers(layer.bias.defined() ? layer.bias : Tensor::zeros(shape))});
    set(norm, "axis", Index{-shape.rank()});
    set(norm, "epsilon", layer.eps());
    return activated(layer, y);
  }

  // Opset 17 has no word for it.
  std::string rms_norm(const RMSNorm& layer, const std::string& x) {
    auto [mean, square] = node("ReduceMean", {operation("Mul", {x, x})});
    Ints last;
    for (Index d = -layer.normalized_shape().rank(); d < 0; ++d) {
      last.push_back(d);
    }
    set(mean, "axes", last);
    const std::string root = operation("Sqrt", {operation("Add", {square, number(layer.eps())})});
    const std::string y = operation("Div", {x, root});
    return activated(layer, layer.weight.defined() ? operation("Mul", {y, numbers(layer.weight)}) : y);
  }

  std::string normalization(NormalizationLayer& layer, const std::string& x) {
    if (auto* over_last = dynamic_cast<const LayerNorm*>(&layer)) return layer_norm(*over_last, x);
    if (auto* over_last = dynamic_cast<const RMSNorm*>(&layer)) return rms_norm(*over_last, x);
    const auto* group = dynamic_cast<const GroupNorm*>(&layer);
    const auto* channel = dynamic_cast<const ChannelNorm*>(&layer);
    const auto* conditional = dynamic_cast<const ConditionalInstanceNorm2d*>(&layer);
    require(group || channel || conditional, "export_onnx: ", layer.describe(), " has no word in ONNX");
    const Index channels = group     ? group->channels()
                           : channel ? channel->channels()
                                     : conditional->weight.size(1);
    const std::vector<NormalizationPart> parts = layer.parts({1, channels, 8, 8});
    require(parts.size() == 1, "export_onnx: ", layer.describe(), " has no word in ONNX");
    const NormalizationPart& part = parts[0];
    const Tensor gamma = part.gamma.defined() ? part.gamma.reshape({channels}) : Tensor::ones({channels});
    const Tensor beta = part.beta.defined() ? part.beta.reshape({channels}) : Tensor::zeros({channels});
    require(layer.statistics() != Statistics::per_batch, "export_onnx: ", layer.describe(),
            " normalizes with the batch's own statistics; call eval(), or collect running ones");
    std::string y;
    if (group) {
      y = group_norm(*group, gamma, beta, x);
    } else if (layer.statistics() == Statistics::running) {
      auto [norm, result] = node(
          "BatchNormalization",
          {x, numbers(gamma), numbers(beta), numbers(channel->running_mean), numbers(channel->running_var)});
      set(norm, "epsilon", layer.eps());
      y = result;
    } else {
      auto [norm, result] = node("InstanceNormalization", {x, numbers(gamma), numbers(beta)});
      set(norm, "epsilon", layer.eps());
      y = result;
    }
    return activated(layer, y);
  }
};

bool can_export_onnx() { return true; }

OnnxGraph::OnnxGraph(const std::string& input, Index channels) : model_(std::make_unique<Model>()) {
  model_->input = input;
  model_->ranks[input] = 4;
  onnx::ModelProto& proto = model_->proto;
  proto.set_ir_version(kIrVersion);
  proto.set_producer_name("gesso");
  onnx::OperatorSetIdProto* opset = proto.add_opset_import();
  opset->set_domain("");
  opset->set_version(kOpset);
  onnx::GraphProto& graph = model_->graph();
  graph.set_name("network");
  onnx::ValueInfoProto* value = graph.add_input();
  value->set_name(input);
  onnx::TypeProto::Tensor* type = value->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  for (const char* name : {"N", "", "H", "W"}) {
    auto* dimension = type->mutable_shape()->add_dim();
    if (*name == 0) {
      dimension->set_dim_value(channels);
    } else {
      dimension->set_dim_param(name);
    }
  }
}

std::string OnnxGraph::layer(Module& module, const std::string& x) {
  const NoGradGuard no_grad;
  Model& m = *model_;
  if (auto* all = dynamic_cast<Sequential*>(&module)) {
    std::string y = x;
    for (std::size_t i = 0; i < all->size(); ++i) {
      y = layer((*all)[i], y);
    }
    return y;
  }
  if (auto* conv = dynamic_cast<Conv2d*>(&module)) return m.convolution(*conv, x);
  if (auto* conv = dynamic_cast<ConvTranspose2d*>(&module)) return m.transposed_convolution(*conv, x);
  if (auto* norm = dynamic_cast<NormalizationLayer*>(&module)) return m.normalization(*norm, x);
  if (auto* linear = dynamic_cast<Linear*>(&module)) {
    const std::string y =
        m.operation("MatMul", {x, m.numbers(linear->effective_weight().detach().transpose(0, 1))});
    return linear->bias.defined() ? m.operation("Add", {y, m.numbers(linear->bias)}) : y;
  }
  if (dynamic_cast<ReLU*>(&module)) return relu(x);
  if (auto* leaky = dynamic_cast<LeakyReLU*>(&module)) {
    auto [node, y] = m.node("LeakyRelu", {x});
    Model::set(node, "alpha", leaky->slope());
    return y;
  }
  if (dynamic_cast<Tanh*>(&module)) return m.operation("Tanh", {x});
  if (dynamic_cast<Sigmoid*>(&module)) return m.operation("Sigmoid", {x});
  if (auto* gelu = dynamic_cast<GELU*>(&module)) return m.gelu(*gelu, x);
  if (auto* prelu = dynamic_cast<PReLU*>(&module)) return m.prelu(*prelu, x);
  if (auto* softmax = dynamic_cast<Softmax*>(&module)) {
    auto [node, y] = m.node("Softmax", {x});
    Model::set(node, "axis", Index{softmax->dim()});
    return y;
  }
  if (dynamic_cast<SiLU*>(&module)) return m.operation("Mul", {x, m.operation("Sigmoid", {x})});
  if (auto* pool = dynamic_cast<MaxPool2d*>(&module)) return m.pooling("MaxPool", pool->options(), x).second;
  if (auto* pool = dynamic_cast<AvgPool2d*>(&module)) {
    const Pool2dOptions& o = pool->options();
    require(!o.ceil_mode, "export_onnx: ", module.describe(),
            ": ceil_mode of averages means another thing in ONNX");
    auto [node, y] = m.pooling("AveragePool", o, x);
    Model::set(node, "count_include_pad", Index{1});
    return y;
  }
  if (auto* pool = dynamic_cast<AdaptiveAvgPool2d*>(&module)) {
    require(pool->size() == Size2d(1), "export_onnx: ", module.describe(), ": ONNX knows the size 1 alone");
    return m.operation("GlobalAveragePool", {x});
  }
  if (auto* up = dynamic_cast<Upsample*>(&module)) {
    return up->options().mode == UpsampleMode::bilinear
               ? m.bilinear(*up, x)
               : upsample_nearest(x, static_cast<Index>(up->options().scale));
  }
  if (auto* pad = dynamic_cast<ReflectionPad2d*>(&module)) return m.pad(x, pad->padding(), "reflect");
  if (dynamic_cast<Flatten*>(&module)) {
    const std::string y = m.operation("Flatten", {x});
    m.ranks[y] = 2;
    return y;
  }
  if (dynamic_cast<Dropout*>(&module)) return x;
  throw ArgumentError(concat_text("export_onnx: ", module.describe(),
                                  " is not a layer that it knows; write what it computes with OnnxGraph"));
}

const std::string& OnnxGraph::input() const { return model_->input; }

std::string OnnxGraph::relu(const std::string& x) { return model_->operation("Relu", {x}); }

std::string OnnxGraph::add(const std::string& x, const std::string& y) {
  return model_->operation("Add", {x, y});
}

std::string OnnxGraph::affine(const std::string& x, double factor, double shift) {
  const std::string scaled = model_->operation("Mul", {x, model_->number(factor)});
  return model_->operation("Add", {scaled, model_->number(shift)});
}

std::string OnnxGraph::clip(const std::string& x, double low, double high) {
  return model_->operation("Clip", {x, model_->number(low), model_->number(high)});
}

std::string OnnxGraph::add_noise(const std::string& x, double most) {
  auto [noise, y] = model_->node("RandomUniformLike", {x});
  Model::set(noise, "low", -most);
  Model::set(noise, "high", most);
  Model::set(noise, "seed", 0.0);
  return add(x, y);
}

std::string OnnxGraph::upsample_nearest(const std::string& x, Index scale) {
  return model_->resize(x, static_cast<double>(scale), "asymmetric", "floor");
}

void OnnxGraph::save(const std::string& path, const std::string& output) {
  onnx::ModelProto proto = model_->proto;  // a copy, so that another output can be saved, too
  onnx::GraphProto& graph = *proto.mutable_graph();
  onnx::NodeProto* last = graph.add_node();
  last->set_op_type("Identity");
  last->add_input(output);
  last->add_output(kOutput);
  onnx::ValueInfoProto* value = graph.add_output();
  value->set_name(kOutput);
  onnx::TypeProto::Tensor* type = value->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  for (int d = 0; d < model_->ranks.at(output); ++d) {  // all of any size
    type->mutable_shape()->add_dim()->set_dim_param(concat_text(kOutput, d));
  }
  detail::fold_batch_norms(graph);
  write_file_atomically(path, proto.SerializeAsString());
}

#else

struct OnnxGraph::Model {};

bool can_export_onnx() { return false; }

OnnxGraph::OnnxGraph(const std::string&, Index) {
  throw ArgumentError(
      "export_onnx: this build of gesso has no ONNX; install it (Debian: libonnx-dev libprotobuf-dev) and configure again");
}

// Never called: there is no graph.
std::string OnnxGraph::layer(Module&, const std::string& x) { return x; }
const std::string& OnnxGraph::input() const { throw ArgumentError("export_onnx: no graph"); }
std::string OnnxGraph::relu(const std::string& x) { return x; }
std::string OnnxGraph::add(const std::string& x, const std::string&) { return x; }
std::string OnnxGraph::affine(const std::string& x, double, double) { return x; }
std::string OnnxGraph::clip(const std::string& x, double, double) { return x; }
std::string OnnxGraph::add_noise(const std::string& x, double) { return x; }
std::string OnnxGraph::upsample_nearest(const std::string& x, Index) { return x; }
void OnnxGraph::save(const std::string&, const std::string&) {}

#endif

OnnxGraph::~OnnxGraph() = default;

void export_onnx(Module& network, Index channels, const std::string& path) {
  const bool training = network.is_training();
  network.eval();
  OnnxGraph graph("input", channels);
  const std::string output = graph.layer(network, graph.input());
  network.train(training);
  graph.save(path, output);
}

}  // namespace gesso
