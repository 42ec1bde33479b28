#include "gesso/core/tensor.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>

#include "gesso/core/memory/memory_pool.h"
#include "gesso/core/parallel.h"

namespace gesso {

// A block of the memory pool, or of somebody else's, with a count of the changes made in place.
class Storage {
 public:
  explicit Storage(std::uint64_t bytes)
      : bytes_(static_cast<std::size_t>(bytes)), data_(detail::pool_allocate(bytes)) {}
  Storage(void* data, std::function<void()> release)
      : data_(data), release_(std::move(release)), foreign_(true) {}
  ~Storage() {
    if (!foreign_) {
      detail::pool_free(data_, bytes_);
    } else if (release_) {
      release_();
    }
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return data_; }
  std::uint64_t version() const { return version_; }
  const char* last_change() const { return last_change_; }
  void changed(const char* who) {
    ++version_;
    last_change_ = who;
  }

 private:
  std::size_t bytes_ = 0;
  void* data_;
  std::function<void()> release_ = {};
  bool foreign_ = false;
  std::atomic<std::uint64_t> version_ = 0;
  std::atomic<const char*> last_change_ = "";
};

struct TensorImpl {
  std::shared_ptr<Storage> storage;
  Index offset = 0;  // elements
  Shape shape;
  DType dtype = float32;
  std::shared_ptr<Node> node;
};

namespace {
constexpr Index kBlock = 1 << 16;  // elements of one parallel block of a plain elementwise loop
}

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  auto impl = std::make_shared<TensorImpl>();
  impl->storage = std::make_shared<Storage>(
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(shape.numel()) * size_of(dtype)));
  impl->shape = shape;
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) { return full(shape, 0, dtype); }

Tensor Tensor::ones(const Shape& shape, DType dtype) { return full(shape, 1, dtype); }

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor result = empty(shape, dtype);
  result.fill_(value);
  return result;
}

Tensor Tensor::from(const std::vector<double>& values, const Shape& shape, DType dtype) {
  require(static_cast<Index>(values.size()) == shape.numel(), "Tensor::from: ", values.size(),
          " values for shape ", shape, ", which has ", shape.numel(), " elements");
  Tensor result = empty(shape, dtype);
  with_dtype(dtype, [&]<class T>() {
    std::transform(values.begin(), values.end(), result.mutable_data<T>(),
                   [](double v) { return static_cast<T>(v); });
  });
  return result;
}

Tensor Tensor::from_buffer(void* data, const Shape& shape, DType dtype, std::function<void()> release) {
  require(data != nullptr || shape.numel() == 0, "Tensor::from_buffer: a null pointer for shape ", shape);
  require(reinterpret_cast<std::uintptr_t>(data) % size_of(dtype) == 0,
          "Tensor::from_buffer: the address is not a multiple of ", size_of(dtype), ", the bytes of a ",
          dtype, "; copy the numbers to where they are aligned");
  auto impl = std::make_shared<TensorImpl>();
  impl->storage = std::make_shared<Storage>(data, std::move(release));
  impl->shape = shape;
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

Tensor Tensor::arange(double start, double end, double step, DType dtype) {
  require(step != 0 && std::isfinite(step) && std::isfinite(start) && std::isfinite(end),
          "Tensor::arange: start ", start, ", end ", end, " and step ", step,
          " must be finite and the step not 0");
  double count = std::max(0.0, std::ceil((end - start) / step));
  // The quotient may round up: 1.6 - 1 is a little more than 6 * 0.1, and yet 1 + 6 * 0.1 is not below 1.6.
  const double last = start + step * (count - 1);
  if (count > 0 && (step > 0 ? last >= end : last <= end)) {
    --count;
  }
  require(count < 0x1p53, "Tensor::arange: ", count, " elements are too many");
  Tensor result = empty({static_cast<Index>(count)}, dtype);
  with_dtype(dtype, [&]<class T>() {
    T* values = result.mutable_data<T>();
    for (Index i = 0; i < result.numel(); ++i) {
      values[i] = static_cast<T>(start + step * static_cast<double>(i));
    }
  });
  return result;
}

Tensor Tensor::randn(const Shape& shape, Generator& rng, DType dtype) {
  Tensor result = empty(shape, dtype);
  with_dtype(dtype, [&]<class T>() { rng.fill_normal(result.mutable_data<T>(), result.numel()); });
  return result;
}

Tensor Tensor::uniform(const Shape& shape, Generator& rng, double low, double high, DType dtype) {
  Tensor result = empty(shape, dtype);
  with_dtype(dtype,
             [&]<class T>() { rng.fill_uniform(result.mutable_data<T>(), result.numel(), low, high); });
  return result;
}

const TensorImpl& Tensor::impl() const {
  require(defined(),
          "an undefined tensor was used: give it a value first, for example Tensor::zeros({2, 3})");
  return *impl_;
}

const Shape& Tensor::shape() const { return impl().shape; }

DType Tensor::dtype() const { return impl().dtype; }

bool Tensor::shares_storage(const Tensor& other) const { return impl().storage == other.impl().storage; }

bool Tensor::owned_alone() const { return impl_.use_count() == 1 && impl_->storage.use_count() == 1; }

std::string Tensor::describe() const { return defined() ? concat_text(dtype(), ' ', shape()) : "undefined"; }

template <class T>
const T* Tensor::data() const {
  require(dtype() == dtype_of<T>, "Tensor::data<", name_of(dtype_of<T>), "> on a tensor of ", describe(),
          ": ask for its own dtype or convert it with to()");
  return static_cast<const T*>(impl_->storage->data()) + impl_->offset;
}

template <class T>
T* Tensor::mutable_data(const char* who) {
  T* values = const_cast<T*>(static_cast<const Tensor*>(this)->data<T>());
  impl_->storage->changed(who);
  return values;
}

template const float* Tensor::data() const;
template const double* Tensor::data() const;
template float* Tensor::mutable_data(const char*);
template double* Tensor::mutable_data(const char*);

namespace {

Index offset_of(const Shape& shape, std::initializer_list<Index> index) {
  require(static_cast<int>(index.size()) == shape.rank(), "Tensor element: ", index.size(),
          " indices for shape ", shape);
  Index offset = 0;
  int dim = 0;
  for (Index i : index) {
    const Index size = shape[dim];
    require(i >= -size && i < size, "Tensor element: index ", i, " in dimension ", dim,
            " is out of bounds for shape ", shape);
    offset = offset * size + (i < 0 ? i + size : i);
    ++dim;
  }
  return offset;
}

// Refuses a change in place after which backward() would give a wrong gradient. A leaf may change: what was
// computed from it before kept the old values, or backward() reports the change.
void require_unrecorded(const Tensor& changed, const char* operation) {
  require(!needs_grad(changed) || changed.is_leaf(), operation, ": the tensor of shape ", changed.shape(),
          " was made by a recorded operation, and a change in place is not recorded; "
          "write x = x * 2 or x *= 2, or change detach().clone()");
}

void require_unrecorded(const Tensor& changed, const Tensor& source, const char* operation) {
  require_unrecorded(changed, operation);
  require_no_grad(source, operation, "x = y or x += y, which are recorded");
}

}  // namespace

double Tensor::item() const {
  require(numel() == 1, "Tensor::item: the tensor has shape ", shape(), "; item() needs exactly one element");
  return with_dtype(dtype(), [&]<class T>() { return static_cast<double>(*data<T>()); });
}

double Tensor::at(std::initializer_list<Index> index) const {
  const Index offset = offset_of(shape(), index);
  return with_dtype(dtype(), [&]<class T>() { return static_cast<double>(data<T>()[offset]); });
}

void Tensor::set(std::initializer_list<Index> index, double value) {
  const Index offset = offset_of(shape(), index);
  require_unrecorded(*this, "Tensor::set");
  with_dtype(dtype(), [&]<class T>() { mutable_data<T>("set")[offset] = static_cast<T>(value); });
}

std::vector<double> Tensor::to_vector() const {
  return with_dtype(dtype(), [&]<class T>() { return std::vector<double>(data<T>(), data<T>() + numel()); });
}

Tensor& Tensor::fill_(double value) {
  require_unrecorded(*this, "Tensor::fill_");
  with_dtype(dtype(), [&]<class T>() {
    T* values = mutable_data<T>("fill_");
    parallel_for(numel(), kBlock, [&](Index begin, Index end) {
      std::fill(values + begin, values + end, static_cast<T>(value));
    });
  });
  return *this;
}

Tensor& Tensor::copy_(const Tensor& source) {
  require(shape() == source.shape(), "Tensor::copy_: source has shape ", source.shape(), ", this tensor ",
          shape());
  require_unrecorded(*this, source, "Tensor::copy_");
  with_dtype(dtype(), [&]<class T>() {
    T* values = mutable_data<T>("copy_");
    with_dtype(source.dtype(), [&]<class S>() {
      const S* from = source.data<S>();
      parallel_for(numel(), kBlock,
                   [&](Index begin, Index end) { std::copy(from + begin, from + end, values + begin); });
    });
  });
  return *this;
}

Tensor& Tensor::add_(const Tensor& other, double factor) {
  require(shape() == other.shape(), "Tensor::add_: shapes ", shape(), " and ", other.shape(), " differ");
  require_same_dtype(*this, other, "Tensor::add_");
  require_unrecorded(*this, other, "Tensor::add_");
  with_dtype(dtype(), [&]<class T>() {
    T* values = mutable_data<T>("add_");
    const T* from = other.data<T>();
    const T f = static_cast<T>(factor);
    parallel_for(numel(), kBlock, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        values[i] += f * from[i];
      }
    });
  });
  return *this;
}

Tensor& Tensor::mul_(double factor) {
  require_unrecorded(*this, "Tensor::mul_");
  with_dtype(dtype(), [&]<class T>() {
    T* values = mutable_data<T>("mul_");
    const T f = static_cast<T>(factor);
    parallel_for(numel(), kBlock, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        values[i] *= f;
      }
    });
  });
  return *this;
}

Tensor& Tensor::set_data(const Tensor& value) {
  require(impl().node == nullptr, "Tensor::set_data: the tensor of shape ", shape(),
          " has a place in the graph; call requires_grad_(false) first");
  const TensorImpl& from = value.impl();
  impl_->storage = from.storage;
  impl_->offset = from.offset;
  impl_->shape = from.shape;
  impl_->dtype = from.dtype;
  return *this;
}

Tensor Tensor::alias(const Shape& new_shape, Index offset) const {
  require(offset >= 0 && offset <= numel() && new_shape.numel() <= numel() - offset,
          "Tensor::alias: ", new_shape, " at offset ", offset, " is outside of a tensor of shape ", shape());
  auto view = std::make_shared<TensorImpl>();
  view->storage = impl_->storage;
  view->offset = impl_->offset + offset;
  view->shape = new_shape;
  view->dtype = impl_->dtype;
  return Tensor(std::move(view));
}

const std::shared_ptr<Node>& Tensor::node() const { return impl().node; }

void Tensor::set_node(std::shared_ptr<Node> node) {
  impl();
  impl_->node = std::move(node);
}

std::uint64_t Tensor::version() const { return impl().storage->version(); }

const char* Tensor::last_change() const { return impl().storage->last_change(); }

void require_defined(const Tensor& tensor, const char* operation, const char* argument) {
  require(tensor.defined(), operation, ": ", argument, " is an undefined tensor");
}

void require_same_dtype(const Tensor& a, const Tensor& b, const char* operation) {
  require(a.dtype() == b.dtype(), operation, ": one tensor is ", a.describe(), " and the other ",
          b.describe(), "; convert one with to()");
}

void require_no_grad(const Tensor& tensor, const char* operation, const char* instead) {
  require(!needs_grad(tensor), operation, ": the tensor of shape ", tensor.shape(),
          " requires a gradient, and autograd does not record ", operation, "; use ", instead,
          ", or pass its detach() if no gradient should flow");
}

}  // namespace gesso
