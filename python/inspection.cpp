// Looking inside: gradients checked, a normalization taken apart, the graph drawn.
#include "bindings.h"

namespace gesso::python {
namespace {

std::vector<Tensor> list_of(const std::variant<Tensor, std::vector<Tensor>>& tensors) {
  const auto* one = std::get_if<Tensor>(&tensors);
  return one ? std::vector<Tensor>{*one} : std::get<std::vector<Tensor>>(tensors);
}

// `function` for gradcheck(), which calls it some thousand times.
std::function<Tensor(const std::vector<Tensor>&)> callable(const nb::object& function) {
  return [function](const std::vector<Tensor>& inputs) {
    nb::list arguments;
    for (const Tensor& input : inputs) {
      arguments.append(input);
    }
    const nb::object result = function(*arguments);
    if (!nb::isinstance<Tensor>(result)) {
      throw ArgumentError(concat_text("gradcheck: the function returned ", nb::repr(result.type()).c_str(),
                                      "; it must return a gesso.Tensor"));
    }
    return nb::cast<Tensor>(result);
  };
}

void bind_gradcheck(nb::module_& m) {
  nb::class_<GradcheckResult>(m, "GradcheckResult", "What gradcheck found; true if all is well.")
      .def("__bool__", [](const GradcheckResult& self) { return self.ok; })
      .def("__repr__", &GradcheckResult::str)
      .def_ro("ok", &GradcheckResult::ok)
      .def_ro("checked", &GradcheckResult::checked, "How many elements were compared.")
      .def_ro("worst_tensor", &GradcheckResult::worst_tensor, "\"input 0\", or a parameter's name.")
      .def_ro("worst_index", &GradcheckResult::worst_index)
      .def_ro("worst_analytic", &GradcheckResult::worst_analytic, "What backward() gave there.")
      .def_ro("worst_numeric", &GradcheckResult::worst_numeric, "What finite differences gave there.")
      .def_ro("worst_error", &GradcheckResult::worst_error,
              "Their difference in units of the tolerance; at most 1 is fine.");
  m.def(
      "gradcheck",
      [](const nb::object& function, const std::variant<Tensor, std::vector<Tensor>>& inputs, double step,
         double rtol, double atol, std::uint64_t seed, Index max_elements) {
        GradcheckOptions options{
            .step = step, .rtol = rtol, .atol = atol, .seed = seed, .max_elements = max_elements};
        if (nb::isinstance<Module>(function)) {
          options.parameters = nb::cast<Module&>(function).named_parameters();
        }
        return gradcheck(callable(function), list_of(inputs), options);
      },
      "function"_a, "inputs"_a, "step"_a = 1e-5, "rtol"_a = 1e-5, "atol"_a = 1e-7, "seed"_a = 1,
      "max_elements"_a = 400,
      R"(Compares backward() with central differences, for every input that requires a gradient, and for the
parameters if the function is a Module.

    x = gesso.randn((2, 3, 4, 4), dtype="float64").requires_grad_()
    gesso.gradcheck(gesso.InstanceNorm2d(3), x)

function(*inputs) returns a tensor of any shape. Everything must be float64.)");
}

// Members as NumPy arrays.
template <class Class>
void add_array(nb::class_<Class>& type, const char* name, Tensor Class::*member, const char* doc) {
  type.def_prop_ro(
      name, [member](const Class& self) { return numpy_array(self.*member); }, nb::rv_policy::automatic, doc);
}

void bind_inspect(nb::module_& m) {
  nb::class_<NormalizationTerms> terms(m, "NormalizationTerms", R"(
One normalization taken apart, in NumPy arrays. With g = gamma dy and mean(...) over the elements of a
statistic,

    dx = inv_std g  -  inv_std mean(g)  -  inv_std x-hat mean(g x-hat)
         upstream_term   mean_term         xhat_term

and upstream_term + mean_term + xhat_term is dx bit for bit.)");
  add_array(terms, "mean", &NormalizationTerms::mean,
            "Of each statistic: (N, groups), or (C) for those of a channel.");
  add_array(terms, "variance", &NormalizationTerms::variance, "Of each statistic, biased.");
  add_array(terms, "inv_std", &NormalizationTerms::inv_std, "1 / sqrt(variance + eps)");
  add_array(terms, "removed_by_mean", &NormalizationTerms::removed_by_mean,
            "The share of |g|^2 that the mean term removed, 0 to 1.");
  add_array(terms, "removed_by_xhat", &NormalizationTerms::removed_by_xhat,
            "The share that the x-hat term removed, 0 to 1.");
  add_array(terms, "xhat", &NormalizationTerms::xhat, "(x - mean) inv_std, of x's shape.");
  add_array(terms, "upstream_term", &NormalizationTerms::upstream_term, "inv_std g");
  add_array(terms, "mean_term", &NormalizationTerms::mean_term, "-inv_std mean(g)");
  add_array(terms, "xhat_term", &NormalizationTerms::xhat_term, "-inv_std x-hat mean(g x-hat)");

  nb::class_<NormalizationInspection> inspection(m, "NormalizationInspection",
                                                 "What inspect_normalization() found.");
  add_array(inspection, "y", &NormalizationInspection::y, "What the layer returns.");
  add_array(inspection, "dx", &NormalizationInspection::dx, "What backward() gives x.");
  inspection.def_ro(
      "parts", &NormalizationInspection::parts,
      "One NormalizationTerms, except for BatchInstanceNorm2d: its batch part and its instance part.");
  m.def("inspect_normalization", &inspect_normalization, "layer"_a, "x"_a, "upstream"_a, Unlocked(),
        R"(What a normalization layer does with x, and with the gradient `upstream` of its result, in the mode
it is in: results and every number on the way, forward and backward. Changes nothing: running statistics
stay.)");
}

}  // namespace

void bind_inspection(nb::module_& m) {
  bind_gradcheck(m);
  bind_inspect(m);
  m.def("graph_dot", &graph_dot, "tensor"_a,
        "The graph that made the tensor, in the DOT language of Graphviz; see graph(), which draws it.");
}

}  // namespace gesso::python
