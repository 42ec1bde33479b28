#include "demonstrate.h"

#include "demonstrations.h"

namespace norm_lab {

using namespace gesso;

namespace {

Section tell_invariance(const Tensor& x) {
  Table table{"Largest change in sample 0", {"a", "b", "instance norm", "by the formula", "batch norm"}, {}};
  for (const auto& [a, b] : std::vector<std::pair<double, double>>{
           {1, 5}, {2, 0}, {0.5, -3}, {100, 7}, {0.01, 0}, {0.001, 0}, {-1, 0}}) {
    const Invariance row = invariance(x, a, b);
    table.rows.push_back({short_number(a), short_number(b), short_number(row.instance_change),
                          a > 0 ? short_number(row.from_eps) : "", short_number(row.batch_change)});
  }
  return {
      "Instance norm forgets contrast and brightness, batch norm does not",
      {Text{
           "Sample 0 of the batch becomes a x + b, the others stay. For a > 0 instance norm gives what it "
           "gave before, but for eps: only when a makes the variance as small as eps does the result shrink."},
       Formula{{"IN(a x + b) = IN(x) sqrt((variance + eps) / (variance + eps / a^2))"}}, table,
       Text{"A negative a flips the sign of x-hat, so a picture and its negative stay different."}}};
}

Section tell_neighbours(const Tensor& x) {
  const Neighbours seen = change_a_neighbour(x);
  return {"In batch norm the samples of a batch see each other",
          {Text{"The last sample becomes 3 x + 2. Sample 0 is as before; do its results move?"},
           Table{"Largest change in sample 0",
                 {"norm", "change"},
                 {{"instance", short_number(seen.instance_change)},
                  {"batch", short_number(seen.batch_change)}}}}};
}

Section tell_orthogonality(const Tensor& x, const Tensor& upstream) {
  Table table{
      "Instance norm", {"plane", "|dx|", "sum h", "sum dx", "sum h x-hat", "sum dx x-hat", "by eps"}, {}};
  const std::vector<Orthogonality> planes = orthogonality(x, upstream);
  for (std::size_t p = 0; p < planes.size(); ++p) {
    const Orthogonality& plane = planes[p];
    table.rows.push_back({plane_name(static_cast<Index>(p), x.size(1)), short_number(plane.size),
                          short_number(plane.upstream_along_one), short_number(plane.along_one),
                          short_number(plane.upstream_along_xhat), short_number(plane.along_xhat),
                          short_number(plane.from_eps)});
  }
  return {
      "The gradient is orthogonal to 1 and, up to eps, to x-hat",
      {Text{"The sum of dx over a plane is 0, and so is the sum of dx x-hat, but for what eps leaves of it:"},
       Formula{
           {"sum dx       = 0", "sum dx x-hat = (sum h x-hat) eps / (variance + eps)        h = inv_std g"}},
       table}};
}

Section tell_bias(const Tensor& x) {
  Table table{
      "Largest gradients of a 3 x 3 convolution, by what follows it", {"after it", "weight", "bias"}, {}};
  for (const BiasGradient& row : bias_gradients(x)) {
    table.rows.push_back({row.norm, short_number(row.weight), short_number(row.bias)});
  }
  return {
      "A bias before a normalization learns nothing",
      {Text{"A convolution's bias adds a constant to a channel, and the normalization after it subtracts the "
            "channel's mean again. So its gradient is 0 (what you see is rounding), and it may as well be "
            "left out. Batch norm in evaluation subtracts a fixed mean, and there the bias counts."},
       table}};
}

Section tell_batch_of_one(const Tensor& x) {
  const BatchOfOne seen = batch_of_one(x);
  Table table{
      "How far sample 0's results scatter over 200 batches of strangers", {"batch size", "spread"}, {}};
  for (const Company& row : seen.companies) {
    table.rows.push_back({short_number(row.batch_size), short_number(row.spread)});
  }
  return {
      "Batch size 1",
      {Text{concat_text("Alone in its batch, a sample is normalized by its own statistics: batch norm in "
                        "training is then instance norm. Largest difference: ",
                        short_number(seen.to_instance), ".")},
       Text{"In company its results depend on who else is in the batch. The noise is greatest for 2 and goes "
            "down as the batch grows:"},
       table, Text{"With one sample of one pixel there is no variance, and batch norm refuses:"},
       Text{seen.refusal}}};
}

Section tell_train_against_eval(const Tensor& x) {
  const TrainAgainstEvalAll seen = train_against_eval(x);
  Table table{"After this many training steps on the same batch; channel 0",
              {"steps", "running mean", "running var", "batch: |train - eval|", "instance"},
              {}};
  for (const TrainAgainstEval& row : seen.rows) {
    table.rows.push_back({short_number(row.steps), short_number(row.running_mean),
                          short_number(row.running_var), short_number(row.batch_difference),
                          short_number(row.instance_difference)});
  }
  return {"Training against evaluation",
          {Text{"In training batch norm uses the batch's statistics and collects them; in evaluation it uses "
                "what it collected. The two agree only once the running statistics have arrived:"},
           Formula{{"running = (1 - momentum) running + momentum seen        momentum = 0.1"}}, table,
           Text{concat_text(
               "The running mean goes to ", short_number(seen.mean),
               " and the running variance to the unbiased ", short_number(seen.unbiased_variance),
               " (divided by m - 1), while training divides by m: that difference stays. Instance norm "
               "does the same in both modes.")}}};
}

}  // namespace

std::vector<Section> demonstrate(const Tensor& x, const Tensor& upstream) {
  return {tell_invariance(x), tell_neighbours(x),   tell_orthogonality(x, upstream),
          tell_bias(x),       tell_batch_of_one(x), tell_train_against_eval(x)};
}

}  // namespace norm_lab
