// What the exercises share, and the functions that they ask for. How to work: examples/lab/exercises/check
// --help. The equations are those of docs/normalization.md.
#pragma once

#include <cmath>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

/// A row of float64 numbers: x, y, a gradient. An index that is not there is an error, not a crash.
class Numbers {
 public:
  Numbers() = default;
  explicit Numbers(int size, double value = 0) : values_(size, value) {}
  Numbers(std::initializer_list<double> values) : values_(values) {}

  int size() const { return static_cast<int>(values_.size()); }
  double& operator[](int i) { return values_[checked(i)]; }
  double operator[](int i) const { return values_[checked(i)]; }
  const double* begin() const { return values_.data(); }
  const double* end() const { return values_.data() + size(); }
  double* begin() { return values_.data(); }
  double* end() { return values_.data() + size(); }

 private:
  int checked(int i) const {
    if (i < 0 || i >= size()) {
      throw std::out_of_range("Element " + std::to_string(i) + " does not exist: the row has " +
                              std::to_string(size()) + ", numbered from 0");
    }
    return i;
  }

  std::vector<double> values_;
};

/// The average of the numbers; exercise 01 writes it, the later ones may use it.
inline double mean(const Numbers& a) {
  double sum = 0;
  for (const double v : a) sum += v;
  return sum / a.size();
}

// ---- 01
struct Moments {
  double mean = 0;
  double variance = 0;  ///< biased
};
Moments moments(const Numbers& x);

// ---- 02
Numbers normalized(const Numbers& x, Moments of_x, double eps);
Numbers scaled(const Numbers& xhat, const Numbers& gamma, const Numbers& beta);

// ---- 03
struct AffineGradients {
  Numbers dgamma, dbeta;
};
AffineGradients affine_gradients(const Numbers& dy, const Numbers& xhat, const std::vector<int>& row,
                                 int rows);

// ---- 04
Numbers gradient_of_centring(const Numbers& g, double r);

// ---- 05
Numbers gradient_of_x(const Numbers& g, const Numbers& xhat, double r);

// ---- 06
Numbers compact_gradient_of_x(const Numbers& dy, const Numbers& xhat, double gamma, double r, double dgamma,
                              double dbeta);

// ---- 07
enum class Norm { instance, batch, group, layer };
struct Sizes {
  int N, C, H, W;
};
int statistic_of(Norm norm, int groups, Sizes sizes, int n, int c, int h, int w);

// ---- 08
Moments updated(Moments running, Moments of_batch, int m, double momentum);
Numbers gradient_of_x_in_eval(const Numbers& dy, const Numbers& gamma, Moments running, double eps);

// ---- 09
Numbers rms_normalized(const Numbers& x, double eps);
Numbers gradient_of_rms(const Numbers& g, const Numbers& x, double eps);

// ---- 10
Numbers layer_norm_backward(const Numbers& x, const Numbers& gamma, const Numbers& dy, double eps);
