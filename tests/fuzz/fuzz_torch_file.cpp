// Any bytes are a file of PyTorch's whose tensors are read, or a FileError; and never many more numbers than bytes.
#include "gesso/core/error.h"
#include "gesso/core/files/torch_file.h"
#include "input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const gesso::fuzz::InputFile file("f.pth");
  file.write(data, size);
  try {
    const gesso::TorchReader reader(file.path());
    for (const std::string& name : reader.names()) {
      if (reader.entry(name).shape.numel() > 1 << 20) {
        continue;  // views of few numbers may be large, and then take long
      }
      try {
        reader.load(name);
      } catch (const gesso::FileError&) {
      }
    }
    reader.verify();
  } catch (const gesso::FileError&) {
  }
  return 0;
}
