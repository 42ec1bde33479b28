// Module: what has parameters. A layer or network derives from it, keeps its parameters and its parts as
// plain members, and registers each under a name in its constructor; everything else follows from the names:
//
//     struct Net : Module {
//       Conv2d conv1;
//       Linear head;
//       explicit Net(Generator& rng) : conv1(3, 8, 3, {}, rng), head(8, 10, {}, rng) {
//         register_module("conv1", conv1);
//         register_module("head", head);
//       }
//       Tensor forward(const Tensor& x) override { return head(mean(relu(conv1(x)), {2, 3})); }
//     };
//
// Its state dict then has the keys conv1.weight, conv1.bias, head.weight, head.bias, as the same network has
// in PyTorch. A Module is neither copied nor moved, so that a part stays where it was registered; parts whose
// number is known only at run time are held through shared_ptr (or a std::deque, which never moves them).
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "gesso/core/files/safetensors.h"
#include "gesso/core/tensor.h"

namespace gesso {

class Module;

/// In the order of registration.
using StateDict = NamedTensors;

/// Called after a module's forward with what went in and what came out.
using ForwardHook = std::function<void(Module& module, const Tensor& input, const Tensor& output)>;

struct BufferOptions {
  bool persistent = true;    ///< part of state_dict()
  bool keeps_dtype = false;  ///< stays as it is in Module::to(dtype): a count, not a measurement
};

/// The key of the module under which an entry of a dict is loaded; "" leaves the entry out.
using KeyRule = std::function<std::string(const std::string& key)>;

/// The rule that turns keys that begin with `from` into such that begin with `to`, and leaves others as they are:
/// replace_prefix("backbone.", "") for a network that was saved as a part of a larger one.
KeyRule replace_prefix(const std::string& from, const std::string& to);

struct LoadStateDictOptions {
  bool strict = true;   ///< missing and unexpected entries are errors
  KeyRule rename = {};  ///< what the dict's keys are called here; empty: the same
};

/// What did not match in a load_state_dict() that is not strict.
struct LoadStateDictResult {
  std::vector<std::string> missing;     ///< entries of the module that the dict lacks
  std::vector<std::string> unexpected;  ///< entries of the dict that the module lacks
};

class Module {
 public:
  Module() = default;
  virtual ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // ---- computing

  /// What the module computes. A module with another signature (several inputs or results) leaves this one
  /// alone and has its own; calling the missing one throws ArgumentError.
  virtual Tensor forward(const Tensor& x);

  /// forward(x), then the forward hooks. Call a module this way; calling forward() itself skips the hooks.
  Tensor operator()(const Tensor& x) {
    return call_forward_hooks(x, replacement_ ? replacement_(x) : forward(x));
  }

  /// From now on operator() calls `replacement` where it called forward(): to let a part of a finished
  /// network compute something else, as assigning module.forward does in PyTorch. With {}, forward() again.
  void replace_forward(std::function<Tensor(const Tensor& x)> replacement) {
    replacement_ = std::move(replacement);
  }

  /// Calls `hook` after every operator()(); it must not change the tensors. Returns a number for
  /// remove_forward_hook(). Without hooks it costs nothing.
  int register_forward_hook(ForwardHook hook);
  void remove_forward_hook(int hook);

  /// Training mode (the default) or evaluation mode, for this module and all its parts: whether a
  /// normalization uses the statistics of its input or the running ones. Gradients are recorded in both.
  virtual void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }

  // ---- parameters and parts

  /// The parameters of this module, then those of its parts, in the order of registration; a tensor
  /// registered twice appears once. They are handles: changing one changes the module.
  std::vector<Tensor> parameters() const;
  /// The same with their names, e.g. "res1.conv1.weight".
  StateDict named_parameters() const;
  StateDict named_buffers() const;
  std::vector<Module*> children() const;
  std::vector<std::pair<std::string, Module*>> named_children() const;
  /// This module under the name "", then all its parts and theirs, each once.
  std::vector<std::pair<std::string, Module*>> named_modules();
  /// How many numbers the parameters hold.
  Index number_of_parameters() const;

  /// Forgets the gradients of all parameters.
  void zero_grad();
  /// Freezes (false) or thaws (true) all parameters. Frozen ones get no gradient, are skipped by optimisers,
  /// and cost backward neither time nor memory.
  Module& requires_grad_(bool on = true);
  /// Converts parameters and buffers, for every handle to them: those that an optimiser holds follow.
  /// Gradients of the other dtype are forgotten. Buffers that keep their dtype (num_batches_tracked) stay.
  Module& to(DType dtype);

  // ---- saving

  /// Parameters and persistent buffers under PyTorch's keys. The tensors share memory with the module and
  /// have no place in the graph; clone() them to keep their present values. Counts that PyTorch keeps as
  /// int64 (num_batches_tracked) are float64 scalars here.
  StateDict state_dict() const;
  /// Copies the values of `state` into the module, converting dtypes. A count of batches (num_batches_tracked) that
  /// `state` lacks is not missing, and stays: PyTorch before 0.4.1 had none. Throws one ArgumentError that names all
  /// entries that are missing, unexpected (both only when strict; with the nearest key that the module has), given
  /// twice, or of another shape (always); nothing is changed then.
  LoadStateDictResult load_state_dict(const StateDict& state, const LoadStateDictOptions& options = {});

  // ---- for people

  /// The name of the class, e.g. "Conv2d".
  virtual std::string type_name() const;
  /// What stands between the brackets when a layer is printed, e.g. "3, 32, kernel_size=9".
  virtual std::string extra_repr() const { return ""; }
  /// The tree of modules, printed as PyTorch does:
  ///
  ///     Net(
  ///       (conv1): Conv2d(3, 8, kernel_size=3)
  ///       (head): Linear(in_features=8, out_features=10)
  ///     )
  std::string describe() const;

  // ---- building, in the constructor of a derived class

  /// Makes `tensor` a parameter: a leaf that requires a gradient. Returns it, so that a member can be set in
  /// the same line. An undefined tensor (a bias that is switched off) is passed through and not registered.
  /// Throws ArgumentError, as all three do, for an empty name, one with a dot, or one that is taken.
  Tensor register_parameter(const std::string& name, Tensor tensor);
  /// The parameter of this name, of this module itself, is none from now on; the tensor stays. For a layer
  /// that computes with something else in its place. Throws ArgumentError where there is none.
  void unregister_parameter(const std::string& name);
  /// Makes `tensor` part of the state without being trained. An undefined tensor is not registered. From then
  /// on the module must change its values (copy_, ...), not put another tensor in its place.
  Tensor register_buffer(const std::string& name, Tensor tensor, const BufferOptions& options = {});
  /// Makes `child` a part: a member of this module, or something that lives as long. (A part that dies
  /// earlier is unregistered.) Also throws ArgumentError when this module is inside `child`.
  template <class M>
  M& register_module(const std::string& name, M& child) {
    add_child(name, &child, nullptr);
    return child;
  }
  /// The same, sharing ownership of `child`.
  template <class M>
  std::shared_ptr<M> register_module(const std::string& name, std::shared_ptr<M> child) {
    add_child(name, child.get(), child);
    return child;
  }

 protected:
  /// Shows input and output to the forward hooks and returns the output. For modules with a call operator of
  /// their own.
  Tensor call_forward_hooks(const Tensor& input, Tensor output) {
    if (!forward_hooks_.empty()) [[unlikely]] {
      run_forward_hooks(input, output);
    }
    return output;
  }

 private:
  struct Buffer {
    std::string name;
    Tensor tensor;
    BufferOptions options;
  };
  struct Child {
    std::string name;
    Module* module;
    std::shared_ptr<Module> owner;  // null when somebody else owns it
  };

  void check_name(const std::string& name, const char* what) const;
  void add_child(const std::string& name, Module* child, std::shared_ptr<Module> owner);
  void run_forward_hooks(const Tensor& input, const Tensor& output);
  template <class Visit>
  void visit(const std::string& prefix, Visit&& f) const;

  StateDict parameters_;
  std::vector<Buffer> buffers_;
  std::vector<Child> children_;
  std::vector<Module*> parents_;                        // those that list this one among their children_
  std::function<Tensor(const Tensor& x)> replacement_;  // of forward(), or empty
  std::vector<std::pair<int, ForwardHook>> forward_hooks_;
  int next_hook_ = 0;
  bool training_ = true;
};

/// module.describe()
std::ostream& operator<<(std::ostream& out, const Module& module);

}  // namespace gesso
