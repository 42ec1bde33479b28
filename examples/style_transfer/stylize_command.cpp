// style-transfer stylize: what is asked for, and by which network.
#include <algorithm>
#include <cmath>
#include <iostream>

#include "commands.h"
#include "painting/model_file.h"
#include "painting/ready_made.h"
#include "painting/stylize.h"
#include "program/byte_count.h"
#include "program/did_you_mean.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

// "1 starry_night, 2 mosaic"
std::string list_of(const std::vector<std::string>& styles) {
  std::string list;
  for (std::size_t s = 0; s < styles.size(); ++s) {
    list += concat_text(s == 0 ? "" : ", ", s + 1, " ", style_name(styles[s]));
  }
  return list;
}

// The style that --style names, by name or by number from 1.
std::size_t find_style(const std::vector<std::string>& styles, const std::string& wanted) {
  for (std::size_t s = 0; s < styles.size(); ++s) {
    if (wanted == style_name(styles[s]) || wanted == std::to_string(s + 1)) {
      return s;
    }
  }
  std::vector<std::string> names;
  for (const std::string& style : styles) {
    names.push_back(style_name(style));
  }
  throw UsageError(concat_text("--style ", wanted, ": the network does not have it; it has ", list_of(styles),
                               did_you_mean(wanted, names)));
}

// How much of each style is asked for.
std::vector<double> weights_of(const std::vector<std::string>& styles, const std::string& wanted,
                               const std::vector<double>& mix) {
  if (!mix.empty()) {
    if (!wanted.empty()) {
      throw UsageError("--mix and --style say the same in two ways; give one of them");
    }
    if (mix.size() != styles.size()) {
      throw UsageError(concat_text("--mix has ", mix.size(), " weights for the ", styles.size(),
                                   " styles of the network: ", list_of(styles)));
    }
    for (const double weight : mix) {
      if (!std::isfinite(weight) || std::abs(weight) > 10) {
        throw UsageError(concat_text("--mix: the weight ", weight, " is not in -10 to 10"));
      }
    }
    return mix;
  }
  std::vector<double> weights(styles.size(), 0.0);
  weights[wanted.empty() ? 0 : find_style(styles, wanted)] = 1;
  return weights;
}

void check_strength(double strength) {
  if (!(strength >= 0 && strength <= 1.5)) {
    throw UsageError(concat_text("--strength is ", strength, "; it must be from 0 to 1.5"));
  }
}

// "0.5 of the strength of waves"
std::string with_strength(double strength, const std::string& words) {
  return strength == 1 ? words : concat_text(strength, " of the strength of ", words);
}

// Makes the network paint as asked, and says in words what that is.
std::string choose_style(StyleNetwork& network, const TrainSettings& settings,
                         const StylizeCommand& command) {
  const ChosenStyle chosen = chosen_style(settings, command);
  network.set_noise(0, {chosen.noise});  // the same for all frames of a film
  network.set_mix(chosen.rows);
  return chosen.words;
}

// Makes a network for any style paint as asked, and says in words what that is.
std::string choose_any_style(AnyStyleNetwork& network, const AnyStyleSettings& settings,
                             const StylizeCommand& command) {
  if (!command.style.empty() || !command.mix.empty()) {
    throw UsageError(
        "--style and --mix choose among a network's own styles; leave them out with --any-style");
  }
  check_strength(command.strength);
  if (command.strength > 1) {
    throw UsageError("--strength above 1 is for networks trained with --strength, not for --any-style");
  }
  network.set_style(load_style_picture(command.any_style.string(), settings.style_size));
  return with_strength(command.strength, style_name(command.any_style.string()));
}

// The models that come with gesso, one a line: its name and what it was trained on.
void list_models() {
  for (const std::string& name : ready_made_models()) {
    const TrainSettings settings = load_style_network(find_model(name).string()).settings;
    std::string line = name + std::string(name.size() < 12 ? 12 - name.size() : 1, ' ');
    for (const std::string& style : settings.styles) {
      line += style_name(style) + " ";
    }
    std::cout << line << "(" << settings.steps << " steps)\n";
  }
}

}  // namespace

ChosenStyle chosen_style(const TrainSettings& settings, const StylizeCommand& command) {
  const std::vector<std::string>& styles = settings.styles;
  const std::vector<double> weights = weights_of(styles, command.style, command.mix);
  check_strength(command.strength);
  if (command.strength > 1 && !settings.strength) {
    throw UsageError("--strength above 1: the network was not trained for it; train one with --strength");
  }
  // A single row is taken as it is; mixes are sums of rows.
  ChosenStyle chosen;
  chosen.rows.resize(static_cast<std::size_t>(settings.network.styles));
  double sum = 0;
  for (std::size_t s = 0; s < styles.size(); ++s) {
    chosen.rows[static_cast<std::size_t>(settings.row_of_style(static_cast<Index>(s)))] =
        (settings.strength ? command.strength : 1) * weights[s];
    sum += weights[s];
    if (weights[s] == 1) {
      chosen.words += concat_text(chosen.words.empty() ? "" : " + ", style_name(styles[s]));
    } else if (weights[s] != 0) {
      chosen.words += concat_text(chosen.words.empty() ? "" : " + ", weights[s], " ", style_name(styles[s]));
    }
  }
  if (settings.strength) {
    chosen.rows[0] = sum * (1 - command.strength);
  }
  chosen.noise = settings.strength ? std::min(1.0, command.strength) : 1;
  chosen.words = with_strength(command.strength, chosen.words);
  if (styles.size() > 1 && command.style.empty() && command.mix.empty()) {
    chosen.words = concat_text(chosen.words, ", one of ", list_of(styles), " (see --style, --mix)");
  }
  return chosen;
}

void StylizeCommand::run() {
  if (model == "list") {
    list_models();
    return;
  }
  if (size != 0 && (size < 8 || size > 16384)) {
    throw UsageError(
        concat_text("--size is ", size, "; it must be from 8 to 16384, or 0 for each picture's own size"));
  }
  if (!(paint.scale >= 0.25 && paint.scale <= 4)) {
    throw UsageError(concat_text("--scale is ", paint.scale, "; it must be from 0.25 to 4"));
  }
  if (raw.empty() && inputs.empty()) {
    throw UsageError("name pictures to repaint, or folders of them");
  }
  const bool film = raw.empty() && names_a_film();
  if (film) {
    check_film();
  } else if (raw.empty() && (smooth != 0 || !fps.empty())) {
    throw UsageError(concat_text(smooth != 0 ? "--smooth" : "--fps", " is for films, and no film is named"));
  }
  if ((film || !raw.empty()) && (!memory.empty() || thumbnail_statistics)) {
    throw UsageError(concat_text(memory.empty() ? "--thumbnail-statistics" : "--memory",
                                 " is for pictures; the frames of films do not go by strips"));
  }
  if (!memory.empty()) {
    byte_count(memory, "--memory");
  }
  if (!raw.empty() && !fps.empty()) {
    throw UsageError(
        "--fps is for films in files; bare frames have no rate: name it where the film is made of them");
  }
  if (!raw.empty() && (!inputs.empty() || !out.empty() || size != 0)) {
    throw UsageError(
        "--raw reads frames from standard input and writes to standard output: leave pictures, --out and "
        "--size off");
  }
  if (model.empty() && any_style.empty()) {
    throw UsageError(
        "--model is missing: name a model.safetensors, or one that comes with gesso (--model list shows them); or "
        "name a picture to paint like by --any-style");
  }
  const fs::path file = model.empty() ? any_style_model() : find_model(model);
  const auto repaint = [&](StyleNetwork& network, const std::string& painter, const std::string& name) {
    if (film) {
      repaint_film_file(network, painter, name);
    } else if (raw.empty()) {
      repaint_pictures(network, painter, name);
    } else {
      repaint_frames(network, painter);
    }
  };
  if (!any_style.empty()) {
    const LoadedAnyStyleNetwork loaded = load_any_style_network(file.string());
    const std::string painter = choose_any_style(*loaded.network, loaded.settings, *this);
    paint.opacity = opacity_for(strength, false);
    repaint(loaded.network->network(), painter, style_name(any_style.string()));
    return;
  }
  const LoadedStyleNetwork loaded = load_style_network(file.string());
  const std::string painter = choose_style(*loaded.network, loaded.settings, *this);
  paint.opacity = opacity_for(strength, loaded.settings.strength);
  repaint(*loaded.network, painter, model_name(file));
}

}  // namespace gesso
