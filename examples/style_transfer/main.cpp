// style-transfer: trains a style network on one picture's style, and repaints pictures with it.
#include <algorithm>

#include "commands.h"
#include "gesso/core/error.h"
#include "painting/loss_network.h"
#include "painting/losses.h"
#include "painting/presets.h"
#include "painting/ready_made.h"
#include "painting/style_network.h"
#include "program/assets.h"
#include "program/command_line.h"
#include "program/ranks.h"
#include "program/resume.h"

namespace {

void add_train(const gesso::CommandLine& line, gesso::TrainCommand& command) {
  const gesso::Command train =
      line.subcommand("train", "Trains a network to repaint photographs in the style of one picture");
  gesso::TrainSettings& s = command.settings;
  const gesso::Option style = train
                                  .option("--style", &s.styles,
                                          "The style picture: a painting, a texture, a drawing (JPEG, PNG "
                                          "or BMP); several make one network of many styles")
                                  .value_name("FILE");
  const gesso::Option content =
      train.option("--content", &s.content, "Folder of photographs to practise on. Default: the bundled ones")
          .hide_default()
          .value_name("FOLDER");
  const gesso::Option out =
      train.option("--out", &command.out, "Folder for the model, samples, log and report; made if missing")
          .value_name("FOLDER");
  const gesso::Option resume =
      train
          .option("--resume", &command.resume,
                  "Goes on with the run in this folder, with its settings: where it was interrupted or, with "
                  "--steps, to more steps in all than it was begun with")
          .value_name("FOLDER");
  const gesso::Option from =
      train
          .option(
              "--from", &command.from,
              "Begins with this trained network, of gesso's or of PyTorch's fast_neural_style (.pth); its shape "
              "stays and, without --style, its styles")
          .value_name("MODEL");
  const gesso::Option added =
      train
          .option("--add-style", &command.added_styles,
                  "Style pictures to add to the trained network --model, in a tenth of its steps")
          .value_name("FILE")
          .excludes(style);
  const gesso::Option model = train.option("--model", &command.model, "The network that --add-style adds to")
                                  .value_name("MODEL")
                                  .needs(added);
  added.needs(model);
  std::vector<gesso::Option> settings = {style, content, out, from, added, model};
  const auto option = [&](const char* name, gesso::OptionValue value, const char* help) {
    settings.push_back(train.option(name, value, help));
    return settings.back();
  };
  train.option("--sample-every", &command.sample_every, "Steps between sample pictures");
  train.heading("Effort");
  option("--preset", &command.preset,
         "Sets those below that are not given, --style-size and --loss-network; see the end of this help")
      .choices(gesso::preset_names());
  const gesso::Option steps =
      option("--steps", &s.steps, "Training steps: 300 give a first picture, 2000 a good one");
  const gesso::Option width =
      option("--width", &s.network.width,
             "Channels of the first layer: 16 is quick, 32 the network of the literature");
  const gesso::Option blocks =
      option("--blocks", &s.network.blocks, "Residual blocks: 3 is quick, 5 the network of the literature");
  option("--crop", &s.crop, "Side of the training crops in pixels");
  option("--batch", &s.batch, "Photographs in each step");
  train.heading("Look");
  option("--style-size", &s.style_size,
         "Short side the style picture is scaled to: larger makes larger strokes");
  option("--style-weight", &s.weights.style, "More makes it more like the style");
  option("--content-weight", &s.weights.content, "More keeps more of the photograph");
  option("--tv-weight", &s.weights.tv, "More makes it smoother");
  option("--steadiness", &s.weights.steadiness,
         "More makes films flicker less: the network also paints a disturbed copy of half the photographs, "
         "and shall paint it alike");
  settings.push_back(
      train.flag("--strength", &s.strength, "Lets stylize --strength choose later how strong the style is"));
  option("--loss-network", &s.loss_network.name, "What compares pictures")
      .choices(gesso::known_loss_networks());
  option("--loss-weights", &s.loss_network.weights,
         "Its weights: a .pth or safetensors file with torchvision's names or, for distilled, a file of "
         "train-loss-network. Default: the one that comes with gesso")
      .value_name("FILE");
  option(
      "--content-layer", &s.loss_network.content_layer,
      "The layer that keeps the photograph: conv1, fire2 to fire6 or, of vgg, relu1_1 to relu5_4. Default: "
      "fire5, relu2_2 of vgg16, relu4_2 of vgg19")
      .value_name("LAYER");
  option("--style-loss", &s.style_loss,
         "What of the features is the style: gram, how strongly they occur together, or wasserstein, their "
         "whole distribution, which presses the palette harder")
      .choices(gesso::known_style_losses());
  const gesso::Option noise = option(
      "--noise", &s.network.noise,
      "Standard deviation of the noise that is added to photographs, where white is 1: strokes grow from "
      "it in flat places");
  train.heading("Experiments");
  const gesso::Option norm =
      option("--norm", &s.network.normalization, "Normalization").choices(gesso::known_normalizations());
  option("--lr", &s.learning_rate, "The highest learning rate");
  const gesso::Option seed =
      option("--seed", &s.seed, "Draws the first weights and the order of the crops").not_negative();
  train.footer("Presets, and how long they take on two cores:\n" + gesso::describe_presets() +
               "\nExample:\n  style-transfer train --style examples/assets/styles/starry_night.jpg \\\n"
               "    --out runs/starry --preset quick\n" +
               gesso::ranks_help("style-transfer train"));
  const std::vector<gesso::Option> shape = {width, blocks, noise, norm};
  const std::vector<gesso::Option> allowed_when_adding = {added, model, content, out, steps, seed};
  train.when_given([&command, resume, settings, added, steps, from, shape, allowed_when_adding] {
    std::vector<gesso::Option> not_with_resume = settings;
    std::erase(not_with_resume, steps);
    gesso::refuse_with_resume(resume, not_with_resume);
    for (const gesso::Option& given : shape) {
      if (from.given() && given.given()) {
        throw gesso::UsageError(given.name() +
                                " cannot be changed by --from, which keeps the network's shape");
      }
    }
    for (const gesso::Option& given : settings) {
      const auto& allowed = allowed_when_adding;
      if (added.given() && given.given() &&
          std::find(allowed.begin(), allowed.end(), given) == allowed.end()) {
        throw gesso::UsageError(given.name() +
                                " cannot be changed by --add-style, which keeps the network's own settings");
      }
    }
    // What was given counts more than the preset, wherever it stands.
    gesso::apply_preset(command.preset, command.settings);
    for (const gesso::Option& given : settings) {
      if (given.given()) {
        given.set_again();
      }
    }
    command.resume_steps = resume.given() && steps.given() ? command.settings.steps : 0;
    if (added.given() && !steps.given()) {
      command.settings.steps = 0;  // a tenth of the network's
    }
    command.run();
  });
}

void add_train_any(const gesso::CommandLine& line, gesso::TrainAnyCommand& command) {
  const gesso::Command train = line.subcommand(
      "train-any",
      "Trains one network that paints in the style of any picture it is shown: see stylize --any-style");
  gesso::AnyStyleSettings& s = command.settings;
  std::vector<gesso::Option> settings = {
      train
          .option("--styles", &s.styles,
                  "Folder of style pictures to practise on: the more, and the more varied, the better")
          .value_name("FOLDER"),
      train.option("--content", &s.content, "Folder of photographs to practise on. Default: the bundled ones")
          .hide_default()
          .value_name("FOLDER"),
      train.option("--out", &command.out, "Folder for the model, samples, log and report; made if missing")
          .value_name("FOLDER")};
  const gesso::Option resume =
      train
          .option("--resume", &command.resume,
                  "Goes on with the interrupted run in this folder, with its settings")
          .value_name("FOLDER");
  const auto option = [&](const char* name, gesso::OptionValue value, const char* help) {
    settings.push_back(train.option(name, value, help));
    return settings.back();
  };
  train.option("--sample-every", &command.sample_every, "Steps between sample pictures");
  train.heading("Effort");
  option("--steps", &s.steps, "Training steps");
  option("--width", &s.network.width, "Channels of the first layer");
  option("--blocks", &s.network.blocks, "Residual blocks");
  option("--crop", &s.crop, "Side of the photographs' crops in pixels");
  option("--batch", &s.batch, "Photographs in each step, each in a style of its own");
  train.heading("Look");
  option("--style-size", &s.style_size, "Side of the style pictures' crops: larger makes larger strokes");
  option("--style-weight", &s.weights.style, "More makes it more like the style");
  option("--content-weight", &s.weights.content, "More keeps more of the photograph");
  option("--tv-weight", &s.weights.tv, "More makes it smoother");
  option("--loss-network", &s.loss_network.name, "What compares pictures")
      .choices(gesso::known_loss_networks());
  option("--loss-weights", &s.loss_network.weights, "Its weights: as for train").value_name("FILE");
  train.heading("Experiments");
  option("--lr", &s.learning_rate, "The highest learning rate");
  option("--seed", &s.seed, "Draws the first weights and the order of the crops").not_negative();
  train.footer(
      "What to expect: the palette, the contrast and a hand of strokes that changes with the picture; a network of "
      "train is\ncloser to its one style (docs/any_style.md). One such network comes with gesso.\n"
      "Examples:\n"
      "  style-transfer stylize --any-style painting.jpg photo.jpg\n"
      "  style-transfer train-any --styles paintings --out runs/any\n"
      "  style-transfer stylize --model runs/any/model.safetensors --any-style painting.jpg photo.jpg\n" +
      gesso::ranks_help("style-transfer train-any"));
  train.when_given([&command, resume, settings] {
    gesso::refuse_with_resume(resume, settings);
    command.run();
  });
}

void add_export(const gesso::CommandLine& line, gesso::ExportCommand& command) {
  const gesso::Command exported =
      line.subcommand("export", "Writes a trained network for PyTorch or as ONNX");
  exported.option("--model", &command.model, "The trained model: a file, or one that comes with gesso")
      .value_name("MODEL")
      .required();
  exported
      .option("--torch", &command.torch,
              "The file of a state dict (safetensors); the Python that runs it is printed")
      .value_name("FILE");
  exported.option("--onnx", &command.onnx, "The file of a network that ONNX Runtime, browsers and others run")
      .value_name("FILE");
  exported
      .option("--style", &command.choice.style, "Of a network with several styles: a name or a number from 1")
      .value_name("NAME");
  exported.option("--mix", &command.choice.mix, "Or a weight for each style, as in 0.5,0.5").separator(',');
  exported.option("--strength", &command.choice.strength,
                  "Of a network trained with --strength: from 0 to 1.5");
  exported.footer(
      "Examples:\n"
      "  style-transfer export --model starry --torch starry-torch.safetensors > starry.py\n"
      "  style-transfer export --model starry --onnx starry.onnx");
  exported.when_given([&command] { command.run(); });
}

void add_sweep(const gesso::CommandLine& line, gesso::SweepCommand& command) {
  const gesso::Command sweep = line.subcommand(
      "sweep", "Shows what weights and sizes do to a style: one photograph painted with nine choices");
  sweep.option("--style", &command.settings.styles, "The style picture").required().value_name("FILE");
  sweep.option("--out", &command.out, "Folder for sweep.jpg and report.html; made if missing")
      .required()
      .value_name("FOLDER");
  sweep.option("--picture", &command.picture, "The photograph to paint. Default: a bundled one")
      .hide_default()
      .value_name("FILE");
  sweep
      .option("--content", &command.settings.content,
              "Folder of photographs to practise on. Default: the bundled ones")
      .hide_default()
      .value_name("FOLDER");
  sweep.option("--style-weights", &command.style_weights, "A row for each, as in 1,4,16").separator(',');
  sweep.option("--style-sizes", &command.style_sizes, "A column for each, as in 192,256,384").separator(',');
  sweep.option("--steps", &command.steps, "Training steps for each picture");
  sweep.footer(
      "Example:\n  style-transfer sweep --style examples/assets/styles/starry_night.jpg --out runs/sweep");
  sweep.when_given([&command] { command.run(); });
}

void add_stylize(const gesso::CommandLine& line, gesso::StylizeCommand& command) {
  const gesso::Command stylize = line.subcommand("stylize", "Repaints pictures with a trained network");
  std::string ready_made;
  for (const std::string& name : gesso::ready_made_models()) {
    ready_made += (ready_made.empty() ? ", or one that comes with gesso: " : ", ") + name;
  }
  stylize
      .option(
          "--model", &command.model,
          "The model.safetensors that train wrote" + ready_made +
              "; list shows them. Default with --any-style: the network for any style that comes with gesso")
      .value_name("MODEL");
  stylize.option("pictures", &command.inputs, "Pictures to repaint, or folders of them; or a film");
  stylize.option(
      "--out", &command.out,
      "The file to write (for one picture: .jpg, .png or .webp; for a film: .mp4, .m4v, .mov, .mkv or "
      ".webm), or a folder. Default: PICTURE-MODEL.jpg in the "
      "current folder, no file being overwritten");
  stylize.option("--size", &command.size, "Scales pictures to this short side first; 0 keeps their size");
  stylize.option("--scale", &command.paint.scale,
                 "Stroke size: paints at so many times the size and scales back; 0.5 makes strokes twice as "
                 "large, 2 half as large; 0.25 to 4");
  stylize.option("--style", &command.style, "Of a network of many styles: which, by name or number from 1")
      .value_name("NAME");
  stylize.option("--mix", &command.mix, "Of a network of many styles: a weight for each, as in 0.3,0.7,0")
      .separator(',');
  stylize
      .option("--any-style", &command.any_style,
              "The picture to paint like, whichever it is: with the network of train-any that comes with "
              "gesso, or another")
      .value_name("FILE");
  stylize.option(
      "--strength", &command.strength,
      "0 leaves the photograph, 1 is the style, between is both; up to 1.5 for networks trained with "
      "--strength, which paint weak styles instead of mixing pictures");
  stylize.flag("--keep-colors", &command.paint.keep_colors,
               "Keeps the photograph's colours: only brightness is painted");
  stylize.heading("Large pictures");
  stylize
      .option(
          "--memory", &command.memory,
          "What may be used of the memory, as in 800M or 1.5G. A picture that takes more goes by strips of rows, with "
          "the same result; what they leave for later is on the disk, beside the painting, until it is done. "
          "Default: what there is, less a tenth")
      .value_name("AMOUNT");
  stylize.flag(
      "--thumbnail-statistics", &command.thumbnail_statistics,
      "By strips in one pass, without the disk, and not quite the same: instance norm uses the statistics of "
      "a small copy");
  stylize.heading("Films");
  stylize.option(
      "--smooth", &command.smooth,
      "Against flicker: the share of earlier frames in what instance norm normalizes with, 0.9 say");
  stylize
      .option(
          "--fps", &command.fps,
          "Frames a second of the painted film, as in 25 or 30000/1001; it stays as long as it is. Default: "
          "the film's own")
      .value_name("RATE");
  stylize
      .option(
          "--raw", &command.raw,
          "Instead of files: frames of this size, as in 640x360, from standard input to standard output, 3 "
          "bytes a pixel (rgb24)")
      .value_name("WxH");
  stylize.footer(
      "Examples:\n"
      "  style-transfer stylize --model starry photo.jpg --out painted.png\n"
      "  style-transfer stylize --model starry --smooth 0.9 in.mp4 --out painted.mp4\n"
      "\n"
      "Films in files need ffmpeg. What --raw does, with the film's own rate and sound:\n"
      "  rate=$(ffprobe -v error -select_streams v:0 -show_entries stream=avg_frame_rate \\\n"
      "    -of default=nw=1:nk=1 in.mp4)\n"
      "  ffmpeg -i in.mp4 -vf fps=$rate,scale=640:360 -pix_fmt rgb24 -f rawvideo - |\n"
      "    style-transfer stylize --model starry --raw 640x360 |\n"
      "    ffmpeg -f rawvideo -pix_fmt rgb24 -s 640x360 -r $rate -i - -i in.mp4 \\\n"
      "      -map 0:v -map '1:a?' -c:a copy -pix_fmt yuv420p painted.mp4");
  stylize.when_given([&command] { command.run(); });
}

}  // namespace

int main(int argc, char** argv) {
  gesso::TrainCommand train;
  train.settings.content = gesso::asset("photos");
  gesso::apply_preset(train.preset, train.settings);  // so that --help shows its numbers
  gesso::TrainAnyCommand train_any;
  train_any.settings.content = train.settings.content;
  gesso::SweepCommand sweep;
  gesso::apply_preset("quick", sweep.settings);
  sweep.settings.content = train.settings.content;
  sweep.picture = gesso::asset("photos/cat.jpg");
  sweep.style_weights = {sweep.settings.weights.style / 4, sweep.settings.weights.style,
                         4 * sweep.settings.weights.style};
  sweep.style_sizes = {sweep.settings.style_size * 2 / 3, sweep.settings.style_size,
                       sweep.settings.style_size * 3 / 2};
  gesso::StylizeCommand stylize;
  gesso::ExportCommand exported;
  gesso::CommandLine line(
      "style-transfer",
      "Repaints photographs in the style of a picture, with a network that you train yourself.");
  line.add_threads_option();
  line.footer(
      "Examples:\n"
      "  style-transfer stylize --model starry photo.jpg\n"
      "  style-transfer train --style painting.jpg --out runs/painting");
  add_train(line, train);
  add_train_any(line, train_any);
  add_sweep(line, sweep);
  add_stylize(line, stylize);
  add_export(line, exported);
  return line.run(argc, argv, [&] {
    return !train.interrupted && !train_any.interrupted && !sweep.interrupted && !stylize.interrupted;
  });
}
