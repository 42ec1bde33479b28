#include "page.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "against.h"
#include "claims.h"
#include "classification_section.h"
#include "comparison_settings.h"
#include "curves.h"
#include "experiments/experiment_sections.h"
#include "gesso/core/error.h"
#include "gesso/training/report/recorder.h"
#include "layer_section.h"
#include "page_parts.h"
#include "picture_section.h"
#include "tally.h"
#include "verdicts.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

using Measure = std::function<double(const ComparisonRun&)>;

// ---- curves over the steps

ReportChart loss_chart(const Page& page, const std::string& title, Index batch,
                       std::vector<double> ComparisonRun::*values, const std::string& photographs = "plain") {
  ReportChart chart{.title = title, .y_label = "loss", .log_scale = true};
  for (const std::string& name : page.names) {
    std::vector<std::vector<double>> x, y;
    for (const ComparisonRun* run : runs_of(page.comparison, name, batch, photographs)) {
      x.push_back(run->step);
      y.push_back(run->*values);
    }
    if (!x.empty()) {
      chart.curves.push_back(curve_over_seeds(name, x, y));
    }
  }
  return chart;
}

// ---- sections

ReportTable summary_table(const Page& page) {
  ReportTable table{
      "",
      {"Normalization", "Batch", "Total", "Content", "Style", "Test total", "Contrast", "Leak", "Roughness"},
      {}};
  for (const Index batch : page.batch_sizes) {
    for (const std::string& name : page.names) {
      const auto runs = runs_of(page.comparison, name, batch);
      if (runs.empty()) {
        continue;
      }
      const auto text = [&](const Measure& measure) { return Spread(values_of(runs, measure)).str(); };
      const auto share = [&](const Measure& measure) {
        return percent(Spread(values_of(runs, measure)).mean);
      };
      table.rows.push_back({label_of(name), std::to_string(batch),
                            text([](const ComparisonRun& run) { return run.training.total; }),
                            text([](const ComparisonRun& run) { return run.training.content; }),
                            text([](const ComparisonRun& run) { return run.training.style; }),
                            text([](const ComparisonRun& run) { return run.test.total; }),
                            share([](const ComparisonRun& run) {
                              const ContrastMeasure* low = contrast_of(run, 0.25);
                              return low ? low->pixel_change : std::numeric_limits<double>::quiet_NaN();
                            }),
                            share([](const ComparisonRun& run) { return run.leak; }),
                            share([](const ComparisonRun& run) { return run.roughness; })});
    }
  }
  return table;
}

ReportSection verdict_section(const std::vector<ClaimVerdict>& verdicts) {
  return {"Verdicts",
          {ReportText{
               {"An effect is measured seed by seed: networks with the same seed began with the same weights "
                "and saw the same crops. Rings are seeds, the dot is their mean on its interval of 95 % "
                "confidence, and the claim says that the mean lies to the right of the dashed threshold. "
                "Claims, measures and thresholds were fixed before the run (compare-norms --claims); the "
                "test is a paired t test at the level 0.05, corrected for the number of claims (Holm)."}},
           ReportFindings{findings_of(verdicts)}}};
}

// "1.2e-07", "0"
std::string error_text(double error) { return error == 0 ? "0" : short_number(error); }

ReportSection check_section(const Page& page) {
  ReportSection section{
      "Checks of the implementation",
      {ReportText{
          {"What holds by algebra, whatever was trained, is no finding about normalizations. It shows that "
           "the trainings were what they should have been."}}}};
  ReportTable table{"", {"Identity", "Largest error", "Allowed", ""}, {}};
  for (const IdentityCheck& check : identity_checks(page.comparison)) {
    table.rows.push_back({check.identity, error_text(check.error), error_text(check.allowed),
                          check.error <= check.allowed ? "right" : "WRONG"});
  }
  section.blocks.push_back(table);
  return section;
}

ReportSection failure_section(const Comparison& comparison) {
  ReportSection section{"Trainings that failed", {}};
  ReportText text;
  for (const FailedTraining& failed : comparison.failures) {
    text.paragraphs.push_back(failed.str() + ".");
  }
  text.paragraphs.push_back(
      "They are left out of every comparison that needs them, together with their partners.");
  section.blocks.push_back(text);
  return section;
}

ReportSection summary_section(const Page& page) {
  return {
      "In numbers",
      {summary_table(page),
       ReportText{
           {"Mean ± standard deviation over seeds; lower is better everywhere. Total (content, "
            "style and small terms, weighted), content and style are the training losses in the "
            "last tenth of the steps; the test total is for photographs never trained on, in eval "
            "mode. Contrast: how far the picture moves when the photograph has a quarter of its "
            "contrast. Leak: how far pictures move when another picture in their batch is "
            "replaced, in training mode. Roughness: how far neighbouring pixels of the pictures differ. These "
            "three are means over pixels, in percent of white."}}}};
}

ReportSection loss_section(const Page& page) {
  ReportSection section{"Losses", {}};
  for (const Index batch : page.batch_sizes) {
    section.blocks.push_back(
        loss_chart(page, concat_text("Total loss, batches of ", batch), batch, &ComparisonRun::total));
  }
  section.blocks.push_back(loss_chart(page, concat_text("Content loss, batches of ", page.batch()),
                                      page.batch(), &ComparisonRun::content));
  section.blocks.push_back(loss_chart(page, concat_text("Style loss, batches of ", page.batch()),
                                      page.batch(), &ComparisonRun::style));
  section.blocks.push_back(ReportText{
      {"All networks with the same seed began with the same weights and saw the same crops in the same "
       "order. The bands reach from the lowest to the highest seed."}});
  return section;
}

ReportChart contrast_chart(const Page& page) {
  ReportChart chart{.title = "How far the picture moves from that for the unchanged photograph",
                    .x_label = "contrast",
                    .y_label = "percent of white, mean over pixels"};
  for (const std::string& name : page.names) {
    const auto runs = runs_of(page.comparison, name, page.batch());
    if (runs.empty()) {
      continue;
    }
    std::vector<std::vector<double>> x, y;
    for (const ComparisonRun* run : runs) {
      x.emplace_back();
      y.emplace_back();
      for (const ContrastMeasure& each : run->contrast) {
        x.back().push_back(each.contrast);
        y.back().push_back(100 * each.pixel_change);
      }
    }
    chart.curves.push_back(curve_over_seeds(name, x, y));
  }
  return chart;
}

ReportSection contrast_section(const Page& page) {
  ReportSection section{"Contrast",
                        {ReportText{{"A photograph with less contrast shows the same things. Instance norm "
                                     "divides the difference away after its first convolution; batch norm "
                                     "divides by an average over training photographs, and the difference "
                                     "stays."}},
                         contrast_chart(page)}};
  ReportTable table{"How far it moves in the loss network's features, and the style loss of the pictures",
                    {"Normalization"},
                    {}};
  bool headed = false;
  for (const std::string& name : page.names) {
    const auto runs = runs_of(page.comparison, name, page.batch());
    if (runs.empty() || runs.front()->contrast.empty()) {
      continue;
    }
    std::vector<std::string> row{label_of(name)};
    for (const ContrastMeasure& each : runs.front()->contrast) {
      const double factor = each.contrast;
      if (!headed && factor != 1) {
        table.columns.push_back(concat_text("moved at ", factor, "x"));
      }
      if (!headed) {
        table.columns.push_back(concat_text("style at ", factor, "x"));
      }
      if (factor != 1) {
        row.push_back(short_number(Spread(values_of(runs, [&](const ComparisonRun& run) {
                                     return contrast_of(run, factor)->feature_change;
                                   })).mean));
      }
      row.push_back(short_number(Spread(values_of(runs, [&](const ComparisonRun& run) {
                                   return contrast_of(run, factor)->losses.style;
                                 })).mean));
    }
    headed = true;
    table.rows.push_back(row);
  }
  if (!table.rows.empty()) {
    section.blocks.push_back(table);
  }
  // The strip: photographs above, each normalization's pictures below, contrast growing to the right.
  ReportPictures strip{
      .title = concat_text("The same photograph at several contrasts, networks trained in batches of ",
                           page.batch()),
      .pictures = {},
      .columns = 0};
  for (const std::string& name : page.names) {
    const ComparisonRun* run = painted_run(page, name, page.batch());
    if (run == nullptr) {
      continue;
    }
    if (strip.pictures.empty()) {
      strip.columns = static_cast<int>(run->contrast.size());
      for (const ContrastMeasure& each : run->contrast) {
        if (const auto photograph =
                picture_of(page, each.photograph, concat_text("photograph, ", each.contrast, "x"),
                           concat_text("The photograph at ", each.contrast, " times its contrast"))) {
          strip.pictures.push_back(*photograph);
        }
      }
    }
    for (const ContrastMeasure& each : run->contrast) {
      if (const auto painted =
              picture_of(page, each.picture, concat_text(label_of(name), ", ", each.contrast, "x"),
                         concat_text("Repainted with ", label_of(name), " from ", each.contrast,
                                     " times the contrast"))) {
        strip.pictures.push_back(*painted);
      }
    }
  }
  if (!strip.pictures.empty()) {
    section.blocks.push_back(strip);
  }
  return section;
}

ReportSection photographs_section(const Page& page) {
  ReportSection section{
      "What instance norm removes",
      {ReportText{
          {"Huang and Belongie (2017, figure 1) trained both normalizations on photographs as they are, on "
           "photographs of equal contrast, and on photographs that another network had brought into one "
           "style. If instance norm only removed contrast, its advantage would vanish on the second "
           "kind; in their figure it mostly vanishes on the third. The table says what it did here."}}}};
  ReportTable table{"Total loss in the last tenth of the steps",
                    {"Trained on", "Batch norm", "Instance norm", "Lower by"},
                    {}};
  const std::pair<const char*, const char*> kinds[] = {
      {"plain", "photographs as they are"},
      {"contrast-normalized", "photographs of equal contrast"},
      {"style-normalized", "photographs in one other style"}};
  for (const auto& [kind, words] : kinds) {
    const Measure total = [](const ComparisonRun& run) { return run.training.total; };
    const Spread batch(values_of(runs_of(page.comparison, "batch", page.batch(), kind), total));
    const Spread instance(values_of(runs_of(page.comparison, "instance", page.batch(), kind), total));
    if (batch.count == 0 || instance.count == 0) {
      continue;
    }
    table.rows.push_back({words, batch.str(), instance.str(), percent(1 - instance.mean / batch.mean)});
    ReportChart chart =
        loss_chart(page, concat_text("Total loss on ", words), page.batch(), &ComparisonRun::total, kind);
    std::erase_if(chart.curves,
                  [](const ReportCurve& curve) { return curve.name != "batch" && curve.name != "instance"; });
    section.blocks.push_back(chart);
  }
  if (!table.rows.empty()) {
    section.blocks.insert(section.blocks.begin() + 1, table);
  }
  return section;
}

ReportSection mode_section(const Page& page) {
  ReportTable table{"Total loss on test photographs",
                    {"Normalization", "Batch", "Training mode", "Eval mode", "Difference"},
                    {}};
  for (const Index batch : page.batch_sizes) {
    for (const std::string& name : page.names) {
      const auto runs = runs_of(page.comparison, name, batch);
      if (!runs.empty()) {
        const Spread training(
            values_of(runs, [](const ComparisonRun& run) { return run.test_train_mode.total; }));
        const Spread eval(values_of(runs, [](const ComparisonRun& run) { return run.test.total; }));
        table.rows.push_back({label_of(name), std::to_string(batch), training.str(), eval.str(),
                              percent(eval.mean / training.mean - 1)});
      }
    }
  }
  return {"Training and eval mode",
          {ReportText{{"In training mode batch norm takes mean and variance from the batch at hand, in eval "
                       "mode from a running average. A network is trained in one mode and used in the other. "
                       "Layers without running averages have only one mode."}},
           table}};
}

// ---- inside the layers

std::map<std::string, NormalizationRecords> records_of(const Page& page) {
  std::map<std::string, NormalizationRecords> records;
  for (const std::string& name : page.names) {
    const ComparisonRun* run = painted_run(page, name, page.batch());
    if (run != nullptr && !run->normalization_record.empty()) {
      records[name] = read_normalization_records((page.folder / run->normalization_record).string());
    }
  }
  return records;
}

ReportSection cost_section(const Page& page) {
  ReportTable table{"", {"Normalization", "Batch", "Time per step", "Memory per step"}, {}};
  for (const Index batch : page.batch_sizes) {
    for (const std::string& name : page.names) {
      const auto runs = runs_of(page.comparison, name, batch);
      if (!runs.empty()) {
        const Spread seconds(
            values_of(runs, [](const ComparisonRun& run) { return 1000 * run.seconds_per_step; }));
        const Spread megabytes(values_of(runs, [](const ComparisonRun& run) { return run.peak_megabytes; }));
        table.rows.push_back({label_of(name), std::to_string(batch), short_number(seconds.mean) + " ms",
                              short_number(megabytes.mean) + " MB"});
      }
    }
  }
  return {"What it costs",
          {table,
           ReportText{
               {"Time: the median of a training's steps, as it ran: on its share of the threads, with as "
                "many other trainings beside it as --jobs had. Memory: the most that one step takes beyond "
                "the weights. Means over seeds."}}}};
}

std::string count_of(std::size_t count, const std::string& singular) {
  return concat_text(count, " ", singular, count == 1 ? "" : "s");
}

std::string words_of_task(const Comparison& comparison, const std::string& name) {
  for (const ClassificationTaskRecord& task : comparison.classification_tasks) {
    if (task.name == name) {
      return task.words;
    }
  }
  return {};
}

// "Of 11 claims, 7 are supported, 1 is contradicted and 3 are undecided."
std::string verdict_counts(const std::vector<ClaimVerdict>& verdicts) {
  const std::pair<Verdict, const char*> kinds[] = {{Verdict::supported, "supported"},
                                                   {Verdict::contradicted, "contradicted"},
                                                   {Verdict::undecided, "undecided"},
                                                   {Verdict::indicative, "measured with too few seeds"},
                                                   {Verdict::open, "not measured"}};
  std::vector<std::string> parts;
  for (const auto& [verdict, words] : kinds) {
    const auto count = std::count_if(verdicts.begin(), verdicts.end(),
                                     [&](const ClaimVerdict& each) { return each.verdict == verdict; });
    if (count > 0) {
      parts.push_back(concat_text(count, count == 1 ? " is " : " are ", words));
    }
  }
  return concat_text("Of ", count_of(verdicts.size(), "claim"), " ", listed(parts, ", "), ".");
}

// The comparison of style networks, of which there is at least one.
void add_comparison(Report& report, const Page& page) {
  const Comparison& comparison = page.comparison;
  const std::vector<ClaimVerdict> verdicts = verdicts_of(comparison);
  report.summary = {
      concat_text("The same style network, trained with ", count_of(page.names.size(), "normalization"),
                  " from the same weights on the same photographs in the same order."),
      verdict_counts(verdicts)};
  report.figures = {{"trainings", std::to_string(comparison.runs.size() + comparison.classification.size())},
                    {"steps each", std::to_string(comparison.runs.front().step.size())}};
  for (const char* name : {"instance", "batch"}) {
    const auto runs = runs_of(comparison, name, page.batch());
    if (!runs.empty()) {
      report.figures.emplace_back(concat_text("total loss, ", name),
                                  short_number(Spread(values_of(runs, [](const ComparisonRun& run) {
                                                 return run.training.total;
                                               })).mean));
    }
  }
  report.sections = {verdict_section(verdicts)};
  if (!comparison.failures.empty()) {
    report.sections.push_back(failure_section(comparison));
  }
  for (const ReportSection& section :
       {check_section(page), summary_section(page), loss_section(page), picture_section(page),
        quality_section(page), contrast_section(page), photographs_section(page), mode_section(page)}) {
    report.sections.push_back(section);
  }
  for (const ClassificationTaskRecord& task : comparison.classification_tasks) {
    if (const auto section = classification_section(page, task)) {
      report.sections.push_back(*section);
    }
  }
  const std::map<std::string, NormalizationRecords> records = records_of(page);
  if (!records.empty()) {
    report.sections.push_back(layer_section(records, page.batch()));
  }
  report.sections.push_back(cost_section(page));
}

}  // namespace

Report comparison_report(const Comparison& comparison, const fs::path& folder,
                         std::optional<ReportProgress> progress) {
  Report report;
  report.title = "Batch against instance normalization";
  report.progress = std::move(progress);
  report.add_settings(comparison.settings);
  report.notes = {"All numbers are in results.json beside this page."};
  if (!comparison.runs.empty()) {
    add_comparison(report, {comparison, folder});
  }
  for (const ReportSection& section :
       experiment_sections(comparison.experiments, words_of_task(comparison, "crops"))) {
    report.sections.push_back(section);
  }
  if (report.sections.empty()) {
    report.summary = {"The first training is under way."};
  } else if (comparison.runs.empty()) {
    report.title = "Experiments on normalizations";
  }
  return report;
}

void write_page(const Comparison& comparison, const fs::path& folder,
                std::optional<ReportProgress> progress) {
  comparison_report(comparison, folder, std::move(progress)).write((folder / "report.html").string());
}

void write_page_against(const Comparison& comparison, const fs::path& folder, const fs::path& other) {
  Report report = comparison_report(comparison, folder);
  const Comparison there = read_results(other / "results.json");
  const fs::path name = other.filename().empty() ? other.parent_path().filename() : other.filename();
  report.sections.insert(report.sections.begin(), against_section(comparison, there, name.string()));
  report.write((folder / "report.html").string());
}

}  // namespace gesso
