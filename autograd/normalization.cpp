#include "gesso/autograd/normalization.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/normalization/batch_parts.h"
#include "gesso/core/normalization/normalization.h"

namespace gesso {
namespace {

// Statistics as float64 tensors, one number each.
struct StatisticsTensors {
  Tensor mean, variance, inv_std;

  explicit StatisticsTensors(Index count)
      : mean(Tensor::empty({count}, float64)),
        variance(Tensor::empty({count}, float64)),
        inv_std(Tensor::empty({count}, float64)) {}

  StatisticsOut out() {
    return {mean.mutable_data<double>(), variance.mutable_data<double>(), inv_std.mutable_data<double>()};
  }
};

template <class T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

template <class T>
T* mutable_data_or_null(Tensor& tensor) {
  return tensor.defined() ? tensor.mutable_data<T>() : nullptr;
}

void require_row(const Tensor& row, const Shape& shape, const Tensor& x, const char* operation,
                 const char* name, bool per_sample = false) {
  if (!row.defined()) {
    return;
  }
  const bool fits = row.shape() == shape || (per_sample && row.shape() == Shape{x.size(0), x.size(1)});
  require(fits, operation, ": ", name, " has shape ", row.shape(), ", x ", x.shape(), " needs ", shape,
          per_sample ? concat_text(" (or ", Shape{x.size(0), x.size(1)}, ", a row for every sample)") : "");
  require_same_dtype(row, x, operation);
}

void require_channels(const Tensor& x, int least_rank, const char* operation) {
  require_defined(x, operation, "x");
  require(x.rank() >= least_rank, operation, ": x has shape ", x.shape(), ", rank ", least_rank,
          " or more is needed: (N, C", least_rank > 2 ? ", L) or (N, C, H, W)" : ", ...)");
  require(x.size(1) > 0, operation, ": x ", x.shape(), " has no channels");
}

void require_running(const RunningStatistics& running, const Tensor& x, const char* operation) {
  require(running.mean.defined() == running.variance.defined(), operation,
          ": running mean and running variance must both be given, or neither");
  require_row(running.mean, {x.size(1)}, x, operation, "running mean");
  require_row(running.variance, {x.size(1)}, x, operation, "running variance");
}

void require_options(const NormalizeOptions& options, const char* operation) {
  require(options.eps >= 0, operation, ": eps ", options.eps, " is negative");
}

// x ends in normalized_shape.
void require_last_dimensions(const Tensor& x, const Shape& normalized_shape, const char* operation) {
  require_defined(x, operation, "x");
  const int rank = normalized_shape.rank();
  require(rank >= 1, operation, ": normalized_shape () is empty; give the sizes of the last dimensions of x");
  require(x.rank() >= rank &&
              std::equal(normalized_shape.begin(), normalized_shape.end(), x.shape().end() - rank),
          operation, ": x has shape ", x.shape(), ", which does not end in normalized_shape ",
          normalized_shape);
}

// Means, biased variances, and what makes those unbiased, n / (n - 1): a number of each for one or more statistics of
// every channel.
struct SeenStatistics {
  std::vector<double> mean, variance, unbiased;
};

SeenStatistics seen_in(const NormalizationAxes& axes, const StatisticsTensors& own) {
  const double n = static_cast<double>(axes.elements_per_statistic());
  return {own.mean.to_vector(), own.variance.to_vector(),
          std::vector<double>(static_cast<std::size_t>(axes.statistics()), n / (n - 1))};
}

// Those of all ranks, where each rank's own statistics stand for its samples.
SeenStatistics seen_by_all(const SeenStatistics& own, Index samples, Index channels, BatchShare& share,
                           const char* operation) {
  const auto gathered = [&](std::vector<double> numbers) {
    const auto once = numbers;
    while (static_cast<Index>(numbers.size()) < samples * channels) {
      numbers.insert(numbers.end(), once.begin(), once.end());
    }
    return share.gather(operation, samples, numbers)();
  };
  return {gathered(own.mean), gathered(own.variance), gathered(own.unbiased)};
}

// running = (1 - momentum) running + momentum seen, where `seen` is the mean over samples (instance norm has
// several statistics for a channel) of the means and unbiased variances.
void update_running(const RunningStatistics& running, Index channels, const SeenStatistics& seen,
                    double momentum) {
  Tensor mean = running.mean, variance = running.variance;  // handles to the same tensors
  const auto statistics = static_cast<Index>(seen.mean.size());
  const double of_each = static_cast<double>(channels) / static_cast<double>(statistics);
  with_dtype(mean.dtype(), [&]<class T>() {
    T* running_mean = mean.mutable_data<T>("the update of running statistics");
    T* running_variance = variance.mutable_data<T>("the update of running statistics");
    for (Index c = 0; c < channels; ++c) {
      double mean_seen = 0, variance_seen = 0;
      for (Index s = c; s < statistics; s += channels) {
        mean_seen += of_each * seen.mean[s];
        variance_seen += of_each * seen.variance[s] * seen.unbiased[s];
      }
      running_mean[c] = static_cast<T>((1 - momentum) * running_mean[c] + momentum * mean_seen);
      running_variance[c] = static_cast<T>((1 - momentum) * running_variance[c] + momentum * variance_seen);
    }
  });
}

// ---- over the samples of all ranks

// Those of all ranks, which `own` has for each plane of this rank's, `samples` of them.
template <class Record>
std::function<std::vector<Record>()> gather_planes(BatchShare& share, const char* operation, Index samples,
                                                   const std::vector<Record>& own) {
  static_assert(sizeof(Record) % sizeof(double) == 0 && std::is_trivially_copyable_v<Record>);
  std::vector<double> numbers(own.size() * sizeof(Record) / sizeof(double));
  std::copy_n(reinterpret_cast<const std::byte*>(own.data()), own.size() * sizeof(Record),
              reinterpret_cast<std::byte*>(numbers.data()));
  return [gathered = share.gather(operation, samples, std::move(numbers))] {
    const std::vector<double> all = gathered();
    std::vector<Record> records(all.size() * sizeof(double) / sizeof(Record));
    std::copy_n(reinterpret_cast<const std::byte*>(all.data()), all.size() * sizeof(double),
                reinterpret_cast<std::byte*>(records.data()));
    return records;
  };
}

// Of planes' gradients to gamma or beta, (samples, C), their sum over all samples, in order.
std::function<Tensor()> sum_of_planes(BatchShare& share, const char* operation, Index samples,
                                      std::vector<double> of_planes, const Shape& row, DType dtype) {
  return [gathered = share.gather(operation, samples, std::move(of_planes)), row, dtype] {
    const std::vector<double> all = gathered();
    const auto channels = static_cast<std::size_t>(row.numel());
    std::vector<double> sums(channels);
    for (std::size_t i = 0; i < all.size(); ++i) {
      sums[i % channels] += all[i];
    }
    return Tensor::from(sums, row, dtype);
  };
}

// How the gradients of one normalization come to be where a batch is shared out. Batch norm with statistics of all
// samples needs all planes' sums for dx already.
struct SharedBatch {
  std::shared_ptr<BatchShare> share;  // null: x is the whole batch, and the kernels do all
  Index samples = 0;
  NormalizationAxes all;           // the axes of the whole batch
  bool statistics_of_all = false;  // batch norm's, synchronized
};

// The gradients of inputs 0 to 2 by way of other ranks: those of `d` that are wanted. `kernel_in` is the kernels'.
template <class T>
void shared_gradients(const SharedBatch& shared, const char* operation, const NormalizationAxes& axes,
                      const NormalizeBackwardIn<T>& kernel_in, const Shape& x_shape,
                      const std::pair<Shape, Shape>& row_shapes, Gradients& d) {
  const DType dtype = dtype_of<T>;
  BatchShare& share = *shared.share;
  Tensor dx = d.wanted(0) ? Tensor::empty(x_shape, dtype) : Tensor();
  const bool rows_wanted = d.wanted(1) || d.wanted(2);
  if (shared.statistics_of_all) {
    std::vector<GradientSums> own(static_cast<std::size_t>(axes.planes()));
    plane_gradient_sums(axes, kernel_in, own.data());
    const std::vector<GradientSums> all = gather_planes(share, operation, shared.samples, own)();
    Tensor dgamma = d.wanted(1) ? Tensor::empty(row_shapes.first, dtype) : Tensor();
    Tensor dbeta = d.wanted(2) ? Tensor::empty(row_shapes.second, dtype) : Tensor();
    normalize_backward_with_sums<T>(
        axes, kernel_in, shared.all, all.data(),
        {mutable_data_or_null<T>(dx), mutable_data_or_null<T>(dgamma), mutable_data_or_null<T>(dbeta)});
    d.set(1, dgamma);
    d.set(2, dbeta);
  } else if (axes.rows == AffineRows::per_element) {
    normalize_backward<T>(axes, kernel_in, {mutable_data_or_null<T>(dx), nullptr, nullptr});
    NormalizationAxes of_sample = axes;
    of_sample.samples = axes.samples / std::max<Index>(1, shared.samples);
    const auto sum_of_rows = [&](std::size_t input, const Shape& row, T* NormalizeBackwardOut<T>::*target) {
      if (!d.wanted(input)) {
        return;
      }
      d.later(input, share.sum(operation, shared.samples, row, dtype, [&](Index n) {
        NormalizeBackwardIn<T> in = kernel_in;
        in.x += n * of_sample.numel();
        in.dy += n * of_sample.numel();
        in.statistics.mean += n * of_sample.statistics();
        in.statistics.inv_std += n * of_sample.statistics();
        Tensor gradient = Tensor::empty(row, dtype);
        NormalizeBackwardOut<T> out{nullptr, nullptr, nullptr};
        out.*target = gradient.mutable_data<T>();
        normalize_backward<T>(of_sample, in, out);
        return gradient;
      }));
    };
    sum_of_rows(1, row_shapes.first, &NormalizeBackwardOut<T>::dgamma);
    sum_of_rows(2, row_shapes.second, &NormalizeBackwardOut<T>::dbeta);
  } else {
    std::vector<double> dgamma(static_cast<std::size_t>(rows_wanted ? axes.planes() : 0)), dbeta = dgamma;
    normalize_backward<T>(axes, kernel_in,
                          {mutable_data_or_null<T>(dx), nullptr, nullptr,
                           rows_wanted ? dgamma.data() : nullptr, rows_wanted ? dbeta.data() : nullptr});
    if (d.wanted(1)) {
      d.later(1, sum_of_planes(share, operation, shared.samples, std::move(dgamma), row_shapes.first, dtype));
    }
    if (d.wanted(2)) {
      d.later(2, sum_of_planes(share, operation, shared.samples, std::move(dbeta), row_shapes.second, dtype));
    }
  }
  d.set(0, dx);
}

// Which of x's samples others have, if a sum over samples is to be made that they share in: of statistics, or of the
// gradients of rows that samples share.
SharedBatch shared_batch(const Tensor& x, const NormalizationAxes& axes, bool statistics_of_x,
                         bool moves_running, bool synchronized, const char* operation) {
  const std::shared_ptr<BatchShare> share = BatchShare::current();
  const bool statistics_of_all = axes.share_samples && statistics_of_x && synchronized;
  // A rank alone adds up rows per element as others would; for the rest the kernels' own order is the order.
  if (!share || (share->alone() && axes.rows != AffineRows::per_element)) {
    return {};
  }
  const Index samples = x.rank() > 0 ? x.size(0) : 1;
  require(share->alone() || samples == share->count() || !(statistics_of_all || moves_running), operation,
          ": x has ", samples, " samples; this rank has ", share->count(), " of the batch of ",
          share->total());
  NormalizationAxes all = axes;
  all.samples = samples == 0 ? share->total() : axes.samples / samples * share->total();
  return {share, samples, all, statistics_of_all};
}

// Every member is this: z = gamma (x - mean) inv_std + beta, y = z or max(z, 0). With g = gamma dz:
//
//     dx     = inv_std (g - mean(g) - x-hat mean(g x-hat))     statistics of x
//            = inv_std g                                       running statistics
//     dgamma = sum(dz x-hat),  dbeta = sum(dz)
//
// Weight and bias are any tensors with axes.affine_size() elements. Statistics of x move the running ones, if
// there are any.
Tensor normalize(const char* operation, const Tensor& x, NormalizationAxes axes, const Tensor& weight,
                 const Tensor& bias, const RunningStatistics& running, bool statistics_of_x,
                 const NormalizeOptions& options, Activation activation) {
  axes.share_samples |= !statistics_of_x;  // running ones are of a channel
  const bool moves_running = statistics_of_x && running.mean.defined();
  const SharedBatch shared =
      shared_batch(x, axes, statistics_of_x, moves_running, options.synchronized, operation);
  StatisticsTensors statistics(axes.statistics());
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  with_dtype(x.dtype(), [&]<class T>() {
    const T* gamma = data_or_null<T>(weight);
    const T* beta = data_or_null<T>(bias);
    if (shared.statistics_of_all) {
      std::vector<Moments> own(static_cast<std::size_t>(axes.planes()));
      plane_moments(axes, x.data<T>(), own.data());
      const std::vector<Moments> all = gather_planes(*shared.share, operation, shared.samples, own)();
      const StatisticsOut out = statistics.out();
      merge_plane_moments(shared.all, all.data(), options.eps, out);
      normalize_with(axes, x.data<T>(), {out.mean, out.inv_std}, gamma, beta, activation,
                     y.mutable_data<T>());
    } else if (statistics_of_x) {
      normalize_forward(axes, x.data<T>(), options.eps, gamma, beta, activation, y.mutable_data<T>(),
                        statistics.out());
    } else {
      statistics.mean.copy_(running.mean);
      statistics.variance.copy_(running.variance);
      const auto [mean, variance, inv_std] = statistics.out();
      inverse_std(variance, axes.statistics(), options.eps, inv_std);
      normalize_with(axes, x.data<T>(), {mean, inv_std}, gamma, beta, activation, y.mutable_data<T>());
    }
  });
  const bool empty = (shared.share ? shared.all : axes).numel() == 0;  // an empty batch shows nothing
  if (moves_running && !empty) {
    SeenStatistics seen = seen_in(shared.statistics_of_all ? shared.all : axes, statistics);
    if (shared.share && !shared.statistics_of_all && !shared.share->alone()) {
      seen = seen_by_all(seen, shared.samples, axes.channels, *shared.share, operation);
    }
    update_running(running, axes.channels, seen, options.momentum);
  }
  // Where the relu was open is computed again from x, which costs less than reading it from memory.
  const bool with_relu = activation == Activation::relu;
  const bool keep_x = with_relu || needs_grad(weight) || (needs_grad(x) && statistics_of_x);
  return record(
      operation, y, {x, weight, bias},
      [axes, shared, operation, x = save(x, keep_x), weight = save(weight, with_relu || needs_grad(x)),
       bias = save(bias, with_relu), mean = save(statistics.mean), inv_std = save(statistics.inv_std),
       statistics_of_x, activation,
       row_shapes = std::pair(weight.defined() ? weight.shape() : Shape{},
                              bias.defined() ? bias.shape() : Shape{})](const Tensor& dy, Gradients& d) {
        with_dtype(dy.dtype(), [&]<class T>() {
          NormalizeBackwardIn<T> in;
          in.x = (x.kept() ? x() : dy).data<T>();  // what was not kept does not matter
          in.statistics = {mean().data<double>(), inv_std().data<double>()};
          in.statistics_of_x = statistics_of_x;
          in.gamma = weight.kept() ? weight().data<T>() : nullptr;
          in.beta = bias.kept() ? bias().data<T>() : nullptr;
          in.activation = activation;
          in.dy = dy.data<T>();
          if (shared.share && axes.rows != AffineRows::per_plane) {  // rows per plane are of one sample each
            shared.share->progress();
            shared_gradients<T>(shared, operation, axes, in, dy.shape(), row_shapes, d);
            return;
          }
          Tensor dx = d.wanted(0) ? Tensor::empty(dy.shape(), dy.dtype()) : Tensor();
          Tensor dgamma = d.wanted(1) ? Tensor::empty(row_shapes.first, dy.dtype()) : Tensor();
          Tensor dbeta = d.wanted(2) ? Tensor::empty(row_shapes.second, dy.dtype()) : Tensor();
          normalize_backward<T>(
              axes, in,
              {mutable_data_or_null<T>(dx), mutable_data_or_null<T>(dgamma), mutable_data_or_null<T>(dbeta)});
          d.set(0, dx);
          d.set(1, dgamma);
          d.set(2, dbeta);
        });
      });
}

}  // namespace

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                     const RunningStatistics& running, bool use_input_stats, const NormalizeOptions& options,
                     Activation activation) {
  constexpr const char* name = "instance_norm";
  require_channels(x, 3, name);
  require_row(weight, {x.size(1)}, x, name, "weight", true);
  require_row(bias, {x.size(1)}, x, name, "bias", true);
  require(!weight.defined() || !bias.defined() || weight.shape() == bias.shape(), name, ": weight has shape ",
          weight.defined() ? weight.shape() : Shape{}, ", bias ", bias.defined() ? bias.shape() : Shape{},
          "; give both a row for every sample, or neither");
  require_running(running, x, name);
  require_options(options, name);
  const bool row_per_sample =
      (weight.defined() && weight.rank() == 2) || (bias.defined() && bias.rank() == 2);
  const NormalizationAxes axes = NormalizationAxes::instance(
      x.shape(), row_per_sample ? AffineRows::per_plane : AffineRows::per_channel);
  require(use_input_stats || running.mean.defined(), name,
          ": without input statistics it needs running ones; give them, or use the input's");
  require(!use_input_stats || axes.inner != 1, name, ": x ", x.shape(), " has ", axes.inner,
          " element in each plane, whose variance is 0: the result would be the bias whatever x is. "
          "Use larger pictures, fewer downsamplings, or no normalization at this layer");
  return normalize(name, x, axes, weight, bias, running, use_input_stats, options, activation);
}

Tensor batch_norm(const Tensor& x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias,
                  bool training, const NormalizeOptions& options, Activation activation) {
  constexpr const char* name = "batch_norm";
  require_channels(x, 2, name);
  require_row(weight, {x.size(1)}, x, name, "weight");
  require_row(bias, {x.size(1)}, x, name, "bias");
  require_running(running, x, name);
  require_options(options, name);
  require(training || running.mean.defined(), name,
          ": outside training it needs running statistics; "
          "give them, or pass training = true to use the batch's");
  const NormalizationAxes axes = NormalizationAxes::batch(x.shape());
  const std::shared_ptr<BatchShare> share = BatchShare::current();
  const bool shared = share && !share->alone();
  const Index samples = shared && training && options.synchronized ? share->total() : axes.samples;
  require(!training || samples * axes.inner != 1, name, ": x ", x.shape(), " has ", samples * axes.inner,
          " value for each channel, and training needs more than one to have a variance. "
          "Use a larger batch, or call eval() to use the running statistics");
  if (axes.inner == 1 && axes.samples > 1 && !shared) {
    // A channel's values lie far apart; as the rows of the transposed matrix they are read in order.
    const Tensor rows = transpose(x.reshape({axes.samples, axes.channels}), 0, 1);
    const Tensor y = batch_norm(rows.reshape({1, axes.channels, axes.samples}), running, weight, bias,
                                training, options, activation);
    return transpose(y.reshape({axes.channels, axes.samples}), 0, 1).reshape(x.shape());
  }
  return normalize(name, x, axes, weight, bias, running, training, options, activation);
}

Tensor group_norm(const Tensor& x, Index groups, const Tensor& weight, const Tensor& bias,
                  const NormalizeOptions& options, Activation activation) {
  constexpr const char* name = "group_norm";
  require_channels(x, 2, name);
  require_row(weight, {x.size(1)}, x, name, "weight");
  require_row(bias, {x.size(1)}, x, name, "bias");
  require_options(options, name);
  const NormalizationAxes axes = NormalizationAxes::group(x.shape(), groups);
  require(axes.samples * axes.elements_per_statistic() != 1, name, ": x ", x.shape(), " with ", groups,
          " groups has one value in each group, whose variance is 0: use fewer groups");
  return normalize(name, x, axes, weight, bias, {}, true, options, activation);
}

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                  const NormalizeOptions& options, Activation activation) {
  constexpr const char* name = "layer_norm";
  require_last_dimensions(x, normalized_shape, name);
  require_row(weight, normalized_shape, x, name, "weight");
  require_row(bias, normalized_shape, x, name, "bias");
  require_options(options, name);
  // The kernels read both rows or none.
  const Tensor ones =
      bias.defined() && !weight.defined() ? Tensor::ones(normalized_shape, x.dtype()) : weight;
  const Tensor zeros =
      weight.defined() && !bias.defined() ? Tensor::zeros(normalized_shape, x.dtype()) : bias;
  const NormalizationAxes axes = NormalizationAxes::layer(x.shape(), normalized_shape.rank());
  return normalize(name, x, axes, ones, zeros, {}, true, options, activation);
}

double machine_epsilon(DType dtype) {
  return with_dtype(dtype, []<class T>() -> double { return std::numeric_limits<T>::epsilon(); });
}

Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                std::optional<double> eps, Activation activation) {
  constexpr const char* name = "rms_norm";
  require_last_dimensions(x, normalized_shape, name);
  require_row(weight, normalized_shape, x, name, "weight");
  const NormalizeOptions options{.eps = eps.value_or(machine_epsilon(x.dtype()))};
  require_options(options, name);
  const Tensor zeros = weight.defined() ? Tensor::zeros(normalized_shape, x.dtype()) : Tensor();
  const NormalizationAxes axes = NormalizationAxes::rms(x.shape(), normalized_shape.rank());
  return normalize(name, x, axes, weight, zeros, {}, true, options, activation);
}

Tensor adaptive_instance_norm(const Tensor& content, const Tensor& style, const NormalizeOptions& options,
                              Activation activation) {
  constexpr const char* name = "adaptive_instance_norm";
  require_channels(content, 3, name);
  require_channels(style, 3, name);
  require(style.size(1) == content.size(1) && (style.size(0) == content.size(0) || style.size(0) == 1), name,
          ": style has shape ", style.shape(), ", content ", content.shape(),
          "; it needs the same channels, and as many samples or one");
  require_same_dtype(content, style, name);
  std::vector<int> places;  // all dimensions of a plane
  for (int d = 2; d < style.rank(); ++d) {
    places.push_back(d);
  }
  const Shape rows =
      style.size(0) == content.size(0) ? Shape{style.size(0), style.size(1)} : Shape{style.size(1)};
  const Tensor deviation = sqrt(variance(style, places, {.unbiased = false}) + options.eps);
  return instance_norm(content, deviation.reshape(rows), mean(style, places).reshape(rows), {}, true, options,
                       activation);
}

}  // namespace gesso
