#include <iostream>

#include "commands.h"
#include "painting/memory_need.h"
#include "painting/model_file.h"
#include "painting/ready_made.h"
#include "painting/training_run.h"
#include "program/interrupt.h"
#include "program/ranks.h"
#include "program/resume.h"
#include "samples.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

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
  settings.steps = asked.steps > 0 ? asked.steps : std::max<Index>(1, base.steps / 10);
  settings.styles.insert(settings.styles.end(), added_styles.begin(), added_styles.end());
  settings.count_rows();
  settings.added_styles = static_cast<int>(added_styles.size());
  return settings;
}

// The settings of a run that begins with the weights of a trained network.
TrainSettings settings_from(const TrainSettings& asked, const TrainSettings& base, const std::string& from) {
  TrainSettings settings = asked;
  settings.network = base.network;
  if (settings.styles.empty()) {
    settings.styles = base.styles;
    settings.strength = base.strength;
  }
  settings.count_rows();
  if (settings.network.styles != base.network.styles) {
    throw UsageError(
        concat_text("--from ", from, ": it has rows for ", base.network.styles, " style",
                    base.network.styles == 1 ? "" : "s", ", and ", settings.network.styles,
                    " are asked for; name as many by --style (with --strength one less), or add some by "
                    "--add-style"));
  }
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
  StateDict base;  // the network that styles are added to, or that is trained further
  ProcessGroup& ranks = program_ranks();
  RunFolder folder(out, ranks);
  if (!resume.empty()) {
    folder.root = resume;
    checkpoint = with_usage_errors("--resume ", [&] { return folder.checkpoint_to_resume("train"); });
    settings = TrainSettings::from_metadata(checkpoint->metadata);
    if (resume_steps != 0 && resume_steps <= checkpoint->step) {
      throw UsageError(concat_text("--steps ", resume_steps, ": the run has been trained for ",
                                   checkpoint->step, " steps; name how many there shall be in all"));
    }
    settings.steps = resume_steps != 0 ? resume_steps : settings.steps;
  } else {
    if ((settings.styles.empty() && added_styles.empty() && from.empty()) || out.empty()) {
      throw UsageError("name a style picture by --style and a folder for the results by --out");
    }
    settings.count_rows();
    if (!added_styles.empty()) {
      const LoadedStyleNetwork loaded = load_style_network(find_model(model).string());
      settings = settings_for_adding(settings, loaded.settings, added_styles);
      base = loaded.network->state_dict();
    } else if (!from.empty()) {
      const LoadedStyleNetwork loaded =
          load_style_network(find_model(from, ready_made_folder(), "--from").string());
      settings = settings_from(settings, loaded.settings, from);
      base = loaded.network->state_dict();
    }
    with_usage_errors("--", [&] { settings.check(); });
    with_usage_errors("--out ", [&] { folder.check_new(); });
    make_paths_absolute(settings);
  }
  const std::vector<std::string> photographs = pictures_in(settings.content);
  const MemoryNeed memory = memory_for_training(settings, photographs);
  require_memory_for_training(
      {.batch = settings.batch, .crop = settings.crop, .style_size = settings.style_size}, memory);
  TrainingRun run(settings, photographs, ranks);
  Training& training = run.training();
  if (checkpoint) {
    training.resume(*checkpoint);
    checkpoint.reset();
  } else {
    if (!base.empty()) {
      run.start_from(base);
    }
    with_usage_errors("--out ", [&] { folder.create(); });
  }
  const std::vector<std::string> in_training(
      settings.added_styles > 0 ? settings.styles.end() - settings.added_styles : settings.styles.begin(),
      settings.styles.end());
  std::cerr << (settings.added_styles > 0 ? "Adding to a style network: " : "Training a style network on ")
            << names_of(in_training) << ", " << steps_to_do(training.steps_done(), settings.steps)
            << memory.in_about() << "; watch " << folder.report().string() << "\n";
  Samples samples(sample_styles(run), run.photographs().files());
  stop_gently_on_interrupt();
  const bool finished = train(
      training, folder,
      {.stop = stop_requested,
       .save_every = sample_every,
       .samples = [&](Index step) { samples.paint(step, folder.samples()); },
       .report = [&](const std::vector<LogEntry>& log) { return training_report(settings, log, samples); },
       .program = "style-transfer"});
  if (finished) {
    run.network().eval();
    if (ranks.rank() == 0) {
      save_style_network(folder.model(), run.network(), settings);
    }
    std::cout << folder.model().string() << "\n";
  } else {
    interrupted = true;
    std::cerr << stopped_words(training.steps_done(), settings.steps, "style-transfer train", folder.root)
              << "\n";
  }
}

}  // namespace gesso
