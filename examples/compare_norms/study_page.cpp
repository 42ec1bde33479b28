#include "study_page.h"

#include <algorithm>
#include <map>

#include "curves.h"
#include "gesso/core/error.h"
#include "layer_section.h"
#include "tally.h"
#include "verdicts.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

constexpr double kThreshold = 0.05;

// The values of one setting of the study, in order.
template <class T>
std::vector<T> each(const StudyResults& results, T StudyRun::*value) {
  std::vector<T> list;
  for (const StudyRun& run : results.runs) {
    if (std::find(list.begin(), list.end(), run.*value) == list.end()) {
      list.push_back(run.*value);
    }
  }
  return list;
}

std::vector<const StudyRun*> runs_of(const StudyResults& results, const std::string& normalization,
                                     Index batch) {
  std::vector<const StudyRun*> runs;
  for (const StudyRun& run : results.runs) {
    if (run.normalization == normalization && run.batch == batch) {
      runs.push_back(&run);
    }
  }
  return runs;
}

Spread spread_of(const std::vector<const StudyRun*>& runs, double StudyRun::*value) {
  std::vector<double> values;
  for (const StudyRun* run : runs) {
    values.push_back(run->*value);
  }
  return Spread(values);
}

// How much lower the test loss is with `better` than with `other`, seed by seed.
ClaimVerdict lower(const StudyResults& results, const std::string& better, const std::string& other,
                   Index batch) {
  ClaimVerdict found{
      .claim = {.name = concat_text(better, "-", other, "-", batch),
                .words = concat_text("In batches of ", batch, ", the loss on the test batch is lower with ",
                                     label_of(better), " than with ", label_of(other), "."),
                .source = "",
                .effect = "by how much lower, in eval mode",
                .threshold = kThreshold,
                .needs = "both",
                .measure = {}}};
  std::vector<double> a, b;
  for (const StudyRun* run : runs_of(results, better, batch)) {
    for (const StudyRun* partner : runs_of(results, other, batch)) {
      if (partner->seed == run->seed) {
        a.push_back(run->test);
        b.push_back(partner->test);
        found.evidence.effects.push_back(1 - run->test / partner->test);
      }
    }
  }
  found.evidence.numbers = concat_text(Spread(a).str(), " with ", label_of(better), ", ", Spread(b).str(),
                                       " with ", label_of(other));
  for (const FailedTraining& failed : results.failures) {
    if (failed.batch == batch && (failed.normalization == better || failed.normalization == other)) {
      found.evidence.failed.push_back(failed.str());
    }
  }
  return found;
}

ReportSection verdict_section(const StudyResults& results) {
  const std::vector<std::string> names = each(results, &StudyRun::normalization);
  std::vector<ClaimVerdict> verdicts;
  for (const Index batch : each(results, &StudyRun::batch)) {
    for (std::size_t later = 1; later < names.size(); ++later) {
      for (std::size_t earlier = 0; earlier < later; ++earlier) {
        verdicts.push_back(lower(results, names[later], names[earlier], batch));
      }
    }
  }
  return {"Verdicts",
          {ReportText{
               {"Networks with the same seed began with the same weights and saw the same batches. Rings are "
                "seeds, the dot is their mean on its interval of 95 % confidence; each sentence claims that "
                "the mean lies to the right of the dashed threshold. Tested by a paired t test at the level "
                "0.05, corrected for the number of sentences (Holm)."}},
           ReportFindings{findings_of(decided(std::move(verdicts)))}}};
}

ReportSection loss_section(const StudyResults& results) {
  ReportSection section{"Losses", {}};
  ReportTable table{"", {"Normalization", "Batch", "Training", "Test, eval mode", "Test, training mode"}, {}};
  for (const Index batch : each(results, &StudyRun::batch)) {
    ReportChart chart{.title = concat_text("Loss, batches of ", batch), .y_label = "loss", .log_scale = true};
    for (const std::string& name : each(results, &StudyRun::normalization)) {
      const std::vector<const StudyRun*> runs = runs_of(results, name, batch);
      if (runs.empty()) {
        continue;
      }
      std::vector<std::vector<double>> x, y;
      for (const StudyRun* run : runs) {
        x.push_back(run->step);
        y.push_back(run->loss);
      }
      chart.curves.push_back(curve_over_seeds(name, x, y));
      table.rows.push_back({label_of(name), std::to_string(batch), spread_of(runs, &StudyRun::training).str(),
                            spread_of(runs, &StudyRun::test).str(),
                            spread_of(runs, &StudyRun::test_train_mode).str()});
    }
    section.blocks.push_back(chart);
  }
  section.blocks.insert(section.blocks.begin(), table);
  section.blocks.push_back(ReportText{
      {"Mean ± standard deviation over seeds; training is the mean of the last tenth of the steps. The "
       "bands reach from the lowest to the highest seed."}});
  return section;
}

}  // namespace

Report study_report(const StudyResults& results, const fs::path& folder) {
  Report report;
  const auto title = results.settings.find("title");
  report.title = title == results.settings.end() ? "A study" : title->second;
  report.add_settings(results.settings);
  report.summary = {concat_text(results.runs.size(), " trainings, ", results.failures.size(), " failed.")};
  if (results.runs.empty()) {
    return report;
  }
  report.sections = {verdict_section(results), loss_section(results)};
  const std::vector<Index> batches = each(results, &StudyRun::batch);
  const Index largest = *std::max_element(batches.begin(), batches.end());
  std::map<std::string, NormalizationRecords> records;
  for (const StudyRun& run : results.runs) {
    const fs::path file = folder / "runs" / study_run_name(run) / "normalization.jsonl";
    if (run.seed == 1 && run.batch == largest && fs::exists(file)) {
      const NormalizationRecords list = read_normalization_records(file.string());
      if (!list.empty()) {
        records[run.normalization] = list;
      }
    }
  }
  if (!records.empty()) {
    report.sections.push_back(layer_section(records, largest));
  }
  report.notes = {"All numbers are in results.json beside this page."};
  return report;
}

}  // namespace gesso
