#include "comparer.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "classification.h"
#include "experiments/experiment_fields.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/training_loop.h"
#include "page.h"
#include "painting/model_file.h"
#include "painting/stylize.h"
#include "program/interrupt.h"
#include "program/worker_processes.h"
#include "run_training.h"
#include "tables.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

constexpr double kMinScale = 0.5;  // of training crops: no picture needs a short side above crop / kMinScale
constexpr std::chrono::seconds kBetweenPages{30};
constexpr Index kClassesShown = 10;
constexpr Index kSampleSide = 160;  // short side of the pictures kept on the way

// A training that failed is not tried again: it would fail again.
bool has_run(const Comparison& comparison, const PlannedRun& planned) {
  const auto is_it = [&](const auto& run) {
    return run.normalization == planned.normalization && run.batch == planned.batch &&
           run.seed == planned.seed && run.photographs == planned.photographs;
  };
  return std::any_of(comparison.runs.begin(), comparison.runs.end(), is_it) ||
         std::any_of(comparison.failures.begin(), comparison.failures.end(),
                     [&](const FailedTraining& failed) { return failed.task.empty() && is_it(failed); });
}

bool has_classified(const Comparison& comparison, const std::string& task, const std::string& normalization,
                    std::uint64_t seed) {
  const auto is_it = [&](const auto& run) {
    return run.task == task && run.normalization == normalization && run.seed == seed;
  };
  return std::any_of(comparison.classification.begin(), comparison.classification.end(), is_it) ||
         std::any_of(comparison.failures.begin(), comparison.failures.end(), is_it);
}

template <class Visit>
void for_each_classifier(const ComparisonSettings& settings, const std::vector<NamedTask>& tasks,
                         Visit visit) {
  for (const NamedTask& task : tasks) {
    for (Index seed = 1; settings.comparison && settings.classification && seed <= settings.seeds; ++seed) {
      for (const std::string& normalization : settings.normalizations) {
        visit(task, normalization, static_cast<std::uint64_t>(seed));
      }
    }
  }
}

template <class Visit>
void for_each_experiment(const ComparisonSettings& settings, Visit visit) {
  for (const Experiment* experiment : experiments_named(settings.experiments)) {
    for (const PlannedTraining& training : experiment->plan(settings.experiment)) {
      visit(*experiment, training);
    }
  }
}

// What the settings ask for and the comparison lacks.
struct Work {
  Index trainings = 0, units = 0;

  Work(const ComparisonSettings& settings, const std::vector<NamedTask>& tasks,
       const Comparison& comparison) {
    const auto add = [&](bool done, Index size) {
      trainings += done ? 0 : 1;
      units += done ? 0 : size;
    };
    for (const PlannedRun& planned : plan(settings)) {
      add(has_run(comparison, planned), CompareProgress::units(planned, settings));
    }
    for_each_classifier(
        settings, tasks, [&](const NamedTask& task, const std::string& normalization, std::uint64_t seed) {
          add(has_classified(comparison, task.name, normalization, seed), settings.classifier_steps);
        });
    for_each_experiment(settings, [&](const Experiment& experiment, const PlannedTraining& training) {
      add(experiment.has(comparison.experiments, training.name), CompareProgress::units(training));
    });
  }
};

std::string words_for(const Experiment& experiment, const PlannedTraining& training) {
  return concat_text(experiment.name, ", ", training.name);
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

// Grey pictures are shown as red, green and blue of the same strength.
Tensor as_rgb(const Tensor& picture) {
  return picture.size(1) == 1 ? concat({picture, picture, picture}, 1) : picture;
}

// Of all photographs: what a classifier learns is not what style networks are held to.
ClassificationTask crops_of(const PhotographFiles& files) {
  std::vector<std::string> all = files.training;
  all.insert(all.end(), files.test.begin(), files.test.end());
  std::sort(all.begin(), all.end());
  return make_classification_task(all);
}

Tensor small(const Tensor& picture) {
  return std::min(picture.size(2), picture.size(3)) > kSampleSide ? resize_short_side(picture, kSampleSide)
                                                                  : picture;
}

std::string contrast_file(const std::string& name, double contrast) {
  return concat_text(name, "-contrast-", contrast, ".jpg");
}

// Which training of the plan rank 0 begins with next, for the others to join in.
constexpr Index kEnd = -1;

void call(ProcessGroup& ranks, Index next) {
  if (ranks.size() > 1) {
    ranks.broadcast(mutable_bytes_of(&next, 1));
  }
}

Index called(ProcessGroup& ranks) {
  Index next = kEnd;
  ranks.broadcast(mutable_bytes_of(&next, 1));
  return next;
}

}  // namespace

std::vector<NamedTask> classification_tasks(const ComparisonSettings& settings,
                                            const PhotographFiles& files) {
  const bool classifiers = settings.comparison && settings.classification;
  std::vector<NamedTask> tasks;
  if (classifiers || !settings.experiments.empty()) {
    tasks.push_back({"crops", crops_of(files)});
  }
  if (classifiers) {
    tasks.push_back({"pictures", labelled_task(settings.data)});
  }
  return tasks;
}

Comparer::Comparer(const ComparisonSettings& settings, PhotographFiles files, const LossJudge& judge,
                   std::vector<NamedTask> tasks, fs::path folder, Comparison comparison, Index jobs,
                   ProcessGroup& ranks)
    : settings_(settings),
      files_(std::move(files)),
      judge_(judge),
      quality_(train_settings({}, settings)),
      tasks_(std::move(tasks)),
      folder_(std::move(folder)),
      plan_(plan(settings)),
      comparison_(std::move(comparison)),
      ranks_(ranks),
      jobs_(jobs),
      progress_(Work(settings, tasks_, {}).units, Work(settings, tasks_, comparison_).units) {}

bool Comparer::run() {
  if (settings_.comparison) {
    show_photographs();
  }
  show_tasks();
  save(false);  // the page that people are told to watch
  bool finished = true;
  for (const PlannedRun& planned : plan_) {
    const FailedTraining failure{.normalization = planned.normalization,
                                 .batch = planned.batch,
                                 .seed = planned.seed,
                                 .photographs = planned.photographs};
    finished = finished && (has_run(comparison_, planned) ||
                            with_failure(failure, CompareProgress::units(planned, settings_),
                                         [&] { return train_and_measure(planned); }));
  }
  call(ranks_, kEnd);  // the rest this process does alone
  for_each_classifier(
      settings_, tasks_, [&](const NamedTask& task, const std::string& normalization, std::uint64_t seed) {
        const FailedTraining failure{.task = task.name, .normalization = normalization, .seed = seed};
        finished = finished && (has_classified(comparison_, task.name, normalization, seed) ||
                                with_failure(failure, settings_.classifier_steps,
                                             [&] { return classify(task, normalization, seed); }));
      });
  finished = finished && do_experiments();
  if (finished) {
    save(true);
  }
  return finished;
}

void Comparer::follow() {
  for (Index next = called(ranks_); next != kEnd; next = called(ranks_)) {
    const PlannedRun& planned = plan_[static_cast<std::size_t>(next)];
    try {
      run_training(train_settings(planned, settings_), material_of(planned.photographs).training,
                   RunFolder(run_folder(planned), ranks_), {}, ranks_);
    } catch (const DivergedError&) {
      // On every rank, and rank 0 says so.
    }
  }
}

ProcessGroup& Comparer::trainers(const PlannedRun& planned) {
  if (ranks_.size() == 1 || planned.batch < ranks_.size() ||
      fs::exists(run_folder(planned) / "model.safetensors")) {
    return single_process();
  }
  call(ranks_, &planned - plan_.data());
  return ranks_;
}

// Their trainings that are not done yet, here or in several processes.
bool Comparer::do_experiments() {
  struct Job {
    const Experiment& experiment;
    PlannedTraining training;
  };
  std::vector<Job> jobs;
  for_each_experiment(settings_, [&](const Experiment& experiment, const PlannedTraining& training) {
    if (!experiment.has(comparison_.experiments, training.name)) {
      jobs.push_back({experiment, training});
    }
  });
  if (jobs.empty()) {
    return true;
  }
  const ClassificationTask& task = tasks_.front().task;
  const auto train = [&](const Job& job, const AfterPictures& after_pictures) {
    return job.experiment.train(job.training.name, settings_.experiment, task, after_pictures);
  };
  const auto add = [&](const Job& job, const ExperimentResults& trained) {
    job.experiment.add(trained, settings_.experiment, comparison_.experiments);
    progress_.advance(CompareProgress::units(job.training));
    progress_.update(0, words_for(job.experiment, job.training));
    save(false);
  };
  if (jobs_ == 1) {
    return std::all_of(jobs.begin(), jobs.end(), [&](const Job& job) {
      const auto trained = train(job, [&](Index pictures) {
        progress_.update(CompareProgress::units_of_pictures(pictures),
                         words_for(job.experiment, job.training));
        return !stop_requested();
      });
      if (trained) {
        add(job, *trained);
      }
      return trained.has_value();
    });
  }
  return work_in_processes(
      static_cast<Index>(jobs.size()), jobs_,
      [&](Index job) { return json_text(json_of(*train(jobs[job], [](Index) { return true; }))); },
      [&](Index job, const std::string& result) {
        add(jobs[job], struct_of<ExperimentResults>(parse_json(result)));
      });
}

// Does `training`, whose failure would be `failure`. A training that diverges (some do without a normalization)
// is a result, and does not cost the others.
bool Comparer::with_failure(FailedTraining failure, Index units, const std::function<bool()>& training) {
  bool finished = true;
  try {
    finished = training();
  } catch (const DivergedError& error) {
    failure.reason = error.what();
    progress_.message("compare-norms: " + failure.str());
    comparison_.failures.push_back(std::move(failure));
  }
  if (finished) {
    progress_.advance(units);
    save(false);
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
  comparison_.quality_network = quality_.network();
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

// What the classifiers learn, with a picture of each of the first classes.
void Comparer::show_tasks() {
  for (const NamedTask& task : tasks_) {
    const LabelledPictures& test = task.task.test;
    ClassificationTaskRecord record{task.name, task.task.words};
    fs::create_directories(folder_ / task.name);
    for (Index label = 0; label < std::min<Index>(kClassesShown, static_cast<Index>(test.classes.size()));
         ++label) {
      const auto found = std::find(test.labels.begin(), test.labels.end(), label);
      if (found == test.labels.end()) {
        continue;
      }
      const Index i = found - test.labels.begin();
      record.pictures.push_back(concat_text(task.name, "/", label, ".png"));
      record.classes.push_back(test.classes[static_cast<std::size_t>(label)]);
      save_picture((folder_ / record.pictures.back()).string(), as_rgb(test.pictures(i, i + 1)));
    }
    std::erase_if(comparison_.classification_tasks,
                  [&](const ClassificationTaskRecord& known) { return known.name == task.name; });
    comparison_.classification_tasks.push_back(std::move(record));
  }
}

bool Comparer::train_and_measure(const PlannedRun& planned) {
  const Material& material = material_of(planned.photographs);
  const bool plain = planned.photographs == "plain", first = planned.seed == 1;
  ProcessGroup& ranks = trainers(planned);
  const RunFolder folder(run_folder(planned), ranks);
  const auto show_progress = [&](Index steps, const LogEntry& entry) {
    char loss[32];
    std::snprintf(loss, sizeof loss, ", loss %.3f", logged(entry, "loss").value());
    progress_.update(steps * (1 + planned.batch), concat_text(described(planned), ": step ", steps, " of ",
                                                              settings_.training.steps, loss));
  };
  if (!run_training(train_settings(planned, settings_), material.training, folder,
                    {.record = plain && first,
                     .sample = plain && first ? small(shown_.front()) : Tensor(),
                     .after_step = show_progress},
                    ranks)) {
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
    for (const Index step : sample_steps(settings_.training.steps)) {
      run.samples.push_back({step, fs::relative(sample_file(folder, step), folder_).generic_string()});
    }
    paint(*network, planned, run);
  }
  measure(*network, judge_, quality_, material.test, run);
  comparison_.runs.push_back(std::move(run));
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

const Comparer::Material& Comparer::material_of(const std::string& kind) {
  if (materials_.contains(kind)) {
    return materials_.at(kind);
  }
  const Tensor squares = middle_squares(files_.test, settings_.training.crop);
  if (kind == "plain") {
    return materials_[kind] = {files_.training, squares};
  }
  std::function<Tensor(const Tensor&)> change = equalize_luminance;
  std::unique_ptr<StyleNetwork> painter;
  if (kind == "style-normalized") {
    painter = load_style_network(settings_.painter).network;
    change = [&](const Tensor& picture) { return stylize(*painter, picture); };
  }
  const auto size = static_cast<Index>(static_cast<double>(settings_.training.crop) / kMinScale);
  return materials_[kind] = {
             prepare_photographs(files_.training, folder_ / "photographs" / kind, size, change),
             each_picture(squares, change)};
}

bool Comparer::classify(const NamedTask& task, const std::string& normalization, std::uint64_t seed) {
  const auto go_on = [&](Index steps) {
    progress_.update(steps, concat_text("classifier of ", task.name, ", ", normalization, ", seed ", seed));
    return !stop_requested();
  };
  std::optional<ClassificationRun> run =
      train_classifier(task.task, normalization, seed, settings_.classifier_steps, go_on);
  if (!run) {
    return false;
  }
  run->task = task.name;
  comparison_.classification.push_back(*run);
  return true;
}

// Results after every training; the page, which takes longer, not more often than people look.
void Comparer::save(bool finished) {
  write_results(comparison_, folder_ / "results.json");
  write_csv(comparison_, folder_);
  const auto now = std::chrono::steady_clock::now();
  if (finished || now - page_written_ >= kBetweenPages) {
    std::optional<ReportProgress> under_way;
    if (!finished) {
      const Index all = Work(settings_, tasks_, {}).trainings;
      under_way = progress_.report(
          concat_text(all - Work(settings_, tasks_, comparison_).trainings, " of ", all, " trainings"));
    }
    write_page(comparison_, folder_, under_way);
    page_written_ = now;
  }
}

}  // namespace gesso
