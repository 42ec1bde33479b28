// Any bytes are a safetensors file that is read, or a FileError.
#include "gesso/core/error.h"
#include "gesso/core/files/safetensors.h"
#include "input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const gesso::fuzz::InputFile file("f.safetensors");
  file.write(data, size);
  try {
    const gesso::SafetensorsFile loaded = gesso::load_safetensors(file.path());
    for (const auto& [name, tensor] : loaded.tensors) {
      if (static_cast<std::size_t>(tensor.numel()) > size) {
        __builtin_trap();  // more numbers than bytes
      }
    }
  } catch (const gesso::FileError&) {
  }
  return 0;
}
