// Sequential: one module after the other.
#pragma once

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "gesso/layers/module.h"

namespace gesso {

/// Calls its parts in order, each on the result of the one before. It owns them; their names are "0", "1",
/// ...
///
///     Sequential net;
///     net.emplace<Conv2d>(3, 8, 3, Conv2dOptions{.padding = 1}, rng);
///     net.emplace<ReLU>();
class Sequential : public Module {
 public:
  Sequential() = default;
  explicit Sequential(std::initializer_list<std::shared_ptr<Module>> modules);

  /// Makes an M from `args` and puts it at the end.
  template <class M, class... Args>
  M& emplace(Args&&... args) {
    auto module = std::make_shared<M>(std::forward<Args>(args)...);
    append(module);
    return *module;
  }
  /// Puts `module` at the end. Throws ArgumentError for a null pointer.
  void append(std::shared_ptr<Module> module);

  std::size_t size() const { return modules_.size(); }
  /// Part i. Throws ArgumentError unless i < size().
  Module& operator[](std::size_t i) const;

  /// An empty Sequential returns x.
  Tensor forward(const Tensor& x) override;

 private:
  std::vector<std::shared_ptr<Module>> modules_;
};

}  // namespace gesso
