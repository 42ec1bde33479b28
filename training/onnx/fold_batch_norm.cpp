#include "gesso/training/onnx/fold_batch_norm.h"

#ifdef GESSO_HAS_ONNX

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gesso::detail {
namespace {

using Constants = std::map<std::string, onnx::TensorProto*>;

std::vector<float> read(const onnx::TensorProto& constant) {
  const std::string& raw = constant.raw_data();
  std::vector<float> values(raw.size() / sizeof(float));
  std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

void write(onnx::TensorProto& constant, const std::vector<float>& values) {
  constant.set_raw_data(values.data(), values.size() * sizeof(float));
}

// `conv` computes from now on what `norm` did of its result; the bias takes the place of beta.
void fold(onnx::NodeProto& conv, const onnx::NodeProto& norm, const Constants& constants) {
  const auto numbers = [&](int input) { return read(*constants.at(norm.input(input))); };
  const std::vector<float> gamma = numbers(1), mean = numbers(3), variance = numbers(4);
  std::vector<float> weight = read(*constants.at(conv.input(1))), bias = numbers(2);
  const std::vector<float> before =
      conv.input_size() > 2 ? read(*constants.at(conv.input(2))) : std::vector<float>(bias.size(), 0);
  const double eps = norm.attribute(0).f();
  const std::size_t each = weight.size() / bias.size();  // weights of one channel
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const double k = gamma[c] / std::sqrt(variance[c] + eps);
    for (std::size_t i = c * each; i < (c + 1) * each; ++i) {
      weight[i] = static_cast<float>(k * weight[i]);
    }
    bias[c] = static_cast<float>(k * (static_cast<double>(before[c]) - mean[c]) + bias[c]);
  }
  write(*constants.at(conv.input(1)), weight);
  write(*constants.at(norm.input(2)), bias);
  if (conv.input_size() == 2) {
    conv.add_input();
  }
  conv.set_input(2, norm.input(2));
  conv.set_output(0, norm.output(0));
}

}  // namespace

void fold_batch_norms(onnx::GraphProto& graph) {
  Constants constants;
  for (onnx::TensorProto& constant : *graph.mutable_initializer()) {
    constants[constant.name()] = &constant;
  }
  std::map<std::string, int> readers;
  std::map<std::string, onnx::NodeProto*> makers;
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    makers[node.output(0)] = &node;
    for (const std::string& input : node.input()) {
      ++readers[input];
    }
  }
  std::set<std::string> folded;  // the names of nodes
  for (const onnx::NodeProto& node : graph.node()) {
    const auto maker = makers.find(node.input(0));
    if (node.op_type() == "BatchNormalization" && maker != makers.end() &&
        maker->second->op_type() == "Conv" && readers[node.input(0)] == 1) {
      fold(*maker->second, node, constants);
      folded.insert(node.name());
    }
  }
  auto* nodes = graph.mutable_node();
  nodes->erase(std::remove_if(nodes->begin(), nodes->end(),
                              [&](const onnx::NodeProto& node) { return folded.contains(node.name()); }),
               nodes->end());
  std::set<std::string> used;
  for (const onnx::NodeProto& node : graph.node()) {
    used.insert(node.input().begin(), node.input().end());
  }
  auto* rest = graph.mutable_initializer();
  rest->erase(
      std::remove_if(rest->begin(), rest->end(),
                     [&](const onnx::TensorProto& constant) { return !used.contains(constant.name()); }),
      rest->end());
}

}  // namespace gesso::detail

#endif
