// How fast single layers are, and how far from what the machine can do: convolutions in GFLOP/s beside a
// large product of matrices, layers that only move numbers in GB/s beside copying memory.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gesso/core/convolution/convolution.h"
#include "gesso/core/system_limits.h"
#include "gesso/gesso.h"
#include "peaks.h"
#include "program/command_line.h"

using namespace gesso;

namespace {

// ---- what is measured

struct ConvolutionCase {
  const char *network, *name;
  Index batch, in_channels;
  Size2d in;
  Index out_channels;
  Size2d kernel, stride = 1;
  PaddingMode mode = PaddingMode::reflect;
  Index groups = 1;

  // All pad by half the kernel.
  ConvolutionShape shape(Size2d size) const {
    ConvolutionShape s{.batch = batch,
                       .in_channels = in_channels,
                       .out_channels = out_channels,
                       .groups = groups,
                       .in = size,
                       .kernel = kernel,
                       .stride = stride,
                       .padding = {kernel.height / 2, kernel.width / 2},
                       .padding_mode = mode};
    s.out = convolution_output_size(s.in, s.kernel, s.stride, s.padding, s.dilation);
    return s;
  }
};

constexpr PaddingMode kZeros = PaddingMode::zeros, kReflect = PaddingMode::reflect;
const char* const kWide = "Style network of width 32, 256x256, batch 4";
const char* const kNarrow = "Style network of width 16, 128x128, batch 4";
const char* const kVgg = "VGG16 up to relu4_3, 256x256, batch 4";
const char* const kFilters = "Filter bank, 128x128, batch 4";
const char* const kOnePicture = "Residual layers of one picture, width 32";
const char* const kPointwise = "Pointwise";

const ConvolutionCase kConvolutions[] = {
    {kWide, "first 9x9", 4, 3, 256, 32, 9},
    {kWide, "down 1, 3x3 stride 2", 4, 32, 256, 64, 3, 2},
    {kWide, "down 2, 3x3 stride 2", 4, 64, 128, 128, 3, 2},
    {kWide, "residual 3x3", 4, 128, 64, 128, 3},
    {kWide, "up 1, 3x3", 4, 128, 128, 64, 3},
    {kWide, "up 2, 3x3", 4, 64, 256, 32, 3},
    {kWide, "last 9x9", 4, 32, 256, 3, 9},
    {kNarrow, "first 9x9", 4, 3, 128, 16, 9},
    {kNarrow, "down 1, 3x3 stride 2", 4, 16, 128, 32, 3, 2},
    {kNarrow, "down 2, 3x3 stride 2", 4, 32, 64, 64, 3, 2},
    {kNarrow, "residual 3x3", 4, 64, 32, 64, 3},
    {kNarrow, "up 1, 3x3", 4, 64, 64, 32, 3},
    {kNarrow, "up 2, 3x3", 4, 32, 128, 16, 3},
    {kNarrow, "last 9x9", 4, 16, 128, 3, 9},
    {kVgg, "conv1_1", 4, 3, 256, 64, 3, 1, kZeros},
    {kVgg, "conv1_2", 4, 64, 256, 64, 3, 1, kZeros},
    {kVgg, "conv2_1", 4, 64, 128, 128, 3, 1, kZeros},
    {kVgg, "conv2_2", 4, 128, 128, 128, 3, 1, kZeros},
    {kVgg, "conv3_1", 4, 128, 64, 256, 3, 1, kZeros},
    {kVgg, "conv3_2", 4, 256, 64, 256, 3, 1, kZeros},
    {kVgg, "conv4_1", 4, 256, 32, 512, 3, 1, kZeros},
    {kVgg, "conv4_2", 4, 512, 32, 512, 3, 1, kZeros},
    {kFilters, "luminance 7x7, level 1", 4, 1, 128, 25, 7},
    {kFilters, "luminance 7x7, level 2", 4, 1, 64, 25, 7},
    {kFilters, "colour 7x7, level 1", 8, 1, 128, 5, 7},
    {kFilters, "blur 5x5 stride 2", 4, 3, 128, 3, 5, 2, kReflect, 3},
    {kOnePicture, "picture of 256x256", 1, 128, 64, 128, 3},
    {kOnePicture, "picture of 512x512", 1, 128, 128, 128, 3},
    {kOnePicture, "picture of 1024x1024", 1, 128, 256, 128, 3},
    {kPointwise, "1x1, 64 to 128", 4, 64, 64, 128, 1, 1, kZeros},
    {kPointwise, "1x1, 128 to 32", 4, 128, 128, 32, 1, 1, kZeros},
};

// A layer that does little with each number.
struct MemoryCase {
  const char* name;
  Index batch, channels;
  Size2d size;
  // Numbers that forward must read and write, for one of x; backward's are those of x, y and their gradients.
  double forward_numbers, backward_numbers;
  // The layer for x of this many channels and size.
  std::function<std::function<Tensor(const Tensor&)>(Index, Size2d)> make;

  Shape shape(Size2d picture) const { return {batch, channels, picture.height, picture.width}; }
};

// A layer as a function.
template <class Layer, class... Arguments>
std::function<Tensor(const Tensor&)> layer(const Arguments&... arguments) {
  return [kept = std::make_shared<Layer>(arguments...)](const Tensor& x) { return (*kept)(x); };
}

// The same, with a relu in the same pass.
template <class Layer, class... Arguments>
std::function<Tensor(const Tensor&)> layer_with_relu(const Arguments&... arguments) {
  auto kept = std::make_shared<Layer>(arguments...);
  kept->then(Activation::relu);
  return [kept](const Tensor& x) { return (*kept)(x); };
}

std::vector<MemoryCase> memory_cases() {
  using Function = std::function<Tensor(const Tensor&)>;
  const auto plain = [](const Function& f) { return [f](Index, Size2d) { return f; }; };
  std::vector<MemoryCase> cases = {
      {"instance norm", 4, 64, 256, 2, 3,
       [](Index c, Size2d) { return layer<InstanceNorm2d>(c, InstanceNormOptions{.affine = true}); }},
      {"instance norm + relu", 4, 64, 256, 2, 3,
       [](Index c, Size2d) {
         return layer_with_relu<InstanceNorm2d>(c, InstanceNormOptions{.affine = true});
       }},
      {"instance norm + relu, 64x64", 4, 128, 64, 2, 3,
       [](Index c, Size2d) {
         return layer_with_relu<InstanceNorm2d>(c, InstanceNormOptions{.affine = true});
       }},
      {"batch norm + relu", 4, 64, 256, 2, 3,
       [](Index c, Size2d) { return layer_with_relu<BatchNorm2d>(c); }},
      {"group norm + relu", 4, 64, 256, 2, 3,
       [](Index c, Size2d) { return layer_with_relu<GroupNorm>(8, c); }},
      {"layer norm + relu", 4, 64, 256, 2, 3,
       [](Index c, Size2d s) {
         return layer_with_relu<LayerNorm>(Shape{c, s.height, s.width});
       }},
      {"batch-instance norm", 4, 64, 256, 2, 3,
       [](Index c, Size2d) { return layer<BatchInstanceNorm2d>(c); }},
      {"adaptive instance norm", 4, 64, 256, 3, 3,
       plain([](const Tensor& x) { return adaptive_instance_norm(x, x.detach()); })},
      {"relu", 4, 64, 256, 2, 3, plain([](const Tensor& x) { return relu(x); })},
      {"residual sum", 4, 128, 64, 3, 2, plain([](const Tensor& x) { return x + x.detach(); })},
      {"max pool 2x2", 4, 64, 256, 1.25, 2.25, plain([](const Tensor& x) { return max_pool2d(x); })},
      {"average pool 2x2", 4, 64, 256, 1.25, 1.25, plain([](const Tensor& x) { return avg_pool2d(x); })},
      {"upsample nearest x2", 4, 64, 128, 5, 5,
       plain([](const Tensor& x) { return upsample_nearest2d(x, 2); })},
      {"upsample bilinear x2", 4, 64, 128, 5, 5,
       plain([](const Tensor& x) { return upsample_bilinear2d(x, {.scale = 2}); })},
      {"reflection pad 4", 4, 32, 256, 2, 2, plain([](const Tensor& x) { return reflection_pad2d(x, 4); })},
  };
  return cases;
}

// ---- measuring

struct Settings {
  double budget = 0.2;  // seconds for each number
  std::string only;
  bool tsv = false, scaling = false;
  ConvolutionAlgorithm algorithm = ConvolutionAlgorithm::automatic;

  bool wants(const char* group, const std::string& name) const {
    return (std::string(group) + ": " + name).find(only) != std::string::npos;
  }
};

// Seconds of a convolution; a gradient that its group does not have is left out.
struct ConvolutionTimes {
  double forward, input_gradient, weight_gradient;
};

ConvolutionTimes measure(const ConvolutionShape& s, const Settings& settings) {
  Generator rng(1);
  Tensor x = Tensor::randn({s.batch, s.in_channels, s.in.height, s.in.width}, rng);
  Tensor w = Tensor::randn({s.out_channels, s.group_in(), s.kernel.height, s.kernel.width}, rng);
  const Tensor b = Tensor::randn({s.out_channels}, rng);
  Tensor y = Tensor::randn({s.batch, s.out_channels, s.out.height, s.out.width}, rng);
  float *px = x.mutable_data<float>(), *pw = w.mutable_data<float>(), *py = y.mutable_data<float>();
  const auto algorithm = settings.algorithm;
  return {seconds(settings.budget, [&] { convolution_forward(s, px, pw, b.data<float>(), py, algorithm); }),
          seconds(settings.budget, [&] { convolution_input_gradient(s, py, pw, px, algorithm); }),
          seconds(settings.budget, [&] { convolution_weight_gradient(s, px, py, pw, algorithm); })};
}

double gflop(const ConvolutionShape& s) {
  return 2e-9 * static_cast<double>(s.batch * s.out_channels * s.out_pixels() * s.fan_in());
}

struct MemoryTimes {
  double forward, backward;
};

MemoryTimes measure(const MemoryCase& c, Size2d size, double budget) {
  Generator rng(1);
  Tensor x = Tensor::randn(c.shape(size), rng).requires_grad_();
  const auto f = c.make(c.channels, size);
  const Tensor dy = Tensor::randn(f(x).shape(), rng);
  MemoryTimes times;
  Tensor y;
  {
    const NoGradGuard no_grad;
    times.forward = seconds(
        budget, [&] { y = Tensor(); }, [&] { y = f(x); });
  }
  times.backward = seconds(
      budget,
      [&] {
        x.zero_grad();
        y = f(x);
      },
      [&] { y.backward(dy); });
  return times;
}

double gigabytes(const MemoryCase& c, Size2d size, double numbers) {
  return 1e-9 * sizeof(float) * numbers * static_cast<double>(c.shape(size).numel());
}

// ---- what is printed

std::string text_of(const ConvolutionShape& s) {
  return concat_text(s.in_channels, " -> ", s.out_channels, ", ", s.in.height, "x", s.in.width);
}

void print_rate(double amount, double seconds, double peak) {
  std::printf("  %8.2f ms %7.0f %4.0f%%", 1e3 * seconds, amount / seconds, 100 * amount / seconds / peak);
}

void print_head(const char* title, const char* unit, const std::vector<const char*>& columns) {
  std::printf("\n%-47s", title);
  for (const char* column : columns) {
    std::printf("  %25s", column);
  }
  std::printf("\n%-47s", "");
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::printf("  %11s %7s %5s", "time", unit, "peak");
  }
  std::printf("\n");
}

void print_convolutions(const Settings& settings, const Peaks& peaks) {
  const char* network = "";
  for (const ConvolutionCase& c : kConvolutions) {
    if (!settings.wants(c.network, c.name)) {
      continue;
    }
    const ConvolutionShape s = c.shape(c.in);
    const ConvolutionTimes t = measure(s, settings);
    if (settings.tsv) {
      std::printf("convolution\t%s: %s\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%s\t%ld\t%g\t%g\t%g\n",
                  c.network, c.name, long(s.batch), long(s.in_channels), long(s.in.height), long(s.in.width),
                  long(s.out_channels), long(s.kernel.height), long(s.stride.height), long(s.padding.height),
                  name_of(s.padding_mode), long(s.groups), 1e3 * t.forward, 1e3 * t.input_gradient,
                  1e3 * t.weight_gradient);
      continue;
    }
    if (c.network != network) {
      network = c.network;
      print_head(network, "GFLOP/s", {"forward", "gradient to input", "gradient to weight"});
    }
    std::printf("  %-23s %-21s", c.name, text_of(s).c_str());
    for (const double time : {t.forward, t.input_gradient, t.weight_gradient}) {
      print_rate(gflop(s), time, peaks.gflops);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}

const char* const kMemory = "Layers that move numbers";

void print_memory_layers(const Settings& settings, const Peaks& peaks) {
  bool first = true;
  for (const MemoryCase& c : memory_cases()) {
    if (!settings.wants(kMemory, c.name)) {
      continue;
    }
    const MemoryTimes t = measure(c, c.size, settings.budget);
    const double forward = gigabytes(c, c.size, c.forward_numbers);
    const double backward = gigabytes(c, c.size, c.backward_numbers);
    if (settings.tsv) {
      std::printf("memory\t%s: %s\t%ld\t%ld\t%ld\t%ld\t%g\t%g\t%g\t%g\n", kMemory, c.name, long(c.batch),
                  long(c.channels), long(c.size.height), long(c.size.width), 1e3 * t.forward,
                  1e3 * t.backward, forward / t.forward, backward / t.backward);
      continue;
    }
    if (first) {
      first = false;
      print_head(kMemory, "GB/s", {"forward", "backward"});
    }
    std::printf("  %-27s %-17s", c.name, c.shape(c.size).str().c_str());
    print_rate(forward, t.forward, peaks.gigabytes);
    print_rate(backward, t.backward, peaks.gigabytes);
    std::printf("\n");
    std::fflush(stdout);
  }
}

// ---- how times change with threads, sizes and batches

// A layer for pictures of any size and number: seconds forward and backward together, and the memory it takes.
struct ScalableLayer {
  std::string name;
  Index batch;
  Size2d size;
  std::function<double(Index, Size2d)> seconds;
  std::function<double(Index, Size2d)> bytes;
};

std::vector<ScalableLayer> scalable_layers(const Settings& settings) {
  std::vector<ScalableLayer> layers;
  for (const ConvolutionCase& c : kConvolutions) {
    if (settings.wants(c.network, c.name)) {
      const auto shape = [c](Index batch, Size2d size) {
        ConvolutionShape s = c.shape(size);
        s.batch = batch;
        return s;
      };
      layers.push_back({concat_text(c.name, ", ", text_of(c.shape(c.in))), c.batch, c.in,
                        [=, &settings](Index batch, Size2d size) {
                          const ConvolutionTimes t = measure(shape(batch, size), settings);
                          return t.forward + t.input_gradient + t.weight_gradient;
                        },
                        [=](Index batch, Size2d size) {
                          const ConvolutionShape s = shape(batch, size);
                          return 4.0 * s.batch *
                                 (s.in_channels * s.in_pixels() + s.out_channels * s.out_pixels());
                        }});
    }
  }
  for (const MemoryCase& c : memory_cases()) {
    if (settings.wants(kMemory, c.name)) {
      const auto of_batch = [c](Index batch) {
        MemoryCase other = c;
        other.batch = batch;
        return other;
      };
      layers.push_back(
          {concat_text(c.name, ", ", c.channels, " channels, ", c.size.height, "x", c.size.width), c.batch,
           c.size,
           [=, &settings](Index batch, Size2d size) {
             const MemoryTimes t = measure(of_batch(batch), size, settings.budget);
             return t.forward + t.backward;
           },
           [=](Index batch, Size2d size) {
             return 5 * gigabytes(of_batch(batch), size, 1) * 1e9;  // x, y, their gradients, a copy
           }});
    }
  }
  return layers;
}

// Each wanted layer with 1, 2, 4, ... threads; for pictures of a quarter to sixteen times its size; and for batches of 1
// to 16. What would take more than half of the memory is left out.
void print_scaling(const Settings& settings) {
  const int most = num_threads();
  std::vector<int> counts;
  for (int n = 1; n < most; n *= 2) counts.push_back(n);
  counts.push_back(most);
  const std::vector<ScalableLayer> layers = scalable_layers(settings);
  // Seconds, or 0 for what is left out; as a line of the table for scripts.
  const auto time = [&](const ScalableLayer& layer, int threads, Index batch, Size2d size) {
    const double seconds = layer.bytes(batch, size) > 0.5 * static_cast<double>(available_memory())
                               ? 0
                               : layer.seconds(batch, size);
    if (settings.tsv && seconds > 0) {
      std::printf("scaling\t%s\t%d\t%ld\t%ld\t%ld\t%g\n", layer.name.c_str(), threads, long(batch),
                  long(size.height), long(size.width), 1e3 * seconds);
    }
    return seconds;
  };
  const auto print_table = [&](const std::string& title, const std::vector<std::string>& columns,
                               const auto& cell) {
    if (!settings.tsv) {
      std::printf("\n%-56s", title.c_str());
      for (const std::string& column : columns) std::printf(" %9s", column.c_str());
      std::printf("\n");
    }
    for (const ScalableLayer& layer : layers) {
      if (!settings.tsv) {
        std::printf("  %-54s", layer.name.c_str());
      }
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const double number = cell(layer, i);
        if (!settings.tsv) {
          std::printf(number > 0 ? " %9.2f" : "         -", number);
        }
        std::fflush(stdout);
      }
      if (!settings.tsv) {
        std::printf("\n");
      }
    }
  };
  std::vector<std::string> columns;
  for (const int n : counts) columns.push_back(std::to_string(n));
  print_table("Threads: milliseconds", columns, [&](const ScalableLayer& layer, std::size_t i) {
    set_num_threads(counts[i]);
    return 1e3 * time(layer, counts[i], layer.batch, layer.size);
  });
  const auto nanoseconds = [&](const ScalableLayer& layer, Index batch, Size2d size) {
    return 1e9 * time(layer, most, batch, size) / static_cast<double>(batch * size.height * size.width);
  };
  print_table("Size, batch 1: nanoseconds a pixel", {"1/4", "1/2", "1", "2", "4", "8", "16"},
              [&](const ScalableLayer& layer, std::size_t i) {
                const Index times = 1 << i;
                return nanoseconds(layer, 1, {layer.size.height * times / 4, layer.size.width * times / 4});
              });
  print_table(
      "Batch: nanoseconds a pixel", {"1", "2", "4", "8", "16"},
      [&](const ScalableLayer& layer, std::size_t i) { return nanoseconds(layer, 1 << i, layer.size); });
}

const std::map<std::string, ConvolutionAlgorithm> kAlgorithms = {
    {"automatic", ConvolutionAlgorithm::automatic},
    {"plain", ConvolutionAlgorithm::plain},
    {"im2col", ConvolutionAlgorithm::im2col},
    {"direct", ConvolutionAlgorithm::direct},
    {"winograd", ConvolutionAlgorithm::winograd}};

}  // namespace

int main(int argc, char** argv) {
  CommandLine line(
      "benchmark-layers",
      "Times single layers of gesso in float32, forward and backward, beside what this machine can do.\n\n"
      "Convolutions are limited by arithmetic: their rate is the multiplications and additions of the\n"
      "formula, whatever the algorithm saves of them, and their peak a large product of matrices in\n"
      "OpenBLAS (Winograd's algorithm needs a quarter of the products and can exceed it). Other layers are\n"
      "limited by memory: their rate is the bytes that must be read and written at least once, their peak\n"
      "copying 64 MiB. Each time is the shortest of many; still, measure on a quiet machine.");
  Settings settings;
  line.option("--only", &settings.only,
              "measure only layers whose name, \"Network: layer\", contains this; see the names with --tsv");
  line.add_threads_option();
  line.option("--seconds", &settings.budget, "time to spend on each number (default: 0.2)")
      .positive()
      .hide_default();
  std::string algorithm = "automatic";
  line.option("--algorithm", &algorithm, "of convolutions, for layers that it can compute")
      .choices({"automatic", "plain", "im2col", "direct", "winograd"});
  line.flag("--scaling", &settings.scaling,
            "how times change with the number of threads, the size of the pictures and their number");
  line.flag(
      "--tsv", &settings.tsv,
      "tab-separated, for scripts: \"convolution\", name, batch, in channels, height, width, out "
      "channels, kernel, stride, padding, padding mode, groups, milliseconds forward, to the input, to "
      "the weight; \"memory\", name, batch, channels, height, width, milliseconds forward, backward, "
      "GB/s forward, backward; with --scaling: \"scaling\", name, threads, batch, height, width, milliseconds "
      "forward and backward together");
  line.footer(
      "Examples:\n"
      "  benchmark-layers --only VGG --threads 1\n"
      "  benchmark-layers --only norm\n"
      "  benchmark-layers --only \"width 32\" --scaling");
  return line.run(argc, argv, [&] {
    settings.algorithm = kAlgorithms.at(algorithm);
    if (settings.tsv && settings.scaling) {
      print_scaling(settings);
      return true;
    }
    if (settings.tsv) {
      print_convolutions(settings, {1, 1});
      print_memory_layers(settings, {1, 1});
      return true;
    }
    const Peaks peaks = measure_peaks(std::max(settings.budget, 0.5));
    std::printf("Single layers in float32, %d thread%s, %s; the best of %g s each.\n", num_threads(),
                num_threads() == 1 ? "" : "s", build_info().simd.c_str(), settings.budget);
    std::printf("This machine: products of matrices %.0f GFLOP/s, copying memory %.1f GB/s.\n", peaks.gflops,
                peaks.gigabytes);
    if (settings.scaling) {
      print_scaling(settings);
    } else {
      print_convolutions(settings, peaks);
      print_memory_layers(settings, peaks);
    }
    return true;
  });
}
