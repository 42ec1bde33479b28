#include "gesso/core/files/torch_state.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "gesso/core/error.h"
#include "gesso/core/files/elements.h"

namespace gesso::detail {
namespace {

using Kind = PickleValue::Kind;
using Complain = std::function<void(const std::string& name, const std::string& why)>;

constexpr std::size_t kMaxNames = 1'000'000;
constexpr int kMaxDepth = 20;  // of dicts in dicts

// Where the weights are among other things. In this order, should there be several.
constexpr std::array kWeightKeys = {"state_dict",  "model",      "model_state_dict",
                                    "model_state", "params_ema", "params",
                                    "generator",   "net",        "network"};

bool is_text(const PickleValue& value) { return value.kind == Kind::text || value.kind == Kind::bytes; }

// What rebuilds a tensor: the function's name, and which of its arguments is the dtype (0: the storage knows).
std::optional<std::size_t> rebuilds_tensor(const std::string& global) {
  static const std::map<std::string, std::size_t> functions = {{"torch._utils._rebuild_tensor", 0},
                                                               {"torch._utils._rebuild_tensor_v2", 0},
                                                               {"torch._utils._rebuild_tensor_v3", 6}};
  const auto found = functions.find(global);
  return found == functions.end() ? std::nullopt : std::optional(found->second);
}

// What only wraps a tensor, its first argument, in a class or in attributes.
bool wraps_tensor(const std::string& global) {
  return global == "torch._utils._rebuild_parameter" ||
         global == "torch._utils._rebuild_parameter_with_state";
}

// Calls function, the second its arguments: a tensor with attributes, or of a class derived from Tensor.
constexpr const char* kRebuildFromType = "torch._tensor._rebuild_from_type_v2";

class Finder {
 public:
  Finder(const Pickle& from, const TorchStorages& its_storages, const Complain& to)
      : pickle(from), storages(its_storages), complain(to) {
    find_tensors();
    check_size();
  }

  TorchState state;

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& why) const {
    complain(name, why);
    throw FileError(why);  // never reached: complain() throws
  }

  static std::string key_text(const PickleValue& key) {
    return is_text(key) ? key.text : key.kind == Kind::integer ? std::to_string(key.integer) : "";
  }

  // The call that a value is, through whatever wraps it, if that makes a tensor.
  const PickleValue* tensor_call(std::uint32_t value) const {
    const PickleValue* v = &pickle[value];
    std::uint32_t function = 0, arguments = 0;
    for (int depth = 0; depth < kMaxDepth && v->kind == Kind::call; ++depth) {
      function = v->items[0];
      arguments = v->items[1];
      const std::vector<std::uint32_t>& given = pickle[arguments].items;
      if (rebuilds_tensor(pickle[function].text)) {
        return v;
      }
      if (wraps_tensor(pickle[function].text) && !given.empty()) {
        v = &pickle[given[0]];
      } else if (pickle[function].text == kRebuildFromType && given.size() >= 3 &&
                 rebuilds_tensor(pickle[given[0]].text) && pickle[given[2]].kind == Kind::tuple) {
        return v;
      } else {
        return nullptr;
      }
    }
    return nullptr;
  }

  bool holds_tensors(std::uint32_t value, int depth, std::size_t& visits) const {
    if (tensor_call(value) != nullptr) {
      return true;
    }
    const PickleValue& v = pickle[value];
    if (depth == kMaxDepth || ++visits > kMaxNames || (v.kind != Kind::dict && v.kind != Kind::list)) {
      return false;
    }
    return std::any_of(v.items.begin(), v.items.end(),
                       [&](std::uint32_t item) { return holds_tensors(item, depth + 1, visits); });
  }

  // The value that holds the weights: the root, or an entry of it.
  std::uint32_t find_weights() const {
    std::uint32_t value = pickle.root;
    for (int depth = 0; depth < kMaxDepth && pickle[value].kind == Kind::dict; ++depth) {
      std::vector<std::pair<std::string, std::uint32_t>> inside;  // entries that hold tensors
      std::size_t visits = 0;
      const std::vector<std::uint32_t>& items = pickle[value].items;
      for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
        if (tensor_call(items[i + 1]) != nullptr) {
          return value;  // the names of tensors are its keys
        }
        if (holds_tensors(items[i + 1], 1, visits)) {
          inside.emplace_back(key_text(pickle[items[i]]), items[i + 1]);
        }
      }
      auto chosen = inside.size() == 1 ? inside.begin() : inside.end();
      for (const char* key : kWeightKeys) {
        if (chosen == inside.end()) {
          chosen =
              std::find_if(inside.begin(), inside.end(), [&](const auto& each) { return each.first == key; });
        }
      }
      if (chosen == inside.end()) {
        return value;
      }
      value = chosen->second;
    }
    return value;
  }

  void find_tensors() {
    std::size_t visits = 0;
    walk("", find_weights(), 0, visits);
    const std::string data_parallel = "module.";
    if (!state.names.empty() &&
        std::all_of(state.names.begin(), state.names.end(), [&](const std::string& name) {
          return name.starts_with(data_parallel) && name.size() > data_parallel.size();
        })) {
      for (std::string& name : state.names) {
        auto node = state.tensors.extract(name);
        name = name.substr(data_parallel.size());
        node.key() = name;
        state.tensors.insert(std::move(node));
      }
    }
  }

  void walk(const std::string& name, std::uint32_t value, int depth, std::size_t& visits) {
    if (++visits > kMaxNames || depth > kMaxDepth) {
      fail("", concat_text("its dicts hold more than ", kMaxNames, " values or are nested more than ",
                           kMaxDepth, " deep"));
    }
    if (const PickleValue* call = tensor_call(value)) {
      const std::string own = name.empty() ? "tensor" : name;
      if (!state.tensors.emplace(own, read_tensor(own, *call)).second) {
        fail(own, "it is there twice");
      }
      state.names.push_back(own);
      return;
    }
    const PickleValue& v = pickle[value];
    const std::string prefix = name.empty() ? "" : name + ".";
    if (v.kind == Kind::dict) {
      for (std::size_t i = 0; i + 1 < v.items.size(); i += 2) {
        walk(prefix + key_text(pickle[v.items[i]]), v.items[i + 1], depth + 1, visits);
      }
    } else if (v.kind == Kind::list || v.kind == Kind::tuple) {
      for (std::size_t i = 0; i < v.items.size(); ++i) {
        walk(prefix + std::to_string(i), v.items[i], depth + 1, visits);
      }
    }
  }

  // ---- one tensor

  std::vector<std::uint64_t> whole_numbers(const std::string& name, const PickleValue& value) const {
    std::vector<std::uint64_t> numbers;
    // torch.Size((2, 3)) is a call with one tuple.
    const bool is_size = value.kind == Kind::call && !pickle[value.items[1]].items.empty();
    const PickleValue& tuple = is_size ? pickle[pickle[value.items[1]].items[0]] : value;
    for (const std::uint32_t item : tuple.items) {
      if (tuple.kind != Kind::tuple || pickle[item].kind != Kind::integer || pickle[item].integer < 0) {
        fail(name, "its shape and strides must be whole numbers");
      }
      numbers.push_back(static_cast<std::uint64_t>(pickle[item].integer));
    }
    return numbers;
  }

  TorchTensor read_tensor(const std::string& name, const PickleValue& call) const {
    const PickleValue* function = &pickle[call.items[0]];
    const PickleValue* arguments = &pickle[call.items[1]];
    if (function->text == kRebuildFromType) {
      function = &pickle[arguments->items[0]];
      arguments = &pickle[arguments->items[2]];
    }
    const std::vector<std::uint32_t>& given = arguments->items;
    const std::size_t dtype = *rebuilds_tensor(function->text);
    if (given.size() < std::max<std::size_t>(4, dtype + 1) || pickle[given[0]].kind != Kind::persistent ||
        pickle[given[1]].kind != Kind::integer || pickle[given[1]].integer < 0) {
      fail(name, concat_text("it is not what ", function->text, " takes"));
    }
    const TorchStorage view =
        read_torch_storage(pickle, pickle[given[0]], [&](const std::string& why) { fail(name, why); });
    TorchTensor tensor;
    tensor.storage = storages.of_key.at(view.key);
    tensor.dtype = dtype == 0 ? view.format : torch_dtype_format(pickle[given[dtype]].text);
    const ElementFormat* format = find_element_format(tensor.dtype);
    if (format == nullptr) {
      fail(name, "it has neither a dtype nor a storage with one");
    }
    const std::vector<std::uint64_t> sizes = whole_numbers(name, pickle[given[2]]);
    tensor.strides = whole_numbers(name, pickle[given[3]]);
    try {
      tensor.shape = Shape(std::vector<Index>(sizes.begin(), sizes.end()));
    } catch (const ArgumentError& error) {
      fail(name, error.what());
    }
    // Of the storage it has `available` numbers.
    const TorchStorage& storage = storages.all[tensor.storage];
    const std::uint64_t available = storage.count * storage.element_bytes * 8 / format->bits;
    tensor.offset = static_cast<std::uint64_t>(pickle[given[1]].integer) + view.view_offset;
    bool fits = tensor.strides.size() == sizes.size();
    if (fits && tensor.shape.numel() > 0) {
      std::uint64_t last = tensor.offset;
      for (std::size_t d = 0; d < sizes.size() && fits; ++d) {
        fits = last < available && (sizes[d] == 1 || tensor.strides[d] <= available / (sizes[d] - 1));
        last += fits && sizes[d] > 1 ? (sizes[d] - 1) * tensor.strides[d] : 0;
      }
      fits = fits && last < available;
      tensor.reach = fits ? last - tensor.offset + 1 : 0;
    }
    if (!fits) {
      fail(name, concat_text("shape ", tensor.shape, " from number ", tensor.offset,
                             " on does not fit its storage of ", available, " numbers"));
    }
    return tensor;
  }

  // Views of the same numbers may claim any size: a file of kilobytes could fill the memory.
  void check_size() const {
    constexpr std::uint64_t slack = 1 << 24;
    std::uint64_t stored = 0, claimed = 0;
    for (const TorchStorage& storage : storages.all) {
      stored += storage.count;
    }
    for (const std::string& name : state.names) {
      claimed += static_cast<std::uint64_t>(state.tensors.at(name).shape.numel());
      if (claimed > 16 * stored + slack) {
        fail(name,
             concat_text("its tensors repeat ", stored, " numbers more than 16 times, and it is refused"));
      }
    }
  }

  const Pickle& pickle;
  const TorchStorages& storages;
  const Complain& complain;
};

}  // namespace

bool is_torch_global(const std::string& global) {
  return rebuilds_tensor(global) || wraps_tensor(global) || global == kRebuildFromType ||
         global == "collections.OrderedDict" || global == "torch.Size" || global == "torch.device" ||
         global == "torch.Tensor" || global == "torch.nn.parameter.Parameter" ||
         !torch_storage_format(global).empty() || !torch_dtype_format(global).empty() ||
         global == "torch.storage.UntypedStorage";
}

bool TorchTensor::is_contiguous() const {
  const auto usual = shape.strides();
  for (int d = 0; d < shape.rank(); ++d) {
    if (shape[d] > 1 && strides[static_cast<std::size_t>(d)] != static_cast<std::uint64_t>(usual[d])) {
      return false;
    }
  }
  return true;
}

TorchState find_torch_tensors(const Pickle& pickle, const TorchStorages& storages, const Complain& complain) {
  return Finder(pickle, storages, complain).state;
}

}  // namespace gesso::detail
