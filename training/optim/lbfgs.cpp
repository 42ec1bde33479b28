#include "gesso/training/optim/lbfgs.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/graph.h"
#include "gesso/core/kernels/elementwise.h"
#include "gesso/training/optim/state_entries.h"
#include "gesso/training/optim/wolfe_search.h"

namespace gesso {
namespace {

double dot(const Tensor& a, const Tensor& b) {
  return with_dtype(a.dtype(), [&]<class T>() {
    const T *u = a.data<T>(), *v = b.data<T>();
    return parallel_sum<double>(a.numel(), kElementwiseBlock, [&](Index begin, Index end) {
      double sum = 0;
      for (Index i = begin; i < end; ++i) {
        sum += static_cast<double>(u[i]) * static_cast<double>(v[i]);
      }
      return sum;
    });
  });
}

double sum_of_magnitudes(const Tensor& x) {
  double sum = 0;
  for (const double v : x.to_vector()) {
    sum += std::fabs(v);
  }
  return sum;
}

double largest_magnitude(const Tensor& x) {
  double largest = 0;
  for (const double v : x.to_vector()) {
    largest = std::fabs(v) > largest || std::isnan(v) ? std::fabs(v) : largest;
  }
  return largest;
}

}  // namespace

LBFGS::LBFGS(std::vector<Tensor> parameters, const LBFGSOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  require(!parameters_.empty(), "LBFGS: the list of parameters is empty; pass net.parameters()");
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    require(parameters_[i].defined(), "LBFGS: parameter ", i, " is an undefined tensor");
    require(parameters_[i].is_leaf(), "LBFGS: parameter ", i, " of shape ", parameters_[i].shape(),
            " is the result of an operation; only leaves can be trained, use detach()");
    require(parameters_[i].dtype() == parameters_[0].dtype(), "LBFGS: parameter ", i, " is ",
            parameters_[i].dtype(), ", parameter 0 ", parameters_[0].dtype(), "; they must be alike");
  }
  require(std::isfinite(options.lr) && options.lr > 0, "LBFGS: lr is ", options.lr, "; it must be above 0");
  require(options.max_iter >= 1 && options.max_eval >= 0 && options.history_size >= 1, "LBFGS: max_iter ",
          options.max_iter, " and history_size ", options.history_size, " must be at least 1, max_eval ",
          options.max_eval, " not negative");
  require(options.tolerance_grad >= 0 && options.tolerance_change >= 0, "LBFGS: tolerance_grad ",
          options.tolerance_grad, " and tolerance_change ", options.tolerance_change,
          " must not be negative");
  options_.max_eval = options.max_eval == 0 ? options.max_iter * 5 / 4 : options.max_eval;
}

void LBFGS::zero_grad() {
  for (Tensor& parameter : parameters_) {
    parameter.zero_grad();
  }
}

double LBFGS::evaluate(const Closure& closure) {
  ++evaluations_;
  return closure().item();
}

namespace {

// One row of the numbers that read(i) gives for each parameter i; zeros where it gives none.
template <class Read>
Tensor as_one_row(const std::vector<Tensor>& parameters, Read read) {
  Index count = 0;
  for (const Tensor& parameter : parameters) {
    count += parameter.numel();
  }
  Tensor row = Tensor::zeros({count}, parameters[0].dtype());
  Index at = 0;
  for (const Tensor& parameter : parameters) {
    const Tensor part = read(parameter);
    if (part.defined()) {
      row.alias(parameter.shape(), at).copy_(part.detach());
    }
    at += parameter.numel();
  }
  return row;
}

}  // namespace

Tensor LBFGS::gradient() const {
  return as_one_row(parameters_, [](const Tensor& parameter) { return parameter.grad(); });
}

Tensor LBFGS::point() const {
  return as_one_row(parameters_, [](const Tensor& parameter) { return parameter; });
}

// x = start + length * direction
void LBFGS::move_to(const Tensor& start, double length) {
  const NoGradGuard no_grad;
  Tensor to = start.clone();
  to.add_(direction_, length);
  Index at = 0;
  for (Tensor& parameter : parameters_) {
    parameter.copy_(to.alias(parameter.shape(), at));
    at += parameter.numel();
  }
}

// Puts away how the gradient changed along the last step, if the loss curves upwards there.
void LBFGS::remember(const Tensor& new_gradient) {
  Tensor y = new_gradient.clone(), s = direction_.clone();
  y.add_(gradient_before_, -1);
  s.mul_(length_);
  if (dot(y, s) > 1e-10) {
    put_away(s, y);
  }
}

void LBFGS::put_away(const Tensor& of_x, const Tensor& of_gradient) {
  if (changes_.size() == static_cast<std::size_t>(options_.history_size)) {
    changes_.pop_front();
  }
  const double ys = dot(of_gradient, of_x);
  curvature_ = ys / dot(of_gradient, of_gradient);
  changes_.push_back({of_x, of_gradient, 1 / ys});
}

// -H g in two loops over the changes (Nocedal and Wright, algorithm 7.4).
Tensor LBFGS::newton_direction(const Tensor& new_gradient) const {
  Tensor q = new_gradient.clone();
  q.mul_(-1);
  std::vector<double> alpha(changes_.size());
  for (std::size_t i = changes_.size(); i-- > 0;) {
    alpha[i] = changes_[i].scale * dot(changes_[i].of_x, q);
    q.add_(changes_[i].of_gradient, -alpha[i]);
  }
  q.mul_(curvature_);
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    const double beta = changes_[i].scale * dot(changes_[i].of_gradient, q);
    q.add_(changes_[i].of_x, alpha[i] - beta);
  }
  return q;
}

double LBFGS::step(const Closure& closure) {
  evaluations_ = 0;
  const double first_loss = evaluate(closure);
  double loss = first_loss;
  Tensor g = gradient();
  if (largest_magnitude(g) <= options_.tolerance_grad) {
    return first_loss;
  }
  for (int iteration = 1; iteration <= options_.max_iter; ++iteration) {
    ++iterations_;
    if (iterations_ > 1) {
      remember(g);
    }
    direction_ = newton_direction(g);
    gradient_before_ = g;
    const double loss_before = loss;
    length_ = (iterations_ == 1 ? std::min(1.0, 1 / sum_of_magnitudes(g)) : 1) * options_.lr;
    const double slope = dot(g, direction_);
    if (slope > -options_.tolerance_change) {
      break;
    }
    const Tensor start = point();
    if (options_.line_search == LineSearch::strong_wolfe) {
      const auto at = [&](double length) {
        move_to(start, length);
        const double value = evaluate(closure);
        const Tensor there = gradient();
        return PointOnLine{length, value, dot(there, direction_), there};
      };
      const PointOnLine found = wolfe_search(at, {0, loss, slope, g}, length_, largest_magnitude(direction_));
      length_ = found.length;
      loss = found.value;
      g = found.gradient;
      move_to(start, length_);
    } else {
      move_to(start, length_);
      if (iteration < options_.max_iter) {  // the next step() begins with this
        loss = evaluate(closure);
        g = gradient();
      }
    }
    if (evaluations_ >= options_.max_eval || largest_magnitude(g) <= options_.tolerance_grad ||
        std::fabs(length_) * largest_magnitude(direction_) <= options_.tolerance_change ||
        std::fabs(loss - loss_before) < options_.tolerance_change) {
      break;
    }
  }
  return first_loss;
}

StateDict LBFGS::state_dict() const {
  StateDict state = {{"n_iter", Tensor::scalar(static_cast<double>(iterations_), float64)}};
  if (iterations_ > 0) {
    state.emplace_back("d", direction_);
    state.emplace_back("t", Tensor::scalar(length_, float64));
    state.emplace_back("prev_flat_grad", gradient_before_);
  }
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    state.emplace_back(concat_text("old_dirs.", i), changes_[i].of_gradient);
    state.emplace_back(concat_text("old_stps.", i), changes_[i].of_x);
  }
  return state;
}

void LBFGS::load_state_dict(const StateDict& state) {
  StateEntries entries(state);
  const Tensor all = point();
  const Tensor iterations = entries.take("n_iter", {});
  Tensor direction, length, gradient_before;
  std::vector<std::pair<Tensor, Tensor>> changes;
  if (entries.good() && iterations.item() > 0) {
    direction = entries.take("d", all.shape());
    length = entries.take("t", {});
    gradient_before = entries.take("prev_flat_grad", all.shape());
    for (std::size_t i = 0; entries.has(concat_text("old_dirs.", i)); ++i) {
      const Tensor of_gradient = entries.take(concat_text("old_dirs.", i), all.shape());
      changes.emplace_back(entries.take(concat_text("old_stps.", i), all.shape()), of_gradient);
    }
  }
  entries.finish("LBFGS", parameters_.size());
  const auto own = [&](const Tensor& x) {
    return x.defined() ? x.detach().to(all.dtype()).clone() : Tensor();
  };
  iterations_ = static_cast<Index>(iterations.item());
  direction_ = own(direction);
  length_ = length.defined() ? length.item() : 0;
  gradient_before_ = own(gradient_before);
  changes_.clear();
  curvature_ = 1;
  for (const auto& [of_x, of_gradient] : changes) {  // a shorter memory than there keeps the newest
    put_away(own(of_x), own(of_gradient));
  }
}

}  // namespace gesso
