#include "gesso/core/files/torch_storages.h"

#include <algorithm>
#include <map>

#include "gesso/core/files/elements.h"

namespace gesso::detail {
namespace {

std::string find_in(const std::map<std::string, std::string>& table, const std::string& key) {
  const auto found = table.find(key);
  return found == table.end() ? "" : found->second;
}

}  // namespace

std::string torch_storage_format(const std::string& global) {
  static const std::map<std::string, std::string> formats = {
      {"torch.FloatStorage", "F32"},        {"torch.DoubleStorage", "F64"},
      {"torch.HalfStorage", "F16"},         {"torch.BFloat16Storage", "BF16"},
      {"torch.LongStorage", "I64"},         {"torch.IntStorage", "I32"},
      {"torch.ShortStorage", "I16"},        {"torch.CharStorage", "I8"},
      {"torch.ByteStorage", "U8"},          {"torch.BoolStorage", "BOOL"},
      {"torch.ComplexFloatStorage", "C64"}, {"torch.ComplexDoubleStorage", "C128"},
  };
  // Storages on a GPU have their own classes in old files.
  const std::string gpu = "torch.cuda.";
  return find_in(formats, global.starts_with(gpu) ? "torch." + global.substr(gpu.size()) : global);
}

std::string torch_dtype_format(const std::string& global) {
  static const std::map<std::string, std::string> formats = {
      {"torch.float32", "F32"},         {"torch.float64", "F64"},
      {"torch.float16", "F16"},         {"torch.bfloat16", "BF16"},
      {"torch.int64", "I64"},           {"torch.int32", "I32"},
      {"torch.int16", "I16"},           {"torch.int8", "I8"},
      {"torch.uint64", "U64"},          {"torch.uint32", "U32"},
      {"torch.uint16", "U16"},          {"torch.uint8", "U8"},
      {"torch.bool", "BOOL"},           {"torch.complex64", "C64"},
      {"torch.complex128", "C128"},     {"torch.float8_e4m3fn", "F8_E4M3"},
      {"torch.float8_e5m2", "F8_E5M2"},
  };
  return find_in(formats, global);
}

TorchStorage read_torch_storage(const Pickle& pickle, const PickleValue& persistent,
                                const std::function<void(const std::string& why)>& complain) {
  using Kind = PickleValue::Kind;
  const PickleValue& id = pickle[persistent.items[0]];
  const auto part = [&](std::size_t i) -> const PickleValue& { return pickle[id.items[i]]; };
  TorchStorage storage;
  const bool known = id.kind == Kind::tuple && id.items.size() >= 5 && part(0).text == "storage" &&
                     part(1).kind == Kind::global && part(4).kind == Kind::integer && part(4).integer >= 0 &&
                     part(4).integer < std::int64_t{1} << 56;
  if (!known) {
    complain("its pickle refers to something that is not a storage of numbers");
    return storage;
  }
  storage.key = part(2).kind == Kind::integer ? std::to_string(part(2).integer) : part(2).text;
  storage.format = torch_storage_format(part(1).text);
  storage.count = static_cast<std::uint64_t>(part(4).integer);
  if (const ElementFormat* format = find_element_format(storage.format)) {
    storage.element_bytes = format->bits / 8;
  } else if (part(1).text != "torch.storage.UntypedStorage") {
    complain(concat_text("its pickle has a storage of ", part(1).text));
  }
  // The older form: a storage that is a part of another is (key, offset, count).
  if (id.items.size() > 5 && part(5).kind == Kind::tuple) {
    const PickleValue& view = part(5);
    if (view.items.size() != 3 || pickle[view.items[1]].integer < 0 ||
        pickle[view.items[1]].integer > part(4).integer) {
      complain("its pickle has a view of a storage that is not inside it");
    }
    storage.view_offset = static_cast<std::uint64_t>(pickle[view.items[1]].integer);
  }
  return storage;
}

TorchStorages collect_torch_storages(const Pickle& pickle,
                                     const std::function<void(const std::string& why)>& complain) {
  TorchStorages storages;
  for (const PickleValue& value : pickle.values) {
    if (value.kind != PickleValue::Kind::persistent) {
      continue;
    }
    TorchStorage storage = read_torch_storage(pickle, value, complain);
    const auto [found, is_new] = storages.of_key.emplace(storage.key, storages.all.size());
    if (is_new) {
      storages.all.push_back(std::move(storage));
      continue;
    }
    TorchStorage& before = storages.all[found->second];
    if (before.format != storage.format) {
      complain(concat_text("storage '", storage.key, "' is of two dtypes"));
    }
    before.count = std::max(before.count, storage.count);
  }
  return storages;
}

}  // namespace gesso::detail
