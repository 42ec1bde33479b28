#include "experiment_sections.h"

#include "experiment.h"

namespace gesso {

std::vector<ReportSection> experiment_sections(const ExperimentResults& results, const std::string& task) {
  std::vector<ReportSection> sections;
  for (const Experiment* experiment : experiments()) {
    if (experiment->count(results) > 0) {
      sections.push_back(experiment->section(results));
    }
  }
  if (!sections.empty()) {
    sections.insert(
        sections.begin(),
        {"Experiments",
         {ReportText{
             {"Each of the sections below asks one question, by a grid of short trainings of a small classifier. " +
                  task,
              "Where a section says nothing else, it is six 3 x 3 convolutions of 16 channels, each followed by a "
              "normalization and a ReLU, then the means over 4 x 4 cells and a linear layer. It begins with He's weights "
              "and learns by SGD with momentum 0.9, in batches of 16; the learning rate rises to 0.02 and falls to 0. "
              "Trainings of the same seed begin with the same convolutions and see the same crops.",
              "The task is no neutral ground: brightness and contrast tell photographs apart, and layer, group and "
              "instance norm take these out of every crop. What batch norm gains here is not only easier descent."}}}});
  }
  return sections;
}

}  // namespace gesso
