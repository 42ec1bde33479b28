// Any bytes are a style network that can paint, or a FileError.
#include "gesso/autograd/graph.h"
#include "gesso/core/error.h"
#include "gesso/core/memory/memory_pool.h"
#include "input_file.h"
#include "painting/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const gesso::fuzz::InputFile file("model.safetensors");
  file.write(data, size);
  try {
    const gesso::LoadedStyleNetwork loaded = gesso::load_style_network(file.path());
    const gesso::NoGradGuard no_grad;
    (*loaded.network)(gesso::Tensor::full({1, 3, 8, 8}, 0.5));
  } catch (const gesso::FileError&) {
  }
  try {
    gesso::load_any_style_network(file.path());
  } catch (const gesso::FileError&) {
  }
  return 0;
}
