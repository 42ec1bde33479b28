#include "classification_section.h"

#include <algorithm>

#include "curves.h"
#include "gesso/core/error.h"
#include "tally.h"

namespace gesso {

std::optional<ReportSection> classification_section(const Page& page, const ClassificationTaskRecord& task) {
  ReportChart chart{.title = concat_text("Accuracy on training ", task.name), .y_label = "percent"};
  ReportTable table{"Accuracy in eval mode, percent",
                    {"Normalization", "Training set", concat_text("Test ", task.name), "Steps"},
                    {}};
  std::vector<std::string> names;
  for (const ClassificationRun& run : page.comparison.classification) {
    if (run.task == task.name && std::find(names.begin(), names.end(), run.normalization) == names.end()) {
      names.push_back(run.normalization);
    }
  }
  if (names.empty()) {
    return {};
  }
  for (const std::string& name : names) {
    std::vector<std::vector<double>> x, y;
    std::vector<double> training_set, test, steps;
    for (const ClassificationRun& run : page.comparison.classification) {
      if (run.task == task.name && run.normalization == name) {
        x.push_back(run.step);
        y.push_back(run.train_accuracy);
        std::for_each(y.back().begin(), y.back().end(), [](double& value) { value *= 100; });
        training_set.push_back(100 * run.training_set_accuracy);
        test.push_back(100 * run.test_accuracy);
        steps.push_back(static_cast<double>(run.step.size()));
      }
    }
    chart.curves.push_back(curve_over_seeds(name, x, y));
    table.rows.push_back(
        {label_of(name), Spread(training_set).str(), Spread(test).str(), Spread(steps).str()});
  }
  ReportPictures examples{.title = "", .pictures = {}, .columns = static_cast<int>(task.pictures.size())};
  for (std::size_t i = 0; i < task.pictures.size(); ++i) {
    if (auto picture =
            picture_of(page, task.pictures[i], task.classes[i],
                       concat_text("A test picture of the class ", task.classes[i]), /*exact=*/true)) {
      examples.pictures.push_back(*picture);
    }
  }
  ReportSection section{"Classifying " + task.name, {ReportText{{task.words}}}};
  if (!examples.pictures.empty()) {
    section.blocks.push_back(examples);
  }
  section.blocks.push_back(table);
  section.blocks.push_back(chart);
  section.blocks.push_back(ReportText{
      {"A training ends when its network knows the whole training set, or after all of its steps. Mean ± standard "
       "deviation over seeds."}});
  return section;
}

}  // namespace gesso
