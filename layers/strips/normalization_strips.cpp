#include <algorithm>
#include <optional>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/error.h"
#include "gesso/core/normalization/normalization.h"
#include "gesso/core/normalization/statistics_of_rows.h"
#include "gesso/layers/strips/operations.h"

namespace gesso {
namespace {

// One of the normalizations whose results are added up: all layers have one, BatchInstanceNorm2d two.
struct Part {
  NormalizationPart layer;  // its axes are those of the whole picture
  std::vector<double> mean, variance, inv_std;
  bool measured = true;                             // and not running statistics
  std::optional<StatisticsOfRows> statistics = {};  // while they are gathered
  bool known = false;

  StatisticsOut out() { return {mean.data(), variance.data(), inv_std.data()}; }
};

Tensor normalize_strip(const Part& part, Activation activation, const Tensor& x) {
  NormalizationAxes axes = part.layer.axes;
  axes.inner = x.size(2) * x.size(3);
  Tensor y = Tensor::empty(x.shape());
  const auto row = [](const Tensor& affine) { return affine.defined() ? affine.data<float>() : nullptr; };
  normalize_with(axes, x.data<float>(), {part.mean.data(), part.inv_std.data()}, row(part.layer.gamma),
                 row(part.layer.beta), activation, y.mutable_data<float>());
  return y;
}

class Stream : public RowStream {
 public:
  Stream(const PlanesSize& size, const std::vector<Part>& parts, Activation activation, RowStreamPointer x)
      : RowStream(size), parts_(parts), activation_(activation), x_(std::move(x)) {}

  Tensor next() override {
    const NoGradGuard no_grad;
    const Tensor x = x_->next();
    if (parts_.size() == 1) {
      return normalize_strip(parts_.front(), activation_, x);
    }
    Tensor y;  // the activation comes after the sum
    for (const Part& part : parts_) {
      const Tensor z = normalize_strip(part, Activation::none, x);
      y = y.defined() ? y + z : z;
    }
    return activation_ == Activation::relu ? relu(y) : y;
  }

 private:
  const std::vector<Part>& parts_;
  Activation activation_;
  RowStreamPointer x_;
};

class Normalization : public MeasuringStrips {
 public:
  Normalization(NormalizationLayer& layer, const PlanesSize& x)
      : MeasuringStrips(layer.type_name(), x), layer_(&layer) {
    const NoGradGuard no_grad;
    require(layer.statistics() != Statistics::per_batch, "strips: ", layer.describe(),
            " normalizes with the statistics of a batch; call eval() first");
    for (NormalizationPart& part : layer.parts({1, x.channels, x.height, x.width})) {
      add(part);
    }
  }

  bool measures() const override {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.measured; });
  }

  void begin_measuring() override {
    for (Part& part : parts_) {
      if (part.measured) {
        part.statistics.emplace(part.layer.axes);
      }
    }
  }

  void measure(const Tensor& strip) override {
    for (Part& part : parts_) {
      if (part.statistics) {
        part.statistics->add(strip.data<float>(), strip.size(2) * strip.size(3));
      }
    }
  }

  void finish_measuring() override {
    for (Part& part : parts_) {
      if (part.statistics) {
        part.statistics->finish(layer_->eps(), part.out());
        part.statistics.reset();
        part.known = true;
      }
    }
  }

  void adopt(const MeasuringStrips& from) override {
    const auto& other = dynamic_cast<const Normalization&>(from);
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      parts_[p].mean = other.parts_[p].mean;
      parts_[p].variance = other.parts_[p].variance;
      parts_[p].inv_std = other.parts_[p].inv_std;
      parts_[p].measured = false;
      parts_[p].known = other.parts_[p].known;
    }
  }

  RowStreamPointer stream(std::vector<RowStreamPointer> inputs, Index) const override {
    require(std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.known; }),
            "strips: the statistics of ", layer_->describe(), " are not known yet");
    return std::make_unique<Stream>(result(), parts_, layer_->activation(), std::move(inputs.front()));
  }

 private:
  void add(const NormalizationPart& part) {
    require(part.axes.rows != AffineRows::per_element, "strips: ", layer_->describe(),
            " has a gamma and beta for each pixel, which is for one size");
    const auto count = static_cast<std::size_t>(part.axes.statistics());
    Part added{.layer = part,
               .mean = std::vector<double>(count),
               .variance = std::vector<double>(count),
               .inv_std = std::vector<double>(count)};
    if (part.running.mean.defined()) {
      added.mean = part.running.mean.to_vector();
      added.variance = part.running.variance.to_vector();
      inverse_std(added.variance.data(), static_cast<Index>(count), layer_->eps(), added.inv_std.data());
      added.measured = false;
      added.known = true;
    }
    parts_.push_back(std::move(added));
  }

  NormalizationLayer* layer_;
  std::vector<Part> parts_;
};

}  // namespace

std::unique_ptr<MeasuringStrips> normalization_strips(NormalizationLayer& layer, const PlanesSize& x) {
  return std::make_unique<Normalization>(layer, x);
}

}  // namespace gesso
