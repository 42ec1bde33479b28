// An ONNX file in the making: nodes, their attributes and constants. Not for use outside of training: onnx_export.h is
// the door.
#pragma once

#include <onnx/onnx_pb.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gesso/core/tensor.h"

namespace gesso::detail {

struct OnnxNodes {
  using Ints = std::vector<Index>;

  onnx::ModelProto proto;
  int values = 0;
  std::map<std::string, int> ranks = {};  // of values

  onnx::GraphProto& graph() { return *proto.mutable_graph(); }

  // A new node; its result's name.
  std::pair<onnx::NodeProto*, std::string> node(const char* operation,
                                                const std::vector<std::string>& inputs) {
    onnx::NodeProto* node = graph().add_node();
    const std::string result = concat_text("v", values++);
    node->set_op_type(operation);
    node->set_name(concat_text(operation, "_", result));
    for (const std::string& each : inputs) {
      node->add_input(each);
    }
    node->add_output(result);
    ranks[result] = ranks[inputs[0]];
    return {node, result};
  }

  static void set(onnx::NodeProto* node, const char* name, const Ints& values) {
    onnx::AttributeProto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INTS);
    for (const Index value : values) {
      attribute->add_ints(value);
    }
  }
  static void set(onnx::NodeProto* node, const char* name, Index value) {
    onnx::AttributeProto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(value);
  }
  static void set(onnx::NodeProto* node, const char* name, double value) {
    onnx::AttributeProto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::FLOAT);
    attribute->set_f(static_cast<float>(value));
  }
  static void set(onnx::NodeProto* node, const char* name, const char* value) {
    onnx::AttributeProto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::STRING);
    attribute->set_s(value);
  }

  onnx::TensorProto* constant(const Ints& shape) {
    onnx::TensorProto* tensor = graph().add_initializer();
    tensor->set_name(concat_text("c", values++));
    for (const Index size : shape) {
      tensor->add_dims(size);
    }
    return tensor;
  }
  std::string numbers(const Tensor& x, const Ints& shape) {
    const Tensor values32 = x.detach().to(float32);
    onnx::TensorProto* tensor = constant(shape);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    tensor->set_raw_data(values32.data<float>(), static_cast<std::size_t>(x.numel()) * sizeof(float));
    return tensor->name();
  }
  std::string numbers(const Tensor& x) { return numbers(x, Ints(x.shape().begin(), x.shape().end())); }
  std::string number(double value) { return numbers(Tensor::scalar(value), {}); }
  std::string whole_numbers(const Ints& values_) {
    onnx::TensorProto* tensor = constant({static_cast<Index>(values_.size())});
    tensor->set_data_type(onnx::TensorProto::INT64);
    tensor->set_raw_data(values_.data(), values_.size() * sizeof(Index));
    return tensor->name();
  }

  std::string operation(const char* name, const std::vector<std::string>& inputs) {
    return node(name, inputs).second;
  }
};

}  // namespace gesso::detail
