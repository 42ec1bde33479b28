#include "comparer.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "classification.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/training_loop.h"
#include "page.h"
#include "painting/model_file.h"
#include "painting/stylize.h"
#include "program/interrupt.h"
#include "run_training.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

constexpr double kMinScale = 0.5;  // of training crops: no picture needs a short side above crop / kMinScale
constexpr std::chrono::seconds kBetweenPages{30};

bool has_run(const Comparison& comparison, const PlannedRun& planned) {
  return std::any_of(comparison.runs.begin(), comparison.runs.end(), [&](const ComparisonRun& run) {
    return run.normalization == planned.normalization && run.batch == planned.batch &&
           run.seed == planned.seed && run.photographs == planned.photographs;
  });
}

bool has_classified(const Comparison& comparison, const std::string& normalization, std::uint64_t seed) {
  return std::any_of(
      comparison.classification.begin(), comparison.classification.end(),
      [&](const ClassificationRun& run) { return run.normalization == normalization && run.seed == seed; });
}

// The network that style-normalizes: instance norm, trained on the other style.
PlannedRun stylist(const ComparisonSettings& settings) {
  return {"instance", *std::max_element(settings.batch_sizes.begin(), settings.batch_sizes.end()), 1};
}

template <class Visit>
void for_each_classifier(const ComparisonSettings& settings, Visit visit) {
  for (Index seed = 1; settings.classification && seed <= settings.seeds; ++seed) {
    for (const std::string& normalization : settings.normalizations) {
      visit(normalization, static_cast<std::uint64_t>(seed));
    }
  }
}

// The units of the work that the settings ask for and the comparison lacks.
Index units_left(const ComparisonSettings& settings, const Comparison& comparison, bool has_stylist) {
  Index units = 0;
  const std::vector<PlannedRun> runs = plan(settings);
  for (const PlannedRun& planned : runs) {
    units += has_run(comparison, planned) ? 0 : CompareProgress::units(planned, settings);
  }
  units += needs_stylist(runs) && !has_stylist ? CompareProgress::units(stylist(settings), settings) : 0;
  for_each_classifier(settings, [&](const std::string& normalization, std::uint64_t seed) {
    units += has_classified(comparison, normalization, seed) ? 0 : settings.classifier_steps;
  });
  return units;
}

std::string described(const PlannedRun& run) {
  return concat_text(run.normalization, ", batch ", run.batch, ", seed ", run.seed,
                     run.photographs == "plain" ? "" : ", " + run.photographs);
}

// "aqueduct", or "aqueduct-2" if that is taken.
std::string free_name(const std::string& file, std::set<std::string>& taken) {
  const std::string stem = fs::path(file).stem().string();
  std::string name = stem;
  for (int i = 2; !taken.insert(name).second; ++i) {
    name = concat_text(stem, "-", i);
  }
  return name;
}

std::string contrast_file(const std::string& name, double contrast) {
  return concat_text(name, "-contrast-", contrast, ".jpg");
}

}  // namespace

Comparer::Comparer(const ComparisonSettings& settings, PhotographFiles files, const LossJudge& judge,
                   fs::path folder, Comparison comparison)
    : settings_(settings),
      files_(std::move(files)),
      judge_(judge),
      folder_(std::move(folder)),
      plan_(plan(settings)),
      comparison_(std::move(comparison)),
      progress_(units_left(settings, {}, false),
                units_left(settings, comparison_, fs::exists(RunFolder{stylist_folder()}.model()))) {}

bool Comparer::run() {
  show_photographs();
  save(false);  // the page that people are told to watch
  // A training that diverges (some do without a normalization) is named, and does not cost the others.
  std::size_t diverged = 0;
  const auto go_on_after = [&](const std::string& name, const std::function<bool()>& train) {
    try {
      return train();
    } catch (const DivergedError& error) {
      progress_.message(concat_text("compare-norms: ", name, ": ", error.what()));
      ++diverged;
      return true;
    }
  };
  bool finished = true;
  for (const PlannedRun& planned : plan_) {
    finished = finished && (has_run(comparison_, planned) ||
                            go_on_after(described(planned), [&] { return train_and_measure(planned); }));
  }
  for_each_classifier(settings_, [&](const std::string& normalization, std::uint64_t seed) {
    finished = finished && (has_classified(comparison_, normalization, seed) ||
                            go_on_after(concat_text("classifier with ", normalization, ", seed ", seed),
                                        [&] { return classify(normalization, seed); }));
  });
  if (finished) {
    save(true);
  }
  if (finished && diverged > 0) {
    throw Error(
        concat_text(diverged, diverged == 1 ? " training" : " trainings",
                    " diverged and are missing in the report; the reasons stand above. Try a lower --lr"));
  }
  return finished;
}

// The style picture and the test photographs, as they are shown, and the first one at other contrasts.
void Comparer::show_photographs() {
  const fs::path folder = folder_ / "test";
  fs::create_directories(folder);
  const auto load = [&](const std::string& file) {
    const Tensor picture = load_picture(file);
    return std::min(picture.size(2), picture.size(3)) > settings_.picture_size
               ? resize_short_side(picture, settings_.picture_size)
               : picture;
  };
  save_picture((folder_ / "style.jpg").string(), load(settings_.style));
  comparison_.style_picture = "style.jpg";
  comparison_.test_photographs.clear();
  std::set<std::string> taken;
  for (const std::string& file : files_.test) {
    const std::string name = free_name(file, taken) + ".jpg";
    shown_.push_back(load(file));
    save_picture((folder / name).string(), shown_.back());
    comparison_.test_photographs.push_back("test/" + name);
  }
  const std::string first = fs::path(comparison_.test_photographs.front()).stem().string();
  for (const double contrast : contrasts()) {
    save_picture((folder / contrast_file(first, contrast)).string(), with_contrast(shown_.front(), contrast));
  }
}

bool Comparer::train_and_measure(const PlannedRun& planned) {
  if (!need_material(planned.photographs)) {
    return false;
  }
  const Material& material = materials_.at(planned.photographs);
  const bool plain = planned.photographs == "plain", first = planned.seed == 1;
  const RunFolder folder{run_folder(planned)};
  const auto show_progress = [&](Index steps, const LogEntry& entry) {
    char loss[32];
    std::snprintf(loss, sizeof loss, ", loss %.3f", logged(entry, "loss").value());
    progress_.update(steps * (1 + planned.batch), concat_text(described(planned), ": step ", steps, " of ",
                                                              settings_.training.steps, loss));
  };
  if (!run_training(train_settings(planned, settings_), material.training, folder,
                    {.record = plain && first, .after_step = show_progress})) {
    return false;
  }

  ComparisonRun run{.normalization = planned.normalization,
                    .batch = planned.batch,
                    .seed = planned.seed,
                    .photographs = planned.photographs};
  read_curves(folder, run);
  const auto network = load_style_network(folder.model()).network;
  if (plain) {
    run.contrast = measure_contrasts(*network, judge_, material.test);
  }
  if (plain && first) {
    run.normalization_record = fs::relative(folder.record(), folder_).generic_string();
    paint(*network, planned, run);
  }
  measure(*network, judge_, material.test, run);
  comparison_.runs.push_back(std::move(run));
  progress_.advance(CompareProgress::units(planned, settings_));
  save(false);
  return true;
}

// The shown photographs by a network in eval mode, and the first one at other contrasts.
void Comparer::paint(StyleNetwork& network, const PlannedRun& planned, ComparisonRun& run) const {
  network.eval();
  const std::string folder = "runs/" + planned.name() + "/";
  for (std::size_t i = 0; i < shown_.size(); ++i) {
    run.pictures.push_back(folder + fs::path(comparison_.test_photographs[i]).filename().string());
    save_picture((folder_ / run.pictures.back()).string(), stylize(network, shown_[i]));
  }
  const std::string first = fs::path(comparison_.test_photographs.front()).stem().string();
  for (ContrastMeasure& measure : run.contrast) {
    measure.photograph = "test/" + contrast_file(first, measure.contrast);
    measure.picture = folder + contrast_file(first, measure.contrast);
    save_picture((folder_ / measure.picture).string(),
                 stylize(network, with_contrast(shown_.front(), measure.contrast)));
  }
}

bool Comparer::need_material(const std::string& kind) {
  if (materials_.contains(kind)) {
    return true;
  }
  const Tensor squares = middle_squares(files_.test, settings_.training.crop);
  if (kind == "plain") {
    materials_[kind] = {files_.training, squares};
    return true;
  }
  std::function<Tensor(const Tensor&)> change = equalize_luminance;
  std::unique_ptr<StyleNetwork> network;
  if (kind == "style-normalized") {
    if (!train_stylist()) {
      return false;
    }
    network = load_style_network(RunFolder{stylist_folder()}.model()).network;
    change = [&](const Tensor& picture) { return stylize(*network, picture); };
  }
  const auto size = static_cast<Index>(static_cast<double>(settings_.training.crop) / kMinScale);
  materials_[kind] = {prepare_photographs(files_.training, folder_ / "photographs" / kind, size, change),
                      each_picture(squares, change)};
  return true;
}

bool Comparer::train_stylist() {
  const RunFolder folder{stylist_folder()};
  if (fs::exists(folder.model())) {
    return true;
  }
  const PlannedRun planned = stylist(settings_);
  TrainSettings training = train_settings(planned, settings_);
  training.styles = {settings_.other_style};
  const auto show_progress = [&](Index steps, const LogEntry&) {
    progress_.update(steps * (1 + planned.batch),
                     concat_text("a network to style-normalize photographs: step ", steps));
  };
  if (!run_training(training, files_.training, folder, {.after_step = show_progress})) {
    return false;
  }
  progress_.advance(CompareProgress::units(planned, settings_));
  return true;
}

bool Comparer::classify(const std::string& normalization, std::uint64_t seed) {
  std::vector<std::string> files = files_.training;
  files.insert(files.end(), files_.test.begin(), files_.test.end());
  std::sort(files.begin(), files.end());
  const ClassificationTask task = make_classification_task(files);
  const auto go_on = [&](Index steps) {
    progress_.update(steps, concat_text("classifier, ", normalization, ", seed ", seed));
    return !stop_requested();
  };
  const std::optional<ClassificationRun> run =
      train_classifier(task, normalization, seed, settings_.classifier_steps, go_on);
  if (!run) {
    return false;
  }
  comparison_.classification_task = task.describe();
  comparison_.classification.push_back(*run);
  progress_.advance(settings_.classifier_steps);
  save(false);
  return true;
}

// Results after every training; the page, which takes longer, not more often than people look.
void Comparer::save(bool finished) {
  write_results(comparison_, folder_ / "results.json");
  const auto now = std::chrono::steady_clock::now();
  if (finished || now - page_written_ >= kBetweenPages) {
    std::optional<ReportProgress> under_way;
    if (!finished) {
      under_way = progress_.report(concat_text(comparison_.runs.size(), " of ", plan_.size(), " trainings"));
    }
    write_page(comparison_, folder_, under_way);
    page_written_ = now;
  }
}

}  // namespace gesso
