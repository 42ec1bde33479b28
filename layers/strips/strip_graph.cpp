#include "gesso/layers/strips/strip_graph.h"

#include <algorithm>
#include <deque>
#include <map>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/error.h"
#include "gesso/layers/activations.h"
#include "gesso/layers/resampling.h"
#include "gesso/layers/sequential.h"
#include "gesso/layers/strips/kept_rows.h"
#include "gesso/layers/strips/strip_schedule.h"

namespace gesso {

struct StripGraph::Node {
  PlanesSize size;
  std::vector<int> inputs = {};
  std::unique_ptr<StripOperation> operation = {};         // null for an input
  std::function<RowStreamPointer(Index rows)> open = {};  // of an input
  MeasuringStrips* measuring = nullptr;  // the operation, if it must see all of its input first
};

StripGraph::StripGraph() = default;
StripGraph::~StripGraph() = default;

int StripGraph::input(const PlanesSize& size, std::function<RowStreamPointer(Index rows)> open) {
  require(size.channels >= 1 && size.height >= 1 && size.width >= 1, "strips: a picture of ", size.channels,
          " x ", size.height, " x ", size.width, " numbers");
  nodes_.push_back({.size = size, .open = std::move(open)});
  return static_cast<int>(nodes_.size()) - 1;
}

int StripGraph::put(std::unique_ptr<StripOperation> operation, const std::vector<int>& inputs) {
  const PlanesSize size = operation->result();
  auto* const measuring = dynamic_cast<MeasuringStrips*>(operation.get());
  nodes_.push_back({size, inputs, std::move(operation), {}, measuring});
  return static_cast<int>(nodes_.size()) - 1;
}

const PlanesSize& StripGraph::size(int x) const {
  require(x >= 0 && x < static_cast<int>(nodes_.size()), "strips: there is no value ", x);
  return nodes_[x].size;
}

int StripGraph::layer(Module& module, int x) {
  if (auto* all = dynamic_cast<Sequential*>(&module)) {
    int y = x;
    for (std::size_t i = 0; i < all->size(); ++i) {
      y = layer((*all)[i], y);
    }
    return y;
  }
  if (auto* conv = dynamic_cast<Conv2d*>(&module)) {
    return put(convolution_strips(*conv, size(x)), {x});
  }
  if (auto* norm = dynamic_cast<NormalizationLayer*>(&module)) {
    return put(normalization_strips(*norm, size(x)), {x});
  }
  if (dynamic_cast<ReLU*>(&module)) {
    return pointwise("ReLU", {x}, [](const std::vector<Tensor>& strips, Index) { return relu(strips[0]); });
  }
  if (auto* up = dynamic_cast<Upsample*>(&module); up && up->options().mode == UpsampleMode::nearest) {
    return upsample_nearest(x, static_cast<Index>(up->options().scale));
  }
  throw ArgumentError(concat_text("strips: ", module.describe(), " is not a layer that goes by strips"));
}

int StripGraph::pointwise(const std::string& name, const std::vector<int>& x,
                          std::function<Tensor(const std::vector<Tensor>& strips, Index first_row)> compute) {
  require(!x.empty(), "strips: ", name, " of nothing");
  for (const int each : x) {
    const bool same = size(each).height == size(x[0]).height && size(each).width == size(x[0]).width;
    require(same, "strips: ", name, " of pictures of ", size(x[0]).width, " x ", size(x[0]).height, " and ",
            size(each).width, " x ", size(each).height, " pixels");
  }
  return put(pointwise_strips(name, size(x[0]), std::move(compute)), x);
}

int StripGraph::channels(int x, Index begin, Index end) {
  const auto [channels, height, width] = size(x);
  require(0 <= begin && begin < end && end <= channels, "strips: channels ", begin, " to ", end, " of ",
          channels);
  return put(pointwise_strips(
                 "channels", {end - begin, height, width},
                 [=](const std::vector<Tensor>& strips, Index) { return slice(strips[0], 1, begin, end); }),
             {x});
}

int StripGraph::join_channels(int x, int y) {
  const PlanesSize a = size(x), b = size(y);
  require(a.height == b.height && a.width == b.width, "strips: channels of pictures of ", a.width, " x ",
          a.height, " and ", b.width, " x ", b.height, " pixels");
  return put(pointwise_strips("join", {a.channels + b.channels, a.height, a.width},
                              [](const std::vector<Tensor>& strips, Index) { return concat(strips, 1); }),
             {x, y});
}

void StripGraph::adopt_measures(const StripGraph& of_copy) {
  // What does not measure may differ: a canvas of multiples of 4, for one.
  std::vector<const MeasuringStrips*> measured;
  for (const Node& node : of_copy.nodes_) {
    if (node.measuring != nullptr) {
      measured.push_back(node.measuring);
    }
  }
  std::size_t next = 0;
  for (const Node& node : nodes_) {
    if (node.measuring != nullptr) {
      require(next < measured.size() && node.measuring->name() == measured[next]->name() &&
                  node.measuring->result().channels == measured[next]->result().channels,
              "strips: measures of another network");
      node.measuring->adopt(*measured[next++]);
    }
  }
}

int StripGraph::add(int x, int y) {
  return pointwise("add", {x, y},
                   [](const std::vector<Tensor>& strips, Index) { return strips[0] + strips[1]; });
}

int StripGraph::affine(int x, double factor, double shift) {
  return pointwise("affine", {x},
                   [=](const std::vector<Tensor>& strips, Index) { return factor * strips[0] + shift; });
}

int StripGraph::clip(int x, double low, double high) {
  return pointwise("clip", {x},
                   [=](const std::vector<Tensor>& strips, Index) { return clamp(strips[0], low, high); });
}

int StripGraph::upsample_conv(const Conv2d& layer, int x) {
  const int phases = put(phase_convolution_strips(layer, size(x)), {x});
  return put(join_phases_strips(size(phases)), {phases});
}

int StripGraph::upsample_nearest(int x, Index scale) { return put(upsample_strips(size(x), scale), {x}); }

int StripGraph::resize(int x, Index height, Index width) {
  return put(resize_strips(size(x), height, width), {x});
}

int StripGraph::canvas(int x, Index height, Index width) {
  const bool same = size(x).height == height && size(x).width == width;
  return same ? x : put(resize_canvas_strips(size(x), height, width), {x});
}

namespace {

// A stream for several readers, which keeps what the slowest of them has not read. All readers come before
// the first strip.
class SharedRows {
 public:
  SharedRows(RowStreamPointer source, KeptRows* keep) : source_(std::move(source)), keep_(keep) {}

  const PlanesSize& size() const { return source_->size(); }
  std::size_t add_reader() {
    positions_.push_back(0);
    return positions_.size() - 1;
  }
  Tensor next(std::size_t reader) {
    if (positions_[reader] == first_ + strips_.size()) {
      produce();
    }
    Tensor strip = strips_[positions_[reader] - first_];
    ++positions_[reader];
    while (*std::min_element(positions_.begin(), positions_.end()) > first_) {
      strips_.pop_front();
      ++first_;
    }
    return strip;
  }
  // What nobody read of a picture that is to be kept.
  void drain() {
    while (keep_ != nullptr && !keep_->complete()) {
      produce();
      strips_.clear();
    }
  }

 private:
  void produce() {
    strips_.push_back(source_->next());
    if (keep_ != nullptr) {
      keep_->write(strips_.back());
    }
  }

  RowStreamPointer source_;
  KeptRows* keep_;
  std::deque<Tensor> strips_;
  std::size_t first_ = 0;  // number of strips_.front()
  std::vector<std::size_t> positions_;
};

class Reader : public RowStream {
 public:
  explicit Reader(std::shared_ptr<SharedRows> rows)
      : RowStream(rows->size()), rows_(std::move(rows)), number_(rows_->add_reader()) {}
  Tensor next() override { return rows_->next(number_); }

 private:
  std::shared_ptr<SharedRows> rows_;
  std::size_t number_;
};

bool holds(const std::vector<int>& all, int n) { return std::find(all.begin(), all.end(), n) != all.end(); }

}  // namespace

// The passes of a run, one after the other.
class StripGraph::Passes {
 public:
  Passes(const std::vector<Node>& nodes, const StripOptions& options) : nodes_(nodes), options_(options) {}

  // Calls `take` with the strips of the pass's target.
  void run(const StripPass& pass, const std::function<void(const Tensor&)>& take) {
    for (const int n : pass.kept) {
      kept_.emplace(n, KeptRows(nodes_[n].size, options_.rows, options_.folder));
    }
    std::map<int, std::shared_ptr<SharedRows>> streams;
    const RowStreamPointer target = open(pass.target, pass, streams);
    for (Index row = 0; row < target->size().height; row += options_.rows) {
      take(target->next());
    }
    for (const auto& [n, stream] : streams) {
      stream->drain();
    }
    for (const int n : pass.last_read) {
      kept_.erase(n);
    }
  }

 private:
  RowStreamPointer open(int n, const StripPass& pass, std::map<int, std::shared_ptr<SharedRows>>& streams) {
    auto found = streams.find(n);
    if (found == streams.end()) {
      const Node& node = nodes_[n];
      RowStreamPointer source;
      if (holds(pass.read, n)) {
        source = kept_.at(n).read(holds(pass.last_read, n));
      } else if (!node.operation) {
        source = node.open(options_.rows);
      } else {
        std::vector<RowStreamPointer> inputs;
        for (const int input : node.inputs) {
          inputs.push_back(open(input, pass, streams));
        }
        source = node.operation->stream(std::move(inputs), options_.rows);
      }
      KeptRows* const keep = holds(pass.kept, n) ? &kept_.at(n) : nullptr;
      found = streams.emplace(n, std::make_shared<SharedRows>(std::move(source), keep)).first;
    }
    return std::make_unique<Reader>(found->second);
  }

  const std::vector<Node>& nodes_;
  const StripOptions& options_;
  std::map<int, KeptRows> kept_;
};

namespace {

constexpr double kBytes = sizeof(float);

}  // namespace

std::vector<StripNode> StripGraph::scheduled() const {
  std::vector<StripNode> scheduled;
  for (const Node& node : nodes_) {
    scheduled.push_back({node.inputs, static_cast<double>(node.size.numel()),
                         node.operation ? node.operation->products() : 0,
                         node.measuring != nullptr && node.measuring->measures()});
  }
  return scheduled;
}

StripPlan StripGraph::plan(int y, const StripOptions& options) const {
  const StripSchedule schedule = make_strip_schedule(scheduled(), y, options.transfer);
  const bool gives_back = schedule.most_kept > 0 && ScratchFile::gives_room_back(options.folder);
  StripPlan plan{.disk = kBytes * (gives_back ? schedule.most_kept_if_forgotten : schedule.most_kept),
                 .transferred = kBytes * schedule.transferred,
                 .passes = static_cast<int>(schedule.passes.size())};
  for (const StripPass& pass : schedule.passes) {
    plan.products += pass.products;
  }
  return plan;
}

void StripGraph::run(int y, const StripOptions& options,
                     const std::function<void(const Tensor& strip)>& take) {
  require(options.rows >= 4 && options.rows % 4 == 0, "strips: of ", options.rows,
          " rows; they must have a multiple of 4");
  const NoGradGuard no_grad;
  const StripSchedule schedule = make_strip_schedule(scheduled(), y, options.transfer);
  double all = 0, done = 0;
  for (const StripPass& pass : schedule.passes) {
    all += pass.products;
  }
  Passes passes(nodes_, options);
  for (const StripPass& pass : schedule.passes) {
    const double strips = static_cast<double>(divide_up(nodes_[pass.target].size.height, options.rows));
    const auto advance = [&] {
      done += pass.products / strips;
      if (options.progress) {
        options.progress(all > 0 ? std::min(1.0, done / all) : 1);
      }
    };
    for (const int n : pass.measured) {
      nodes_[n].measuring->begin_measuring();
    }
    passes.run(pass, [&](const Tensor& strip) {
      for (const int n : pass.measured) {
        nodes_[n].measuring->measure(strip);
      }
      if (pass.measured.empty()) {
        take(strip);
      }
      advance();
    });
    for (const int n : pass.measured) {
      nodes_[n].measuring->finish_measuring();
    }
  }
}

}  // namespace gesso
