// The work that gesso is compared with its peers on: whole training steps and whole pictures. The peers,
// peer_torch.py and peer_onnx.py, do the same work on the same numbers, which --write-data hands to them.
//
//   train_step_256, train_step_128   fast_neural_style: a style network of width 32 with 5 residual blocks and
//                                    instance norm, four photographs of 256 or 128 pixels, VGG16 down to
//                                    relu4_3 with random weights, four Gram losses and a content loss at
//                                    relu2_2 (the photographs themselves go through VGG down to relu2_2 only),
//                                    Adam
//   batch_norm_128, group_norm_128,  train_step_128 with the normalizations that compare-norms puts in the
//   layer_norm_128                   place of instance norm
//   one_photograph_128               train_step_128 with a single photograph; meant for one thread
//   quickstart_step                  as ./examples/quickstart trains: its preset, but with random weights in
//                                    the loss network, which take as long
//   stylize_256, _512, _1024         one picture through the network of width 32
//   any_style_256                    one picture through the network for every style, told by a style picture
//                                    of the same size; random weights
//
// --sums-by-sample times each step once more with gradients that are summed sample by sample, as on several ranks
// (autograd/batch_share.h): in turn, so that both see the same machine.
//
// Each round times as many repetitions as take about --seconds. Every line printed is a JSON object.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "gesso/autograd/batch_share.h"
#include "gesso/autograd/channel_moments.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/losses.h"
#include "gesso/autograd/profiler.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/parallel.h"
#include "gesso/training/optim/adam.h"
#include "limit.h"
#include "painting/any_style_network.h"
#include "painting/losses.h"
#include "painting/presets.h"
#include "painting/squeezenet.h"
#include "painting/style_network.h"
#include "painting/vgg.h"
#include "program/command_line.h"
#include "resource_usage.h"

using namespace gesso;

namespace {

constexpr Index kBatch = 4;
// The weights of PyTorch's fast_neural_style example.
constexpr double kContentWeight = 1e5, kStyleWeight = 1e10;

StyleNetworkOptions full_network(const std::string& normalization) {
  return {.width = 32, .blocks = 5, .normalization = normalization};
}

TrainSettings quick_preset() {
  TrainSettings settings;
  apply_preset("quick", settings);
  settings.network.noise = 0;  // each peer would draw its own
  return settings;
}

// ---- the numbers that all programs share: weights, the style's constants, and a large picture of noise

NamedTensors with_prefix(const std::string& prefix, const NamedTensors& tensors) {
  NamedTensors result;
  for (const auto& [name, tensor] : tensors) {
    result.emplace_back(prefix + name, tensor);
  }
  return result;
}

Tensor cut(const Tensor& picture, Index top, Index left, Index size) {
  return slice(slice(picture, 2, top, top + size), 3, left, left + size).clone();
}

// Squares side by side along the picture's upper border.
Tensor photographs(const Tensor& picture, Index size, Index count = kBatch) {
  std::vector<Tensor> cuts;
  for (Index i = 0; i < count; ++i) {
    cuts.push_back(cut(picture, 0, i * size, size));
  }
  return concat(cuts, 0);
}

Tensor style_picture(const Tensor& picture, Index size) { return cut(picture, 512, 0, size); }

// Of a network for every style whose encoder has these weights.
NamedTensors any_style_weights(const NamedTensors& squeezenet, Generator& rng) {
  NamedTensors weights = AnyStyleNetwork({}, rng).state_dict();
  for (const auto& [name, tensor] : squeezenet) {
    std::string key = "encoder." + name;
    std::replace(key.begin(), key.end(), '.', '_');
    std::find_if(weights.begin(), weights.end(), [&](const auto& entry) {
      return entry.first == key;
    })->second = tensor;
  }
  return weights;
}

NamedTensors make_data() {
  Generator rng(1);
  NamedTensors data;
  const auto append = [&](const NamedTensors& more) { data.insert(data.end(), more.begin(), more.end()); };
  for (const char* norm : {"instance", "batch", "group", "layer"}) {
    append(with_prefix(concat_text("full_", norm, "."), StyleNetwork(full_network(norm), rng).state_dict()));
  }
  append(with_prefix("quick.", StyleNetwork(quick_preset().network, rng).state_dict()));
  append(with_prefix("vgg.", random_vgg_weights({}, rng)));
  const NamedTensors squeezenet = random_torchvision_weights(squeezenet_parameters({}), rng);
  append(with_prefix("squeezenet.", squeezenet));
  append(with_prefix("any.", any_style_weights(squeezenet, rng)));
  const Tensor picture = Tensor::uniform({1, 3, 1024, 1024}, rng);
  data.emplace_back("picture", picture);
  const Tensor style = style_picture(picture, quick_preset().style_size);
  append(with_prefix("style.", StyleTarget(SqueezeNet({}, squeezenet), {style}).constants()));
  const LossWeights weights = quick_preset().weights;
  append(with_prefix("loss_weight.", {{"content", Tensor::scalar(weights.content)},
                                      {"style", Tensor::scalar(weights.style)},
                                      {"tv", Tensor::scalar(weights.tv)},
                                      {"range", Tensor::scalar(weights.range)}}));
  return data;
}

// Made anew, or read from the file as far as they are asked for.
class Data {
 public:
  explicit Data(const std::string& file) {
    if (file.empty()) {
      made_ = make_data();
    } else {
      file_.emplace(file);
    }
  }

  /// The tensors whose names begin with `prefix`, under the rest of their names.
  NamedTensors with(const std::string& prefix) const {
    NamedTensors result;
    for (const auto& [name, tensor] : made_) {
      if (name.starts_with(prefix)) {
        result.emplace_back(name.substr(prefix.size()), tensor);
      }
    }
    for (const std::string& name : file_ ? file_->names() : std::vector<std::string>()) {
      if (name.starts_with(prefix)) {
        result.emplace_back(name.substr(prefix.size()), file_->load(name));
      }
    }
    return result;
  }
  Tensor picture() const { return with("picture").at(0).second; }

 private:
  NamedTensors made_;
  std::optional<SafetensorsReader> file_;
};

// ---- the works: each returns the function that does it once, and whose result the peers must agree on

using Work = std::function<double()>;

Work train_step(const Data& data, Index size, const std::string& norm = "instance", Index batch = kBatch) {
  struct State {
    Generator rng;
    StyleNetwork network;
    Vgg vgg;
    Tensor photographs;
    std::vector<Tensor> style;  // (batch, C, C) for each tap
    Adam adam;

    State(const Data& data, Index size, const std::string& norm, Index batch)
        : network(full_network(norm), rng),
          vgg({}, data.with("vgg.")),
          photographs(::photographs(data.picture(), size, batch)),
          adam(network.parameters(), {.lr = 1e-3}) {
      network.load_state_dict(data.with(concat_text("full_", norm, ".")));
      const NoGradGuard no_grad;
      for (const Tap& tap : vgg.taps(style_picture(data.picture(), 256))) {
        const Tensor gram = gram_matrix(tap.style);
        style.push_back(concat(std::vector<Tensor>(batch, gram), 0));
      }
    }
  };
  const auto state = std::make_shared<State>(data, size, norm, batch);
  return [state] {
    State& s = *state;
    s.adam.zero_grad();
    std::vector<Tensor> target;
    {
      const NoGradGuard no_grad;
      target = s.vgg.content(s.photographs);
    }
    const std::vector<Tap> taps = s.vgg.taps(s.network(s.photographs));
    Tensor loss;
    for (std::size_t i = 0; i < taps.size(); ++i) {
      Tensor term = kStyleWeight * mse_loss(gram_matrix(taps[i].style), s.style[i]);
      if (taps[i].content.defined()) {
        term = term + kContentWeight * mse_loss(taps[i].content, target[0]);
      }
      loss = loss.defined() ? loss + term : term;
    }
    loss.backward();
    s.adam.step();
    return loss.item();
  };
}

Work quickstart_step(const Data& data) {
  struct State {
    TrainSettings settings = quick_preset();
    Generator rng;
    StyleNetwork network{settings.network, rng};
    SqueezeNet loss_network;
    Tensor photographs;
    StyleTarget target;
    Adam adam;

    explicit State(const Data& data)
        : loss_network({}, data.with("squeezenet.")),
          photographs(::photographs(data.picture(), settings.crop)),
          target(loss_network, {style_picture(data.picture(), settings.style_size)}),
          adam(network.parameters(), {.lr = 1e-3}) {
      network.load_state_dict(data.with("quick."));
    }
  };
  const auto state = std::make_shared<State>(data);
  return [state] {
    State& s = *state;
    s.adam.zero_grad();
    const Losses losses = style_transfer_losses(s.loss_network, s.target, s.network(s.photographs),
                                                s.photographs, s.settings.weights);
    losses.total.backward();
    s.adam.step();
    return losses.total.item();
  };
}

// Its result is the mean square of the painted picture.
Work stylize(const Data& data, Index size) {
  Generator rng;
  const auto network = std::make_shared<StyleNetwork>(full_network("instance"), rng);
  network->load_state_dict(data.with("full_instance."));
  const Tensor picture = cut(data.picture(), 0, 0, size);
  return [network, picture] {
    const NoGradGuard no_grad;
    return mean(square((*network)(picture))).item();
  };
}

// The same.
Work any_style(const Data& data, Index size) {
  Generator rng;
  const auto network = std::make_shared<AnyStyleNetwork>(AnyStyleOptions{}, rng);
  network->load_state_dict(data.with("any."));
  const Tensor picture = cut(data.picture(), 0, 0, size), style = style_picture(data.picture(), size);
  return [network, picture, style] {
    const NoGradGuard no_grad;
    network->set_style(style);
    network->network().set_noise(0, {0.0});  // each peer would draw its own
    return mean(square(network->network()(picture))).item();
  };
}

Work make_work(const std::string& name, const Data& data) {
  if (name == "quickstart_step") {
    return quickstart_step(data);
  }
  if (name == "one_photograph_128") {
    return train_step(data, 128, "instance", 1);
  }
  const std::size_t end = name.rfind('_');
  const std::string kind = name.substr(0, end);
  const Index size = std::stoll(name.substr(end + 1));
  if (kind.ends_with("_norm")) {
    return train_step(data, size, kind.substr(0, kind.size() - 5));
  }
  return kind == "train_step" ? train_step(data, size)
         : kind == "stylize"  ? stylize(data, size)
                              : any_style(data, size);
}

// ---- measuring

void print(const nlohmann::json& line) { std::cout << line.dump() << std::endl; }

// Seconds of one repetition, over as many as take about `budget`.
double time_round(const Work& work, double budget) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double elapsed = 0;
  int repetitions = 0;
  while (elapsed < budget || repetitions == 0) {
    work();
    ++repetitions;
    elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  return elapsed / repetitions;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line("benchmark-train-step",
                   "Times whole training steps and whole pictures; prints JSON lines.");
  std::string name = "train_step_256", data_file, write_data;
  int warm_up = 2, rounds = 5;
  double budget = 0.5;
  bool on_request = false, profile = false, limit = false, sums_by_sample = false;
  line.option("--work", &name, "what to time")
      .choices({"any_style_256", "batch_norm_128", "group_norm_128", "layer_norm_128", "one_photograph_128",
                "quickstart_step", "stylize_1024", "stylize_256", "stylize_512", "train_step_128",
                "train_step_256"});
  line.option("--data", &data_file,
              "weights and pictures, as --write-data writes them; default: the same, made anew");
  line.option("--write-data", &write_data, "writes weights and pictures to this file and ends");
  line.add_threads_option();
  line.option("--warm-up", &warm_up, "repetitions before the first round").range(1, 1000);
  line.option("--rounds", &rounds, "how often to time it").range(1, 100000);
  line.option("--seconds", &budget, "what a round takes about");
  line.flag("--on-request", &on_request, "one round for every line on standard input, instead of --rounds");
  line.flag("--sums-by-sample", &sums_by_sample,
            "times each round once more with gradients summed sample by sample, as on several ranks");
  line.flag("--profile", &profile, "instead of rounds: where the time of one repetition goes, as a table");
  line.flag(
      "--limit", &limit,
      "instead of rounds: what one repetition needs, what this machine can do, and the seconds that it would "
      "take if it did nothing else, as JSON; before that, a table of the operations that lose most against it");
  return line.run(argc, argv, [&] {
    if (!write_data.empty()) {
      save_safetensors(write_data, make_data());
      return true;
    }
    const Work work = make_work(name, Data(data_file));
    std::vector<double> results;
    for (int i = 0; i < warm_up; ++i) {
      results.push_back(work());
    }
    print({{"work", name}, {"results", results}, {"peak_mb", peak_megabytes()}});
    if (profile) {
      const Profiler profiler;
      work();
      std::cout << profiler.table();
      return true;
    }
    if (limit) {
      constexpr int repetitions = 3;
      const Profiler profiler;
      for (int i = 0; i < repetitions; ++i) {
        work();
      }
      const Peaks peaks = measure_peaks(0.5);
      Need need = need_of(profiler.operations());
      need.gflop /= repetitions;
      need.gigabytes /= repetitions;
      std::cout << table_of_losses(profiler.operations(), peaks, repetitions);
      print({{"gflop", need.gflop},
             {"gigabytes", need.gigabytes},
             {"gflop_a_second", peaks.gflops},
             {"gigabytes_a_second", peaks.gigabytes},
             {"limit_s", limit_seconds(need, peaks)}});
      return true;
    }
    std::string request;
    for (int round = 0; on_request ? bool(std::getline(std::cin, request)) : round < rounds; ++round) {
      nlohmann::json times = {{"seconds", time_round(work, budget)}};
      if (sums_by_sample) {
        // Of processors too, which what else runs on the machine changes less.
        const double begin = processor_seconds();
        work();
        const double middle = processor_seconds();
        const BatchShareGuard by_sample(single_process(), kBatch);
        work();
        times["processor_seconds"] = middle - begin;
        times["processor_seconds_by_sample"] = processor_seconds() - middle;
        times["seconds_by_sample"] = time_round(work, budget);
      }
      times["peak_mb"] = peak_megabytes();
      print(times);
    }
    return true;
  });
}
