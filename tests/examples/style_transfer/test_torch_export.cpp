// Exported networks, run by PyTorch itself: the same pictures as gesso paints.
#include <cstdlib>

#include "files.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/files/file.h"
#include "painting/model_file.h"
#include "painting/torch_export.h"
#include "paths.h"
#include "stir.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

// A Python that has PyTorch: that of the path, or Debian's; "" if there is none.
std::string python() {
  for (const char* name : {"python3", "/usr/bin/python3"}) {
    if (std::system((std::string(name) + " -c 'import torch' 2>/dev/null").c_str()) == 0) {
      return name;
    }
  }
  return "";
}

// What stands in for the package safetensors where it is not installed.
constexpr const char* kSafetensors = R"(
import json, struct, torch
def load_file(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    types = {"F32": torch.float32, "F64": torch.float64, "F16": torch.float16, "I64": torch.int64}
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = (8 + size + i for i in entry["data_offsets"])
            numbers = torch.frombuffer(bytearray(data[begin:end]), dtype=types[entry["dtype"]])
            tensors[name] = numbers.reshape(entry["shape"])
    return tensors
)";

// What the Python program paints of `picture`; it reads the weights from files in `folder`.
Tensor painted_by_torch(const TemporaryFolder& folder, const std::string& program, const Tensor& picture) {
  fs::create_directories(folder / "safetensors");
  write_bytes(folder / "safetensors/torch.py", kSafetensors);
  save_safetensors(folder / "picture.safetensors", {{"x", picture}});
  write_bytes(folder / "program.py",
              program +
                  "\nwith torch.no_grad():\n    y = paint(load_file(\"picture.safetensors\")[\"x\"])\n"
                  "open(\"painted.bin\", \"wb\").write(y.numpy().tobytes())\n");
  REQUIRE(std::system(("cd " + folder.path() + " && PYTHONPATH=. " + python() + " program.py").c_str()) == 0);
  std::string bytes = read_file(folder / "painted.bin");
  return Tensor::from_buffer(bytes.data(), picture.shape()).clone();
}

}  // namespace

TEST_CASE("PyTorch paints with exported networks as gesso does") {
  if (python().empty()) {
    MESSAGE("SKIPPED: no PyTorch");
    return;
  }
  const NoGradGuard no_grad;
  Generator rng(3);
  const Tensor picture = Tensor::uniform({1, 3, 24, 32}, rng);
  const auto check = [&](const StyleNetworkOptions& options, const std::vector<double>& rows) {
    CAPTURE(options.normalization);
    const TemporaryFolder folder;
    StyleNetwork network(options, rng);
    stir(network, rng);
    network.eval();
    network.set_mix(rows);
    save_safetensors(folder / "w.safetensors", torch_state(network, rows), {{"format", "pt"}});
    const Tensor theirs = painted_by_torch(folder, torch_program(options, 1, "w.safetensors"), picture);
    CHECK(largest_difference(theirs, clamp(network(picture), 0, 1)) < 2e-5);
  };
  for (const char* norm : {"instance", "batch", "layer", "group", "none"}) {
    check({.width = 6, .blocks = 2, .normalization = norm}, {1});
  }
  check({.width = 4, .blocks = 0}, {1});
  check({.width = 4, .blocks = 1, .styles = 3}, {0, 0.3, 0.7});
}

TEST_CASE("a model that comes with gesso, by the command") {
  const TemporaryFolder folder;
  const std::string command = "cd " + folder.path() + " && " + program_path("style-transfer") + " export ";
  const auto run = [&](const std::string& arguments) {
    return WEXITSTATUS(std::system((command + arguments + " >out.py 2>err.txt").c_str()));
  };
  REQUIRE(run("--model autumn --torch w.safetensors") == 0);
  const std::string program = read_file(folder / "out.py");
  CHECK(program.find("load_file(\"w.safetensors\")") != std::string::npos);
  LoadedStyleNetwork model = load_style_network(source_path("examples/assets/models/autumn.safetensors"));
  if (!python().empty() && model.settings.network.noise == 0) {
    const NoGradGuard no_grad;
    Generator rng(5);
    const Tensor picture = Tensor::uniform({1, 3, 64, 48}, rng);
    CHECK(largest_difference(painted_by_torch(folder, program, picture),
                             clamp((*model.network)(picture), 0, 1)) < 1e-4);
  }
  CHECK(run("--model autumn --torch w.safetensors --style 9") == 2);
  CHECK(read_file(folder / "err.txt").find("--style") != std::string::npos);
  CHECK(run("--model autumn") == 2);
  CHECK(run("--model nowhere.safetensors --torch w.safetensors") == 1);
}

TEST_CASE("what PyTorch has no layer for is named") {
  CHECK_THROWS_WITH_AS(torch_program({.normalization = "batch-instance"}, 1, "w"),
                       doctest::Contains("batch-instance normalization cannot be written for PyTorch"),
                       ArgumentError);
  Generator rng(1);
  CHECK_THROWS_WITH_AS(torch_state(StyleNetwork({.width = 2, .blocks = 0, .styles = 2}, rng), {1}),
                       doctest::Contains("1 weights for 2 rows"), ArgumentError);
}
