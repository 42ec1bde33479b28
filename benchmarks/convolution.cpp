// How fast the convolutions of a style network are: GFLOP/s of forward and both gradients for each shape,
// beside those of a large product of matrices, which is about the most that the machine can do.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>

#include "gesso/core/build_info.h"
#include "gesso/core/convolution.h"
#include "gesso/core/error.h"
#include "gesso/core/gemm.h"
#include "gesso/core/parallel.h"
#include "gesso/core/tensor.h"

using namespace gesso;

namespace {

struct Case {
  const char* name;
  std::int64_t batch, in_channels;
  Size2d in;
  std::int64_t out_channels;
  Size2d kernel, stride, padding;
};

// The convolutions that ./examples/quickstart trains with (width 16, pictures of 128 pixels, already padded
// where the network pads by reflection), the frozen filters of its loss network; of a network of width 32 and
// VGG16 with pictures of 256 pixels, and of the first with single pictures.
const Case kCases[] = {
    {"first 9x9", 4, 3, 136, 16, 9, 1, 0},
    {"down 1, 3x3 stride 2", 4, 16, 130, 32, 3, 2, 0},
    {"down 2, 3x3 stride 2", 4, 32, 66, 64, 3, 2, 0},
    {"residual 3x3", 4, 64, 34, 64, 3, 1, 0},
    {"up 1, 3x3", 4, 64, 66, 32, 3, 1, 0},
    {"up 2, 3x3", 4, 32, 130, 16, 3, 1, 0},
    {"last 9x9", 4, 16, 136, 3, 9, 1, 0},
    {"filters 7x7, level 1", 4, 1, 134, 25, 7, 1, 0},
    {"filters 7x7, level 2", 4, 1, 70, 25, 7, 1, 0},
    {"wide residual 3x3", 4, 128, 64, 128, 3, 1, 1},
    {"wide up 1, 3x3", 4, 128, 128, 64, 3, 1, 1},
    {"wide up 2, 3x3", 4, 64, 256, 32, 3, 1, 1},
    {"VGG conv1_2", 4, 64, 256, 64, 3, 1, 1},
    {"VGG conv2_1", 4, 64, 128, 128, 3, 1, 1},
    {"VGG conv2_2", 4, 128, 128, 128, 3, 1, 1},
    {"VGG conv3_1", 4, 128, 64, 256, 3, 1, 1},
    {"VGG conv3_2", 4, 256, 64, 256, 3, 1, 1},
    {"VGG conv4_1", 4, 256, 32, 512, 3, 1, 1},
    {"VGG conv4_2", 4, 512, 32, 512, 3, 1, 1},
    {"one picture of 256", 1, 128, 64, 128, 3, 1, 1},
    {"one picture of 512", 1, 128, 128, 128, 3, 1, 1},
    {"one picture of 1024", 1, 128, 256, 128, 3, 1, 1},
    {"1x1", 4, 64, 64, 128, 1, 1, 0},
};

// The shortest time of one call, in seconds: other programs can only make it longer.
double seconds(const std::function<void()>& f, double budget) {
  using Clock = std::chrono::steady_clock;
  f();  // warm up
  double shortest = 1e30, total = 0;
  while (total < budget) {
    const auto start = Clock::now();
    f();
    const double time = std::chrono::duration<double>(Clock::now() - start).count();
    shortest = std::min(shortest, time);
    total += time;
  }
  return shortest;
}

double sgemm_gflops(double budget) {
  const std::int64_t n = 1024;
  Generator rng(1);
  const Tensor a = Tensor::randn({n, n}, rng), b = Tensor::randn({n, n}, rng);
  Tensor c = Tensor::empty({n, n});
  float* out = c.mutable_data<float>();
  const double time = seconds(
      [&] {
        parallel_gemm<float>(false, false, n, n, n, 1, a.data<float>(), n, b.data<float>(), n, 0, out, n);
      },
      budget);
  return 2e-9 * n * n * n / time;
}

struct Times {
  double forward, input_gradient, weight_gradient;  // seconds
};

Times measure(const ConvolutionShape& s, ConvolutionAlgorithm algorithm, double budget) {
  Generator rng(1);
  Tensor x = Tensor::randn({s.batch, s.in_channels, s.in.height, s.in.width}, rng);
  Tensor w = Tensor::randn({s.out_channels, s.group_in(), s.kernel.height, s.kernel.width}, rng);
  const Tensor b = Tensor::randn({s.out_channels}, rng);
  Tensor y = Tensor::randn({s.batch, s.out_channels, s.out.height, s.out.width}, rng);
  float *px = x.mutable_data<float>(), *pw = w.mutable_data<float>(), *py = y.mutable_data<float>();
  Times t;
  t.forward = seconds([&] { convolution_forward(s, px, pw, b.data<float>(), py, algorithm); }, budget);
  t.input_gradient = seconds([&] { convolution_input_gradient(s, py, pw, px, algorithm); }, budget);
  t.weight_gradient = seconds([&] { convolution_weight_gradient(s, px, py, pw, algorithm); }, budget);
  return t;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times gesso's convolutions in float32.");
  double budget = 0.3;
  int threads = 0;
  bool tsv = false;
  ConvolutionAlgorithm algorithm = ConvolutionAlgorithm::automatic;
  app.add_option("--seconds", budget, "time to spend on each number")->check(CLI::PositiveNumber);
  app.add_option("--threads", threads, "threads (default: all cores)")->check(CLI::Range(1, 1024));
  app.add_option("--algorithm", algorithm,
                 "automatic, plain, im2col, direct, winograd or split; shapes that it "
                 "cannot compute are left out")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, ConvolutionAlgorithm>{{"automatic", ConvolutionAlgorithm::automatic},
                                                      {"plain", ConvolutionAlgorithm::plain},
                                                      {"im2col", ConvolutionAlgorithm::im2col},
                                                      {"direct", ConvolutionAlgorithm::direct},
                                                      {"winograd", ConvolutionAlgorithm::winograd},
                                                      {"split", ConvolutionAlgorithm::split}}));
  app.add_flag("--tsv", tsv, "milliseconds in tab-separated columns, for scripts");
  CLI11_PARSE(app, argc, argv);
  if (threads > 0) {
    set_num_threads(threads);
  }

  if (!tsv) {
    std::printf("Convolutions in float32, GFLOP/s (milliseconds), best of %.1f s each, %d threads.\n", budget,
                num_threads());
    std::printf("sgemm 1024x1024x1024: %.0f GFLOP/s\n\n", sgemm_gflops(budget));
    std::printf("%-22s %-34s %-15s %-15s %-15s\n", "", "", "forward", "to the input", "to the weight");
  }
  for (const Case& c : kCases) {
    ConvolutionShape s{.batch = c.batch,
                       .in_channels = c.in_channels,
                       .out_channels = c.out_channels,
                       .in = c.in,
                       .kernel = c.kernel,
                       .stride = c.stride,
                       .padding = c.padding};
    s.out = convolution_output_size(s.in, s.kernel, s.stride, s.padding, s.dilation);
    Times t;
    try {
      t = measure(s, algorithm, budget);
    } catch (const ArgumentError&) {
      continue;
    }
    if (tsv) {
      // name, batch, in channels, height, width, out channels, kernel, stride, padding, then milliseconds
      std::printf("%s\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%ld\t%g\t%g\t%g\n", c.name, long(c.batch),
                  long(c.in_channels), long(c.in.height), long(c.in.width), long(c.out_channels),
                  long(c.kernel.height), long(c.stride.height), long(c.padding.height), 1e3 * t.forward,
                  1e3 * t.input_gradient, 1e3 * t.weight_gradient);
      continue;
    }
    const double gflop = 2e-9 * s.batch * s.out_channels * s.out_pixels() * s.fan_in();
    const std::string shape = concat_text("(", s.batch, ", ", s.in_channels, ", ", s.in.height, ", ",
                                          s.in.width, ") -> ", s.out_channels, ", ", s.kernel);
    std::printf("%-22s %-34s", c.name, shape.c_str());
    for (const double time : {t.forward, t.input_gradient, t.weight_gradient}) {
      std::printf(" %5.0f (%6.2f) ", gflop / time, 1e3 * time);
    }
    std::printf("\n");
  }
}
