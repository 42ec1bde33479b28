#include "gesso/training/optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/elementwise.h"
#include "gesso/training/optim/state_entries.h"

namespace gesso {

Optimizer::Optimizer(const char* name, std::vector<Tensor> parameters, const std::vector<double>& rates,
                     std::vector<std::string> averages)
    : name_(name),
      parameters_(std::move(parameters)),
      average_names_(std::move(averages)),
      averages_(average_names_.size(), std::vector<Tensor>(parameters_.size())),
      steps_(parameters_.size(), 0) {
  require(!parameters_.empty(), name_, ": the list of parameters is empty; pass net.parameters()");
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    require(parameters_[i].defined(), name_, ": parameter ", i, " is an undefined tensor");
    require(parameters_[i].is_leaf(), name_, ": parameter ", i, " of shape ", parameters_[i].shape(),
            " is the result of an operation; only leaves can be trained, use detach()");
    for (std::size_t j = 0; j < i; ++j) {
      require(!parameters_[i].is(parameters_[j]), name_, ": parameters ", j, " and ", i, " of shape ",
              parameters_[i].shape(), " are the same tensor");
    }
  }
  for (const double rate : rates) {
    require_not_negative("lr", rate);
    require(rate == rates[0] || rates[0] > 0, name_, ": the first group's lr is 0 and another's ", rate,
            "; put a group that is trained first, or leave out what is not");
    rate_factors_.push_back(rate == rates[0] ? 1 : rate / rates[0]);
  }
  set_lr(rates[0]);
}

void Optimizer::require_not_negative(const char* option, double value) const {
  require(std::isfinite(value) && value >= 0, name_, ": ", option, " is ", value,
          "; it must be finite and not negative");
}

void Optimizer::set_lr(double lr) {
  require_not_negative("lr", lr);
  lr_ = lr;
}

void Optimizer::zero_grad() {
  for (Tensor& parameter : parameters_) {
    parameter.zero_grad();
  }
}

// Makes the running averages of parameter i ready for a step: there, and of its dtype.
void Optimizer::prepare(std::size_t i) {
  for (std::vector<Tensor>& averages : averages_) {
    Tensor& average = averages[i];
    if (!average.defined()) {
      average = Tensor::zeros(parameters_[i].shape(), parameters_[i].dtype());
    } else if (average.dtype() != parameters_[i].dtype()) {
      average = average.to(parameters_[i].dtype());
    }
  }
}

void Optimizer::step() {
  const NoGradGuard no_grad;
  pieces_.clear();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].grad().defined()) {
      prepare(i);
      ++steps_[i];
      const Index count = parameters_[i].numel();
      for (Index begin = 0; begin < count; begin += kElementwiseBlock) {
        pieces_.push_back({i, begin, std::min(count, begin + kElementwiseBlock)});
      }
    }
  }
  // One loop over the pieces of all parameters keeps all threads busy where many are small.
  parallel_for(static_cast<Index>(pieces_.size()), 1, [&](Index first, Index last) {
    for (Index p = first; p < last; ++p) {
      update(pieces_[p].parameter, pieces_[p].begin, pieces_[p].end);
    }
  });
}

StateDict Optimizer::state_dict() const {
  StateDict state = {{"lr", Tensor::scalar(lr_, float64)}};
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (steps_[i] > 0) {
      const std::string prefix = std::to_string(i) + ".";
      state.emplace_back(prefix + "step", Tensor::scalar(static_cast<double>(steps_[i]), float64));
      for (std::size_t k = 0; k < averages_.size(); ++k) {
        state.emplace_back(prefix + average_names_[k], averages_[k][i]);
      }
    }
  }
  return state;
}

void Optimizer::load_state_dict(const StateDict& state) {
  StateEntries entries(state);
  const Tensor lr = entries.take("lr", {});
  std::vector<Index> steps(steps_.size(), 0);
  std::vector<std::vector<Tensor>> averages(averages_.size(), std::vector<Tensor>(parameters_.size()));
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string prefix = std::to_string(i) + ".";
    if (!entries.has(prefix)) {
      continue;  // a parameter that was never stepped
    }
    const Tensor step = entries.take(prefix + "step", {});
    for (std::size_t k = 0; k < averages_.size(); ++k) {
      averages[k][i] = entries.take(prefix + average_names_[k], parameters_[i].shape());
    }
    if (entries.good()) {
      steps[i] = static_cast<Index>(step.item());
    }
  }
  entries.finish(name_, parameters_.size());
  set_lr(lr.item());
  steps_ = std::move(steps);
  for (std::size_t k = 0; k < averages_.size(); ++k) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      averages_[k][i] = averages[k][i].defined() ? averages[k][i].detach().clone() : Tensor();
    }
  }
}

}  // namespace gesso
