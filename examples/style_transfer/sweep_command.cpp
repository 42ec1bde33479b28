#include <algorithm>
#include <iostream>

#include "commands.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/report/progress.h"
#include "painting/memory_need.h"
#include "painting/training_run.h"
#include "program/interrupt.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

constexpr Index kShown = 384;  // short side of the pictures on the sheet

struct Cell {
  double style_weight;
  Index style_size;
  Tensor painted;
};

Tensor paint(TrainingRun& run, const Tensor& photograph) {
  run.network().eval();
  run.network().set_noise(0);
  return stylize(run.network(), photograph);
}

// `pictures` beside (dimension 3) or below each other (2), a white gap between them.
Tensor joined(const std::vector<Tensor>& pictures, int dimension) {
  const Index height = pictures.front().size(2), width = pictures.front().size(3);
  const Shape gap = dimension == 3 ? Shape{1, 3, height, 8} : Shape{1, 3, 8, width};
  std::vector<Tensor> parts;
  for (const Tensor& picture : pictures) {
    if (!parts.empty()) {
      parts.push_back(Tensor::ones(gap));
    }
    parts.push_back(picture);
  }
  return concat(parts, dimension);
}

Tensor sheet_of(const std::vector<Cell>& cells, std::size_t columns) {
  std::vector<Tensor> rows;
  for (std::size_t i = 0; i < cells.size(); i += columns) {
    std::vector<Tensor> row;
    for (std::size_t k = i; k < i + columns; ++k) {
      row.push_back(cells[k].painted);
    }
    rows.push_back(joined(row, 3));
  }
  return joined(rows, 2);
}

Report report_of(const TrainSettings& settings, const std::vector<Cell>& cells, Index columns,
                 const Tensor& style) {
  const std::string name = style_name(settings.styles.front());
  Report report;
  report.title = "Which weights for " + name + "?";
  report.summary = {
      "Each row has more of the style than the one above, each column larger strokes than the one before. "
      "Take the numbers under the picture that pleases you to style-transfer train, which trains longer."};
  ReportPictures pictures{.title = "", .pictures = {}, .columns = static_cast<int>(columns)};
  for (const Cell& cell : cells) {
    const std::string options =
        concat_text("--style-weight ", cell.style_weight, " --style-size ", cell.style_size);
    pictures.pictures.push_back(report_picture(cell.painted, options, "Painted with " + options));
  }
  report.sections.push_back({"Pictures", {pictures}});
  report.sections.push_back(
      {"The style",
       {ReportPictures{
           .title = "", .pictures = {report_picture(style, name, "The style picture")}, .columns = 1}}});
  report.add_settings(settings.to_metadata());
  return report;
}

// "style-sizes is 0" for "style-size is 0": what is wrong with a cell is wrong with one of a list.
std::string of_list(std::string text) {
  for (const std::string name : {"style-size", "style-weight"}) {
    if (text.starts_with(name + " ")) {
      text.insert(name.size(), "s");
    }
  }
  return text;
}

}  // namespace

void SweepCommand::run() {
  if (settings.styles.size() != 1 || out.empty()) {
    throw UsageError("name one style picture by --style and a folder for the sheet by --out");
  }
  if (style_weights.empty() || style_sizes.empty()) {
    throw UsageError("--style-weights and --style-sizes need at least one number each");
  }
  if (steps < 1 || steps > 1'000'000) {
    throw UsageError(concat_text("--steps is ", steps, "; it must be from 1 to 1000000"));
  }
  settings.count_rows();
  // The middle of the sheet is trained first; the others go on from there.
  settings.weights.style = style_weights[style_weights.size() / 2];
  settings.style_size = style_sizes[style_sizes.size() / 2];
  settings.steps = 3 * steps;
  const auto cell_settings = [&](double weight, Index size) {
    TrainSettings cell = settings;
    cell.weights.style = weight;
    cell.style_size = size;
    cell.steps = steps;
    cell.learning_rate = settings.learning_rate / 2;
    return cell;
  };
  for (const double weight : style_weights) {
    for (const Index size : style_sizes) {
      try {
        cell_settings(weight, size).check();
      } catch (const ArgumentError& error) {
        throw UsageError("--" + of_list(error.what()));
      }
    }
  }
  with_usage_errors("--", [&] { settings.check(); });
  const std::vector<std::string> photographs = pictures_in(settings.content);
  const MemoryNeed memory = memory_for_training(settings, photographs);
  const Tensor loaded = load_picture(picture.string());
  const bool large = std::min(loaded.size(2), loaded.size(3)) > kShown;
  const Tensor photograph = large ? resize_short_side(loaded, kShown) : loaded;
  with_usage_errors("--out ", [&] { fs::create_directories(out); });

  const Index cells_wanted = static_cast<Index>(style_weights.size() * style_sizes.size());
  std::cerr << "Painting like " << style_name(settings.styles.front()) << " with " << cells_wanted
            << " choices of weights and sizes" << memory.in_about() << "\n";
  stop_gently_on_interrupt();
  ProgressBar progress("Training", settings.steps + steps * cells_wanted);
  Index done = 0;
  const auto train_all = [&](TrainingRun& run) {
    while (run.training().steps_done() < run.training().steps()) {
      if (stop_requested()) {
        interrupted = true;
        return;
      }
      run.training().step();
      progress.update(++done);
    }
  };
  TrainingRun middle(settings, photographs);
  train_all(middle);
  const StateDict start = middle.network().state_dict();
  std::vector<Cell> cells;
  for (const double weight : style_weights) {
    for (const Index size : style_sizes) {
      if (interrupted) {
        break;
      }
      TrainingRun run(cell_settings(weight, size), photographs);
      run.network().load_state_dict(start);
      train_all(run);
      cells.push_back({weight, size, paint(run, photograph)});
    }
  }
  progress.finish();
  if (interrupted) {
    std::cerr << "Stopped; a sweep cannot be resumed\n";
    return;
  }
  const Index columns = static_cast<Index>(style_sizes.size());
  save_picture((out / "sweep.jpg").string(), sheet_of(cells, style_sizes.size()));
  report_of(settings, cells, columns, middle.style_pictures().front()).write((out / "report.html").string());
  std::cout << (out / "sweep.jpg").string() << "\n" << (out / "report.html").string() << "\n";
}

}  // namespace gesso
