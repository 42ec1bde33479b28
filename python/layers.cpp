// Module, which has parameters, and the layers that are not normalizations.
#include "bindings.h"

#include <nanobind/trampoline.h>

namespace gesso::python {
namespace {

// A Module whose class is written in Python.
struct PythonModule : Module {
  NB_TRAMPOLINE(Module);

  // By value: Python may keep x.
  Tensor forward(const Tensor& x) override { NB_OVERRIDE(forward, Tensor(x)); }
  std::string extra_repr() const override { NB_OVERRIDE(extra_repr); }
  std::string type_name() const override {
    nb::gil_scoped_acquire lock;
    return nb::cast<std::string>(nb::handle(nb_trampoline.base().type()).attr("__name__"));
  }
};

// self.conv = Conv2d(...) makes the layer a part of self.
void set_attribute(nb::handle self, nb::str name, nb::handle value) {
  require(nb::inst_ready(self), nb::repr(self.type()).c_str(),
          ": __init__() must call super().__init__() before it sets anything");
  if (nb::isinstance<Module>(value)) {
    nb::cast<Module&>(self).register_module(name.c_str(), nb::cast<std::shared_ptr<Module>>(value));
  }
  if (nb::isinstance<Tensor>(value)) {  // norm.weight -= step ends with norm.weight = norm.weight
    const nb::object before = nb::getattr(self, name, nb::none());
    if (nb::isinstance<Tensor>(before) && nb::cast<Tensor&>(before).is(nb::cast<Tensor&>(value))) {
      return;
    }
  }
  if (PyObject_GenericSetAttr(self.ptr(), name.ptr(), value.ptr()) != 0) {
    throw nb::python_error();
  }
}

void bind_module(nb::module_& m) {
  nb::class_<Module, PythonModule>(m, "Module", nb::dynamic_attr(), R"(
What has parameters: a layer, or a network. One of your own derives from it:

    class Net(gesso.Module):
        def __init__(self):
            super().__init__()
            self.conv = gesso.Conv2d(3, 8, 3, padding=1)
            self.norm = gesso.InstanceNorm2d(8, affine=True)

        def forward(self, x):
            return self.norm(self.conv(x)).relu()

Parts become parts by assignment, tensors become parameters by self.register_parameter(name, tensor).)")
      .def(nb::init<>())
      .def(
          "__call__", [](Module& self, const Tensor& x) { return self(x); }, "x"_a, Unlocked(), "forward(x).")
      .def(
          "__call__",  // a forward() in Python with other arguments
          [](nb::handle self, const nb::args& args, const nb::kwargs& kwargs) {
            return self.attr("forward")(*args, **kwargs);
          },
          "forward(...), for modules that take something else.")
      .def(
          "forward", [](Module& self, const Tensor& x) { return self.forward(x); }, "x"_a, Unlocked(),
          "What the module computes.")
      .def("extra_repr", &Module::extra_repr, "What stands between the brackets when a layer is printed.")
      .def("__setattr__", &set_attribute)
      .def("__repr__", &Module::describe)
      .def(
          "train",
          [](Module& self, bool mode) -> Module& {
            self.train(mode);
            return self;
          },
          "mode"_a = true, nb::rv_policy::none,
          "Training mode, for this module and its parts; returns the module.")
      .def(
          "eval",
          [](Module& self) -> Module& {
            self.eval();
            return self;
          },
          nb::rv_policy::none, "Evaluation mode: normalizations with running statistics use them.")
      .def_prop_ro("training", &Module::is_training, "Whether it is in training mode.")
      .def("parameters", &Module::parameters, "All parameters, its own and those of its parts.")
      .def("named_parameters", &Module::named_parameters, "(name, parameter) for all parameters.")
      .def("named_buffers", &Module::named_buffers,
           "(name, tensor) for what is state but not trained: running statistics.")
      .def("named_modules", &Module::named_modules, nb::rv_policy::reference_internal,
           "(name, module) for this module, \"\", and all its parts.")
      .def("zero_grad", &Module::zero_grad, "Forgets the gradients of all parameters.")
      .def("requires_grad_", &Module::requires_grad_, "on"_a = true, nb::rv_policy::none,
           "Freezes (False) or thaws all parameters.")
      .def(
          "to", [](Module& self, nb::handle dtype) -> Module& { return self.to(dtype_of(dtype)); }, "dtype"_a,
          nb::rv_policy::none, "Converts parameters and buffers to another dtype.")
      .def(
          "state_dict", [](const Module& self) { return numpy_dict(self.state_dict()); },
          "Parameters and running statistics, a dict of NumPy arrays under PyTorch's keys. Copies: training "
          "does not change them.")
      .def(
          "load_state_dict",
          [](Module& self, const nb::dict& state, bool strict) {
            const LoadStateDictResult result = self.load_state_dict(named_tensors(state), {.strict = strict});
            return std::pair(result.missing, result.unexpected);
          },
          "state"_a, "strict"_a = true,
          R"(Takes the values of a dict of arrays, of gesso's tensors or of PyTorch's. An ArgumentError names
all keys that are missing or unexpected (unless strict=False, which returns them) and shapes that differ;
nothing is changed then.)")
      .def(
          "register_parameter",
          [](Module& self, const std::string& name, const Tensor& tensor) {
            return self.register_parameter(name, tensor);
          },
          "name"_a, "tensor"_a,
          "Makes the tensor a parameter and returns it: self.gain = self.register_parameter(\"gain\", "
          "gesso.ones(3)).")
      .def(
          "register_buffer",
          [](Module& self, const std::string& name, const Tensor& tensor) {
            return self.register_buffer(name, tensor);
          },
          "name"_a, "tensor"_a, "Makes the tensor part of the state without being trained, and returns it.");

  nb::class_<Sequential, Module>(m, "Sequential",
                                 "Modules one after the other; their names are \"0\", \"1\" and so on.")
      .def("__init__",
           [](Sequential* self, const nb::args& modules) {
             new (self) Sequential();
             for (nb::handle module : modules) {
               require(nb::isinstance<Module>(module), "Sequential: ", nb::repr(module).c_str(),
                       " is not a gesso.Module");
               self->append(nb::cast<std::shared_ptr<Module>>(module));
             }
           })
      .def("append", &Sequential::append, "module"_a)
      .def("__len__", &Sequential::size)
      .def(
          "__getitem__",
          [](const Sequential& self, Index i) -> Module& {
            const Index size = static_cast<Index>(self.size());
            if (i < -size || i >= size) {
              throw nb::index_error("Sequential: index out of range");
            }
            return self[static_cast<std::size_t>(i < 0 ? i + size : i)];
          },
          nb::rv_policy::reference_internal);

  nb::class_<FusedActivation, Module>(m, "FusedActivation",
                                      "The base of Conv2d and of the normalization layers.")
      .def(
          "then",
          [](FusedActivation& self, const std::string& activation) -> FusedActivation& {
            return self.then(choose<Activation>("then", activation,
                                                {{"none", Activation::none}, {"relu", Activation::relu}}));
          },
          "activation"_a, nb::rv_policy::none,
          "then(\"relu\"): the result goes through a relu, in the same pass over memory.");
}

template <class Layer, class... Base>
void add_weight_and_bias(nb::class_<Layer, Base...> layer) {
  layer.def_prop_ro("weight", [](const Layer& self) { return self.weight; });
  layer.def_prop_ro(
      "bias", [](const Layer& self) { return maybe(self.bias); }, "None where it is switched off.");
}

void bind_products(nb::module_& m) {
  auto conv = nb::class_<Conv2d, FusedActivation>(
      m, "Conv2d", "conv2d() with a trained weight and bias, which begin as in PyTorch.");
  conv.def(
      "__init__",
      [](Conv2d* self, Index in, Index out, const IntOrPair& kernel, const IntOrPair& stride,
         const IntOrPair& padding, const IntOrPair& dilation, Index groups, bool bias,
         const std::string& padding_mode, bool same, Generator* generator) {
        new (self) Conv2d(in, out, size2d_of(kernel),
                          {.stride = size2d_of(stride),
                           .padding = size2d_of(padding),
                           .dilation = size2d_of(dilation),
                           .groups = groups,
                           .bias = bias,
                           .padding_mode = padding_mode_of(padding_mode),
                           .same = same},
                          generator_of(generator));
      },
      "in_channels"_a, "out_channels"_a, "kernel_size"_a, "stride"_a = 1, "padding"_a = 0, "dilation"_a = 1,
      "groups"_a = 1, "bias"_a = true, "padding_mode"_a = "zeros", "same"_a = false,
      "generator"_a = nb::none(),
      "same=True: as much padding as makes the result as large as x, divided by the stride.");
  add_weight_and_bias(conv);

  auto transposed = nb::class_<ConvTranspose2d, Module>(m, "ConvTranspose2d",
                                                        "conv_transpose2d() with a trained weight and bias.");
  transposed.def(
      "__init__",
      [](ConvTranspose2d* self, Index in, Index out, const IntOrPair& kernel, const IntOrPair& stride,
         const IntOrPair& padding, const IntOrPair& output_padding, Index groups, bool bias,
         const IntOrPair& dilation, Generator* generator) {
        new (self) ConvTranspose2d(in, out, size2d_of(kernel),
                                   {.stride = size2d_of(stride),
                                    .padding = size2d_of(padding),
                                    .output_padding = size2d_of(output_padding),
                                    .groups = groups,
                                    .bias = bias,
                                    .dilation = size2d_of(dilation)},
                                   generator_of(generator));
      },
      "in_channels"_a, "out_channels"_a, "kernel_size"_a, "stride"_a = 1, "padding"_a = 0,
      "output_padding"_a = 0, "groups"_a = 1, "bias"_a = true, "dilation"_a = 1, "generator"_a = nb::none());
  add_weight_and_bias(transposed);

  auto linear = nb::class_<Linear, Module>(m, "Linear",
                                           "x weight^T + bias: (..., in_features) to (..., out_features).");
  linear.def(
      "__init__",
      [](Linear* self, Index in, Index out, bool bias, Generator* generator) {
        new (self) Linear(in, out, {.bias = bias}, generator_of(generator));
      },
      "in_features"_a, "out_features"_a, "bias"_a = true, "generator"_a = nb::none());
  add_weight_and_bias(linear);
}

void bind_without_parameters(nb::module_& m) {
  nb::class_<ReLU, Module>(m, "ReLU", "max(x, 0).").def(nb::init<>());
  nb::class_<LeakyReLU, Module>(m, "LeakyReLU", "x where it is positive, else negative_slope times x.")
      .def(nb::init<double>(), "negative_slope"_a = 0.01);
  nb::class_<Tanh, Module>(m, "Tanh", "The hyperbolic tangent.").def(nb::init<>());
  nb::class_<Sigmoid, Module>(m, "Sigmoid", "1 / (1 + exp(-x)).").def(nb::init<>());
  nb::class_<SiLU, Module>(m, "SiLU", "x sigmoid(x), also called swish.").def(nb::init<>());
  nb::class_<Flatten, Module>(m, "Flatten", "All dimensions but the first become one.").def(nb::init<>());
  nb::class_<ReflectionPad2d, Module>(m, "ReflectionPad2d", "A frame of mirrored pixels.")
      .def(
          "__init__",
          [](ReflectionPad2d* self, const IntOrList& padding) {
            new (self) ReflectionPad2d(padding2d_of(padding));
          },
          "padding"_a);
  const auto pool_options = [](const IntOrPair& kernel_size, const std::optional<IntOrPair>& stride,
                               const IntOrPair& padding) {
    return Pool2dOptions{.kernel = size2d_of(kernel_size),
                         .stride = size2d_of(stride.value_or(kernel_size)),
                         .padding = size2d_of(padding)};
  };
  nb::class_<MaxPool2d, Module>(m, "MaxPool2d", "max_pool2d().")
      .def(
          "__init__",
          [=](MaxPool2d* self, const IntOrPair& kernel_size, const std::optional<IntOrPair>& stride,
              const IntOrPair& padding) { new (self) MaxPool2d(pool_options(kernel_size, stride, padding)); },
          "kernel_size"_a, "stride"_a = nb::none(), "padding"_a = 0);
  nb::class_<AvgPool2d, Module>(m, "AvgPool2d", "avg_pool2d().")
      .def(
          "__init__",
          [=](AvgPool2d* self, const IntOrPair& kernel_size, const std::optional<IntOrPair>& stride,
              const IntOrPair& padding) { new (self) AvgPool2d(pool_options(kernel_size, stride, padding)); },
          "kernel_size"_a, "stride"_a = nb::none(), "padding"_a = 0);
  nb::class_<AdaptiveAvgPool2d, Module>(m, "AdaptiveAvgPool2d",
                                        "adaptive_avg_pool2d(); size 1 is the mean of each plane.")
      .def(
          "__init__",
          [](AdaptiveAvgPool2d* self, const IntOrPair& size) {
            new (self) AdaptiveAvgPool2d(size2d_of(size));
          },
          "output_size"_a);
  nb::class_<Upsample, Module>(
      m, "Upsample", "Larger pictures, by repeating pixels (\"nearest\") or by blending (\"bilinear\").")
      .def(
          "__init__",
          [](Upsample* self, double scale_factor, const std::string& mode, bool align_corners) {
            const auto choice = choose<UpsampleMode>(
                "Upsample: mode", mode,
                {{"nearest", UpsampleMode::nearest}, {"bilinear", UpsampleMode::bilinear}});
            new (self) Upsample({.scale = scale_factor, .mode = choice, .align_corners = align_corners});
          },
          "scale_factor"_a = 2.0, "mode"_a = "nearest", "align_corners"_a = false);
}

}  // namespace

void bind_layers(nb::module_& m) {
  bind_module(m);
  bind_products(m);
  bind_without_parameters(m);
}

}  // namespace gesso::python
