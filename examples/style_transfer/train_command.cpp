#include <chrono>
#include <iostream>

#include "commands.h"
#include "gesso/training/progress.h"
#include "interrupt.h"
#include "model_file.h"
#include "ready_made.h"
#include "samples.h"
#include "training_run.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

// The files of a run's folder.
struct RunFolder {
  fs::path root;
  fs::path model() const { return root / "model.safetensors"; }
  fs::path checkpoint() const { return root / "checkpoint"; }
  fs::path samples() const { return root / "samples"; }
  std::string log() const { return (root / "log.jsonl").string(); }
  std::string report() const { return (root / "report.html").string(); }
};

void create_run_folder(const RunFolder& folder) {
  if (fs::exists(folder.root) && !fs::is_directory(folder.root)) {
    throw UsageError(concat_text("--out ", folder.root.string(), " is a file; name a folder"));
  }
  if (fs::exists(folder.log()) || has_checkpoint(folder.checkpoint())) {
    throw UsageError(concat_text("--out ", folder.root.string(),
                                 " already holds a run; go on with it by --resume ", folder.root.string(),
                                 ", or name another folder"));
  }
  std::error_code error;
  fs::create_directories(folder.root, error);
  if (error) {
    throw FileError(concat_text(folder.root.string(), ": the folder cannot be made: ", error.message()));
  }
}

double last_seconds(const std::vector<LogEntry>& log) { return log.empty() ? 0 : log.back().back().second; }

// Trains to the end or until Ctrl-C; returns whether it came to the end.
bool train(TrainingRun& run, const RunFolder& folder, std::int64_t sample_every) {
  const TrainSettings& settings = run.settings();
  LogWriter log(folder.log(), run.steps_done() > 0 ? run.steps_done() : -1);
  std::vector<LogEntry> entries = read_log(folder.log());
  const double seconds_before = last_seconds(entries);
  Samples samples(run);
  ProgressBar progress("Training", settings.steps, run.steps_done());
  const auto begin = std::chrono::steady_clock::now();

  const auto save = [&](bool finished) {
    samples.paint(run.network(), run.steps_done(), folder.samples());
    run.save(folder.checkpoint());
    const double fraction = static_cast<double>(run.steps_done()) / static_cast<double>(settings.steps);
    std::optional<ReportProgress> under_way;
    if (!finished) {
      under_way = ReportProgress{fraction, concat_text("step ", run.steps_done(), " of ", settings.steps)};
    }
    training_report(settings, entries, samples, under_way).write(folder.report());
  };

  while (run.steps_done() < settings.steps && !stop_requested()) {
    const double learning_rate = run.learning_rate();
    const Losses losses = run.step();
    for (const std::string& warning : run.photographs().take_warnings()) {
      progress.message("style-transfer: " + warning);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    entries.push_back(log_entry(run.steps_done(), losses, learning_rate, seconds_before + seconds));
    log.write(entries.back());
    char status[32];
    std::snprintf(status, sizeof status, "loss %.3f", losses.total.item());
    progress.update(run.steps_done(), status);
    if (run.steps_done() % sample_every == 0 && run.steps_done() < settings.steps) {
      save(false);
    }
  }
  const bool finished = run.steps_done() >= settings.steps;
  save(finished);
  return finished;
}

// So that --resume works from any folder.
void make_paths_absolute(TrainSettings& settings) {
  for (std::string& style : settings.styles) {
    style = fs::absolute(style).string();
  }
  settings.content = fs::absolute(settings.content).string();
  if (!settings.loss_network.weights.empty()) {
    settings.loss_network.weights = fs::absolute(settings.loss_network.weights).string();
  }
}

// The settings of a run that adds styles to a trained network.
TrainSettings settings_for_adding(const TrainSettings& asked, const TrainSettings& base,
                                  const std::vector<std::string>& added_styles) {
  TrainSettings settings = base;
  settings.content = asked.content;
  settings.seed = asked.seed;
  settings.steps = asked.steps > 0 ? asked.steps : std::max<std::int64_t>(1, base.steps / 10);
  settings.styles.insert(settings.styles.end(), added_styles.begin(), added_styles.end());
  settings.count_rows();
  settings.added_styles = static_cast<int>(added_styles.size());
  return settings;
}

std::string names_of(const std::vector<std::string>& styles) {
  std::string names;
  for (const std::string& style : styles) {
    names += (names.empty() ? "" : ", ") + style_name(style);
  }
  return names;
}

}  // namespace

void TrainCommand::run() {
  if (sample_every < 1) {
    throw UsageError(concat_text("--sample-every is ", sample_every, "; it must be at least 1"));
  }
  std::optional<Checkpoint> checkpoint;
  StateDict base;  // the network that styles are added to
  RunFolder folder{out};
  if (!resume.empty()) {
    folder.root = resume;
    if (!has_checkpoint(folder.checkpoint())) {
      throw UsageError(concat_text("--resume ", resume.string(), ": there is no checkpoint in it"));
    }
    checkpoint = load_checkpoint(folder.checkpoint());
    settings = TrainSettings::from_metadata(checkpoint->metadata);
  } else {
    if ((settings.styles.empty() && added_styles.empty()) || out.empty()) {
      throw UsageError("name a style picture by --style and a folder for the results by --out");
    }
    settings.count_rows();
    if (!added_styles.empty()) {
      const LoadedStyleNetwork loaded = load_style_network(find_model(model).string());
      settings = settings_for_adding(settings, loaded.settings, added_styles);
      base = loaded.network->state_dict();
    }
    try {
      settings.check();
    } catch (const ArgumentError& error) {
      throw UsageError(concat_text("--", error.what()));
    }
    make_paths_absolute(settings);
  }
  TrainingRun training(settings);
  if (checkpoint) {
    training.resume(*checkpoint);
    checkpoint.reset();
  } else {
    if (!base.empty()) {
      training.start_from(base);
    }
    create_run_folder(folder);
  }
  const std::vector<std::string> in_training(
      settings.added_styles > 0 ? settings.styles.end() - settings.added_styles : settings.styles.begin(),
      settings.styles.end());
  std::cerr << (settings.added_styles > 0 ? "Adding to a style network: " : "Training a style network on ")
            << names_of(in_training) << ", for " << settings.steps - training.steps_done() << " steps; watch "
            << folder.report() << "\n";
  stop_gently_on_interrupt();
  if (train(training, folder, sample_every)) {
    training.network().eval();
    save_style_network(folder.model().string(), training.network(), settings);
    std::cout << folder.model().string() << "\n";
  } else {
    interrupted = true;
    std::cerr << "Stopped after " << training.steps_done()
              << " steps. To go on: style-transfer train --resume " << folder.root.string() << "\n";
  }
}

}  // namespace gesso
