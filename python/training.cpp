// Optimisers, files of weights, threads.
#include "bindings.h"

namespace gesso::python {

void bind_training(nb::module_& m) {
  nb::class_<Optimizer>(m, "Optimizer", "Changes parameters by their gradients.")
      .def("step", &Optimizer::step, Unlocked(), "One step for each parameter that has a gradient.")
      .def("zero_grad", &Optimizer::zero_grad, "Forgets the gradients of all parameters.")
      .def_prop_rw(
          "lr", [](const Optimizer& self) { return self.lr(); }, &Optimizer::set_lr, "The learning rate.")
      .def(
          "state_dict", [](const Optimizer& self) { return numpy_dict(self.state_dict()); },
          "What later steps depend on besides parameters and options, a dict of NumPy arrays (copies).")
      .def(
          "load_state_dict",
          [](Optimizer& self, const nb::dict& state) { self.load_state_dict(named_tensors(state)); },
          "state"_a, "Goes on from a state_dict().");
  nb::class_<SGD, Optimizer>(m, "SGD", "Stochastic gradient descent, as PyTorch's.")
      .def(
          "__init__",
          [](SGD* self, const std::vector<Tensor>& parameters, double lr, double momentum, double dampening,
             double weight_decay, bool nesterov) {
            new (self) SGD(parameters, {.lr = lr,
                                        .momentum = momentum,
                                        .dampening = dampening,
                                        .nesterov = nesterov,
                                        .weight_decay = weight_decay});
          },
          "parameters"_a, "lr"_a = 1e-3, "momentum"_a = 0.0, "dampening"_a = 0.0, "weight_decay"_a = 0.0,
          "nesterov"_a = false);
  nb::class_<Adam, Optimizer>(m, "Adam", "Adam (Kingma and Ba 2015), as PyTorch's.")
      .def(
          "__init__",
          [](Adam* self, const std::vector<Tensor>& parameters, double lr, std::pair<double, double> betas,
             double eps, double weight_decay) {
            new (self) Adam(parameters, {.lr = lr,
                                         .beta1 = betas.first,
                                         .beta2 = betas.second,
                                         .eps = eps,
                                         .weight_decay = weight_decay});
          },
          "parameters"_a, "lr"_a = 1e-3, "betas"_a = std::pair(0.9, 0.999), "eps"_a = 1e-8,
          "weight_decay"_a = 0.0);
  m.def("clip_grad_norm", &clip_grad_norm, "parameters"_a, "max_norm"_a, Unlocked(),
        "Scales all gradients so that their norm together is at most max_norm; returns the norm they had.");

  m.def(
      "load_weights", [](const std::string& path) { return numpy_dict(load_weights(path)); }, "path"_a,
      "All tensors of a .safetensors, .pth or .pt file, a dict of NumPy arrays. Nothing that is in a file "
      "is run.");
  m.def(
      "save_safetensors",
      [](const std::string& path, const nb::dict& tensors) {
        save_safetensors(path, named_tensors(tensors));
      },
      "path"_a, "tensors"_a,
      "Writes a dict of arrays or tensors to a file that load_weights(), PyTorch and others read; complete "
      "or not at all.");

  m.def("num_threads", &num_threads, "The number of threads that operations use.");
  m.def("set_num_threads", &set_num_threads, "count"_a,
        "From the next operation on, so many threads. Results do not depend on it, bit for bit.");
  m.def(
      "build_info", [] { return build_info().str(); }, "What this build is and what it runs on, in lines.");
}

}  // namespace gesso::python
