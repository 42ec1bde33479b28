#include "gesso/layers/strips/strip_schedule.h"

#include <algorithm>

namespace gesso {
namespace {

using Nodes = std::vector<StripNode>;
using Flags = std::vector<bool>;

// The nodes that a pass for `target` computes and those that it reads, where nodes of `kept` are read.
struct Needed {
  std::vector<int> computed, read;
};

Needed needed_for(const Nodes& nodes, int target, const Flags& kept) {
  Flags wanted(nodes.size());
  wanted[target] = true;
  Needed needed;
  for (int n = target; n >= 0; --n) {  // inputs come before
    if (!wanted[n]) {
      continue;
    }
    if (kept[n]) {
      needed.read.push_back(n);
      continue;
    }
    needed.computed.push_back(n);
    for (const int input : nodes[n].inputs) {
      wanted[input] = true;
    }
  }
  std::reverse(needed.computed.begin(), needed.computed.end());
  return needed;
}

// The passes: one for each value whose statistics are wanted, and one for y.
std::vector<StripPass> passes_for(const Nodes& nodes, int y) {
  const std::vector<int> all = needed_for(nodes, y, Flags(nodes.size())).computed;
  std::vector<StripPass> passes;
  for (const int n : all) {
    if (!nodes[n].measures) {
      continue;
    }
    const int target = nodes[n].inputs.front();
    const auto same =
        std::find_if(passes.begin(), passes.end(), [&](const auto& pass) { return pass.target == target; });
    if (same != passes.end()) {
      same->measured.push_back(n);
    } else {
      passes.push_back({.target = target, .measured = {n}});
    }
  }
  passes.push_back({.target = y});
  return passes;
}

// Which values are worth keeping: those that are used again, and that take longer to compute again (from what is kept
// before them) than to write and read.
Flags worth_keeping(const Nodes& nodes, const std::vector<StripPass>& passes, int y, double transfer) {
  std::vector<int> uses(nodes.size());
  for (const int n : needed_for(nodes, y, Flags(nodes.size())).computed) {
    for (const int input : nodes[n].inputs) {
      ++uses[input];
    }
  }
  Flags worth(nodes.size());
  std::vector<double> cost(nodes.size());  // to have it once more
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const StripNode& node = nodes[n];
    cost[n] = node.numbers * node.products;
    for (const int input : node.inputs) {
      cost[n] += cost[input];
    }
    int later = uses[n] - 1;  // after the first time
    for (const StripPass& pass : passes) {
      if (pass.target == static_cast<int>(n) && !pass.measured.empty()) {
        // The first time is that pass; its normalizations take no memory of their own, so their users count.
        later = uses[n] - static_cast<int>(pass.measured.size());
        for (const int norm : pass.measured) {
          later += std::max(1, uses[norm]);
        }
      }
    }
    if (!node.inputs.empty() && later > 0 && later * cost[n] >= (1 + later) * node.numbers * transfer) {
      worth[n] = true;
      cost[n] = node.numbers * transfer;
    }
  }
  return worth;
}

}  // namespace

StripSchedule make_strip_schedule(const std::vector<StripNode>& nodes, int y, double transfer) {
  StripSchedule schedule{.passes = passes_for(nodes, y)};
  std::vector<StripPass>& passes = schedule.passes;
  const Flags worth = worth_keeping(nodes, passes, y, transfer);
  Flags kept(nodes.size());
  std::vector<int> computed_by(nodes.size(), -1), last(nodes.size(), -1);  // the pass that reads it last
  for (std::size_t p = 0; p < passes.size(); ++p) {
    StripPass& pass = passes[p];
    const int number = static_cast<int>(p);
    Needed needed = needed_for(nodes, pass.target, kept);
    for (const int n : needed.computed) {
      pass.products += nodes[n].numbers * nodes[n].products;
      if (worth[n]) {
        kept[n] = true;
        computed_by[n] = number;
      }
    }
    for (const int n : needed.read) {
      last[n] = number;
    }
    pass.computed = std::move(needed.computed);
    pass.read = std::move(needed.read);
  }
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (last[n] >= 0) {  // what nobody reads is not kept
      passes[computed_by[n]].kept.push_back(static_cast<int>(n));
      passes[last[n]].last_read.push_back(static_cast<int>(n));
    }
  }
  double now = 0;
  for (const StripPass& pass : passes) {
    for (const int n : pass.kept) {
      now += nodes[n].numbers;
      schedule.transferred += nodes[n].numbers;
    }
    for (const int n : pass.read) {
      schedule.transferred += nodes[n].numbers;
    }
    schedule.most_kept = std::max(schedule.most_kept, now);
    for (const int n : pass.last_read) {
      now -= nodes[n].numbers;
    }
    schedule.most_kept_if_forgotten = std::max(schedule.most_kept_if_forgotten, now);
  }
  return schedule;
}

}  // namespace gesso
