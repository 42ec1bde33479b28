// The training of a network for every style.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "any_style_network.h"
#include "gesso/training/optim/adam.h"
#include "gesso/training/picture_folder.h"
#include "gesso/training/training_loop.h"
#include "loss_network.h"
#include "losses.h"

namespace gesso {

/// The settings of such a training.
struct AnyStyleSettings {
  std::string styles;   ///< folder of style pictures
  std::string content;  ///< folder of photographs
  AnyStyleOptions network;
  Index steps = 2000;
  Index batch = 4;         ///< photographs a step, each in a style of its own
  Index crop = 192;        ///< side of the crops of photographs, pixels
  Index style_size = 256;  ///< side of the crops of style pictures
  double learning_rate = 1e-3;
  LossWeights weights{};
  LossNetworkOptions loss_network{};
  std::uint64_t seed = 1;

  /// Throws ArgumentError naming the setting that is out of range.
  void check() const;
  /// Every setting as text, and back; from_metadata() throws ArgumentError naming what is missing or
  /// unreadable.
  std::map<std::string, std::string> to_metadata() const;
  static AnyStyleSettings from_metadata(const std::map<std::string, std::string>& metadata);
};

/// Each step paints a batch of photographs, each in the style of a different picture, except every eighth,
/// which is to stay as it is. Half of the style pictures have their colours exchanged at random (red for
/// blue, say), so that more palettes are seen than there are pictures.
class AnyStyleTraining {
 public:
  /// Opens both folders. Throws ArgumentError for impossible settings and FileError for folders without
  /// pictures.
  explicit AnyStyleTraining(const AnyStyleSettings& settings, ProcessGroup& ranks = single_process());

  /// For a new run, not a resumed one: gives the network its encoder, and shows it what style pictures are
  /// like, 64 of them at most.
  void begin();

  struct StylePicture {
    std::string name;
    Tensor picture;  ///< as load_style_picture() returns it
  };
  /// Up to `count` of the style pictures, evenly spread. Those that cannot be read are left out; throws
  /// FileError if none can.
  std::vector<StylePicture> some_styles(std::size_t count) const;

  /// Its steps. It resumes checkpoints of the command "train-any".
  Training& training() { return training_; }
  const AnyStyleSettings& settings() const { return settings_; }
  AnyStyleNetwork& network() { return network_; }
  const PictureFolder& photographs() const { return photographs_; }
  const PictureFolder& styles() const { return styles_; }

 private:
  BatchLoss next_loss();
  // One by one: together they may be larger than the memory.
  void show_styles(std::size_t count, const std::function<void(StylePicture)>& show) const;

  AnyStyleSettings settings_;
  Generator rng_;
  AnyStyleNetwork network_;
  std::unique_ptr<LossNetwork> loss_network_;
  PictureFolder photographs_, styles_;
  Adam optimizer_;
  Training training_;
};

/// A style picture at the size at which a network trained with crops of `style_size` saw it: the crops were
/// cut from pictures of about this size.
Tensor load_style_picture(const std::string& file, Index style_size);

}  // namespace gesso
