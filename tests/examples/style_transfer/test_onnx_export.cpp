// Networks as ONNX: accepted by onnx's checker, and run by ONNX Runtime to the same pictures as gesso paints.
#include "gesso/training/onnx_export.h"

#include <cstdlib>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/files/file.h"
#include "gesso/gesso.h"
#include "painting/model_file.h"
#include "painting/onnx_export.h"
#include "paths.h"
#include "stir.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// A Python that has onnx and onnxruntime: that of GESSO_ONNX_PYTHON, or of the path; "" if there is none.
std::string python() {
  const char* given = std::getenv("GESSO_ONNX_PYTHON");
  const std::string name = given != nullptr ? concat_text("'", given, "'") : "python3";
  return std::system((name + " -c 'import onnx, onnxruntime' 2>/dev/null").c_str()) == 0 ? name : "";
}

// What ONNX Runtime computes, after onnx's checker has seen the file.
Tensor run_onnx(const TemporaryFolder& folder, const std::string& file, const Tensor& input,
                const Shape& output) {
  write_bytes(folder / "run.py", R"(
import sys, numpy, onnx, onnxruntime
onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
x = numpy.fromfile(sys.argv[2], dtype=numpy.float32).reshape([int(n) for n in sys.argv[3:]])
session.run(None, {session.get_inputs()[0].name: x})[0].tofile(sys.argv[2] + ".out")
)");
  const Tensor x = input.detach();
  write_bytes(folder / "x", {reinterpret_cast<const char*>(x.data<float>()),
                             static_cast<std::size_t>(x.numel()) * sizeof(float)});
  std::string sizes;
  for (const Index size : input.shape()) {
    sizes += " " + std::to_string(size);
  }
  const int status = std::system((python() + " " + (folder / "run.py") + " " + (folder / file) + " " +
                                  (folder / "x") + sizes + " >" + (folder / "err.txt") + " 2>&1")
                                     .c_str());
  INFO(read_file(folder / "err.txt"));
  REQUIRE(status == 0);
  std::string bytes = read_file(folder / "x.out");
  REQUIRE(bytes.size() == static_cast<std::size_t>(output.numel()) * sizeof(float));
  return Tensor::from_buffer(bytes.data(), output).clone();
}

// How often `part` is in `text`.
int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

bool skipped() {
  if (!can_export_onnx() || python().empty()) {
    MESSAGE("SKIPPED: no ONNX");
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("ONNX Runtime paints with exported style networks as gesso does, at any size") {
  if (skipped()) {
    return;
  }
  const NoGradGuard no_grad;
  Generator rng(3);
  const auto check = [&](const StyleNetworkOptions& options, const std::vector<double>& rows) {
    CAPTURE(options.normalization);
    const TemporaryFolder folder;
    StyleNetwork network(options, rng);
    stir(network, rng);
    network.eval();
    network.set_mix(rows);
    export_style_network(network, 1, folder / "net.onnx");
    CHECK(count(read_file(folder / "net.onnx"), "BatchNormalization") == 0);
    for (const Shape& shape : {Shape{1, 3, 24, 32}, Shape{2, 3, 40, 20}}) {
      const Tensor picture = Tensor::uniform(shape, rng);
      CHECK(largest_difference(run_onnx(folder, "net.onnx", picture, shape), clamp(network(picture), 0, 1)) <
            1e-4);
    }
  };
  for (const char* norm : {"instance", "batch", "layer", "group", "none"}) {
    check({.width = 6, .blocks = 2, .normalization = norm}, {1});
  }
  check({.width = 4, .blocks = 1, .styles = 3}, {0, 0.3, 0.7});
}

TEST_CASE("a model that comes with gesso, by the command; its noise is as strong, if not the same") {
  if (skipped()) {
    return;
  }
  const TemporaryFolder folder;
  REQUIRE(std::system((program_path("style-transfer") + " export --model autumn --onnx " +
                       (folder / "autumn.onnx") + " 2>" + (folder / "said.txt"))
                          .c_str()) == 0);
  const LoadedStyleNetwork model =
      load_style_network(source_path("examples/assets/models/autumn.safetensors"));
  const NoGradGuard no_grad;
  Generator rng(5);
  const Tensor picture = Tensor::uniform({1, 3, 64, 80}, rng);
  const auto painted = [&](std::uint64_t noise) {
    model.network->set_noise(noise);
    return clamp((*model.network)(picture), 0, 1);
  };
  const Tensor theirs = run_onnx(folder, "autumn.onnx", picture, picture.shape());
  const double usual = mean(square(painted(1) - painted(2))).item();  // from one noise to another
  CHECK(mean(square(theirs - painted(0))).item() < 1.5 * usual + 1e-8);
}

namespace {

// Exports `net`, which takes pictures of 3 channels, and compares it with itself on pictures of several sizes; what
// the file holds.
std::string check_exported(Sequential& net) {
  const NoGradGuard no_grad;
  Generator rng(4);
  const TemporaryFolder folder;
  stir(net, rng);
  export_onnx(net, 3, folder / "net.onnx");
  CHECK(net.is_training());
  net.eval();
  for (const Shape& shape : {Shape{2, 3, 21, 30}, Shape{1, 3, 16, 17}}) {
    CAPTURE(shape);
    const Tensor x = Tensor::randn(shape, rng), y = net(x);
    CHECK(largest_difference(run_onnx(folder, "net.onnx", x, y.shape()), y) < 1e-5);
  }
  return read_file(folder / "net.onnx");
}

}  // namespace

TEST_CASE("a Sequential of all layers that it knows") {
  if (skipped()) {
    return;
  }
  Generator rng(4);
  Sequential net;
  net.emplace<Conv2d>(3, 8, {3, 4}, {.dilation = {2, 1}, .same = true}, rng);
  net.emplace<Conv2d>(8, 8, {3, 4}, {.stride = 2, .same = true}, rng);
  net.emplace<BatchNorm2d>(8).then(Activation::relu);
  net.emplace<Conv2d>(
      8, 8, 3, {.padding = 1, .groups = 2, .bias = false, .padding_mode = PaddingMode::replicate}, rng);
  net.emplace<InstanceNorm2d>(8);
  net.emplace<LeakyReLU>(0.1);
  net.emplace<MaxPool2d>({.kernel = {3, 2}, .stride = 2, .padding = 1});
  net.emplace<ReflectionPad2d>(Padding2d{0, 1, 2, 3});
  net.emplace<Conv2d>(8, 6, 1, rng);
  net.emplace<SiLU>();
  net.emplace<GroupNorm>(3, 6);
  net.emplace<Upsample>();
  net.emplace<AvgPool2d>({.kernel = 3, .stride = 2, .padding = {1, 0}});
  net.emplace<Tanh>();
  net.emplace<AdaptiveAvgPool2d>(1);
  net.emplace<Flatten>();
  net.emplace<Dropout>(0.5, rng);
  net.emplace<Linear>(6, 4, rng);
  net.emplace<Sigmoid>();
  check_exported(net);
}

TEST_CASE("both forms of GELU, both of PReLU, softmax, layer norm, transposed convolution") {
  if (skipped()) {
    return;
  }
  Generator rng(5);
  Sequential net;
  net.emplace<PReLU>();
  net.emplace<ConvTranspose2d>(3, 4, 3, {.stride = 2, .padding = 1, .output_padding = 1}, rng);
  net.emplace<PReLU>(4, 0.3);
  net.emplace<GELU>();
  net.emplace<ConvTranspose2d>(
      4, 6, {2, 3}, {.stride = {1, 3}, .padding = {0, 2}, .groups = 2, .bias = false, .dilation = {3, 1}},
      rng);
  net.emplace<GELU>(GeluApproximation::tanh);
  net.emplace<Softmax>(1);
  net.emplace<AdaptiveAvgPool2d>(1);
  net.emplace<Flatten>();
  net.emplace<LayerNorm>(Shape{6}).then(Activation::relu);
  net.emplace<PReLU>(6);
  net.emplace<Linear>(6, 5, {.bias = false}, rng);
  net.emplace<LayerNorm>(Shape{5}, LayerNormOptions{.elementwise_affine = false});
  net.emplace<Softmax>(-1);
  check_exported(net);
}

TEST_CASE("RMS norm, and layers whose weight is normalized: the weight that they compute with is written") {
  if (skipped()) {
    return;
  }
  Generator rng(7);
  Sequential net;
  net.emplace<WeightNorm<Conv2d>>(3, 4, 3, {.padding = 1}, rng).then(Activation::relu);
  net.emplace<WeightStandardization<Conv2d>>(4, 6, {2, 3}, {.groups = 2}, rng);
  net.emplace<SpectralNorm<ConvTranspose2d>>(6, 5, 3, {.stride = 2}, rng);
  net.emplace<AdaptiveAvgPool2d>(1);
  net.emplace<Flatten>();
  net.emplace<RMSNorm>(Shape{5}).then(Activation::relu);
  net.emplace<WeightNorm<Linear>>(5, 4, rng);
  net.emplace<RMSNorm>(Shape{4}, RMSNormOptions{.eps = 0.1, .elementwise_affine = false});
  check_exported(net);
}

TEST_CASE("bilinear enlarging and shrinking, with corners aligned and not") {
  if (skipped()) {
    return;
  }
  Sequential net;
  for (const auto& [scale, align_corners] : {std::pair{2.0, false},
                                             {1.5, true},
                                             {0.6, false},
                                             {0.6, true},
                                             {1.0, false},
                                             {2.7, true},
                                             {1.5, false}}) {
    net.emplace<Upsample>({.scale = scale, .mode = UpsampleMode::bilinear, .align_corners = align_corners});
  }
  check_exported(net);
}

TEST_CASE("batch norm becomes a part of the convolution before it, and of no other") {
  if (skipped()) {
    return;
  }
  Generator rng(6);
  Sequential net;
  net.emplace<BatchNorm2d>(3);  // of the input
  net.emplace<Conv2d>(3, 4, 3, {.padding = 1, .padding_mode = PaddingMode::reflect}, rng);
  net.emplace<BatchNorm2d>(4);
  net.emplace<Conv2d>(4, 6, 3, {.groups = 2, .bias = false}, rng);
  net.emplace<BatchNorm2d>(6, BatchNormOptions{.eps = 1e-2, .affine = false}).then(Activation::relu);
  net.emplace<Conv2d>(6, 4, 1, rng).then(Activation::relu);
  net.emplace<BatchNorm2d>(4);  // of what the ReLU lets through
  // As a node has it: the field, the length, the operation.
  CHECK(count(check_exported(net),
              "\"\x12"
              "BatchNormalization") == 2);

  // Who else reads what the convolution computes, gets just that.
  const NoGradGuard no_grad;
  const TemporaryFolder folder;
  Conv2d conv(3, 3, 1, rng);
  BatchNorm2d norm(3);
  stir(norm, rng);
  norm.eval();
  OnnxGraph graph("x", 3);
  const std::string y = graph.layer(conv, graph.input()), z = graph.layer(norm, y);
  graph.save(folder / "one.onnx", z);
  graph.save(folder / "both.onnx", graph.add(y, z));
  const Tensor x = Tensor::randn({1, 3, 4, 5}, rng);
  CHECK(largest_difference(run_onnx(folder, "one.onnx", x, x.shape()), norm(conv(x))) < 1e-5);
  CHECK(largest_difference(run_onnx(folder, "both.onnx", x, x.shape()), conv(x) + norm(conv(x))) < 1e-5);
}

TEST_CASE("what it cannot express is named") {
  if (!can_export_onnx()) {
    CHECK_THROWS_WITH_AS(OnnxGraph("x", 3), doctest::Contains("libonnx-dev"), ArgumentError);
    return;
  }
  const TemporaryFolder folder;
  Generator rng(1);
  const auto refuses = [&](std::shared_ptr<Module> last, const char* words) {
    Sequential net;
    net.emplace<ReLU>();
    net.append(std::move(last));
    CHECK_THROWS_WITH_AS(export_onnx(net, 3, folder / "net.onnx"), doctest::Contains(words), ArgumentError);
  };
  struct Own : Module {};
  refuses(std::make_shared<Own>(),
          "Own() is not a layer that it knows; write what it computes with OnnxGraph");
  refuses(std::make_shared<AdaptiveAvgPool2d>(2), "ONNX knows the size 1 alone");
  refuses(std::make_shared<AvgPool2d>(Pool2dOptions{.kernel = 2, .ceil_mode = true}),
          "ceil_mode of averages");
  refuses(std::make_shared<Upsample>(UpsampleOptions{.scale = 1.2, .mode = UpsampleMode::bilinear}),
          "Upsample(scale_factor=1.2, mode=bilinear): small pictures");
  StyleNetwork mixed({.width = 2, .blocks = 0, .normalization = "batch-instance"}, rng);
  CHECK_THROWS_WITH_AS(export_style_network(mixed, 1, folder / "net.onnx"),
                       doctest::Contains("has no word in ONNX"), ArgumentError);
  CHECK(folder.entries() == 0);
}
