#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <set>

#include "commands.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/core/system_limits.h"
#include "gesso/training/picture_folder.h"
#include "gesso/training/report/progress.h"
#include "painting/film.h"
#include "painting/memory_need.h"
#include "painting/model_file.h"
#include "painting/ready_made.h"
#include "painting/stylize.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

// The pictures that the arguments name: files as they are, folders by the pictures in them.
std::vector<fs::path> expand(const std::vector<fs::path>& inputs) {
  std::vector<fs::path> pictures;
  for (const fs::path& input : inputs) {
    if (!fs::is_directory(input)) {
      pictures.push_back(input);
      continue;
    }
    const std::vector<std::string> found = pictures_in(input, {.folders_inside = false});
    pictures.insert(pictures.end(), found.begin(), found.end());
  }
  return pictures;
}

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
  throw UsageError(
      concat_text("--style ", wanted, ": the network does not have it; it has ", list_of(styles)));
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

// How strongly a painting covers its photograph. A network that has learned to leave photographs as they are
// paints weak styles itself, but not a photograph exactly: below half the strength its painting fades out.
// Any other's is mixed with the photograph.
double opacity(double strength, bool learned) { return std::min(1.0, learned ? 2 * strength : strength); }

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

std::string ending_of(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending;
}

bool keeps_transparency(const fs::path& path) {
  return ending_of(path) == ".png" || ending_of(path) == ".webp";
}

// Whether a name is meant for a picture, be it one that cannot be written: then that is said, and no folder is made of
// that name.
bool names_a_picture(const fs::path& path) {
  const std::set<std::string> others = {".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"};
  return has_writable_ending(path) || others.contains(ending_of(path));
}

struct Task {
  fs::path from, to;
};

// Where each picture goes. A folder if several pictures come or the name has no picture's ending; without
// any, PICTURE-MODEL.jpg in the current folder, never over a file that is there.
std::vector<Task> plan(const std::vector<fs::path>& pictures, const fs::path& out,
                       const std::string& model_name) {
  const bool one_file = pictures.size() == 1 && !fs::is_directory(out) && names_a_picture(out);
  if (one_file && !has_writable_ending(out)) {  // before it is painted
    throw UsageError(
        concat_text("--out ", out.string(),
                    " must end in .png, .jpg, .jpeg or .webp: PNG, JPEG and WebP are what gesso writes"));
  }
  if (one_file) {
    return {{pictures.front(), out}};
  }
  if (fs::exists(out) && !fs::is_directory(out)) {
    throw UsageError(
        concat_text("--out ", out.string(), " is a file; ", pictures.size(), " pictures need a folder"));
  }
  std::vector<Task> tasks;
  std::set<fs::path> taken;
  for (const fs::path& picture : pictures) {
    fs::path name = picture.filename();
    if (!has_writable_ending(name)) {
      name.replace_extension(".png");
    }
    if (out.empty()) {
      name = name.stem().string() + "-" + model_name + name.extension().string();
    }
    // Pictures of one name from two folders: the later ones get a number.
    const fs::path wanted = name;
    for (int i = 2; !taken.insert(name).second || (out.empty() && fs::exists(name)); ++i) {
      name = wanted.stem().string() + "-" + std::to_string(i) + wanted.extension().string();
    }
    tasks.push_back({picture, out / name});
  }
  return tasks;
}

// How many times as large as the file a picture is that is scaled to the short side `size` (0: as it is).
double factor_of(Size2d loaded, Index size) {
  const Index shorter = std::min(loaded.height, loaded.width);
  return size == 0 || shorter == 0 ? 1 : static_cast<double>(size) / static_cast<double>(shorter);
}

double pixels(Size2d size) { return static_cast<double>(size.height) * static_cast<double>(size.width); }

// Bytes of memory to repaint a picture of this size, scaled by `factor` and painted at so many times that.
double memory_to_repaint(Size2d loaded, double factor, double scale, double per_pixel) {
  const double enlarged = factor * factor * std::max(1.0, scale * scale);
  return memory_for_painting(pixels(loaded), enlarged * pixels(loaded), per_pixel);
}

// Throws unless there is memory to repaint a picture of this size, naming the size for which there is.
void require_memory(Size2d loaded, double factor, double scale, double per_pixel, const std::string& name) {
  const double need = memory_to_repaint(loaded, factor, scale, per_pixel);
  const auto available = static_cast<double>(available_memory());
  if (need <= available) {
    return;
  }
  const double for_loading = memory_for_painting(pixels(loaded), 0, per_pixel);
  const double fits =
      std::max(0.0, available - for_loading) / memory_for_painting(0, 1, per_pixel);  // pixels
  const auto side = static_cast<Index>(0.97 * static_cast<double>(std::min(loaded.height, loaded.width)) *
                                       std::sqrt(fits / pixels(loaded) / std::max(1.0, scale * scale)));
  throw FileError(concat_text(name, ": ", loaded.width, " x ", loaded.height, " pixels",
                              factor == 1 ? "" : concat_text(", scaled ", factor, " times,"), " take ",
                              gigabytes(need), " of memory to repaint, and there are ", gigabytes(available),
                              side >= 8 ? concat_text("; --size ", side, " fits")
                                        : "; make the picture smaller with another program"));
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
  if (raw.empty() && smooth != 0) {
    throw UsageError("--smooth is for films: see --raw");
  }
  if (!raw.empty() && (!inputs.empty() || !out.empty() || size != 0)) {
    throw UsageError(
        "--raw reads frames from standard input and writes to standard output: leave pictures, --out and "
        "--size off");
  }
  const fs::path file = find_model(model);
  const auto repaint = [&](StyleNetwork& network, const std::string& painter, const std::string& name) {
    if (raw.empty()) {
      repaint_pictures(network, painter, name);
    } else {
      repaint_frames(network, painter);
    }
  };
  if (!any_style.empty()) {
    const LoadedAnyStyleNetwork loaded = load_any_style_network(file.string());
    const std::string painter = choose_any_style(*loaded.network, loaded.settings, *this);
    paint.opacity = opacity(strength, false);
    repaint(loaded.network->network(), painter, style_name(any_style.string()));
    return;
  }
  const LoadedStyleNetwork loaded = load_style_network(file.string());
  const std::string painter = choose_style(*loaded.network, loaded.settings, *this);
  paint.opacity = opacity(strength, loaded.settings.strength);
  repaint(*loaded.network, painter, model_name(file));
}

void StylizeCommand::repaint_frames(StyleNetwork& network, const std::string& painter) {
  const auto frame = parse_frame_size(raw);
  if (!frame) {
    throw UsageError(concat_text("--raw ", raw, ": give width and height in pixels, as in 640x360"));
  }
  if (!(smooth >= 0 && smooth < 1)) {
    throw UsageError(concat_text("--smooth is ", smooth, "; it must be 0 or more and below 1"));
  }
  if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO)) {
    throw UsageError(
        "--raw needs frames on standard input and something that takes them from standard output; see the "
        "example in --help");
  }
  require_memory({frame->height, frame->width}, 1, paint.scale, bytes_per_pixel(network), "--raw " + raw);
  const FilmOptions options{.width = frame->width, .height = frame->height, .smooth = smooth, .paint = paint};
  std::cerr << "Repainting frames of " << options.width << " x " << options.height << " in the style of "
            << painter << "\n";
  ProgressBar progress("Repainting frames", 0);
  const FlickerScore score =
      repaint_film(network, options, stdin, stdout, [&](Index frames) { progress.update(frames); });
  progress.finish();
  std::cerr << score.frames << " frames";
  if (score.frames > 1) {
    std::cerr << "; from one to the next they change by " << 100 * score.change
              << " % of white, the painted ones by " << 100 * score.painted_change << " %";
  }
  if (score.still > 0) {
    std::cerr << " (" << 100 * score.still_change << " % and " << 100 * score.still_painted_change
              << " % where the film stands still)";
  }
  std::cerr << "\n";
}

void StylizeCommand::repaint_pictures(StyleNetwork& network, const std::string& painter,
                                      const std::string& model_name) {
  const std::vector<Task> tasks = plan(expand(inputs), out, model_name);
  for (const Task& task : tasks) {
    if (fs::exists(task.to) && fs::equivalent(task.from, task.to)) {
      throw UsageError(concat_text("--out would overwrite the picture ", task.from.string(),
                                   " itself; name another place"));
    }
  }
  const double per_pixel = bytes_per_pixel(network);
  double most = 0;
  for (const Task& task : tasks) {
    try {
      const Size2d loaded = read_picture_size(task.from.string());
      most = std::max(most, memory_to_repaint(loaded, factor_of(loaded, size), paint.scale, per_pixel));
    } catch (const Error&) {
      // Said when its turn comes.
    }
  }
  std::cerr << "Repainting " << tasks.size() << (tasks.size() == 1 ? " picture" : " pictures")
            << " in the style of " << painter << ", in up to " << gigabytes(most) << " of memory\n";
  ProgressBar progress("Repainting", static_cast<Index>(tasks.size()));
  Index done = 0;
  int failed = 0;
  for (const Task& task : tasks) {
    try {
      const Size2d loaded = read_picture_size(task.from.string());
      require_memory(loaded, factor_of(loaded, size), paint.scale, per_pixel, task.from.string());
      Tensor picture = load_picture(task.from.string());
      if (size != 0) {
        picture = resize_short_side(picture, size);
      }
      Tensor painted = stylize(network, picture, paint);
      if (keeps_transparency(task.to)) {
        if (Tensor alpha = load_transparency(task.from.string()); alpha.defined()) {
          painted = concat({painted, resize_picture(alpha, painted.size(2), painted.size(3))}, 1);
        }
      }
      fs::create_directories(fs::absolute(task.to).parent_path());
      save_picture(task.to.string(), painted);
    } catch (const Error& error) {
      // One bad picture does not cost the others.
      progress.message(concat_text("style-transfer: ", error.what()));
      ++failed;
    }
    progress.update(++done);
  }
  progress.finish();
  if (failed > 0) {
    throw Error(concat_text(failed, " of ", tasks.size(),
                            " pictures could not be repainted; the reasons stand above"));
  }
  if (tasks.size() > 1 && !out.empty()) {
    std::cout << out.string() << "\n";
    return;
  }
  for (const Task& task : tasks) {
    std::cout << task.to.string() << "\n";
  }
}

}  // namespace gesso
