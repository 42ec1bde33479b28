// What all optimisers share: the parameters, a walk over them in parallel, and the state that a checkpoint
// saves.
#pragma once

#include <string>
#include <vector>

#include "gesso/layers/module.h"

namespace gesso {

/// Parameters that are trained with options of their own:
///
///     Adam both({{net.parameters(), {.lr = 1e-5}}, {network.parameters(), {.lr = 1e-3}}});
template <class Options>
struct ParameterGroup {
  std::vector<Tensor> parameters;
  Options options = {};
};

/// Changes parameters by their gradients.
///
///     Adam adam(net.parameters(), {.lr = 1e-3});
///     for (Index step = 0; step < 1000; ++step) {
///       adam.zero_grad();
///       loss_of(net(x)).backward();
///       adam.step();
///     }
///
/// A parameter without a gradient (frozen, or not reached by backward) is left alone, its state too. A
/// gradient that is NaN or infinite is used like any other. When a parameter is converted to another dtype,
/// its state follows at the next step.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One step for each parameter that has a gradient, in one pass over its memory. From the second step on
  /// nothing is allocated. Results do not depend on the number of threads.
  void step();
  /// Forgets the gradients of all parameters.
  void zero_grad();

  /// The learning rate; of groups, the first one's.
  double lr() const { return lr_; }
  /// The learning rate from the next step on; those of further groups keep their ratio to it, so that a schedule
  /// works on all. Throws ArgumentError unless it is finite and not negative.
  void set_lr(double lr);
  const std::vector<Tensor>& parameters() const { return parameters_; }

  /// Everything that a later step depends on besides parameters, gradients and the options: "lr", and for
  /// each parameter that was stepped, by its place in the list, "3.step" (the number of steps it has seen)
  /// and its running averages under PyTorch's names, e.g. "3.exp_avg". Averages share memory with the
  /// optimiser.
  StateDict state_dict() const;
  /// Goes on from `state`: the steps that follow are those that would have followed there, bit for bit.
  /// Throws one ArgumentError naming all entries that are missing, unexpected or of another shape; then
  /// nothing is changed.
  void load_state_dict(const StateDict& state);

 protected:
  /// `rates`: the learning rate of each parameter; `averages`: the names of the tensors kept for each. Throws
  /// ArgumentError for an empty list, an undefined tensor, one given twice, the result of an operation, a wrong
  /// learning rate, and different rates of which the first is 0; the text begins with `name` ("Adam").
  Optimizer(const char* name, std::vector<Tensor> parameters, const std::vector<double>& rates,
            std::vector<std::string> averages);

  /// Of groups: all parameters, their options and learning rates, one after the other.
  template <class Options>
  static std::vector<Tensor> parameters_of(const std::vector<ParameterGroup<Options>>& groups) {
    std::vector<Tensor> all;
    for (const auto& group : groups) {
      all.insert(all.end(), group.parameters.begin(), group.parameters.end());
    }
    return all;
  }
  template <class Options>
  static std::vector<Options> options_of(const std::vector<ParameterGroup<Options>>& groups) {
    std::vector<Options> all;
    for (const auto& group : groups) {
      all.insert(all.end(), group.parameters.size(), group.options);
    }
    return all;
  }
  template <class Options>
  static std::vector<double> rates_of(const std::vector<ParameterGroup<Options>>& groups) {
    std::vector<double> all;
    for (const auto& group : groups) {
      all.insert(all.end(), group.parameters.size(), group.options.lr);
    }
    return all;
  }

  /// Throws ArgumentError, naming the optimiser and `option`, unless `value` is finite and not negative.
  void require_not_negative(const char* option, double value) const;

  /// Steps elements begin <= j < end of parameter i. Runs on any thread.
  virtual void update(std::size_t i, Index begin, Index end) = 0;

  /// The learning rate of parameter i.
  double lr(std::size_t i) const { return lr_ * rate_factors_[i]; }
  /// The steps that parameter i has seen, the one under way included.
  Index steps(std::size_t i) const { return steps_[i]; }
  /// Running average k of parameter i; zero before the first step.
  Tensor& average(std::size_t k, std::size_t i) { return averages_[k][i]; }

  const char* const name_;

 private:
  struct Piece {
    std::size_t parameter;
    Index begin, end;
  };

  void prepare(std::size_t i);

  std::vector<Tensor> parameters_;
  double lr_ = 0;
  std::vector<double> rate_factors_;  // of each parameter's learning rate: 1 in the first group
  std::vector<std::string> average_names_;
  std::vector<std::vector<Tensor>> averages_;  // [k][i]; undefined before the first step
  std::vector<Index> steps_;
  std::vector<Piece> pieces_;  // of the step under way
};

}  // namespace gesso
