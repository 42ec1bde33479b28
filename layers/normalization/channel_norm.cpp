#include "gesso/layers/normalization/channel_norm.h"

namespace gesso {

ChannelNorm::ChannelNorm(Index channels, Statistics own, Ranks ranks, const Options& options)
    : NormalizationLayer(options.eps),
      channels_(channels),
      own_(own),
      ranks_(ranks),
      momentum_(options.momentum),
      synchronized_(options.synchronized) {
  require(channels >= 1, "normalization layer: ", channels, " channels; at least 1 is needed");
  require(options.eps >= 0, "normalization layer: eps ", options.eps, " is negative");
  if (options.affine) {
    weight = register_parameter("weight", Tensor::ones({channels}));
    bias = register_parameter("bias", Tensor::zeros({channels}));
  }
  if (options.track_running_stats) {
    running_mean = register_buffer("running_mean", Tensor::zeros({channels}));
    running_var = register_buffer("running_var", Tensor::ones({channels}));
    num_batches_tracked =
        register_buffer("num_batches_tracked", Tensor::scalar(0, float64), {.keeps_dtype = true});
  }
}

void ChannelNorm::reset_running_stats() {
  if (running_mean.defined()) {
    running_mean.fill_(0);
    running_var.fill_(1);
    num_batches_tracked.fill_(0);
  }
}

Statistics ChannelNorm::default_statistics() const {
  return is_training() || !running_mean.defined() ? own_ : Statistics::running;
}

void ChannelNorm::require_statistics(Statistics statistics) const {
  require(statistics != Statistics::running || running_mean.defined(), type_name(),
          ": it keeps no running statistics; construct it with {.track_running_stats = true} to have some");
}

Shape ChannelNorm::batched_shape(const Shape& x) const {
  require(x.rank() >= ranks_.low && x.rank() <= ranks_.high, type_name(), ": x has shape ", x, "; it takes ",
          ranks_.high == 3   ? (ranks_.unbatched ? "(N, C, L) or (C, L)" : "(N, C) or (N, C, L)")
          : ranks_.high == 4 ? (ranks_.unbatched ? "(N, C, H, W) or (C, H, W)" : "(N, C, H, W)")
                             : "(N, C, D, H, W) or (C, D, H, W)");
  const bool unbatched = ranks_.unbatched && x.rank() == ranks_.low;
  const Index channels = x[unbatched ? 0 : 1];
  require(channels == channels_, type_name(), ": x ", x, " has ", channels, " channels, the layer ",
          channels_, "; construct it with ", channels, " if that is what the layer before gives");
  return unbatched ? with_batch(x) : x;
}

RunningStatistics ChannelNorm::running() const {
  const bool used = is_training() || statistics() == Statistics::running;
  return used ? RunningStatistics{running_mean, running_var} : RunningStatistics{};
}

NormalizeOptions ChannelNorm::options() const {
  if (momentum_ || !num_batches_tracked.defined()) {
    return {.eps = eps(), .momentum = momentum_.value_or(0), .synchronized = synchronized_};
  }
  return {.eps = eps(),
          .momentum = 1 / (num_batches_tracked.item() + 1),  // the average of all batches
          .synchronized = synchronized_};
}

std::vector<NormalizationPart> ChannelNorm::parts(const Shape& batched) const {
  const bool own_plane = statistics() == Statistics::per_instance;
  NormalizationPart part{
      own_plane ? NormalizationAxes::instance(batched) : NormalizationAxes::batch(batched), weight, bias, {}};
  if (statistics() == Statistics::running) {
    part.running = {running_mean, running_var};
  }
  return {part};
}

std::string ChannelNorm::extra_repr() const {
  return concat_text(channels_, eps_text(), ", momentum=", momentum_ ? concat_text(*momentum_) : "none",
                     ", affine=", weight.defined() ? "true" : "false",
                     ", track_running_stats=", running_mean.defined() ? "true" : "false", statistics_text());
}

}  // namespace gesso
