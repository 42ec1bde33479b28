// Any bytes are a checkpoint that is read, and can be saved and read again as it was, or a FileError.
#include "gesso/core/error.h"
#include "gesso/training/checkpoint.h"
#include "input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const gesso::fuzz::InputFile file("checkpoint.safetensors");
  file.write(data, size);
  try {
    const gesso::Checkpoint loaded = gesso::load_checkpoint(file.folder());
    gesso::save_checkpoint(file.folder() / "again", loaded);
    const gesso::Checkpoint again = gesso::load_checkpoint(file.folder() / "again");
    if (again.step != loaded.step || again.metadata != loaded.metadata ||
        again.generators != loaded.generators || again.model.size() != loaded.model.size()) {
      __builtin_trap();
    }
  } catch (const gesso::FileError&) {
  }
  return 0;
}
