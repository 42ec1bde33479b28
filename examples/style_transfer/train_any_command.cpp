#include <iostream>

#include "commands.h"
#include "painting/any_style_training.h"
#include "painting/memory_need.h"
#include "painting/model_file.h"
#include "painting/stylize.h"
#include "program/interrupt.h"
#include "program/ranks.h"
#include "program/resume.h"
#include "samples.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

// Three of the style pictures, painted by the network as it is at that time.
std::vector<SampleStyle> sample_styles(AnyStyleTraining& training) {
  std::vector<SampleStyle> styles;
  for (const AnyStyleTraining::StylePicture& style : training.some_styles(3)) {
    styles.push_back({style.name, style.picture, [&training, style](const Tensor& photograph) {
                        AnyStyleNetwork& network = training.network();
                        network.set_style(style.picture);
                        return stylize(network.network(), photograph);
                      }});
  }
  return styles;
}

// So that --resume works from any folder.
void make_paths_absolute(AnyStyleSettings& settings) {
  settings.styles = fs::absolute(settings.styles).string();
  settings.content = fs::absolute(settings.content).string();
  if (!settings.loss_network.weights.empty()) {
    settings.loss_network.weights = fs::absolute(settings.loss_network.weights).string();
  }
}

}  // namespace

void TrainAnyCommand::run() {
  if (sample_every < 1) {
    throw UsageError(concat_text("--sample-every is ", sample_every, "; it must be at least 1"));
  }
  std::optional<Checkpoint> checkpoint;
  ProcessGroup& ranks = program_ranks();
  RunFolder folder(out, ranks);
  if (!resume.empty()) {
    folder.root = resume;
    checkpoint = with_usage_errors("--resume ", [&] { return folder.checkpoint_to_resume("train-any"); });
    settings = AnyStyleSettings::from_metadata(checkpoint->metadata);
  } else {
    if (settings.styles.empty() || out.empty()) {
      throw UsageError("name a folder of style pictures by --styles and one for the results by --out");
    }
    with_usage_errors("--", [&] { settings.check(); });
    with_usage_errors("--out ", [&] { folder.check_new(); });
    make_paths_absolute(settings);
  }
  const MemoryNeed memory = memory_for_training(settings);
  require_memory_for_training({.batch = settings.batch,
                               .crop = settings.crop,
                               .style_size = settings.style_size,
                               .styles_in_steps = true},
                              memory);
  AnyStyleTraining run(settings, ranks);
  Training& training = run.training();
  if (checkpoint) {
    training.resume(*checkpoint);
    checkpoint.reset();
  } else {
    run.begin();
    with_usage_errors("--out ", [&] { folder.create(); });
  }
  std::cerr << "Training a network for any style on " << run.styles().files().size() << " style pictures, "
            << steps_to_do(training.steps_done(), settings.steps) << memory.in_about() << "; watch "
            << folder.report().string() << "\n";
  Samples samples(sample_styles(run), run.photographs().files());
  const auto report = [&](const std::vector<LogEntry>& log) {
    return training_report(
        "Painting in any style",
        concat_text("A style network whose gamma and beta are predicted from the style picture, trained for ",
                    settings.steps, " steps on ", run.styles().files().size(), " style pictures."),
        log, samples, settings.weights, settings.to_metadata());
  };
  stop_gently_on_interrupt();
  const bool finished = train(training, folder,
                              {.stop = stop_requested,
                               .save_every = sample_every,
                               .samples = [&](Index step) { samples.paint(step, folder.samples()); },
                               .report = report,
                               .program = "style-transfer"});
  if (finished) {
    if (ranks.rank() == 0) {
      save_any_style_network(folder.model(), run.network(), settings);
    }
    std::cout << folder.model().string() << "\n";
  } else {
    interrupted = true;
    std::cerr << stopped_words(training.steps_done(), settings.steps, "style-transfer train-any", folder.root)
              << "\n";
  }
}

}  // namespace gesso
