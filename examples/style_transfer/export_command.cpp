#include <iostream>

#include "commands.h"
#include "painting/model_file.h"
#include "painting/onnx_export.h"
#include "painting/ready_made.h"
#include "painting/torch_export.h"

namespace gesso {

void ExportCommand::run() {
  if (torch.empty() == onnx.empty()) {
    throw UsageError("name one file to write, by --torch or by --onnx");
  }
  const LoadedStyleNetwork loaded = load_style_network(find_model(model).string());
  if (choice.strength != 1 && !loaded.settings.strength) {
    throw UsageError(
        "--strength: the network was not trained for it; mix the painting with the photograph instead");
  }
  const ChosenStyle chosen = chosen_style(loaded.settings, choice);
  if (!onnx.empty()) {
    loaded.network->set_mix(chosen.rows);
    with_usage_errors("--onnx: ",
                      [&] { export_style_network(*loaded.network, chosen.noise, onnx.string()); });
    std::cerr << "Wrote " << chosen.words << " to " << onnx.string() << "\n";
    return;
  }
  const std::string program = with_usage_errors("--torch: ", [&] {
    return torch_program(loaded.network->options(), chosen.noise, torch.filename().string());
  });
  save_safetensors(torch.string(), torch_state(*loaded.network, chosen.rows), {{"format", "pt"}});
  std::cerr << "Wrote " << chosen.words << " to " << torch.string() << "; in Python:\n";
  std::cout << program;
}

}  // namespace gesso
