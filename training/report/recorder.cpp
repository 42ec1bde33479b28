#include "gesso/training/report/recorder.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>

#include "gesso/autograd/node.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"
#include "gesso/core/normalization/moments.h"
#include "gesso/core/normalization/normalization.h"
#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"
#include "gesso/training/report/lines.h"

namespace gesso {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ---- measuring

template <class T>
GESSO_SIMD Index count_positive(const T* x, Index n) {
  Index count = 0;
  for (Index i = 0; i < n; ++i) {
    count += x[i] > 0;
  }
  return count;
}

// The norm of all elements; NaN for an undefined tensor.
double norm(const Tensor& tensor) {
  if (!tensor.defined()) {
    return kNan;
  }
  return std::sqrt(with_dtype(tensor.dtype(), [&]<class T>() {
    const T* x = tensor.data<T>();
    return parallel_sum<double>(tensor.numel(), 1 << 15, [&](Index begin, Index end) {
      const Moments m = moments(x + begin, end - begin);
      return m.m2 + static_cast<double>(m.count) * m.mean * m.mean;
    });
  }));
}

// Rows of `width` numbers, averaged.
std::vector<double> mean_of_rows(const std::vector<double>& values, Index width) {
  std::vector<double> mean(width);
  const double rows = static_cast<double>(values.size()) / static_cast<double>(width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    mean[i % width] += values[i] / rows;
  }
  return mean;
}

void measure_statistics(const NormalizationPart& part, const Tensor& x, double eps,
                        NormalizationRecord& record) {
  if (part.running.mean.defined()) {
    record.mean = part.running.mean.to_vector();
    record.variance = part.running.variance.to_vector();
    return;
  }
  const Index count = part.axes.statistics();
  std::vector<double> mean(count), variance(count), inv_std(count);
  with_dtype(x.dtype(), [&]<class T>() {
    compute_statistics(part.axes, x.data<T>(), eps, {mean.data(), variance.data(), inv_std.data()});
  });
  record.mean = mean_of_rows(mean, part.axes.groups);
  record.variance = mean_of_rows(variance, part.axes.groups);
}

void measure_output(const NormalizationAxes& axes, const Tensor& y, NormalizationRecord& record) {
  std::vector<Moments> plane(axes.planes());
  std::vector<Index> open(axes.planes());
  with_dtype(y.dtype(), [&]<class T>() {
    const T* values = y.data<T>();
    parallel_for(axes.planes(), std::max<Index>(1, (1 << 15) / axes.inner), [&](Index begin, Index end) {
      for (Index p = begin; p < end; ++p) {
        plane[p] = moments(values + p * axes.inner, axes.inner);
        open[p] = count_positive(values + p * axes.inner, axes.inner);
      }
    });
  });
  Index open_elements = 0, dead_channels = 0;
  for (Index c = 0; c < axes.channels; ++c) {
    Moments channel;
    Index open_here = 0;
    for (Index p = c; p < axes.planes(); p += axes.channels) {
      channel.merge(plane[p]);
      open_here += open[p];
    }
    record.output_mean.push_back(channel.mean);
    record.output_variance.push_back(channel.variance());
    open_elements += open_here;
    dead_channels += open_here == 0;
  }
  record.closed = 1 - static_cast<double>(open_elements) / static_cast<double>(axes.numel());
  record.dead = static_cast<double>(dead_channels) / static_cast<double>(axes.channels);
}

// A gamma or beta for each channel.
std::vector<double> per_channel(const NormalizationAxes& axes, const Tensor& row) {
  if (!row.defined()) {
    return {};
  }
  return mean_of_rows(row.to_vector(), axes.rows == AffineRows::per_element ? 1 : axes.channels);
}

// ---- writing and reading

// Six digits are plenty and keep the file small; null for what is not finite.
Json number(double value) {
  if (!std::isfinite(value)) {
    return nullptr;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

Json numbers(const std::vector<double>& values) {
  Json array = Json::array();
  for (double value : values) {
    array.push_back(number(value));
  }
  return array;
}

double to_number(const Json& value) { return value.is_null() ? kNan : value.get<double>(); }

std::vector<double> to_numbers(const Json& array) {
  std::vector<double> values;
  for (const Json& value : array) {
    values.push_back(to_number(value));
  }
  return values;
}

constexpr std::pair<const char*, std::vector<double> NormalizationRecord::*> kArrays[] = {
    {"mean", &NormalizationRecord::mean},
    {"variance", &NormalizationRecord::variance},
    {"gamma", &NormalizationRecord::gamma},
    {"beta", &NormalizationRecord::beta},
    {"output_mean", &NormalizationRecord::output_mean},
    {"output_variance", &NormalizationRecord::output_variance}};

constexpr std::pair<const char*, double NormalizationRecord::*> kNumbers[] = {
    {"closed", &NormalizationRecord::closed},
    {"dead", &NormalizationRecord::dead},
    {"output_gradient", &NormalizationRecord::output_gradient},
    {"input_gradient", &NormalizationRecord::input_gradient},
    {"gamma_gradient", &NormalizationRecord::gamma_gradient},
    {"beta_gradient", &NormalizationRecord::beta_gradient}};

std::string line_of(const NormalizationRecord& record) {
  Json line = {{"step", record.step},
               {"layer", record.layer},
               {"type", record.type},
               {"statistics", record.statistics}};
  for (const auto& [name, member] : kNumbers) {
    line[name] = number(record.*member);
  }
  for (const auto& [name, member] : kArrays) {
    line[name] = numbers(record.*member);
  }
  return json_text(line) + "\n";
}

NormalizationRecord record_of(const Json& line) {
  NormalizationRecord record;
  record.step = line.at("step").get<Index>();
  record.layer = line.at("layer").get<std::string>();
  record.type = line.at("type").get<std::string>();
  record.statistics = line.at("statistics").get<std::string>();
  for (const auto& [name, member] : kNumbers) {
    record.*member = to_number(line.at(name));
  }
  for (const auto& [name, member] : kArrays) {
    record.*member = to_numbers(line.at(name));
  }
  return record;
}

}  // namespace

namespace {

// With `whole_only` lines that are no records are left out.
std::vector<NormalizationRecord> read_records(const std::string& path, bool whole_only) {
  std::vector<NormalizationRecord> records;
  for_each_line(path, [&](std::string_view line, int number) {
    try {
      records.push_back(record_of(parse_json(line)));
    } catch (const Json::exception&) {
      if (!whole_only) {
        throw FileError(concat_text(path, ": line ", number, " is not a record of a normalization layer"));
      }
    }
  });
  return records;
}

}  // namespace

std::vector<NormalizationRecord> read_normalization_records(const std::string& path) {
  return read_records(path, false);
}

// ---- the recorder

// One layer that is listened to.
struct NormalizationRecorder::Layer {
  std::string name;
  NormalizationLayer* layer = nullptr;
  Tensor gamma, beta;  // the parameters, where it has them
  int forward_hook = 0;
  std::optional<NormalizationRecord> record;  // of the step under way
  std::vector<std::pair<std::weak_ptr<Node>, int>> gradient_hooks;

  // Records a forward, and listens for its gradients. `self` is this layer, for the hooks, which may live
  // longer than the recorder.
  void observe(const std::shared_ptr<Layer>& self, const Tensor& x, const Tensor& y);
  void listen(const std::shared_ptr<Layer>& self, const Tensor& tensor,
              double NormalizationRecord::*norm_of_gradient);
  void forget();
};

void NormalizationRecorder::Layer::observe(const std::shared_ptr<Layer>& self, const Tensor& x,
                                           const Tensor& y) {
  const NoGradGuard no_grad;
  const Shape batched = layer->batched_shape(x.shape());
  const NormalizationPart part = layer->parts(batched).front();
  record.emplace();
  record->layer = name;
  record->type = layer->type_name();
  record->statistics = name_of(layer->statistics());
  measure_statistics(part, x.alias(batched), layer->eps(x.dtype()), *record);
  record->gamma = per_channel(part.axes, part.gamma);
  record->beta = per_channel(part.axes, part.beta);
  measure_output(part.axes, y.alias(batched), *record);
  record->output_gradient = record->input_gradient = kNan;
  listen(self, y, &NormalizationRecord::output_gradient);
  if (x.requires_grad()) {
    listen(self, x, &NormalizationRecord::input_gradient);
  }
}

void NormalizationRecorder::Layer::listen(const std::shared_ptr<Layer>& self, const Tensor& tensor,
                                          double NormalizationRecord::*norm_of_gradient) {
  const int hook = tensor.register_hook([self, norm_of_gradient](const Tensor& gradient) {
    if (self->record) {
      (*self->record).*norm_of_gradient = norm(gradient);
    }
    return Tensor();
  });
  gradient_hooks.emplace_back(tensor.node(), hook);
}

void NormalizationRecorder::Layer::forget() {
  record.reset();
  for (const auto& [node, hook] : gradient_hooks) {
    if (const std::shared_ptr<Node> alive = node.lock()) {  // a leaf outlives the step
      std::erase_if(alive->hooks, [hook = hook](const auto& entry) { return entry.first == hook; });
    }
  }
  gradient_hooks.clear();
}

struct NormalizationRecorder::File {
  std::string path;
  std::ofstream stream;
};

NormalizationRecorder::NormalizationRecorder(Module& network, const std::string& path,
                                             const NormalizationRecorderOptions& options)
    : every_(options.every), step_(options.first_step), file_(std::make_unique<File>()) {
  require(options.every >= 1 && options.first_step >= 1, "NormalizationRecorder: every ", options.every,
          " and first_step ", options.first_step, " must be at least 1");
  std::string kept;
  if (options.first_step > 1) {
    for (const NormalizationRecord& record : read_records(path, true)) {
      kept += record.step < options.first_step ? line_of(record) : "";
    }
  }
  write_file_atomically(path, kept);
  file_->path = path;
  file_->stream.open(path, std::ios::app);
  if (!file_->stream) {
    throw FileError(concat_text(path, ": the records cannot be written"));
  }

  for (const auto& [name, module] : network.named_modules()) {
    auto* norm_layer = dynamic_cast<NormalizationLayer*>(module);
    if (!norm_layer) {
      continue;
    }
    auto layer = std::make_shared<Layer>();
    layer->name = name;
    layer->layer = norm_layer;
    for (const auto& [key, parameter] : norm_layer->named_parameters()) {
      if (key == "weight") {
        layer->gamma = parameter;
      } else if (key == "bias") {
        layer->beta = parameter;
      }
    }
    layer->forward_hook =
        norm_layer->register_forward_hook([this, layer](Module&, const Tensor& x, const Tensor& y) {
          if (recording() && y.requires_grad()) {
            layer->observe(layer, x, y);
          }
        });
    layers_.push_back(layer);
  }
}

NormalizationRecorder::~NormalizationRecorder() {
  for (const std::shared_ptr<Layer>& layer : layers_) {
    layer->layer->remove_forward_hook(layer->forward_hook);
    layer->forget();
  }
}

void NormalizationRecorder::end_step() {
  for (const std::shared_ptr<Layer>& layer : layers_) {
    if (std::optional<NormalizationRecord>& record = layer->record) {
      record->step = step_;
      record->gamma_gradient = layer->gamma.defined() ? norm(layer->gamma.grad()) : kNan;
      record->beta_gradient = layer->beta.defined() ? norm(layer->beta.grad()) : kNan;
      file_->stream << line_of(*record);
      layer->forget();
    }
  }
  ++step_;
  file_->stream.flush();
  if (!file_->stream) {
    throw FileError(concat_text(file_->path, ": the records cannot be written; is the disk full?"));
  }
}

}  // namespace gesso
