// The race: the same small style network with different normalizations, trained side by side on the same
// crops of the same photographs. The losses are those of style-transfer train with the analytic filter bank
// (examples/painting/losses.h, filter_bank.h), which needs no weights; the networks are StyleNetwork's, begun
// from one seed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gesso/core/generator.h"
#include "gesso/training/optim/adam.h"
#include "painting/filter_bank.h"
#include "painting/losses.h"
#include "painting/style_network.h"

namespace lab {

class Race {
 public:
  /// A request is {"seed": 1, "steps": 300, "batch": 4, "crop": 48, "width": 8, "blocks": 1, "norms":
  /// ["instance", ...], "learning_rate": 0.005, "style_side": S, "photographs": P, "photograph_side": Q}.
  /// `pictures` are the style, (3, S, S), and then P photographs, (3, Q, Q) each. The last of them is not
  /// trained on; it is the one that is painted. Throws ArgumentError for what cannot be.
  Race(const std::string& request, const std::vector<float>& pictures);

  /// So many steps more for each network: {"step": how many there were, "losses": {norm: [the total loss of
  /// each of these steps]}}.
  std::string step(gesso::Index count);

  /// What network number `lane` makes of the last photograph now, (3, Q, Q), 0 to 1; in evaluation, as it
  /// would be used.
  std::vector<float> picture(gesso::Index lane);

 private:
  struct Lane {
    std::string norm;
    std::unique_ptr<gesso::StyleNetwork> network;
    std::unique_ptr<gesso::Adam> adam;
  };

  gesso::Tensor next_batch();

  gesso::Generator rng_;
  gesso::Index steps_, batch_, crop_, step_ = 0;
  double learning_rate_;
  gesso::Tensor photographs_;  // to train on
  gesso::Tensor shown_;
  gesso::FilterBank filters_;
  std::unique_ptr<gesso::StyleTarget> style_;
  std::vector<Lane> lanes_;
};

}  // namespace lab
