#include "gesso/core/files/weights.h"

#include <algorithm>

#include "gesso/core/files/file.h"

namespace gesso {

WeightsReader::WeightsReader(const std::string& path) {
  std::string head;
  {
    const InputFile file(path);
    head = file.read(0, std::min<std::uint64_t>(file.size(), 9));
  }
  if (TorchReader::begins(head)) {
    reader_ = std::make_unique<TorchReader>(path);
  } else if (head.size() == 9 && head[8] != '{') {  // what follows the length of a safetensors header
    throw FileError(
        concat_text("cannot read '", path, "': it is neither a safetensors file nor one of torch.save()"));
  } else {
    reader_ = std::make_unique<SafetensorsReader>(path);
  }
}

bool WeightsReader::is_torch() const { return std::holds_alternative<std::unique_ptr<TorchReader>>(reader_); }

const Metadata& WeightsReader::metadata() const {
  static const Metadata none;
  const auto* reader = std::get_if<std::unique_ptr<SafetensorsReader>>(&reader_);
  return reader == nullptr ? none : (*reader)->metadata();
}

const std::vector<std::string>& WeightsReader::names() const {
  return std::visit(
      [](const auto& reader) -> const auto& { return reader->names(); }, reader_);
}

bool WeightsReader::contains(const std::string& name) const {
  return std::visit([&](const auto& reader) { return reader->contains(name); }, reader_);
}

Shape WeightsReader::shape(const std::string& name) const {
  return std::visit([&](const auto& reader) { return reader->entry(name).shape; }, reader_);
}

std::string WeightsReader::dtype(const std::string& name) const {
  return std::visit([&](const auto& reader) { return reader->entry(name).dtype; }, reader_);
}

Tensor WeightsReader::load(const std::string& name) const {
  return std::visit([&](const auto& reader) { return reader->load(name); }, reader_);
}

void WeightsReader::verify() const {
  std::visit([](const auto& reader) { reader->verify(); }, reader_);
}

NamedTensors load_weights(const std::string& path) {
  const WeightsReader reader(path);
  reader.verify();
  NamedTensors tensors;
  for (const std::string& name : reader.names()) {
    tensors.emplace_back(name, reader.load(name));
  }
  return tensors;
}

}  // namespace gesso
