// The Python module gesso._gesso, which the package gesso shows to the world.
#include "bindings.h"

namespace gesso::python {

Size2d size2d_of(const IntOrPair& size) {
  if (const auto* sides = std::get_if<std::pair<Index, Index>>(&size)) {
    return {sides->first, sides->second};
  }
  return std::get<Index>(size);
}

Shape shape_of(const IntOrList& sizes) {
  const auto* list = std::get_if<std::vector<Index>>(&sizes);
  return list ? Shape(*list) : Shape{std::get<Index>(sizes)};
}

Padding2d padding2d_of(const IntOrList& padding) {
  const auto* sides = std::get_if<std::vector<Index>>(&padding);
  if (sides == nullptr) {
    return std::get<Index>(padding);
  }
  require(sides->size() == 4, "padding: ", sides->size(),
          " numbers; give one for all sides, or (left, right, top, bottom)");
  return {(*sides)[0], (*sides)[1], (*sides)[2], (*sides)[3]};
}

std::vector<int> dims_of(const Dims& dims) {
  if (!dims) {
    return {};
  }
  const auto* list = std::get_if<std::vector<int>>(&*dims);
  return list ? *list : std::vector<int>{std::get<int>(*dims)};
}

PaddingMode padding_mode_of(const std::string& word) {
  return choose<PaddingMode>("padding_mode", word,
                             {{"zeros", PaddingMode::zeros},
                              {"reflect", PaddingMode::reflect},
                              {"replicate", PaddingMode::replicate}});
}

DType dtype_of(nb::handle name, DType otherwise) {
  if (name.is_none()) {
    return otherwise;
  }
  const auto text = nb::cast<std::string>(nb::str(nb::module_::import_("numpy").attr("dtype")(name)));
  return choose<DType>("dtype", text, {{"float32", float32}, {"float64", float64}});
}

Generator& default_generator() {
  static Generator generator;
  return generator;
}

// Each is an exception of gesso's and of Python's own kind, so that both `except gesso.GessoError` and
// `except ValueError` catch it. The last one registered is tried first.
void bind_errors(nb::module_& m) {
  static const nb::exception<Error> error(m, "GessoError", PyExc_RuntimeError);
  error.attr("__doc__") = "The base of all errors of gesso; its text says what was wrong and what to do.";
  const auto bases = [&](PyObject* python) { return nb::make_tuple(error, nb::handle(python)); };
  nb::exception<ArgumentError>(m, "ArgumentError", bases(PyExc_ValueError)).attr("__doc__") =
      "An argument has a shape, dtype or value that the operation cannot take.";
  nb::exception<FileError>(m, "FileError", bases(PyExc_OSError)).attr("__doc__") =
      "A file or folder cannot be read or written.";
  nb::exception<MemoryError>(m, "OutOfMemoryError", bases(PyExc_MemoryError)).attr("__doc__") =
      "The system has no memory left for a tensor.";
}

}  // namespace gesso::python

NB_MODULE(_gesso, m) {
  using namespace gesso::python;
  nb::set_leak_warnings(false);  // what a notebook still holds at its end is no leak
  m.attr("_version") = GESSO_VERSION;
  bind_errors(m);
  nb::class_<gesso::Tensor> tensor(m, "Tensor", nb::type_slots(buffer_slots), R"(
An n-dimensional array of float32 or float64 with a place in the graph of gradients.

Made by gesso.tensor(), zeros(), randn() and the like, and by operations on other tensors. numpy.asarray(t)
and t.numpy() are views of its memory, no copies; t shows itself by DLPack too (torch.from_dlpack(t)). The
views may be written to, unless t requires a gradient: what happens in them, backward() does not see.)");
  bind_arrays(m, tensor);
  bind_tensor(m, tensor);
  bind_functions(m, tensor);
  bind_layers(m);
  bind_normalization_layers(m);
  bind_training(m);
  bind_inspection(m);
  bind_report(m);
  bind_interruption();
}
