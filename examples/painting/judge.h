// A judge of paintings that no training here listens to: deep layers of SqueezeNet, trained on ImageNet, that
// loss networks leave out.
#pragma once

#include <string>
#include <vector>

#include "squeezenet.h"

namespace gesso {

struct Judgement {
  /// How far the painting's features are from the style picture's, as a multiple of how far the style
  /// picture's own two halves are from each other: about 1 is as near as two parts of one painting. By Gram
  /// matrices and by the sliced Wasserstein distance (StyleTarget), means over fire7, fire8 and fire9.
  double gram, wasserstein;
  /// The cosine of the painting's features with the photograph's, place by place, less the mean of those with
  /// other photographs', in fire9: 0 if the subject could be any, 1 at most.
  double content;
};

class Judge {
 public:
  /// `weights`: a .pth or safetensors file with torchvision's squeezenet1_0. `others`: photographs to compare with,
  /// each (1, 3, H, W). Throws FileError for what cannot be read, ArgumentError without others.
  Judge(const std::string& weights, const std::vector<Tensor>& others);

  /// All are (1, 3, H, W) in [0, 1]; the photograph is scaled to the painting's size. Throws ArgumentError
  /// for other shapes and sides below 64 pixels.
  Judgement judge(const Tensor& painting, const Tensor& style, const Tensor& photograph) const;

 private:
  class Deep : public LossNetwork {
   public:
    explicit Deep(const std::string& weights);
    std::vector<Tap> taps(const Tensor& pictures) const override;
    std::vector<Tensor> content(const Tensor& pictures) const override;
    Index min_size() const override { return network_.min_size(); }

   private:
    SqueezeNet network_;
  };

  Deep network_;
  std::vector<Tensor> others_;
};

}  // namespace gesso
