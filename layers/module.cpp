#include "gesso/layers/module.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <typeinfo>

#include "gesso/autograd/graph.h"
#include "gesso/core/text.h"

namespace gesso {
namespace {

std::string join(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

void set_parameter_label(const Tensor& parameter, const std::string& name) {
  if (parameter.requires_grad()) {
    set_label(parameter, name);
  }
}

// "2 missing: a, b; " or nothing.
std::string list_text(const char* what, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += text.empty() ? concat_text(names.size(), ' ', what, ": ", name) : ", " + name;
  }
  return text.empty() ? text : text + "; ";
}

// " (first.c.weight may be first.a.weight here)", for the first few.
std::string nearest_text(const std::vector<std::string>& unexpected, const StateDict& own) {
  constexpr std::size_t most = 3;
  std::vector<std::string> known;
  for (const auto& [name, tensor] : own) {
    known.push_back(name);
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(most, unexpected.size()); ++i) {
    const std::string nearest = nearest_word(unexpected[i].substr(0, 200), known);
    text +=
        nearest.empty() ? "" : (text.empty() ? "" : ", ") + unexpected[i] + " may be " + nearest + " here";
  }
  return text.empty() ? text : " (" + text + ")";
}

}  // namespace

KeyRule replace_prefix(const std::string& from, const std::string& to) {
  return [from, to](const std::string& key) {
    return key.starts_with(from) ? to + key.substr(from.size()) : key;
  };
}

Module::~Module() {
  for (const Child& child : children_) {
    std::erase(child.module->parents_, this);
  }
  for (Module* parent : parents_) {
    std::erase_if(parent->children_, [this](const Child& child) { return child.module == this; });
  }
}

// Calls f(prefix, module) for this module and all below it, a part before the parts that come after it.
template <class Visit>
void Module::visit(const std::string& prefix, Visit&& f) const {
  f(prefix, *this);
  for (const Child& child : children_) {
    child.module->visit(join(prefix, child.name), f);
  }
}

// ---- computing

Tensor Module::forward(const Tensor&) {
  throw ArgumentError(type_name() +
                      ": it has no forward(x) of one tensor; call the forward that it declares");
}

int Module::register_forward_hook(ForwardHook hook) {
  forward_hooks_.emplace_back(next_hook_, std::move(hook));
  return next_hook_++;
}

void Module::remove_forward_hook(int hook) {
  std::erase_if(forward_hooks_, [&](const auto& entry) { return entry.first == hook; });
}

void Module::run_forward_hooks(const Tensor& input, const Tensor& output) {
  for (const auto& [id, hook] : std::vector(forward_hooks_)) {  // a copy: a hook may remove itself
    hook(*this, input, output);
  }
}

void Module::train(bool on) {
  training_ = on;
  for (const Child& child : children_) {
    child.module->train(on);
  }
}

// ---- parameters and parts

StateDict Module::named_parameters() const {
  StateDict all;
  visit("", [&](const std::string& prefix, const Module& module) {
    for (const auto& [name, tensor] : module.parameters_) {
      const bool seen = std::any_of(all.begin(), all.end(), [&, &tensor = tensor](const auto& entry) {
        return entry.second.is(tensor);
      });
      if (!seen) {
        all.emplace_back(join(prefix, name), tensor);
      }
    }
  });
  return all;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> tensors;
  for (auto& [name, tensor] : named_parameters()) {
    tensors.push_back(tensor);
  }
  return tensors;
}

StateDict Module::named_buffers() const {
  StateDict all;
  visit("", [&](const std::string& prefix, const Module& module) {
    for (const Buffer& buffer : module.buffers_) {
      all.emplace_back(join(prefix, buffer.name), buffer.tensor);
    }
  });
  return all;
}

std::vector<Module*> Module::children() const {
  std::vector<Module*> modules;
  for (const Child& child : children_) {
    modules.push_back(child.module);
  }
  return modules;
}

std::vector<std::pair<std::string, Module*>> Module::named_children() const {
  std::vector<std::pair<std::string, Module*>> modules;
  for (const Child& child : children_) {
    modules.emplace_back(child.name, child.module);
  }
  return modules;
}

std::vector<std::pair<std::string, Module*>> Module::named_modules() {
  std::vector<std::pair<std::string, Module*>> modules;
  std::set<const Module*> seen;
  visit("", [&](const std::string& prefix, const Module& module) {
    if (seen.insert(&module).second) {
      modules.emplace_back(prefix, const_cast<Module*>(&module));
    }
  });
  return modules;
}

Index Module::number_of_parameters() const {
  Index count = 0;
  for (const Tensor& parameter : parameters()) {
    count += parameter.numel();
  }
  return count;
}

void Module::zero_grad() {
  for (Tensor& parameter : parameters()) {
    parameter.zero_grad();
  }
}

Module& Module::requires_grad_(bool on) {
  for (auto& [name, parameter] : named_parameters()) {
    if (parameter.requires_grad() != on) {
      parameter.requires_grad_(on);
      set_parameter_label(parameter, name);
    }
  }
  return *this;
}

Module& Module::to(DType dtype) {
  for (auto& [name, parameter] : named_parameters()) {
    if (parameter.dtype() == dtype) {
      continue;
    }
    const bool trained = parameter.requires_grad();
    const std::string label = label_of(parameter);
    parameter.requires_grad_(false);
    parameter.set_data(parameter.to(dtype));
    parameter.requires_grad_(trained);
    set_parameter_label(parameter, label);
  }
  visit("", [&](const std::string&, const Module& module) {
    for (const Buffer& buffer : module.buffers_) {
      if (!buffer.options.keeps_dtype) {
        Tensor handle = buffer.tensor;
        handle.set_data(handle.to(dtype));
      }
    }
  });
  return *this;
}

// ---- saving

StateDict Module::state_dict() const {
  StateDict state;
  visit("", [&](const std::string& prefix, const Module& module) {
    for (const auto& [name, tensor] : module.parameters_) {
      state.emplace_back(join(prefix, name), tensor.detach());
    }
    for (const Buffer& buffer : module.buffers_) {
      if (buffer.options.persistent) {
        state.emplace_back(join(prefix, buffer.name), buffer.tensor.detach());
      }
    }
  });
  return state;
}

LoadStateDictResult Module::load_state_dict(const StateDict& state, const LoadStateDictOptions& options) {
  LoadStateDictResult result;
  std::vector<std::string> twice, misshapen;
  std::map<std::string, Tensor> given;
  for (const auto& [key, tensor] : state) {
    require_defined(tensor, "load_state_dict", key.c_str());
    const std::string name = options.rename ? options.rename(key) : key;
    if (name.empty()) {
      continue;
    }
    if (!given.emplace(name, tensor).second) {
      twice.push_back(name);
    }
  }
  StateDict own = state_dict();
  std::set<std::string> known;
  for (const auto& [name, tensor] : own) {
    known.insert(name);
    const auto found = given.find(name);
    if (found == given.end()) {
      if (!name.ends_with("num_batches_tracked")) {
        result.missing.push_back(name);
      }
    } else if (found->second.shape() != tensor.shape()) {
      misshapen.push_back(
          concat_text(name, " is ", found->second.shape(), " in the state and ", tensor.shape(), " here"));
    }
  }
  for (const auto& [name, tensor] : given) {
    if (!known.contains(name)) {
      result.unexpected.push_back(name);
    }
  }
  const bool names_fit = result.missing.empty() && result.unexpected.empty();
  require(twice.empty() && misshapen.empty() && (names_fit || !options.strict), "load_state_dict of ",
          type_name(), ": ", options.strict ? list_text("missing", result.missing) : "",
          options.strict ? list_text("unexpected", result.unexpected) : "", list_text("given twice", twice),
          list_text("of another shape", misshapen), "nothing was changed",
          options.strict ? nearest_text(result.unexpected, own) : "",
          options.strict && !names_fit
              ? "; {.strict = false} loads what has the same name, {.rename = ...} what has "
                "another"
              : "");
  const NoGradGuard no_grad;  // parameters of another module may be given as they are
  for (auto& [name, tensor] : own) {
    if (const auto found = given.find(name); found != given.end()) {
      tensor.copy_(found->second);
    }
  }
  return result;
}

// ---- for people

std::string Module::type_name() const {
  int status = 0;
  char* text = abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? text : typeid(*this).name();
  std::free(text);
  const std::size_t scope = name.substr(0, name.find('<')).rfind("::");
  name = scope == std::string::npos ? name : name.substr(scope + 2);
  const std::string own = "gesso::";  // before the arguments of a template
  for (std::size_t at = name.find(own); at != std::string::npos; at = name.find(own)) {
    name.erase(at, own.size());
  }
  return name;
}

std::string Module::describe() const {
  std::string text = type_name() + "(" + extra_repr();
  for (const Child& child : children_) {
    text += "\n(" + child.name + "): " + child.module->describe();
  }
  if (!children_.empty()) {
    // Each level indents the lines of the levels below it.
    std::string indented;
    for (char c : text) {
      indented += c;
      if (c == '\n') {
        indented += "  ";
      }
    }
    text = indented + "\n";
  }
  return text + ")";
}

std::ostream& operator<<(std::ostream& out, const Module& module) { return out << module.describe(); }

// ---- building

void Module::check_name(const std::string& name, const char* what) const {
  require(!name.empty() && name.find('.') == std::string::npos, type_name(), "::", what, ": the name \"",
          name, "\" must not be empty and must have no dot in it");
  const auto taken_in = [&](const auto& entries, const auto& name_in) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto& entry) { return name_in(entry) == name; });
  };
  const auto name_of_entry = [](const auto& entry) { return entry.name; };
  require(!taken_in(parameters_, [](const auto& entry) { return entry.first; }) &&
              !taken_in(buffers_, name_of_entry) && !taken_in(children_, name_of_entry),
          type_name(), "::", what, ": the name \"", name, "\" is taken");
}

Tensor Module::register_parameter(const std::string& name, Tensor tensor) {
  check_name(name, "register_parameter");
  if (tensor.defined()) {
    tensor.requires_grad_();
    set_label(tensor, name);
    parameters_.emplace_back(name, tensor);
  }
  return tensor;
}

void Module::unregister_parameter(const std::string& name) {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  require(found != parameters_.end(), type_name(), "::unregister_parameter: there is no parameter \"", name,
          "\"");
  parameters_.erase(found);
}

Tensor Module::register_buffer(const std::string& name, Tensor tensor, const BufferOptions& options) {
  check_name(name, "register_buffer");
  if (tensor.defined()) {
    require(!tensor.requires_grad(), type_name(), "::register_buffer: \"", name,
            "\" requires a gradient; register it as a parameter, or detach() it");
    buffers_.push_back({name, tensor, options});
  }
  return tensor;
}

void Module::add_child(const std::string& name, Module* child, std::shared_ptr<Module> owner) {
  check_name(name, "register_module");
  require(child != nullptr, type_name(), "::register_module: \"", name, "\" is a null pointer");
  child->visit("", [&](const std::string&, const Module& module) {
    require(&module != this, type_name(), "::register_module: \"", name,
            "\" has this module inside of it (or is it); a module cannot be a part of itself");
  });
  children_.push_back({name, child, std::move(owner)});
  child->parents_.push_back(this);
  for (const auto& [below, parameter] : child->named_parameters()) {
    set_parameter_label(parameter, join(name, below));
  }
}

}  // namespace gesso
