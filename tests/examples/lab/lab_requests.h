// Normalizations to try: as requests of the lab's engine, and as words for norm-lab.
#pragma once

#include <string>
#include <vector>

#include "gesso/core/files/json.h"
#include "gesso/core/generator.h"
#include "gesso/core/tensor.h"

namespace gesso::testing {

struct LabCase {
  Json request;
  std::string words;
};

/// Every norm over odd shapes, batch and instance also in evaluation; numbers with all their digits.
inline std::vector<LabCase> lab_cases() {
  Generator rng(12);
  const auto draw = [&](Index count, double scale, double shift) {
    std::vector<double> values = Tensor::randn({count}, rng, float64).to_vector();
    for (double& value : values) {
      value = scale * value + shift;
    }
    return values;
  };
  // Made of the very numbers: what they are printed as reads as them again.
  const auto listed = [](const Json& list) {
    const std::string text = json_text(list);
    return text.substr(1, text.size() - 2);
  };
  struct Layer {
    std::string norm;
    Index groups;
    bool eval;
  };
  std::vector<LabCase> cases;
  for (const std::vector<Index>& shape : std::vector<std::vector<Index>>{
           {2, 2, 3, 3}, {1, 4, 1, 5}, {3, 2, 1, 2}, {1, 1, 1, 2}, {3, 4, 4, 4}, {2, 6, 3, 1}}) {
    const Index channels = shape[1], sample = channels * shape[2] * shape[3];
    for (const Layer& layer : std::vector<Layer>{{"instance", channels, false},
                                                 {"batch", channels, false},
                                                 {"layer", 1, false},
                                                 {"group", channels % 2 == 0 ? 2 : 1, false},
                                                 {"batch", channels, true},
                                                 {"instance", channels, true}}) {
      const Index affine = layer.norm == "layer" ? sample : channels;
      Json request = {{"norm", layer.norm},
                      {"groups", layer.groups},
                      {"shape", shape},
                      {"x", draw(shape[0] * sample, 3, 1)},
                      {"dy", draw(shape[0] * sample, 1, 0)},
                      {"gamma", draw(affine, 0.5, 1)},
                      {"beta", draw(affine, 1, 0)},
                      {"eps", shape[3] == 3 ? 1e-5 : 0.037},
                      {"eval", layer.eval}};
      std::string words = "--json --norm " + layer.norm;
      if (layer.norm == "group") {
        words += " --groups " + std::to_string(layer.groups);
      }
      if (layer.eval) {
        request["running_mean"] = draw(channels, 1, 1);
        request["running_var"] = draw(channels, 0.1, 4);
        words += " --eval --running-mean " + listed(request["running_mean"]) + " --running-var " +
                 listed(request["running_var"]);
      }
      for (const char* name : {"shape", "x", "dy", "gamma", "beta"}) {
        words += std::string(" --") + name + " " + listed(request[name]);
      }
      words += " --eps " + json_text(request["eps"]);
      cases.push_back({request, words});
    }
  }
  return cases;
}

}  // namespace gesso::testing
