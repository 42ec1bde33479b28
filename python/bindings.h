// What the files of the Python module share. Each bind_...() below adds one concern to the module; Python's
// names and the order of arguments are PyTorch's where PyTorch has the thing.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gesso/gesso.h"

namespace gesso::python {

namespace nb = nanobind;
using namespace nb::literals;

void bind_errors(nb::module_& m);
void bind_interruption();
void bind_arrays(nb::module_& m, nb::class_<Tensor>& tensor);
void bind_tensor(nb::module_& m, nb::class_<Tensor>& tensor);
void bind_functions(nb::module_& m, nb::class_<Tensor>& tensor);
void bind_layers(nb::module_& m);
void bind_normalization_layers(nb::module_& m);
void bind_training(nb::module_& m);
void bind_inspection(nb::module_& m);
void bind_report(nb::module_& m);

/// As a call guard: other threads of Python may run while the function computes.
using Unlocked = nb::call_guard<nb::gil_scoped_release>;

// ---- None, where C++ has an undefined tensor

using MaybeTensor = std::optional<Tensor>;
inline Tensor tensor_of(const MaybeTensor& tensor) { return tensor.value_or(Tensor()); }
inline MaybeTensor maybe(const Tensor& tensor) {
  return tensor.defined() ? MaybeTensor(tensor) : std::nullopt;
}

// ---- one number or several

using IntOrPair =
    std::variant<Index, std::pair<Index, Index>>;  // for both sides of a picture, or (height, width)
Size2d size2d_of(const IntOrPair& size);
using IntOrList = std::variant<Index, std::vector<Index>>;
Shape shape_of(const IntOrList& sizes);
Padding2d padding2d_of(const IntOrList& padding);
using Dims = std::optional<std::variant<int, std::vector<int>>>;  // None: all
std::vector<int> dims_of(const Dims& dims);

// ---- words

/// The value that `word` stands for. Throws ArgumentError, listing the words there are, for another one.
template <class T>
T choose(const char* argument, const std::string& word,
         std::initializer_list<std::pair<const char*, T>> choices) {
  std::string known;
  for (const auto& [name, value] : choices) {
    if (word == name) {
      return value;
    }
    known += (known.empty() ? "\"" : ", \"") + std::string(name) + "\"";
  }
  throw ArgumentError(concat_text(argument, ": \"", word, "\" is not one of ", known));
}
PaddingMode padding_mode_of(const std::string& word);

/// The dtype that `name` means to NumPy ("float32", numpy.float64, ...); `otherwise` for None. Throws
/// ArgumentError for one that gesso does not have.
DType dtype_of(nb::handle name, DType otherwise = float32);

// ---- random numbers

/// What draws where no generator is given; gesso.manual_seed() sets it. Python's lock guards it.
Generator& default_generator();
inline Generator& generator_of(Generator* generator) { return generator ? *generator : default_generator(); }

// ---- arrays (arrays.cpp)

extern const PyType_Slot buffer_slots[];  // Tensor's buffer protocol
using NumpyArray = nb::ndarray<nb::numpy>;
using NumpyDict = nb::typed<nb::dict, nb::str, NumpyArray>;
/// A NumPy array over the tensor's memory, which lives as long as the array; to read if the tensor requires
/// a gradient.
nb::object numpy_over(const Tensor& tensor);
/// The same of a tensor that has nothing to do with gradients.
NumpyArray numpy_array(const Tensor& tensor);
/// A tensor over the memory of `data` where that can be, else of a copy.
Tensor tensor_over(nb::handle data, nb::handle dtype = nb::none());
/// Named tensors as a dict of NumPy arrays, copied: a state dict that training does not change later.
NumpyDict numpy_dict(const NamedTensors& tensors);
/// The other way, of anything that tensor_over() takes.
NamedTensors named_tensors(const nb::dict& arrays);

}  // namespace gesso::python
