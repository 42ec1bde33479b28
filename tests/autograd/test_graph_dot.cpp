// The drawing of a graph: every node and edge once, well-formed text.
#include "gesso/autograd/graph_dot.h"

#include <algorithm>
#include <string>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/matmul.h"
#include "gesso/autograd/reduce.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

Index count(const std::string& text, const std::string& part) {
  Index found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

// Braces balance and every quote is closed, outside of escapes.
bool well_formed(const std::string& dot) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < dot.size(); ++i) {
    if (quoted && dot[i] == '\\') {
      ++i;
    } else if (dot[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && dot[i] == '\n' && depth == 0) {
      return i + 1 == dot.size();  // nothing after the last brace
    } else if (!quoted) {
      depth += dot[i] == '{' ? 1 : dot[i] == '}' ? -1 : 0;
    }
  }
  return depth == 0 && !quoted;
}

}  // namespace

TEST_CASE("every operation, leaf and input is there once, with its name, label and shape") {
  const Tensor weight = Tensor::ones({3, 4}).requires_grad_();
  set_label(weight, "linear.weight");
  const Tensor x = Tensor::ones({2, 3});
  const Tensor h = matmul(x, weight);
  const Tensor loss = mean(square(h) + h);
  const std::string dot = graph_dot(loss);
  CAPTURE(dot);
  CHECK(well_formed(dot));
  CHECK(dot.starts_with("digraph"));
  CHECK(count(dot, "label=\"mean\\nfloat32 ()\"") == 1);
  CHECK(count(dot, "label=\"add\\nfloat32 (2, 4)\"") == 1);
  CHECK(count(dot, "label=\"square\\nfloat32 (2, 4)\"") == 1);
  CHECK(count(dot, "label=\"matmul\\nfloat32 (2, 4)\"") == 1);
  CHECK(count(dot, "label=\"linear.weight\\nfloat32 (3, 4)\"") == 1);
  CHECK(count(dot, "label=\"(2, 3)\"") == 1);  // x, which requires no gradient
  CHECK(count(dot, " -> ") == 6);              // h is used twice and drawn once
  CHECK(count(dot, "penwidth=3") == 1);
}

TEST_CASE("labels are escaped") {
  const Tensor x = Tensor::ones({2}).requires_grad_();
  const Tensor y = x * 2;
  set_label(y, "say \"hi\" \\ {\nthere");
  const std::string dot = graph_dot(sum(y));
  CAPTURE(dot);
  CHECK(well_formed(dot));
  CHECK(count(dot, "say \\\"hi\\\" \\\\ {\\nthere") == 1);
}

TEST_CASE("missing inputs are left out, freed operations stand alone, tensors without a graph are refused") {
  const Tensor x = Tensor::ones({2}).requires_grad_();
  const Tensor y = record("biasless", x.detach() * 1, {x, Tensor()},
                          [](const Tensor& dy, Gradients& d) { d(0, [&] { return dy; }); });
  CHECK(count(graph_dot(y), " -> ") == 1);
  sum(y).backward();
  CHECK(count(graph_dot(y), " -> ") == 0);
  CHECK(count(graph_dot(y), "dashed") == 1);
  CHECK(count(graph_dot(x), "label=\"leaf\\nfloat32 (2)\"") == 1);
  CHECK_THROWS_WITH_AS(graph_dot(Tensor::ones({2})), doctest::Contains("graph_dot: the tensor of shape (2)"),
                       ArgumentError);
}

TEST_CASE("a graph of many thousand operations is written without recursion") {
  Tensor y = Tensor::ones({1}).requires_grad_();
  for (int i = 0; i < 50000; ++i) y = y + 1;
  CHECK(count(graph_dot(y), "label=\"affine") == 50000);
}
