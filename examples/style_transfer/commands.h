// The commands of style-transfer. Each checks everything that it was given before it does or writes
// anything.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "painting/any_style_training.h"
#include "painting/settings.h"
#include "painting/stylize.h"
#include "program/usage_error.h"

namespace gesso {

/// Trains a style network. The folder `out` gets model.safetensors, checkpoint/, log.jsonl, samples/ and
/// report.html.
struct TrainCommand {
  TrainSettings settings;
  std::string preset = "standard";  ///< see presets.h; the command line overrides it
  std::filesystem::path out;
  std::filesystem::path resume;  ///< a run to go on with; everything else is then taken from it, but
  Index resume_steps = 0;  ///< to how many steps in all it is trained then; 0: as many as it was begun with
  /// A network to begin with instead of at random: its file, PyTorch's too, or the name of one that comes with gesso.
  /// The shape of the network is then its own; without styles, these too.
  std::string from;
  /// Style pictures to add to the trained network `model`; the settings then give only content, steps (0: a
  /// tenth of what the network was trained for) and seed; the others are the network's.
  std::vector<std::string> added_styles;
  std::string model;
  Index sample_every = 50;
  bool interrupted = false;  ///< set when Ctrl-C ended it; the run can be resumed

  /// Throws UsageError for impossible settings, other Errors for what fails on the way.
  void run();
};

/// Trains a network for every style. The folder `out` gets what TrainCommand writes.
struct TrainAnyCommand {
  AnyStyleSettings settings;
  std::filesystem::path out;
  std::filesystem::path resume;  ///< a run to go on with; everything else is then taken from it
  Index sample_every = 50;
  bool interrupted = false;  ///< set when Ctrl-C ended it; the run can be resumed

  /// Throws as TrainCommand::run() does.
  void run();
};

/// Paints one photograph with a grid of style weights and sizes, after short trainings: which to choose is
/// the first question to every style. The folder `out` gets sweep.jpg and report.html.
struct SweepCommand {
  TrainSettings settings;  ///< the rest of them
  std::filesystem::path out, picture;
  std::vector<double> style_weights;  ///< a row for each
  std::vector<Index> style_sizes;     ///< a column for each
  Index steps = 60;                   ///< for each picture, after three times as many for all together
  bool interrupted = false;           ///< set when Ctrl-C ended it

  /// Throws as TrainCommand::run() does.
  void run();
};

/// Applies a trained network to pictures, to a film, or to the frames of one.
struct StylizeCommand {
  std::string model;  ///< a file, or the name of a model that comes with gesso: see find_model()
  std::vector<std::filesystem::path> inputs;
  /// A file for one picture, else a folder. Empty: PICTURE-MODEL.jpg, say, in the current folder, with a
  /// number if there is such a file already.
  std::filesystem::path out;
  Index size = 0;           ///< short side to scale to first; 0 keeps the size
  std::string style;        ///< of a network with several: a name or a number from 1; empty: the first
  std::vector<double> mix;  ///< or a weight for each style
  /// With a network of train-any: the picture whose style it is to paint in.
  std::filesystem::path any_style;
  double strength = 1;  ///< 0: the photograph, 1: the style; up to 1.5 for a network trained for it
  PaintOptions paint;   ///< scale (0.25 to 4) and keep_colors; the opacity follows from the strength
  std::string memory;   ///< bytes that may be used, "1.5G"; empty: what there is, less a margin
  bool thumbnail_statistics = false;  ///< by strips, with the statistics of a small copy
  std::string raw;    ///< "640x360": instead of pictures, frames from standard input to standard output
  double smooth = 0;  ///< of a film: the share of earlier frames in the statistics
  std::string fps;    ///< of a film in a file: frames a second, "30000/1001" too; empty: as many as it has
  bool interrupted = false;  ///< set when Ctrl-C ended a film, of which nothing is left then

  void run();

 private:
  bool names_a_film() const;
  void check_film() const;
  // `painter` in words; `painter_name` is part of the names of files.
  void repaint_pictures(StyleNetwork& network, const std::string& painter, const std::string& painter_name);
  void repaint_film_file(StyleNetwork& network, const std::string& painter, const std::string& painter_name);
  void repaint_frames(StyleNetwork& network, const std::string& painter);
};

/// What --style, --mix and --strength mean for a network of chosen styles.
struct ChosenStyle {
  std::vector<double> rows;  ///< the weight of each row of gamma and beta
  double noise = 1;          ///< how much of the noise is added that it was trained with
  std::string words;         ///< "0.5 waves + 0.5 glass"
};

/// Throws UsageError for a choice that the network does not have.
ChosenStyle chosen_style(const TrainSettings& settings, const StylizeCommand& command);

/// Writes a trained network as a state dict for PyTorch, and prints the Python that runs it; or as ONNX.
struct ExportCommand {
  std::string model;            ///< a file, or the name of a model that comes with gesso
  std::filesystem::path torch;  ///< the file of the state dict (safetensors), or
  std::filesystem::path onnx;   ///< the file for ONNX
  StylizeCommand choice;        ///< its style, mix and strength

  /// Throws UsageError for a network or choice that cannot be written so, other Errors for what fails on the way.
  void run();
};

}  // namespace gesso
