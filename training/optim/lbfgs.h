// L-BFGS: a quasi-Newton method (Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 7.4 and 7.5). Gatys et al.
// 2015 paint single pictures with it.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "gesso/layers/module.h"

namespace gesso {

enum class LineSearch {
  none,         ///< each step is lr long
  strong_wolfe  ///< a step is as long as lowers the loss and its slope enough (Nocedal and Wright, section 3.1)
};

struct LBFGSOptions {
  double lr = 1;                   ///< length of a step; with a line search, of the first that it tries
  int max_iter = 20;               ///< iterations in one step()
  int max_eval = 0;                ///< calls of the closure in one step(); 0: max_iter * 5 / 4
  double tolerance_grad = 1e-7;    ///< step() ends when no gradient is larger
  double tolerance_change = 1e-9;  ///< and when neither parameters nor loss change by more
  int history_size = 100;  ///< changes of parameters and gradients that are kept: twice the memory each
  LineSearch line_search = LineSearch::none;
};

/// As PyTorch's LBFGS. All parameters are one point x; the direction of a step is -H g, g being the gradient and H an
/// estimate of the inverse of the second derivatives, made of how gradients changed along the last steps. Wants the
/// whole gradient, not that of a batch drawn at random.
///
///     Tensor picture = Tensor::uniform({1, 3, 64, 64}, rng).requires_grad_();
///     LBFGS lbfgs({x}, {.line_search = LineSearch::strong_wolfe});
///     lbfgs.step([&] {
///       lbfgs.zero_grad();
///       Tensor loss = loss_of(x);
///       loss.backward();
///       return loss;
///     });
///
/// A parameter without a gradient counts as having one of 0. Sums are wide, and results do not depend on the number
/// of threads.
class LBFGS {
 public:
  /// Computes the loss, one number, and its gradients.
  using Closure = std::function<Tensor()>;

  /// Throws ArgumentError for an empty list, a parameter that is undefined or the result of an operation, parameters
  /// of two dtypes, and options out of range.
  explicit LBFGS(std::vector<Tensor> parameters, const LBFGSOptions& options = {});

  /// Several iterations; `closure` is called for each, or more often by the line search. Returns the loss before them.
  double step(const Closure& closure);
  /// Forgets the gradients of all parameters.
  void zero_grad();
  const std::vector<Tensor>& parameters() const { return parameters_; }

  /// Everything that a later step depends on besides parameters and options, under PyTorch's names: "n_iter", how many
  /// iterations there were; of the last one its direction "d", its length "t" and the gradient before it
  /// "prev_flat_grad"; and the changes that are kept, oldest first, of gradients ("old_dirs.0", ...) and of parameters
  /// ("old_stps.0", ...). All parameters are one row in each.
  StateDict state_dict() const;
  /// Goes on from `state`: the steps that follow are those that would have followed there, bit for bit. Throws one
  /// ArgumentError naming all entries that are missing, unexpected or of another shape; then nothing is changed.
  void load_state_dict(const StateDict& state);

 private:
  struct Change {
    Tensor of_x, of_gradient;  // s and y
    double scale;              // 1 / (s y)
  };

  double evaluate(const Closure& closure);
  Tensor gradient() const;
  Tensor point() const;
  void move_to(const Tensor& start, double length);
  void remember(const Tensor& new_gradient);
  void put_away(const Tensor& of_x, const Tensor& of_gradient);
  Tensor newton_direction(const Tensor& new_gradient) const;

  std::vector<Tensor> parameters_;
  LBFGSOptions options_;
  int evaluations_ = 0;  // of the step under way
  Index iterations_ = 0;
  std::deque<Change> changes_;
  double curvature_ = 1;  // H's guess before the changes that are kept
  Tensor direction_, gradient_before_;
  double length_ = 0;
};

}  // namespace gesso
