// Tensor: the one array type of gesso. Contiguous, row-major, float32 or float64, cheap to copy (copies are
// handles to the same tensor, as in PyTorch). The numbers are defined in core/; what concerns gradients is
// declared here, because there is one Tensor type, and defined in autograd/ (core never looks inside a Node).
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "gesso/core/dtype.h"
#include "gesso/core/error.h"
#include "gesso/core/generator.h"
#include "gesso/core/shape.h"

namespace gesso {

struct Node;    // a tensor's place in the graph, autograd/graph.h
class Storage;  // a reference-counted block of memory
struct TensorImpl;

/// An n-dimensional array. A default-constructed Tensor is undefined: it has no elements and no shape.
class Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor&) = default;
  Tensor(Tensor&&) = default;
  // Only names can be assigned to: x[0] = y would change nothing, so it does not compile; use x[0].copy_(y).
  Tensor& operator=(const Tensor&) & = default;
  Tensor& operator=(Tensor&&) & = default;

  // ---- making one

  /// Contents undefined. Throws MemoryError when the system has no memory left.
  static Tensor empty(const Shape& shape, DType dtype = float32);
  static Tensor zeros(const Shape& shape, DType dtype = float32);
  static Tensor ones(const Shape& shape, DType dtype = float32);
  static Tensor full(const Shape& shape, double value, DType dtype = float32);
  /// A scalar: shape (), one element.
  static Tensor scalar(double value, DType dtype = float32) { return full({}, value, dtype); }
  /// `values` in row-major order. Throws ArgumentError unless there are shape.numel() of them.
  static Tensor from(const std::vector<double>& values, const Shape& shape, DType dtype = float32);
  /// A row of numbers, shape (values.size()): Tensor::from({1, 2, 3}).
  static Tensor from(const std::vector<double>& values) { return from(values, {count_of(values)}); }
  static Tensor from(const std::vector<double>& values, std::same_as<DType> auto dtype) {
    return from(values, {count_of(values)}, dtype);
  }
  /// A tensor over memory of somebody else's, which it reads and, changed in place, writes: shape.numel() numbers at
  /// `data`, row-major. The memory must live until `release` is called, when the last tensor over it goes; without a
  /// `release`, as long as any. Throws ArgumentError for a null pointer (unless there are no numbers) and for one
  /// that is not aligned to a number.
  static Tensor from_buffer(void* data, const Shape& shape, DType dtype = float32,
                            std::function<void()> release = {});
  /// start, start + step, start + 2 step, ... as long as they are, computed in float64, below `end` (above it
  /// for a negative step). Throws ArgumentError for step 0 and for numbers that are not finite.
  static Tensor arange(double start, double end, double step = 1, DType dtype = float32);
  static Tensor arange(double end, DType dtype = float32) { return arange(0, end, 1, dtype); }
  /// Normally distributed numbers, mean 0 and standard deviation 1.
  static Tensor randn(const Shape& shape, Generator& rng, DType dtype = float32);
  /// Numbers in [low, high).
  static Tensor uniform(const Shape& shape, Generator& rng, double low = 0, double high = 1,
                        DType dtype = float32);

  // ---- what it is

  bool defined() const { return impl_ != nullptr; }
  /// Throws ArgumentError for an undefined tensor, as does everything below.
  const Shape& shape() const;
  DType dtype() const;
  int rank() const { return shape().rank(); }
  Index numel() const { return shape().numel(); }
  /// Size of dimension `dim`; negative counts from the end.
  Index size(int dim) const { return shape()[dim]; }
  /// Whether both are handles to the same tensor.
  bool is(const Tensor& other) const { return impl_ == other.impl_; }
  /// Whether this handle is the only one to the tensor and the tensor the only one on its memory.
  bool owned_alone() const;
  /// Whether both read the same memory (one may be a reshape or slice of the other).
  bool shares_storage(const Tensor& other) const;
  /// "float32 (4, 3, 64, 64)", or "undefined".
  std::string describe() const;

  // ---- elements

  /// The elements, to read. Throws ArgumentError unless T is the tensor's dtype.
  template <class T>
  const T* data() const;
  /// The elements, to change. Counts as a change in place: backward refuses to use a saved tensor that was
  /// changed after its operation, and names `who` as the one that changed it.
  template <class T>
  T* mutable_data(const char* who = "mutable_data");

  /// The only element of a one-element tensor. Throws ArgumentError for any other.
  double item() const;
  /// The element at `index`, one number per dimension, negative ones counted from the end. Throws
  /// ArgumentError out of bounds.
  double at(std::initializer_list<Index> index) const;
  /// The same, to read: x(0, 1).
  double operator()(std::integral auto... index) const { return at({static_cast<Index>(index)...}); }
  void set(std::initializer_list<Index> index, double value);
  /// All elements in row-major order, as float64.
  std::vector<double> to_vector() const;

  // ---- changing it in place (never recorded by autograd; x += y is, see autograd/elementwise.h)
  //
  // Where backward() would then be wrong, these and set() throw ArgumentError: while recording is on, a
  // tensor that a recorded operation made is not changed, and no values are taken from one that requires a
  // gradient.

  Tensor& fill_(double value);
  /// Takes the values of `source`, which may have the other dtype. Throws ArgumentError unless the shapes are
  /// equal.
  Tensor& copy_(const Tensor& source);
  /// this += factor * other, for equal shapes and dtypes.
  Tensor& add_(const Tensor& other, double factor = 1);
  Tensor& mul_(double factor);
  /// Every handle to this tensor takes over the memory, shape and dtype of `value` (PyTorch's x.data =
  /// value). Throws ArgumentError when this tensor has a place in the graph: call requires_grad_(false)
  /// first.
  Tensor& set_data(const Tensor& value);

  // ---- the same memory under another shape, outside the graph

  /// A new tensor over this one's memory, `offset` elements in, that autograd knows nothing of.
  Tensor alias(const Shape& shape, Index offset = 0) const;

  // ---- operations that autograd records (defined in autograd/)

  /// The same elements under another shape, sharing storage; one size may be -1 and is worked out.
  Tensor reshape(std::initializer_list<Index> sizes) const;
  Tensor reshape(const Shape& shape) const;
  /// Rows begin <= i < end of the first dimension, sharing storage.
  Tensor slice(Index begin, Index end) const;
  /// Row i of the first dimension, without that dimension, sharing storage; negative counts from the end.
  /// Throws ArgumentError out of bounds and for a scalar.
  Tensor operator[](Index i) const;
  /// A copy with storage of its own.
  Tensor clone() const;
  /// A copy in `dtype`; this tensor itself if it has that dtype already.
  Tensor to(DType dtype) const;

  // the functions of the same names, described in autograd/{reduce,elementwise,matmul,shape_ops}.h
  Tensor sum(const std::vector<int>& dims = {}, bool keepdim = false) const;
  Tensor mean(const std::vector<int>& dims = {}, bool keepdim = false) const;
  Tensor abs() const;
  Tensor square() const;
  Tensor sqrt() const;
  Tensor exp() const;
  Tensor log() const;
  Tensor matmul(const Tensor& other) const;
  Tensor transpose(int dim0, int dim1) const;
  Tensor permute(const std::vector<int>& order) const;

  // ---- gradients (defined in autograd/)

  bool requires_grad() const;
  /// Makes this a leaf whose gradient backward() will accumulate. Throws ArgumentError on the result of an
  /// operation.
  Tensor& requires_grad_(bool value = true);
  /// Whether no operation made this tensor (or none that was recorded).
  bool is_leaf() const;
  /// The gradient that backward() accumulated; undefined before. Interior tensors need retain_grad() first. A
  /// handle that you hold keeps its values: a later backward() puts the new sum into other memory.
  Tensor grad() const;
  void set_grad(const Tensor& grad);
  /// Forgets the gradient, so that the next backward() starts afresh. Its memory goes back to the pool.
  void zero_grad();
  /// Keeps the gradient of this interior tensor when backward() passes through it.
  Tensor& retain_grad();
  /// d(this)/d(leaf) for every leaf that requires a gradient, added to its grad(). This must be a scalar (one
  /// element), or `upstream` must be given with this tensor's shape and dtype. The graph is freed on the way
  /// unless `keep_graph`. Throws ArgumentError for a wrong upstream shape, a tensor without a graph, a graph
  /// freed before, and for a saved tensor that was changed in place.
  void backward(const Tensor& upstream = {}, bool keep_graph = false) const;
  /// The same values, sharing storage, cut from the graph.
  Tensor detach() const;
  /// Calls `hook` with the whole gradient of this tensor when backward() has it; a defined result replaces it
  /// (it must not be changed in place: others may share it). Returns a number for remove_hook(). Throws
  /// ArgumentError when this tensor requires no gradient.
  int register_hook(std::function<Tensor(const Tensor&)> hook) const;
  void remove_hook(int hook) const;

  /// The tensor's place in the graph, or null. For autograd/.
  const std::shared_ptr<Node>& node() const;
  void set_node(std::shared_ptr<Node> node);
  /// How often the memory was changed in place, and by whom last. For autograd/.
  std::uint64_t version() const;
  const char* last_change() const;

 private:
  explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}
  const TensorImpl& impl() const;
  static Index count_of(const std::vector<double>& values) { return static_cast<Index>(values.size()); }

  std::shared_ptr<TensorImpl> impl_;
};

/// Values with four digits in nested brackets, long dimensions cut to their ends, then dtype and shape.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

/// Throws ArgumentError unless `tensor` is defined; `operation` and `argument` name it in the text.
void require_defined(const Tensor& tensor, const char* operation, const char* argument);
/// Throws ArgumentError unless a and b have the same dtype.
void require_same_dtype(const Tensor& a, const Tensor& b, const char* operation);

/// Whether an operation on `tensor` is recorded now: it requires a gradient and recording is on. Defined in
/// autograd/.
bool needs_grad(const Tensor& tensor);
/// For functions that autograd does not record. Throws ArgumentError if needs_grad(tensor), because the
/// gradient would be lost without a word; `instead` says what to use: "slice()".
void require_no_grad(const Tensor& tensor, const char* operation, const char* instead);

}  // namespace gesso
