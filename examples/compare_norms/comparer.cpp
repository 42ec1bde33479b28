#include "comparer.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <numeric>
#include <set>

#include "classification.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/training_loop.h"
#include "page.h"
#include "painting/model_file.h"
#include "painting/stylize.h"
#include "program/interrupt.h"
#include "result_fields.h"
#include "run_training.h"
#include "tables.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

constexpr double kMinScale = 0.5;  // of training crops: no picture needs a short side above crop / kMinScale
constexpr std::chrono::seconds kBetweenPages{30};
constexpr Index kClassesShown = 10;
constexpr Index kSampleSide = 160;  // short side of the pictures kept on the way

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

std::vector<std::string> names_of(const std::vector<NamedTask>& tasks) {
  std::vector<std::string> names;
  for (const NamedTask& task : tasks) {
    names.push_back(task.name);
  }
  return names;
}

// Which of the jobs rank 0 begins with next, for the others to join in. Instead of one, what comes last: jobs
// that each rank does by itself, or nothing more.
constexpr Index kEachItsOwn = -1, kEnd = -2;

void call(ProcessGroup& ranks, Index next) { ranks.broadcast(mutable_bytes_of(&next, 1)); }

Index called(ProcessGroup& ranks) {
  Index next = kEnd;
  ranks.broadcast(mutable_bytes_of(&next, 1));
  return next;
}

// The numbers that rank 0 gives.
std::vector<std::size_t> told(ProcessGroup& ranks, std::vector<std::size_t> numbers) {
  std::size_t count = numbers.size();
  ranks.broadcast(mutable_bytes_of(&count, 1));
  numbers.resize(count);
  ranks.broadcast(mutable_bytes_of(numbers.data(), count));
  return numbers;
}

// The texts of all ranks, in their order.
std::vector<std::string> gathered(ProcessGroup& ranks, const std::string& mine) {
  const std::vector<std::size_t> sizes = ranks.gather_each(mine.size());
  std::string all(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), ' ');
  ranks.gather(bytes_of(mine.data(), mine.size()), mutable_bytes_of(all.data(), all.size()), sizes)->wait();
  std::vector<std::string> texts;
  for (std::size_t at = 0; const std::size_t each : sizes) {
    texts.push_back(all.substr(at, each));
    at += each;
  }
  return texts;
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
                   std::vector<NamedTask> tasks, fs::path folder, Comparison comparison, Index processes,
                   ProcessGroup& ranks)
    : settings_(settings),
      files_(std::move(files)),
      judge_(judge),
      quality_(train_settings({}, settings)),
      tasks_(std::move(tasks)),
      folder_(std::move(folder)),
      jobs_(comparison_jobs(settings, names_of(tasks_))),
      comparison_(std::move(comparison)),
      ranks_(ranks),
      processes_(processes),
      progress_(jobs_, settings, comparison_) {}

bool Comparer::run() {
  if (settings_.comparison) {
    show_photographs();
  }
  show_tasks();
  save(false);  // the page that people are told to watch
  std::vector<std::size_t> together, others;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (!is_done(jobs_[i], comparison_)) {
      (ranks_.size() > 1 && std::holds_alternative<PlannedRun>(jobs_[i]) ? together : others).push_back(i);
    }
  }
  bool finished = do_jobs(together, 1);
  if (ranks_.size() > 1) {
    call(ranks_, finished ? kEachItsOwn : kEnd);
    finished = finished && do_jobs_on_ranks(others);
  } else {
    finished = finished && do_jobs(others, processes_);
  }
  if (finished) {
    save(true);
  }
  return finished;
}

void Comparer::follow() {
  Index next = called(ranks_);
  for (; next >= 0; next = called(ranks_)) {
    const PlannedRun& planned = std::get<PlannedRun>(jobs_[static_cast<std::size_t>(next)]);
    try {
      run_training(train_settings(planned, settings_), material_of(planned.photographs).training,
                   RunFolder(run_folder(planned), ranks_), {}, ranks_);
    } catch (const DivergedError&) {
      // On every rank, and rank 0 says so.
    }
  }
  if (next == kEachItsOwn) {
    do_jobs_on_ranks({});
  }
}

// The jobs of these numbers, here or in several processes. Returns false after stop_requested().
bool Comparer::do_jobs(const std::vector<std::size_t>& numbers, Index processes) {
  for (const std::size_t number : numbers) {
    if (const auto* planned = std::get_if<PlannedRun>(&jobs_[number])) {
      material_of(planned->photographs);  // made once, before the processes part
    }
  }
  if (processes == 1) {
    return std::all_of(numbers.begin(), numbers.end(), [&](std::size_t number) {
      const std::optional<Comparison> part = train_here(number);
      if (part) {
        add(number, *part);
      }
      return part.has_value();
    });
  }
  return work_in_processes(
      static_cast<Index>(numbers.size()), processes,
      [&](Index i, const JobProgress& progress) -> std::optional<std::string> {
        const std::optional<Comparison> part = train(numbers[i], progress);
        return part ? std::optional(json_text(json_of(*part))) : std::nullopt;
      },
      [&](Index i, const std::string& result) { add(numbers[i], struct_of<Comparison>(parse_json(result))); },
      [&](Index i, Index units, const std::string& status) { progress_.update(numbers[i], units, status); });
}

// The jobs of the numbers that rank 0 gives: each rank does one of them at a time, and rank 0 takes the
// results. Returns false after stop_requested() on any rank.
bool Comparer::do_jobs_on_ranks(const std::vector<std::size_t>& numbers) {
  const std::vector<std::size_t> all = told(ranks_, numbers);
  const auto ranks = static_cast<std::size_t>(ranks_.size()), own = static_cast<std::size_t>(ranks_.rank());
  for (std::size_t begin = 0; begin < all.size(); begin += ranks) {
    std::string result;
    std::vector<double> stopped = {0};
    if (begin + own < all.size()) {
      const std::optional<Comparison> part = train_here(all[begin + own]);
      result = part ? json_text(json_of(*part)) : "";
      stopped = {part ? 0.0 : 1.0};
    }
    const std::vector<std::string> results = gathered(ranks_, result);
    for (std::size_t r = 0; own == 0 && r < ranks; ++r) {
      if (!results[r].empty()) {
        add(all[begin + r], struct_of<Comparison>(parse_json(results[r])));
      }
    }
    ranks_.all_reduce(stopped);
    if (stopped[0] > 0) {
      return false;
    }
  }
  return true;
}

// One job in this process, with the bar.
std::optional<Comparison> Comparer::train_here(std::size_t number) {
  return train(number, [&](Index units, const std::string& status) {
    progress_.update(number, units, status);
    return !stop_requested();
  });
}

// The result of one job alone; none after stop_requested(). A training that diverges (some do without a normalization)
// is a result, and does not cost the others.
std::optional<Comparison> Comparer::train(std::size_t number, const JobProgress& progress) {
  const ComparisonJob& job = jobs_[number];
  const std::string words = words_of(job);
  try {
    if (const auto* planned = std::get_if<PlannedRun>(&job)) {
      return train_and_measure(number, *planned, progress);
    }
    if (const auto* classifier = std::get_if<PlannedClassifier>(&job)) {
      return classify(*classifier, [&](Index steps) { return progress(steps, words); });
    }
    const PlannedExperiment& each = std::get<PlannedExperiment>(job);
    std::optional<ExperimentResults> trained =
        each.experiment->train(each.training.name, settings_.experiment, tasks_.front().task,
                               [&](Index pictures) { return progress(units_of_pictures(pictures), words); });
    return trained ? std::optional(Comparison{.experiments = std::move(*trained)}) : std::nullopt;
  } catch (const DivergedError& error) {
    return failed(job, error.what());
  }
}

void Comparer::add(std::size_t number, const Comparison& part) {
  for (const FailedTraining& failure : part.failures) {
    progress_.message("compare-norms: " + failure.str());
  }
  add_results(part, jobs_, settings_, comparison_);
  progress_.finish(number, words_of(jobs_[number]));
  save(false);
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

// The processes that train `planned` together: all, who then begin with it, or this one alone.
ProcessGroup& Comparer::trainers(std::size_t number, const PlannedRun& planned) {
  if (ranks_.size() == 1 || planned.batch < ranks_.size() ||
      fs::exists(run_folder(planned) / "model.safetensors")) {
    return single_process();
  }
  call(ranks_, static_cast<Index>(number));
  return ranks_;
}

std::optional<Comparison> Comparer::train_and_measure(std::size_t number, const PlannedRun& planned,
                                                      const JobProgress& progress) {
  const Material& material = material_of(planned.photographs);
  const bool plain = planned.photographs == "plain", first = planned.seed == 1;
  ProcessGroup& ranks = trainers(number, planned);
  const RunFolder folder(run_folder(planned), ranks);
  const std::string words = words_of(planned);
  const auto show_progress = [&](Index steps, const LogEntry& entry) {
    char loss[32];
    std::snprintf(loss, sizeof loss, ", loss %.3f", logged(entry, "loss").value());
    progress(units_of_steps(planned, settings_, steps),
             concat_text(words, ": step ", steps, " of ", settings_.training.steps, loss));
  };
  if (!run_training(train_settings(planned, settings_), material.training, folder,
                    {.record = plain && first,
                     .sample = plain && first ? small(shown_.front()) : Tensor(),
                     .after_step = show_progress},
                    ranks)) {
    return std::nullopt;
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
  return Comparison{.runs = {std::move(run)}};
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

std::optional<Comparison> Comparer::classify(const PlannedClassifier& planned,
                                             const std::function<bool(Index steps)>& after_step) const {
  const auto task = std::find_if(tasks_.begin(), tasks_.end(),
                                 [&](const NamedTask& each) { return each.name == planned.task; });
  std::optional<ClassificationRun> run = train_classifier(task->task, planned.normalization, planned.seed,
                                                          settings_.classifier_steps, after_step);
  if (!run) {
    return std::nullopt;
  }
  run->task = planned.task;
  return Comparison{.classification = {std::move(*run)}};
}

// Results after every training; the page, which takes longer, not more often than people look.
void Comparer::save(bool finished) {
  write_results(comparison_, folder_ / "results.json");
  write_csv(comparison_, folder_);
  const auto now = std::chrono::steady_clock::now();
  if (finished || now - page_written_ >= kBetweenPages) {
    std::optional<ReportProgress> under_way;
    if (!finished) {
      const auto done = std::count_if(jobs_.begin(), jobs_.end(),
                                      [&](const ComparisonJob& job) { return is_done(job, comparison_); });
      under_way = progress_.report(concat_text(done, " of ", jobs_.size(), " trainings"));
    }
    write_page(comparison_, folder_, under_way);
    page_written_ = now;
  }
}

}  // namespace gesso
