// A differentiable operation of one's own, checked by finite differences and then trained with.
#include <gesso/gesso.h>

#include <cmath>
#include <iostream>
using namespace gesso;

// swish(x) = x s(x) with s(x) = 1 / (1 + exp(-x)) (Ramachandran et al. 2017, arXiv 1710.05941). Its
// derivative is s(x) + x s(x) (1 - s(x)).
Tensor swish(const Tensor& x) {
  Tensor y = map_elements(x, [](auto v) { return v / (1 + std::exp(-v)); });
  return record("swish", y, {x}, [x = save(x)](const Tensor& dy, Gradients& d) {
    d(0, [&] {
      return zip_elements(dy, x(), [](auto g, auto v) {
        const auto s = 1 / (1 + std::exp(-v));
        return g * (s + v * s * (1 - s));
      });
    });
  });
}

// The same as a layer.
struct Swish : Module {
  Tensor forward(const Tensor& x) override { return swish(x); }
};

int main() {
  Generator rng{1};
  Tensor x = Tensor::randn({4, 5}, rng, float64).requires_grad_();
  std::cout << gradcheck([](const auto& in) { return swish(in[0]); }, {x}).str() << "\n";

  Sequential net;  // learns sin on [-3, 3]
  net.emplace<Linear>(1, 32, rng);
  net.emplace<Swish>();
  net.emplace<Linear>(32, 1, rng);
  Adam adam(net.parameters(), {.lr = 1e-2});
  for (int step = 0; step <= 1000; ++step) {
    Tensor input = Tensor::uniform({64, 1}, rng, -3, 3);
    Tensor target = map_elements(input, [](auto v) { return std::sin(v); });
    Tensor loss = mse_loss(net(input), target);
    adam.zero_grad();
    loss.backward();
    adam.step();
    if (step % 250 == 0) std::cout << step << ": " << loss.item() << "\n";
  }
}
