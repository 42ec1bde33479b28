#include <gesso/gesso.h>

#include <iostream>

int main() {
  gesso::Tensor x = gesso::Tensor::from({1, 2, 3}, {3}).requires_grad_();
  gesso::matmul(x.reshape({1, 3}), x.reshape({3, 1})).backward();
  std::cout << x.grad().to_vector().at(2) << '\n';  // d(x . x) / dx = 2 x
}
