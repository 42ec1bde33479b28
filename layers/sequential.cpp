#include "gesso/layers/sequential.h"

namespace gesso {

Sequential::Sequential(std::initializer_list<std::shared_ptr<Module>> modules) {
  for (const std::shared_ptr<Module>& module : modules) {
    append(module);
  }
}

void Sequential::append(std::shared_ptr<Module> module) {
  register_module(std::to_string(modules_.size()), module);
  modules_.push_back(std::move(module));
}

Module& Sequential::operator[](std::size_t i) const {
  require(i < modules_.size(), "Sequential: part ", i, " of ", modules_.size(), " was asked for");
  return *modules_[i];
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (const std::shared_ptr<Module>& module : modules_) {
    y = (*module)(y);
  }
  return y;
}

}  // namespace gesso
