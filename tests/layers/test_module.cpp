// Module: names, state, freezing, dtype conversion, hooks, printing; Sequential.
#include "gesso/layers/module.h"

#include <sstream>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/layers/activations.h"
#include "gesso/layers/conv2d.h"
#include "gesso/layers/linear.h"
#include "gesso/layers/normalization/batch_instance.h"
#include "gesso/layers/normalization/batch_norm.h"
#include "gesso/layers/normalization/conditional.h"
#include "gesso/layers/normalization/group_norm.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/resampling.h"
#include "gesso/layers/sequential.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// y = weight x + bias, counting its calls in a buffer.
struct Scale : Module {
  Tensor weight, bias, calls, table;
  explicit Scale(double value, bool with_bias = true) {
    weight = register_parameter("weight", Tensor::full({3}, value));
    bias = register_parameter("bias", with_bias ? Tensor::zeros({3}) : Tensor());
    calls = register_buffer("calls", Tensor::scalar(0, float64), {.keeps_dtype = true});
    table = register_buffer("table", Tensor::arange(2), {.persistent = false});
  }
  Tensor forward(const Tensor& x) override {
    calls.fill_(calls.item() + 1);
    const Tensor y = weight * x;
    return bias.defined() ? y + bias : y;
  }
  std::string extra_repr() const override {
    return concat_text("3, bias=", bias.defined() ? "true" : "false");
  }
};

struct Block : Module {
  Scale a{2}, b{3, false};
  Block() {
    register_module("a", a);
    register_module("b", b);
  }
  Tensor forward(const Tensor& x) override { return b(relu(a(x))); }
};

struct Net : Module {
  Block first;
  Scale last{-1};
  Tensor gain;
  Net() {
    register_module("first", first);
    register_module("last", last);
    gain = register_parameter("gain", Tensor::ones({}));
  }
  Tensor forward(const Tensor& x) override { return last(first(x)) * gain; }
};

std::vector<std::string> names(const StateDict& dict) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : dict) {
    result.push_back(name);
  }
  return result;
}

}  // namespace

TEST_CASE("parameters, buffers and modules have dotted names in PyTorch's order") {
  Net net;
  CHECK(names(net.named_parameters()) == std::vector<std::string>{"gain", "first.a.weight", "first.a.bias",
                                                                  "first.b.weight", "last.weight",
                                                                  "last.bias"});
  CHECK(names(net.named_buffers()) == std::vector<std::string>{"first.a.calls", "first.a.table",
                                                               "first.b.calls", "first.b.table", "last.calls",
                                                               "last.table"});
  CHECK(names(net.state_dict()) ==
        std::vector<std::string>{"gain", "first.a.weight", "first.a.bias", "first.a.calls", "first.b.weight",
                                 "first.b.calls", "last.weight", "last.bias", "last.calls"});
  CHECK(net.parameters().size() == 6);
  CHECK(net.number_of_parameters() == 1 + 5 * 3);
  CHECK(net.parameters()[1].is(net.first.a.weight));
  CHECK(net.first.a.weight.requires_grad());
  CHECK(label_of(net.first.a.weight) == "first.a.weight");

  std::vector<std::string> module_names;
  for (const auto& [name, module] : net.named_modules()) {
    module_names.push_back(name);
  }
  CHECK(module_names == std::vector<std::string>{"", "first", "first.a", "first.b", "last"});
  CHECK(net.children() == std::vector<Module*>{&net.first, &net.last});
  CHECK(net.named_children()[1].first == "last");
}

TEST_CASE("a shared part is listed once, but both names are in the state dict") {
  struct Shared : Module {
    Scale part{1, false};
    Shared() {
      register_module("in", part);
      register_module("out", part);
    }
  } net;
  CHECK(names(net.named_parameters()) == std::vector<std::string>{"in.weight"});
  CHECK(net.named_modules().size() == 2);
  CHECK(names(net.state_dict()) ==
        std::vector<std::string>{"in.weight", "in.calls", "out.weight", "out.calls"});
}

TEST_CASE("names must be given, free and without dots; a module cannot be inside of itself") {
  Net net;
  CHECK_THROWS_WITH_AS(net.register_parameter("", Tensor::zeros({1})), doctest::Contains("must not be empty"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(net.register_buffer("a.b", Tensor::zeros({1})),
                       doctest::Contains("Net::register_buffer: the name \"a.b\""), ArgumentError);
  for (const char* taken : {"gain", "first"}) {
    CHECK_THROWS_WITH_AS(net.register_parameter(taken, Tensor::zeros({1})), doctest::Contains("is taken"),
                         ArgumentError);
  }
  CHECK_THROWS_WITH_AS(net.last.register_module("calls", net.first), doctest::Contains("is taken"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(net.last.register_module("net", net), doctest::Contains("part of itself"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(net.register_module("self", net), doctest::Contains("part of itself"), ArgumentError);
  CHECK_THROWS_WITH_AS(net.register_module("none", std::shared_ptr<Scale>()),
                       doctest::Contains("null pointer"), ArgumentError);
  CHECK_THROWS_WITH_AS(net.register_buffer("b", Tensor::zeros({1}).requires_grad_()),
                       doctest::Contains("requires a gradient"), ArgumentError);
  CHECK(net.named_modules().size() == 5);
  CHECK(net.named_parameters().size() == 6);
}

TEST_CASE("a part that dies first is unregistered; a part may outlive its parent") {
  Sequential parent;
  {
    Scale brief{1};
    parent.register_module("brief", brief);
    CHECK(parent.children().size() == 1);
  }
  CHECK(parent.children().empty());
  Scale lasting{1};
  {
    Sequential other;
    other.register_module("lasting", lasting);
  }
  parent.register_module("lasting", lasting);
  CHECK(parent.named_parameters().size() == 2);
}

TEST_CASE("state round trip: values arrive in the other module, whatever its dtype") {
  Net from, into;
  Generator rng(3);
  for (Tensor& p : from.parameters()) {
    p.copy_(Tensor::randn(p.shape(), rng));
  }
  from(Tensor::ones({2, 3}));
  into.to(float64);
  const LoadStateDictResult result = into.load_state_dict(from.state_dict());
  CHECK(result.missing.empty());
  CHECK(result.unexpected.empty());
  const StateDict a = from.state_dict(), b = into.state_dict();
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].first == b[i].first);
    CHECK(a[i].second.to_vector() == b[i].second.to_vector());
  }
  CHECK(into.first.a.weight.dtype() == float64);
  CHECK(into.first.a.calls.item() == 1);

  // The dict shares memory with the module.
  a[1].second.alias({3}).fill_(9);
  CHECK(from.first.a.weight.at({0}) == 9);
}

TEST_CASE("load_state_dict takes dicts of other networks and other times") {
  Net net;
  // A part of something larger, with an entry that is of no use here, and without counts.
  StateDict other = {{"head.weight", Tensor::ones({9})}};
  for (const auto& [name, tensor] : net.state_dict()) {
    other.emplace_back("backbone." + name, Tensor::full(tensor.shape(), 3));
  }
  const KeyRule inside = replace_prefix("backbone.", "");
  net.load_state_dict(
      other, {.rename = [&](const std::string& key) { return key == "head.weight" ? "" : inside(key); }});
  CHECK(net.last.weight.to_vector() == std::vector<double>{3, 3, 3});
  CHECK_THROWS_WITH_AS(
      net.load_state_dict(other, {.rename = inside}),
      doctest::Contains("1 unexpected: head.weight; nothing was changed (head.weight may be "),
      ArgumentError);
  CHECK_THROWS_WITH_AS(net.load_state_dict({{"last.wieght", Tensor::ones({3})}}),
                       doctest::Contains("(last.wieght may be last.weight here); {.strict = false} loads"),
                       ArgumentError);

  BatchNorm2d norm(2);
  norm.num_batches_tracked.fill_(7);
  StateDict old = norm.state_dict();
  std::erase_if(old, [](const auto& each) { return each.first == "num_batches_tracked"; });
  CHECK(old.size() == 4);
  CHECK(norm.load_state_dict(old).missing.empty());
  CHECK(norm.num_batches_tracked.item() == 7);
}

TEST_CASE("load_state_dict names all that is wrong at once and changes nothing") {
  Net net;
  StateDict state = net.state_dict();
  for (auto& [name, tensor] : state) {
    tensor = Tensor::full(tensor.shape(), 5);
  }
  state.erase(state.begin());            // gain
  state[1].second = Tensor::zeros({4});  // first.a.bias
  state.emplace_back("first.c.weight", Tensor::ones({3}));
  state.emplace_back("last.bias", Tensor::ones({3}));  // a second time
  const auto check_message = [&](const char* part) {
    CHECK_THROWS_WITH_AS(net.load_state_dict(state), doctest::Contains(part), ArgumentError);
  };
  check_message("load_state_dict of Net: 1 missing: gain; 1 unexpected: first.c.weight; ");
  check_message("1 given twice: last.bias; ");
  check_message("1 of another shape: first.a.bias is (4) in the state and (3) here; nothing was changed");
  CHECK_THROWS_WITH_AS(net.load_state_dict(state, {.strict = false}),
                       doctest::Contains("Net: 1 given twice: last.bias; 1 of another shape"), ArgumentError);
  CHECK(net.last.weight.to_vector() == std::vector<double>{-1, -1, -1});

  state.pop_back();
  state[1].second = Tensor::full({3}, 5);
  const LoadStateDictResult result = net.load_state_dict(state, {.strict = false});
  CHECK(result.missing == std::vector<std::string>{"gain"});
  CHECK(result.unexpected == std::vector<std::string>{"first.c.weight"});
  CHECK(net.last.weight.to_vector() == std::vector<double>{5, 5, 5});
  CHECK(net.gain.item() == 1);
}

TEST_CASE("freezing: no gradients, no graph; once thawed, all is as before") {
  Net net;
  net.requires_grad_(false);
  const Tensor x = Tensor::ones({3}).requires_grad_();
  net(x).backward(Tensor::ones({3}));
  CHECK(x.grad().defined());
  CHECK_FALSE(net.gain.requires_grad());
  CHECK_FALSE(net(Tensor::ones({3})).requires_grad());

  net.requires_grad_(true);
  net.first.requires_grad_(false);
  net(x).backward(Tensor::ones({3}));
  CHECK(net.last.weight.grad().defined());
  CHECK(label_of(net.last.weight) == "last.weight");
  CHECK_FALSE(net.first.a.weight.grad().defined());
  net.zero_grad();
  CHECK_FALSE(net.last.weight.grad().defined());
}

TEST_CASE("to(dtype) converts what every handle sees, keeps what is frozen frozen, and counts as they are") {
  Net net;
  const std::vector<Tensor> held = net.parameters();
  net.last.requires_grad_(false);
  net(Tensor::ones({3})).backward(Tensor::ones({3}));
  net.to(float64);
  CHECK(held[1].dtype() == float64);
  CHECK(held[1].is(net.first.a.weight));
  CHECK(net.last.table.dtype() == float64);
  CHECK(net.last.calls.dtype() == float64);
  CHECK_FALSE(held[1].grad().defined());
  CHECK(held[1].requires_grad());
  CHECK(label_of(held[1]) == "first.a.weight");
  CHECK_FALSE(net.last.weight.requires_grad());
  net.last.requires_grad_(true);
  check_gradients([&](const auto& in) { return net(in[0]); }, {random_input({2, 3})},
                  {.parameters = net.named_parameters()});
  net.to(float32);
  CHECK(net.last.table.dtype() == float32);
  CHECK(net.last.calls.dtype() == float64);
  net(Tensor::ones({3})).backward(Tensor::ones({3}));
  CHECK(held[1].grad().dtype() == float32);
}

TEST_CASE("set_data refuses a tensor with a place in the graph") {
  CHECK_THROWS_WITH_AS(Tensor::zeros({2}).requires_grad_().set_data(Tensor::zeros({2})),
                       doctest::Contains("requires_grad_(false)"), ArgumentError);
}

TEST_CASE("train and eval reach every part") {
  Net net;
  CHECK(net.first.b.is_training());
  net.eval();
  for (const auto& [name, module] : net.named_modules()) {
    CHECK_FALSE(module->is_training());
  }
  net.first.train();
  CHECK(net.first.b.is_training());
  CHECK_FALSE(net.last.is_training());
}

TEST_CASE("forward hooks see input and output in order and can be removed, even by themselves") {
  Net net;
  std::string seen;
  net.first.register_forward_hook([&](Module& module, const Tensor& input, const Tensor& output) {
    seen += concat_text(module.type_name(), ' ', input.at({0}), " -> ", output.at({0}), "; ");
  });
  int once = -1;
  once = net.first.register_forward_hook([&](Module& module, const Tensor&, const Tensor&) {
    seen += "once; ";
    module.remove_forward_hook(once);
  });
  const int gone =
      net.register_forward_hook([&](Module&, const Tensor&, const Tensor&) { seen += "gone; "; });
  net.remove_forward_hook(gone);
  net(Tensor::ones({3}));
  net(Tensor::full({3}, 2));
  CHECK(seen == "Block 1 -> 6; once; Block 2 -> 12; ");
}

TEST_CASE("a part's forward can be replaced and given back; hooks see what came out") {
  Net net;
  const Tensor x = Tensor::ones({3}), usual = net(x);
  Tensor seen;
  net.first.register_forward_hook([&](Module&, const Tensor&, const Tensor& output) { seen = output; });
  net.first.replace_forward([&](const Tensor& input) { return 10 * net.first.forward(input); });
  net(x);
  CHECK(seen.at({0}) == 60);
  net.first.replace_forward({});
  CHECK(identical(net(x), usual));
  CHECK(seen.at({0}) == 6);
}

TEST_CASE("a module prints as a tree") {
  Net net;
  std::ostringstream text;
  text << net;
  CHECK(text.str() ==
        "Net(\n"
        "  (first): Block(\n"
        "    (a): Scale(3, bias=true)\n"
        "    (b): Scale(3, bias=false)\n"
        "  )\n"
        "  (last): Scale(3, bias=true)\n"
        ")");
  CHECK(Sequential().describe() == "Sequential()");
}

TEST_CASE("a module without forward(x) says so") {
  struct Pair : Module {
  } pair;
  CHECK_THROWS_WITH_AS(pair(Tensor::ones({1})), doctest::Contains("Pair: it has no forward(x)"),
                       ArgumentError);
}

TEST_CASE("Sequential runs its parts in order, owns them and numbers their state") {
  Sequential net;
  CHECK(net(Tensor::ones({3})).to_vector() == std::vector<double>{1, 1, 1});
  net.emplace<Scale>(2.0);
  net.append(std::make_shared<Scale>(5.0, false));
  CHECK(net(Tensor::ones({3})).to_vector() == std::vector<double>{10, 10, 10});
  CHECK(names(net.named_parameters()) == std::vector<std::string>{"0.weight", "0.bias", "1.weight"});
  CHECK(&net[1] == net.children()[1]);
  CHECK_THROWS_WITH_AS(net[2], doctest::Contains("part 2 of 2"), ArgumentError);
  CHECK_THROWS_AS(net.append(nullptr), ArgumentError);

  const Sequential listed{std::make_shared<Scale>(1.0), std::make_shared<Block>()};
  CHECK(listed.named_parameters().back().first == "1.b.weight");
}

TEST_CASE("Sequential takes options in bare braces, named, and left out, for every layer that has them") {
  Generator rng(3), same(3);
  Sequential net;
  const Conv2dOptions named{.stride = 2};
  net.emplace<Conv2d>(3, 4, 3, {.padding = 1}, rng);
  net.emplace<Conv2d>(4, 4, {3, 5}, {.padding = {1, 2}}, rng);
  net.emplace<Conv2d>(4, 4, 3, named, rng);
  net.emplace<Conv2d>(4, 4, 3, Conv2dOptions{.stride = 3}, rng);
  net.emplace<Conv2d>(4, 4, 3, rng);
  net.emplace<ConvTranspose2d>(4, 4, 3, {.stride = 2}, rng);
  net.emplace<ConvTranspose2d>(4, 4, 3, rng);
  net.emplace<Linear>(4, 5, {.bias = false}, rng);
  net.emplace<Linear>(4, 5, rng);
  net.emplace<InstanceNorm2d>(4, {.affine = true});
  net.emplace<BatchNorm2d>(4, {.affine = false});
  net.emplace<GroupNorm>(2, 4, {.affine = false});
  net.emplace<LayerNorm>(Shape{4}, {.elementwise_affine = false});
  net.emplace<ConditionalInstanceNorm2d>(2, 4, {.eps = 0.5});
  net.emplace<BatchInstanceNorm2d>(4, {.eps = 0.5});
  net.emplace<MaxPool2d>({.kernel = 3});
  net.emplace<AvgPool2d>({.kernel = 4});
  net.emplace<Upsample>({.scale = 3});
  net.emplace<InstanceNorm2d>(4);
  net.emplace<MaxPool2d>();
  net.emplace<LeakyReLU>(0.5);
  const std::vector<std::string> expected = {Conv2d(3, 4, 3, {.padding = 1}, same).describe(),
                                             Conv2d(4, 4, {3, 5}, {.padding = {1, 2}}, same).describe(),
                                             Conv2d(4, 4, 3, {.stride = 2}, same).describe(),
                                             Conv2d(4, 4, 3, {.stride = 3}, same).describe(),
                                             Conv2d(4, 4, 3, {}, same).describe(),
                                             ConvTranspose2d(4, 4, 3, {.stride = 2}, same).describe(),
                                             ConvTranspose2d(4, 4, 3, {}, same).describe(),
                                             Linear(4, 5, {.bias = false}, same).describe(),
                                             Linear(4, 5, {}, same).describe(),
                                             InstanceNorm2d(4, {.affine = true}).describe(),
                                             BatchNorm2d(4, {.affine = false}).describe(),
                                             GroupNorm(2, 4, {.affine = false}).describe(),
                                             LayerNorm({4}, {.elementwise_affine = false}).describe(),
                                             ConditionalInstanceNorm2d(2, 4, {.eps = 0.5}).describe(),
                                             BatchInstanceNorm2d(4, {.eps = 0.5}).describe(),
                                             MaxPool2d({.kernel = 3}).describe(),
                                             AvgPool2d({.kernel = 4}).describe(),
                                             Upsample({.scale = 3}).describe(),
                                             InstanceNorm2d(4).describe(),
                                             MaxPool2d().describe(),
                                             LeakyReLU(0.5).describe()};
  REQUIRE(net.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(net[i].describe() == expected[i]);
  }
}

TEST_CASE("options left out have their defaults") {
  Generator rng(3), same(3);
  const Tensor pictures = Tensor::ones({1, 3, 5, 6}), rows = Tensor::ones({2, 3});
  CHECK(identical(Conv2d(3, 4, {3, 2}, rng)(pictures), Conv2d(3, 4, {3, 2}, {}, same)(pictures)));
  CHECK(identical(ConvTranspose2d(3, 4, 3, rng)(pictures), ConvTranspose2d(3, 4, 3, {}, same)(pictures)));
  CHECK(identical(Linear(3, 4, rng)(rows), Linear(3, 4, {}, same)(rows)));
}
