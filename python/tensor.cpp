// Tensor: making one, looking at it, arithmetic, gradients.
#include "bindings.h"

#include <nanobind/operators.h>

#include <algorithm>
#include <sstream>

namespace gesso::python {
namespace {

Index checked_index(Index i, Index size) {
  if (i < -size || i >= size) {
    throw nb::index_error(
        concat_text("index ", i, " is out of range for a dimension of size ", size).c_str());
  }
  return i < 0 ? i + size : i;
}

// x[1], x[2:5], x[0, 1:3]: whole numbers drop their dimension, slices keep it. Recorded for backward.
Tensor get_item(const Tensor& x, nb::handle index) {
  const nb::tuple parts =
      nb::isinstance<nb::tuple>(index) ? nb::borrow<nb::tuple>(index) : nb::make_tuple(index);
  if (static_cast<int>(parts.size()) > x.rank()) {
    throw nb::index_error(concat_text(parts.size(), " indices for a tensor of shape ", x.shape()).c_str());
  }
  Tensor y = x;
  int dim = 0;
  for (nb::handle part : parts) {
    const Index size = y.size(dim);
    if (nb::isinstance<nb::slice>(part)) {
      Py_ssize_t begin, end, step;
      if (PySlice_Unpack(part.ptr(), &begin, &end, &step) != 0) {
        throw nb::python_error();
      }
      require(step == 1, "Tensor: a slice with step ", step, "; only steps of 1 are there");
      const Py_ssize_t length = PySlice_AdjustIndices(size, &begin, &end, step);
      y = slice(y, dim++, begin, begin + length);
    } else if (PyIndex_Check(part.ptr())) {
      const Index i = checked_index(nb::cast<Index>(nb::int_(part)), size);
      y = squeeze(slice(y, dim, i, i + 1), dim);
    } else {
      require(false, "Tensor: an index of ", nb::repr(part.type()).c_str(),
              "; use whole numbers and slices, or numpy.asarray(t) for NumPy's ways of indexing");
    }
  }
  return y;
}

// The sizes with a -1 worked out for x, as Tensor::reshape({-1, 3}) does.
std::vector<Index> without_unknown(std::vector<Index> sizes, const Tensor& x) {
  const auto unknown = std::find(sizes.begin(), sizes.end(), -1);
  if (unknown != sizes.end()) {
    *unknown = 1;
    const Index rest = Shape(sizes).numel();  // throws for a second -1
    require(rest > 0 && x.numel() % rest == 0, "reshape: the ", x.numel(), " elements of ", x.shape(),
            " cannot be divided into rows of ", rest, " for the size -1");
    *unknown = x.numel() / rest;
  }
  return sizes;
}

void bind_making(nb::module_& m) {
  m.def(
      "zeros",
      [](const IntOrList& shape, nb::handle dtype) {
        return Tensor::zeros(shape_of(shape), dtype_of(dtype));
      },
      "shape"_a, "dtype"_a = nb::none(),
      "zeros((2, 3)): a tensor of zeros, float32 unless dtype says otherwise.");
  m.def(
      "ones",
      [](const IntOrList& shape, nb::handle dtype) { return Tensor::ones(shape_of(shape), dtype_of(dtype)); },
      "shape"_a, "dtype"_a = nb::none(), "A tensor of ones.");
  m.def(
      "full",
      [](const IntOrList& shape, double value, nb::handle dtype) {
        return Tensor::full(shape_of(shape), value, dtype_of(dtype));
      },
      "shape"_a, "value"_a, "dtype"_a = nb::none(), "A tensor with `value` everywhere.");
  m.def(
      "arange",
      [](double start, std::optional<double> end, double step, nb::handle dtype) {
        return Tensor::arange(end ? start : 0, end.value_or(start), step, dtype_of(dtype));
      },
      "start"_a, "end"_a = nb::none(), "step"_a = 1.0, "dtype"_a = nb::none(),
      "start, start + step, ... below end; arange(n) is 0 to n - 1.");
  m.def(
      "randn",
      [](const IntOrList& shape, nb::handle dtype, Generator* generator) {
        return Tensor::randn(shape_of(shape), generator_of(generator), dtype_of(dtype));
      },
      "shape"_a, "dtype"_a = nb::none(), "generator"_a = nb::none(),
      "Normally distributed numbers, mean 0 and standard deviation 1.");
  m.def(
      "uniform",
      [](const IntOrList& shape, double low, double high, nb::handle dtype, Generator* generator) {
        return Tensor::uniform(shape_of(shape), generator_of(generator), low, high, dtype_of(dtype));
      },
      "shape"_a, "low"_a = 0.0, "high"_a = 1.0, "dtype"_a = nb::none(), "generator"_a = nb::none(),
      "Numbers in [low, high).");
  nb::class_<Generator>(m, "Generator", "A stream of random numbers: the same seed gives the same numbers.")
      .def(nb::init<std::uint64_t>(), "seed"_a = 0)
      .def("uniform", nb::overload_cast<>(&Generator::uniform), "A number in [0, 1).")
      .def("normal", &Generator::normal, "A normally distributed number.");
  m.def(
      "manual_seed", [](std::uint64_t seed) { default_generator() = Generator(seed); }, "seed"_a,
      "Begins the random numbers of everything that is given no generator anew. A session begins with seed "
      "0.");
}

void bind_looking(nb::class_<Tensor>& tensor) {
  tensor.def_prop_ro(
      "shape",
      [](const Tensor& x) {
        return nb::typed<nb::tuple, Index, nb::ellipsis>(
            nb::tuple(nb::cast(std::vector<Index>(x.shape().begin(), x.shape().end()))));
      },
      "The sizes of its dimensions, a tuple.");
  tensor.def_prop_ro(
      "dtype",
      [](const Tensor& x) { return nb::module_::import_("numpy").attr("dtype")(name_of(x.dtype())); },
      nb::for_getter(nb::sig("def dtype(self) -> typing.Any")),
      "numpy.dtype(\"float32\") or numpy.dtype(\"float64\").");
  tensor.def_prop_ro("ndim", &Tensor::rank, "The number of dimensions.");
  tensor.def("numel", &Tensor::numel, "The number of elements.");
  tensor.def("item", &Tensor::item, "The only element of a one-element tensor, as a number of Python's.");
  tensor.def(
      "tolist", [](const Tensor& x) { return numpy_over(x).attr("tolist")(); }, "Nested lists of numbers.");
  tensor.def("__float__", &Tensor::item);
  tensor.def("__bool__", [](const Tensor& x) {
    require(x.numel() == 1, "Tensor: the truth of a tensor of shape ", x.shape(),
            " is ambiguous; compare one element, or use numpy.asarray(t).all() or .any()");
    return x.item() != 0;
  });
  const auto length = [](const Tensor& x) {
    if (x.rank() == 0) {
      throw nb::type_error("a tensor of shape () has no length");
    }
    return x.size(0);
  };
  tensor.def("__len__", length);
  tensor.def("__getitem__", &get_item, "index"_a.none(),
             "t[1], t[2:5], t[0, 1:3]: whole numbers and slices of step 1. Gradients flow through.");
  tensor.def("__iter__", [length](const Tensor& x) {
    nb::list rows;
    for (Index i = 0; i < length(x); ++i) {
      rows.append(x[i]);
    }
    return nb::iter(rows);
  });
  tensor.def("__repr__", [](const Tensor& x) {
    std::ostringstream text;
    text << x << (x.requires_grad() ? ", requires_grad" : "");
    return text.str();
  });
  tensor.def_prop_rw(
      "label", &label_of, [](const Tensor& x, std::string label) { set_label(x, std::move(label)); },
      "A name for drawings of the graph and for error messages.");
}

void bind_arithmetic(nb::class_<Tensor>& tensor) {
  const auto is_operator = nb::is_operator();
  tensor.def(nb::self + nb::self, Unlocked())
      .def(nb::self + double(), Unlocked())
      .def(double() + nb::self, Unlocked());
  tensor.def(nb::self - nb::self, Unlocked())
      .def(nb::self - double(), Unlocked())
      .def(double() - nb::self, Unlocked());
  tensor.def(nb::self * nb::self, Unlocked())
      .def(nb::self * double(), Unlocked())
      .def(double() * nb::self, Unlocked());
  tensor.def(nb::self / nb::self, Unlocked())
      .def(nb::self / double(), Unlocked())
      .def(double() / nb::self, Unlocked());
  tensor.def(-nb::self, Unlocked());
  tensor.def("__abs__", &abs, Unlocked());
  tensor.def("__matmul__", &matmul, is_operator, Unlocked());
  tensor.def("__pow__", nb::overload_cast<const Tensor&, double>(&pow), is_operator, Unlocked());
  tensor.def("__pow__", nb::overload_cast<const Tensor&, const Tensor&>(&pow), is_operator, Unlocked());
  tensor.def(
      "__rpow__", [](const Tensor& x, double base) { return pow(base, x); }, is_operator, Unlocked());
  // x += y is x for every handle to it, as in C++, so the same object of Python's goes back.
  const auto in_place = [&](const char* name, Tensor& (*tensors)(Tensor&, const Tensor&),
                            Tensor& (*number)(Tensor&, double)) {
    tensor.def(name, tensors, is_operator, nb::rv_policy::none, Unlocked());
    tensor.def(name, number, is_operator, nb::rv_policy::none, Unlocked());
  };
  in_place("__iadd__", &operator+=, &operator+=);
  in_place("__isub__", &operator-=, &operator-=);
  in_place("__imul__", &operator*=, &operator*=);
  in_place("__itruediv__", &operator/=, &operator/=);
  // 1 where it holds and 0 elsewhere, in the dtype of the left side.
  const auto comparison = [&](const char* name, Tensor (*tensors)(const Tensor&, const Tensor&),
                              Tensor (*number)(const Tensor&, double)) {
    tensor.def(name, tensors, is_operator, Unlocked());
    tensor.def(name, number, is_operator, Unlocked());
  };
  comparison("__eq__", &eq, &eq);
  comparison("__ne__", &ne, &ne);
  comparison("__lt__", &lt, &lt);
  comparison("__le__", &le, &le);
  comparison("__gt__", &gt, &gt);
  comparison("__ge__", &ge, &ge);
  tensor.def("__hash__", [](nb::handle self) { return reinterpret_cast<std::uintptr_t>(self.ptr()) >> 4; });
  // Else NumPy would compute array * tensor itself, and the gradient would be lost without a word.
  tensor.attr("__array_ufunc__") = nb::none();
}

void bind_gradients(nb::module_& m, nb::class_<Tensor>& tensor) {
  tensor.def_prop_rw(
      "requires_grad", &Tensor::requires_grad, [](Tensor& x, bool value) { x.requires_grad_(value); },
      "Whether backward() computes a gradient for it. May be set on tensors that no operation made.");
  tensor.def(
      "requires_grad_", [](Tensor x, bool value) { return x.requires_grad_(value); }, "value"_a = true,
      "Sets requires_grad and returns the tensor.");
  tensor.def_prop_ro("is_leaf", &Tensor::is_leaf, "Whether no recorded operation made it.");
  tensor.def_prop_rw(
      "grad", [](const Tensor& x) { return maybe(x.grad()); },
      [](Tensor& x, const MaybeTensor& grad) { grad ? x.set_grad(*grad) : x.zero_grad(); },
      nb::for_setter("grad"_a.none()),
      "The gradient that backward() added up, or None. Results of operations keep theirs after "
      "retain_grad().");
  tensor.def("zero_grad", &Tensor::zero_grad, "Forgets the gradient.");
  tensor.def(
      "retain_grad", [](Tensor x) { return x.retain_grad(); },
      "Keeps the gradient of this result of an operation when backward() passes through.");
  tensor.def(
      "backward",
      [](const Tensor& x, const MaybeTensor& gradient, bool retain_graph) {
        x.backward(tensor_of(gradient), retain_graph);
      },
      "gradient"_a = nb::none(), "retain_graph"_a = false, Unlocked(),
      R"(Adds d(this)/d(leaf) to the grad of every leaf that requires one. This must have one element, or
`gradient`, the gradient of something with respect to this, must be given in this tensor's shape and dtype.
The graph is freed on the way unless retain_graph.)");
  tensor.def("detach", &Tensor::detach, "The same values, sharing memory, cut from the graph.");
  nb::class_<NoGradGuard>(m, "_NoGradGuard").def(nb::init<>());
  m.def("grad_enabled", &grad_enabled, "Whether operations are recorded now; see no_grad.");
}

void bind_shapes(nb::class_<Tensor>& tensor) {
  tensor.def(
      "reshape",
      [](const Tensor& x, const IntOrList& shape) {
        const auto* list = std::get_if<std::vector<Index>>(&shape);
        return x.reshape(Shape(without_unknown(list ? *list : std::vector{std::get<Index>(shape)}, x)));
      },
      "shape"_a,
      "The same elements under another shape, sharing memory; one size may be -1 and is worked out.");
  tensor.def("clone", &Tensor::clone, Unlocked(), "A copy with memory of its own; gradients flow through.");
  tensor.def(
      "to", [](const Tensor& x, nb::handle dtype) { return x.to(dtype_of(dtype, x.dtype())); }, "dtype"_a,
      "A copy in another dtype; the tensor itself if it has it already.");
  tensor.def(
      "copy_", [](Tensor x, nb::handle source) { return x.copy_(tensor_over(source)); }, "source"_a,
      "Takes the values of `source`, a tensor or an array of the same shape. Not recorded.");
  tensor.def(
      "fill_", [](Tensor x, double value) { return x.fill_(value); }, "value"_a,
      "Sets all elements. Not recorded.");
}

}  // namespace

void bind_tensor(nb::module_& m, nb::class_<Tensor>& tensor) {
  bind_making(m);
  bind_looking(tensor);
  bind_arithmetic(tensor);
  bind_gradients(m, tensor);
  bind_shapes(tensor);
}

}  // namespace gesso::python
