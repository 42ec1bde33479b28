#include <gesso/gesso.h>
#include <iostream>
using namespace gesso;

int main() {
  Generator rng{42};
  Tensor x = Tensor::randn({4, 3, 32, 32}, rng);
  Tensor target = Tensor::uniform({4, 8, 32, 32}, rng);

  Sequential net;
  net.emplace<Conv2d>(3, 8, 3, {.padding = 1, .padding_mode = PaddingMode::reflect}, rng);
  net.emplace<InstanceNorm2d>(8, {.affine = true});
  net.emplace<ReLU>();

  Adam adam(net.parameters(), {.lr = 1e-2});
  for (int step = 0; step < 100; ++step) {
    Tensor loss = mse_loss(net(x), target);
    adam.zero_grad();
    loss.backward();
    adam.step();
    if (step % 20 == 0) std::cout << step << ": " << loss.item() << "\n";
  }
}
