// Memory shared with NumPy, PyTorch and others: the buffer protocol and DLPack
// (https://dmlc.github.io/dlpack), both ways, without a copy.
#include "bindings.h"

namespace gesso::python {
namespace {

// The tensor's memory as an array of nanobind's, which keeps it alive. A handle of its own holds the memory:
// `x += y` may give x other memory, and the array stays with the one it was made of.
template <class Array>
Array array_over(const Tensor& tensor) {
  const Tensor held = tensor.alias(tensor.shape());
  const void* data =
      with_dtype(held.dtype(), [&]<class T>() { return static_cast<const void*>(held.data<T>()); });
  const std::vector<std::size_t> shape(held.shape().begin(), held.shape().end());
  const nb::capsule owner(new Tensor(held),
                          [](void* handle) noexcept { delete static_cast<Tensor*>(handle); });
  const auto dtype = held.dtype() == float64 ? nb::dtype<double>() : nb::dtype<float>();
  return Array(const_cast<void*>(data), shape.size(), shape.data(), owner, nullptr, dtype);
}

// Something with the buffer protocol and DLPack. Backward would not see what is written, so a tensor that
// requires a gradient is shown to read.
nb::object exporter(const Tensor& tensor) {
  return tensor.requires_grad() ? nb::cast(array_over<nb::ndarray<nb::ro, nb::array_api>>(tensor))
                                : nb::cast(array_over<nb::ndarray<nb::array_api>>(tensor));
}

// The view belongs to the exporter, which releases it.
int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  try {
    return PyObject_GetBuffer(exporter(nb::cast<const Tensor&>(nb::handle(self))).ptr(), view, flags);
  } catch (const std::exception& error) {
    view->obj = nullptr;
    PyErr_SetString(PyExc_BufferError, error.what());
    return -1;
  }
}

// A tensor over the memory of `data`; nothing if it has none that a tensor can be over: in place, aligned,
// row-major float32 or float64 that may be written to.
MaybeTensor share(nb::handle data) {
  nb::ndarray<nb::device::cpu, nb::c_contig> array;
  if (!nb::try_cast(data, array, false)) {
    return std::nullopt;
  }
  const bool is_double = array.dtype() == nb::dtype<double>();
  const DType dtype = is_double ? float64 : float32;
  if ((!is_double && array.dtype() != nb::dtype<float>()) ||
      reinterpret_cast<std::uintptr_t>(array.data()) % size_of(dtype) != 0) {
    return std::nullopt;
  }
  std::vector<Index> shape(array.ndim());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    shape[i] = static_cast<Index>(array.shape(i));
  }
  // Nothing is called at the end: what the function holds, the array, goes with it.
  return Tensor::from_buffer(array.data(), Shape(shape), dtype, [array] {});
}

Tensor copy_of(nb::handle data, nb::handle dtype) {
  if (MaybeTensor shared = share(data)) {
    const DType wanted = dtype_of(dtype, shared->dtype());
    return wanted == shared->dtype() ? shared->clone() : shared->to(wanted);
  }
  // Lists, whole numbers, arrays with gaps: NumPy makes an array of its own. A float64 array stays one, as
  // in PyTorch; a list's numbers, which Python has no float32 for, do not.
  const nb::object numpy = nb::module_::import_("numpy");
  const nb::object array = numpy.attr("asarray")(data);
  const bool is_double = nb::hasattr(data, "dtype") && array.attr("dtype").equal(numpy.attr("dtype")("d"));
  const DType wanted = dtype_of(dtype, is_double ? float64 : float32);
  const nb::object copy = array.attr("astype")(name_of(wanted), "order"_a = "C", "casting"_a = "same_kind");
  const MaybeTensor shared = share(copy);
  require(shared.has_value(), "tensor: NumPy made no array of numbers of ", nb::repr(data.type()).c_str());
  return *shared;
}

}  // namespace

const PyType_Slot buffer_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)}, {0, nullptr}};

nb::object numpy_over(const Tensor& tensor) {
  return nb::module_::import_("numpy").attr("asarray")(exporter(tensor));
}

Tensor tensor_over(nb::handle data, nb::handle dtype) {
  if (nb::isinstance<Tensor>(data)) {
    const auto& tensor = nb::cast<const Tensor&>(data);
    return tensor.to(dtype_of(dtype, tensor.dtype()));
  }
  MaybeTensor shared = share(data);
  return shared && dtype_of(dtype, shared->dtype()) == shared->dtype() ? *shared : copy_of(data, dtype);
}

NumpyArray numpy_array(const Tensor& tensor) { return array_over<NumpyArray>(tensor); }

NumpyDict numpy_dict(const NamedTensors& tensors) {
  NumpyDict arrays;
  for (const auto& [name, tensor] : tensors) {
    arrays[name.c_str()] = numpy_array(tensor.detach().clone());
  }
  return arrays;
}

NamedTensors named_tensors(const nb::dict& arrays) {
  NamedTensors tensors;
  for (const auto& [name, array] : arrays) {
    tensors.emplace_back(nb::cast<std::string>(name), tensor_over(array).detach());
  }
  return tensors;
}

void bind_arrays(nb::module_& m, nb::class_<Tensor>& tensor) {
  tensor.def(
      "__dlpack__",
      [](const Tensor& self, const nb::kwargs& options) {
        if (self.requires_grad()) {
          throw nb::buffer_error("a tensor that requires a gradient is not shared by DLPack: use detach()");
        }
        return exporter(self).attr("__dlpack__")(**options);
      },
      "The tensor's memory for other libraries, without a copy: torch.from_dlpack(t), numpy.from_dlpack(t).");
  tensor.def(
      "__dlpack_device__", [](const Tensor& self) { return exporter(self).attr("__dlpack_device__")(); },
      "(1, 0): the CPU's memory.");
  tensor.def(
      "numpy", &numpy_over, nb::sig("def numpy(self) -> numpy.typing.NDArray"),
      "A NumPy array over the same memory, which may be written to unless the tensor requires a gradient.");
  tensor.def("__getstate__", [](const Tensor& self) {
    return nb::make_tuple(numpy_over(self.detach().clone()), self.requires_grad());
  });
  tensor.def("__setstate__", [](Tensor& self, const nb::tuple& state) {
    new (&self) Tensor(tensor_over(state[0]));
    self.requires_grad_(nb::cast<bool>(state[1]));
  });

  m.def(
      "tensor",
      [](nb::handle data, nb::handle dtype, bool requires_grad) {
        return copy_of(data, dtype).requires_grad_(requires_grad);
      },
      "data"_a, "dtype"_a = nb::none(), "requires_grad"_a = false,
      R"(A new tensor with a copy of `data`: a number, nested lists, a NumPy array, a tensor of PyTorch's.

dtype: "float32" or "float64"; by default float64 for arrays of float64, else float32.)");
  m.def("as_tensor", &tensor_over, "data"_a, "dtype"_a = nb::none(),
        R"(A tensor over the memory of `data`, without a copy where that can be: where `data` has the buffer
protocol or DLPack (NumPy, PyTorch, ...), is row-major without gaps, float32 or float64, and may be written
to. Changes on either side then show on the other. Everything else is copied, as by tensor().)");
  m.def(
      "from_dlpack",
      [](nb::handle data) {
        const MaybeTensor shared = share(data);
        require(
            shared.has_value(), "from_dlpack: ", nb::repr(data.type()).c_str(),
            " is not shared: it must offer DLPack or the buffer protocol, be in the CPU's memory, row-major "
            "without gaps, float32 or float64, and writable; gesso.tensor() copies");
        return *shared;
      },
      "data"_a, "A tensor over the memory of `data`; ArgumentError where as_tensor() would copy.");
}

}  // namespace gesso::python
