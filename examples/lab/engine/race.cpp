#include "race.h"

#include <algorithm>

#include "gesso/autograd/graph.h"
#include "painting/style_training.h"
#include "painting/stylize.h"
#include "request.h"

namespace lab {

using namespace gesso;

namespace {

// The next picture or pictures out of `from`; `at` moves on.
Tensor take(const std::vector<float>& from, std::size_t& at, const Shape& shape) {
  const auto count = static_cast<std::size_t>(shape.numel());
  require(at + count <= from.size(), "the race has ", from.size(),
          " numbers of pictures, but needs more: ", shape, " from number ", at);
  Tensor pictures = Tensor::empty(shape);
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), count, pictures.mutable_data<float>());
  at += count;
  return pictures;
}

}  // namespace

Race::Race(const std::string& text, const std::vector<float>& pictures) {
  const Json request = parse_request(text);
  rng_ = Generator(field_or<std::uint64_t>(request, "seed", 1));
  steps_ = field_or<Index>(request, "steps", 300);
  batch_ = field_or<Index>(request, "batch", 4);
  crop_ = field_or<Index>(request, "crop", 48);
  learning_rate_ = field_or<double>(request, "learning_rate", 0.005);
  const auto style_side = field<Index>(request, "style_side"), count = field<Index>(request, "photographs"),
             side = field<Index>(request, "photograph_side");
  require(steps_ >= 1 && batch_ >= 1 && count >= 2,
          "a race has 1 step or more, 1 photograph or more in a batch, and 2 or "
          "more in all; this one has ",
          steps_, ", ", batch_, " and ", count);
  require(crop_ >= filters_.min_size() && crop_ % 4 == 0 && crop_ <= side, "crop is ", crop_,
          "; it must be a multiple of 4, ", filters_.min_size(),
          " or more, and at most the side of the photographs, ", side);
  std::size_t at = 0;
  const Tensor style = take(pictures, at, {1, 3, style_side, style_side});
  photographs_ = take(pictures, at, {count - 1, 3, side, side});
  shown_ = take(pictures, at, {1, 3, side, side});
  style_ = std::make_unique<StyleTarget>(filters_, std::vector<Tensor>{style});
  for (const auto& norm : field<std::vector<std::string>>(request, "norms")) {
    Generator seeded(rng_);  // the same convolutions for all
    const StyleNetworkOptions options{.width = field_or<int>(request, "width", 8),
                                      .blocks = field_or<int>(request, "blocks", 1),
                                      .normalization = norm};
    auto network = std::make_unique<StyleNetwork>(options, seeded);
    auto adam = std::make_unique<Adam>(network->parameters());
    lanes_.push_back({norm, std::move(network), std::move(adam)});
  }
}

// Random crops of random photographs, every other one mirrored by chance.
Tensor Race::next_batch() {
  Tensor batch = Tensor::empty({batch_, 3, crop_, crop_});
  float* to = batch.mutable_data<float>();
  const float* from = photographs_.data<float>();
  const Index side = photographs_.size(3);
  const auto below = [&](Index n) {
    return std::min(n - 1, static_cast<Index>(rng_.uniform() * static_cast<double>(n)));
  };
  for (Index n = 0; n < batch_; ++n) {
    const Index photograph = below(photographs_.size(0)), top = below(side - crop_ + 1),
                left = below(side - crop_ + 1);
    const bool mirrored = rng_.uniform() < 0.5;
    for (Index c = 0; c < 3; ++c) {
      for (Index i = 0; i < crop_; ++i) {
        const float* row = from + ((photograph * 3 + c) * side + top + i) * side + left;
        for (Index j = 0; j < crop_; ++j) {
          *to++ = row[mirrored ? crop_ - 1 - j : j];
        }
      }
    }
  }
  return batch;
}

std::string Race::step(Index count) {
  const Schedule schedule = style_schedule(steps_);
  Json losses = Json::object();
  for (; count > 0 && step_ < steps_; --count, ++step_) {
    const Tensor batch = next_batch();
    for (Lane& lane : lanes_) {
      const Losses found = style_transfer_losses(filters_, *style_, (*lane.network)(batch), batch, {});
      lane.adam->zero_grad();
      found.total.backward();
      lane.adam->set_lr(learning_rate_ * schedule(step_));
      lane.adam->step();
      losses[lane.norm].push_back(found.total.item());
    }
  }
  return json_text({{"step", step_}, {"losses", losses}});
}

std::vector<float> Race::picture(Index lane) {
  require(lane >= 0 && lane < static_cast<Index>(lanes_.size()), "lane ", lane, " is not one of the ",
          lanes_.size());
  StyleNetwork& network = *lanes_[static_cast<std::size_t>(lane)].network;
  network.eval();
  const Tensor painting = stylize(network, shown_);
  network.train();
  return {painting.data<float>(), painting.data<float>() + painting.numel()};
}

}  // namespace lab
