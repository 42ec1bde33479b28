// Sequential: one module after the other.
#pragma once

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "gesso/core/generator.h"
#include "gesso/core/size2d.h"
#include "gesso/layers/module.h"

namespace gesso {

/// Calls its parts in order, each on the result of the one before. It owns them; their names are "0", "1" and
/// so on.
///
///     Sequential net;
///     net.emplace<Conv2d>(3, 8, 3, {.padding = 1}, rng);
///     net.emplace<ReLU>();
class Sequential : public Module {
 public:
  Sequential() = default;
  explicit Sequential(std::initializer_list<std::shared_ptr<Module>> modules);

  /// Makes an M from `args` and puts it at the end. Options may be given in bare braces if M has a type
  /// M::Options, as every layer with options has.
  template <class M, class... Args>
  M& emplace(Args&&... args) {
    return add<M>(std::forward<Args>(args)...);
  }
  // Braces have no type for a template to deduce, so its default counts: one overload for each place in which
  // the layers take options, and for a kernel in braces, {3, 5}.
  template <class M, class Options = typename M::Options>
  M& emplace(Options&& options) {
    return add<M>(std::forward<Options>(options));
  }
  template <class M, class A, class Options = typename M::Options>
  M& emplace(A&& a, Options&& options) {
    return add<M>(std::forward<A>(a), std::forward<Options>(options));
  }
  template <class M, class A, class B, class Options = typename M::Options>
  M& emplace(A&& a, B&& b, Options&& options) {
    return add<M>(std::forward<A>(a), std::forward<B>(b), std::forward<Options>(options));
  }
  template <class M, class A, class B, class Options = typename M::Options>
  M& emplace(A&& a, B&& b, Options&& options, Generator& rng) {
    return add<M>(std::forward<A>(a), std::forward<B>(b), std::forward<Options>(options), rng);
  }
  template <class M, class A, class B, class Kernel = Size2d, class Options = typename M::Options>
  M& emplace(A&& a, B&& b, Kernel&& kernel, Options&& options, Generator& rng) {
    return add<M>(std::forward<A>(a), std::forward<B>(b), std::forward<Kernel>(kernel),
                  std::forward<Options>(options), rng);
  }
  /// Puts `module` at the end. Throws ArgumentError for a null pointer.
  void append(std::shared_ptr<Module> module);

  std::size_t size() const { return modules_.size(); }
  /// Part i. Throws ArgumentError unless i < size().
  Module& operator[](std::size_t i) const;

  /// An empty Sequential returns x.
  Tensor forward(const Tensor& x) override;

 private:
  template <class M, class... Args>
  M& add(Args&&... args) {
    auto module = std::make_shared<M>(std::forward<Args>(args)...);
    append(module);
    return *module;
  }

  std::vector<std::shared_ptr<Module>> modules_;
};

}  // namespace gesso
