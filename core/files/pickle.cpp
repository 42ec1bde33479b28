#include "gesso/core/files/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "gesso/core/error.h"
#include "gesso/core/files/pickle_operations.h"

namespace gesso::detail {
namespace {

using Kind = PickleValue::Kind;

constexpr std::size_t kMaxValues = 4'000'000;

// Thrown inside, so that a pickle that is wrong after it named what is not known is refused for that.
struct Wrong {
  std::string why;
};

// The machine. Opcodes are those of Python's pickletools, by their names there.
class Machine {
 public:
  Machine(std::string_view bytes, const std::function<bool(const std::string&)>& known)
      : bytes_(bytes), known_(known) {}

  void run() {
    while (!step()) {
    }
    pickle.size = at_;
  }

  Pickle pickle;
  std::vector<std::string> unknown;  // globals, in the order they are named

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Wrong{concat_text("its pickle is wrong at byte ", at_, ": ", why)};
  }

  // ---- what comes next in the pickle

  std::string_view take(std::uint64_t count) {
    if (bytes_.size() - at_ < count) {
      fail("it ends too early");
    }
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  template <class T>
  T take_number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string take_line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) {
      fail("it ends too early");
    }
    const std::string line(bytes_.substr(at_, end - at_));
    at_ = end + 1;
    return line;
  }

  // ---- the stack

  std::uint32_t make(PickleValue value) {
    if (pickle.values.size() == kMaxValues) {
      fail(concat_text("it has more than ", kMaxValues, " values"));
    }
    pickle.values.push_back(std::move(value));
    return static_cast<std::uint32_t>(pickle.values.size() - 1);
  }
  void push(PickleValue value) { stack_.push_back(make(std::move(value))); }
  void push_integer(std::int64_t value) { push({.kind = Kind::integer, .integer = value}); }
  void push_text(Kind kind, std::uint64_t count) { push({.kind = kind, .text = std::string(take(count))}); }
  void push_items(Kind kind, std::vector<std::uint32_t> items) {
    push({.kind = kind, .items = std::move(items)});
  }

  std::uint32_t pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) {
      fail("it takes more from its stack than it put there");
    }
    const std::uint32_t top = stack_.back();
    stack_.pop_back();
    return top;
  }
  std::vector<std::uint32_t> pop(int count) {
    std::vector<std::uint32_t> items(static_cast<std::size_t>(count));
    for (std::size_t i = items.size(); i-- > 0;) {
      items[i] = pop();
    }
    return items;
  }
  std::vector<std::uint32_t> pop_to_mark() {
    if (marks_.empty()) {
      fail("a mark is missing on its stack");
    }
    std::vector<std::uint32_t> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()),
                                     stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  // The value below what was popped, to add to.
  PickleValue& top() {
    const std::uint32_t value = pop();
    stack_.push_back(value);
    return pickle.values[value];
  }

  // ---- what the operations do

  void add(const std::vector<std::uint32_t>& items, Kind to) {
    PickleValue& target = top();
    if (target.kind == Kind::call) {
      return;  // an object of a class that is not known, which will be refused, or attributes of one that is
    }
    if (target.kind != to || (to == Kind::dict && items.size() % 2 != 0)) {
      fail("it adds to something that is not a list or dict");
    }
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  void name_global(const std::string& module, const std::string& name) {
    const std::string global = module + "." + name;
    if (!known_(global) && std::find(unknown.begin(), unknown.end(), global) == unknown.end() &&
        unknown.size() < 1000) {
      unknown.push_back(global);
    }
    push({.kind = Kind::global, .text = global});
  }

  void name_global_from_stack() {
    const std::vector<std::uint32_t> names = pop(2);
    for (const std::uint32_t name : names) {
      if (pickle[name].kind != Kind::text) {
        fail("the name of a global is not text");
      }
    }
    name_global(pickle[names[0]].text, pickle[names[1]].text);
  }

  // A call is recorded and not made, but for the dict that Python writes as one.
  void call() {
    const std::vector<std::uint32_t> items = pop(2);
    const PickleValue& function = pickle[items[0]];
    const PickleValue& arguments = pickle[items[1]];
    if ((function.kind != Kind::global && function.kind != Kind::call) || arguments.kind != Kind::tuple) {
      fail("it calls something that is not a function");
    }
    if (function.text != "collections.OrderedDict") {
      push_items(Kind::call, items);
      return;
    }
    std::vector<std::uint32_t> entries;  // Python 2 gives a list of pairs
    for (const std::uint32_t argument : arguments.items) {
      for (const std::uint32_t pair : pickle[argument].items) {
        if (pickle[argument].kind != Kind::list || pickle[pair].items.size() != 2) {
          fail("an OrderedDict is made of something that is not a list of pairs");
        }
        entries.insert(entries.end(), pickle[pair].items.begin(), pickle[pair].items.end());
      }
    }
    push_items(Kind::dict, std::move(entries));
  }

  void remember(std::uint32_t slot) {
    const std::uint32_t value = pop();
    stack_.push_back(value);
    memo_[slot] = value;
  }
  void recall(std::uint32_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) {
      fail("it recalls what it did not put away");
    }
    stack_.push_back(found->second);
  }

  void push_long(std::uint64_t count) {  // two's complement, little-endian
    const std::string_view digits = take(count);
    if (count > 8) {
      push({.kind = Kind::large, .text = std::string(digits)});
      return;
    }
    std::uint64_t value = count > 0 && (digits.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    std::memcpy(&value, digits.data(), count);
    push_integer(static_cast<std::int64_t>(value));
  }

  // One operation; whether it was the last.
  bool step() {
    const auto opcode = take_number<unsigned char>();
    switch (opcode) {
      case pickle_proto: {
        const int protocol = take_number<unsigned char>();
        if (protocol < 2 || protocol > 5) {
          fail(concat_text("it has protocol ", protocol, "; gesso reads 2 to 5"));
        }
        break;
      }
      case pickle_frame:
        take(8);
        break;
      case pickle_stop:
        pickle.root = pop();
        return true;

      case pickle_none:
        push({});
        break;
      case pickle_new_true:
        push({.kind = Kind::boolean, .integer = 1});
        break;
      case pickle_new_false:
        push({.kind = Kind::boolean, .integer = 0});
        break;
      case pickle_binint1:
        push_integer(take_number<std::uint8_t>());
        break;
      case pickle_binint2:
        push_integer(take_number<std::uint16_t>());
        break;
      case pickle_binint:
        push_integer(take_number<std::int32_t>());
        break;
      case pickle_long1:
        push_long(take_number<std::uint8_t>());
        break;
      case pickle_long4:
        push_long(take_number<std::uint32_t>());
        break;
      case pickle_binfloat: {
        std::string digits(take(8));
        std::reverse(digits.begin(), digits.end());
        double value;
        std::memcpy(&value, digits.data(), sizeof value);
        push({.kind = Kind::number, .number = value});
        break;
      }
      case pickle_short_binunicode:
        push_text(Kind::text, take_number<std::uint8_t>());
        break;
      case pickle_binunicode:
        push_text(Kind::text, take_number<std::uint32_t>());
        break;
      case pickle_binunicode8:
        push_text(Kind::text, take_number<std::uint64_t>());
        break;
      case pickle_short_binstring:
        push_text(Kind::bytes, take_number<std::uint8_t>());
        break;
      case pickle_binstring:
        push_text(Kind::bytes, take_number<std::uint32_t>());
        break;
      case pickle_short_binbytes:
        push_text(Kind::bytes, take_number<std::uint8_t>());
        break;
      case pickle_binbytes:
        push_text(Kind::bytes, take_number<std::uint32_t>());
        break;
      case pickle_binbytes8:
        push_text(Kind::bytes, take_number<std::uint64_t>());
        break;

      case pickle_mark:
        marks_.push_back(stack_.size());
        break;
      case pickle_pop:
        pop();
        break;
      case pickle_pop_mark:
        pop_to_mark();
        break;
      case pickle_dup: {
        const std::uint32_t value = pop();
        stack_.insert(stack_.end(), 2, value);
        break;
      }
      case pickle_empty_tuple:
        push_items(Kind::tuple, {});
        break;
      case pickle_tuple1:
        push_items(Kind::tuple, pop(1));
        break;
      case pickle_tuple2:
        push_items(Kind::tuple, pop(2));
        break;
      case pickle_tuple3:
        push_items(Kind::tuple, pop(3));
        break;
      case pickle_tuple:
        push_items(Kind::tuple, pop_to_mark());
        break;
      case pickle_frozenset:
        push_items(Kind::list, pop_to_mark());
        break;
      case pickle_empty_list:
      case pickle_empty_set:
        push_items(Kind::list, {});
        break;
      case pickle_empty_dict:
        push_items(Kind::dict, {});
        break;
      case pickle_append:
        add(pop(1), Kind::list);
        break;
      case pickle_appends:
      case pickle_additems:
        add(pop_to_mark(), Kind::list);
        break;
      case pickle_setitem:
        add(pop(2), Kind::dict);
        break;
      case pickle_setitems:
        add(pop_to_mark(), Kind::dict);
        break;

      case pickle_binput:
        remember(take_number<std::uint8_t>());
        break;
      case pickle_long_binput:
        remember(take_number<std::uint32_t>());
        break;
      case pickle_memoize:
        remember(static_cast<std::uint32_t>(memo_.size()));
        break;
      case pickle_binget:
        recall(take_number<std::uint8_t>());
        break;
      case pickle_long_binget:
        recall(take_number<std::uint32_t>());
        break;

      case pickle_global: {
        const std::string module = take_line();
        name_global(module, take_line());
        break;
      }
      case pickle_stack_global:
        name_global_from_stack();
        break;
      case pickle_reduce:
      case pickle_newobj:
        call();
        break;
      case pickle_build:
        pop();
        top();
        break;
      case pickle_binpersid:
        push_items(Kind::persistent, pop(1));
        break;
      default:
        --at_;
        fail(concat_text("operation ", int{opcode}, " is not one that tensors need"));
    }
    return false;
  }

  std::string_view bytes_;
  const std::function<bool(const std::string&)>& known_;
  std::size_t at_ = 0;
  std::vector<std::uint32_t> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::unordered_map<std::uint32_t, std::uint32_t> memo_;
};

std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) {
    text += (i == 0 ? "" : ", ") + names[i].substr(0, 100);
  }
  return names.size() > most ? concat_text(text, " and ", names.size() - most, " more") : text;
}

}  // namespace

Pickle read_pickle(std::string_view bytes, const std::function<bool(const std::string& global)>& known,
                   const std::function<void(const std::string& why)>& complain) {
  Machine machine(bytes, known);
  std::string wrong;
  try {
    machine.run();
  } catch (const Wrong& error) {
    wrong = error.why;
  }
  if (!machine.unknown.empty()) {
    const bool other_tensors =
        std::any_of(machine.unknown.begin(), machine.unknown.end(), [](const auto& name) {
          return name.starts_with("torch._utils._rebuild_");  // sparse and quantised ones
        });
    complain(concat_text("its pickle names ", joined(machine.unknown), ", which is more than ",
                         other_tensors ? "dense tensors" : "tensors",
                         "; nothing of it was run. In Python, load it and save its state_dict() alone",
                         other_tensors ? ", each tensor after to_dense() or dequantize()" : ""));
  }
  if (!wrong.empty()) {
    complain(wrong);
  }
  return std::move(machine.pickle);
}

}  // namespace gesso::detail
