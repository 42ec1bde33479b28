#include "tables.h"

#include <cmath>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "csv_fields.h"
#include "experiments/experiment.h"
#include "experiments/experiment_tables.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "tally.h"
#include "verdicts.h"

namespace gesso {
namespace {

// "batch,4,1,plain": which training a line is about.
std::string csv_name(const ComparisonRun& run) {
  return concat_text(run.normalization, ",", run.batch, ",", run.seed, ",", run.photographs);
}

struct Column {
  const char* name;
  double (*value)(const ComparisonRun&);
};

const std::vector<Column>& columns() {
  static const std::vector<Column> list = {
      {"training_total", [](const ComparisonRun& run) { return run.training.total; }},
      {"training_content", [](const ComparisonRun& run) { return run.training.content; }},
      {"training_style", [](const ComparisonRun& run) { return run.training.style; }},
      {"test_total", [](const ComparisonRun& run) { return run.test.total; }},
      {"test_content", [](const ComparisonRun& run) { return run.test.content; }},
      {"test_style", [](const ComparisonRun& run) { return run.test.style; }},
      {"test_train_mode_total", [](const ComparisonRun& run) { return run.test_train_mode.total; }},
      {"contrast_0.25_pixel_change",
       [](const ComparisonRun& run) {
         const ContrastMeasure* low = contrast_of(run, 0.25);
         return low ? low->pixel_change : NAN;
       }},
      {"structure", [](const ComparisonRun& run) { return run.quality.structure; }},
      {"weave", [](const ComparisonRun& run) { return run.quality.weave; }},
      {"unseen_content", [](const ComparisonRun& run) { return run.quality.content; }},
      {"unseen_style", [](const ComparisonRun& run) { return run.quality.style; }},
      {"roughness", [](const ComparisonRun& run) { return run.roughness; }},
      {"scale_change", [](const ComparisonRun& run) { return run.scale_change; }},
      {"leak", [](const ComparisonRun& run) { return run.leak; }},
      {"leak_eval", [](const ComparisonRun& run) { return run.leak_eval; }},
      {"seconds_per_step", [](const ComparisonRun& run) { return run.seconds_per_step; }},
      {"peak_megabytes", [](const ComparisonRun& run) { return run.peak_megabytes; }}};
  return list;
}

// "3.25 ± 0.12", "12 %" and "–" as LaTeX has them.
std::string latex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "±") == 0) {
      out += "$\\pm$";
      ++i;
    } else if (text.compare(i, 3, "–") == 0) {
      out += "--";
      i += 2;
    } else if (text[i] == '%' || text[i] == '&' || text[i] == '#' || text[i] == '_') {
      out += std::string("\\") + text[i];
    } else if (text[i] == '-' && i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9') {
      out += "$-$";
    } else {
      out += text[i];
    }
  }
  return out;
}

void print_table(std::ostream& out, const std::string& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  out << "\\begin{tabular}{" << columns << "}\n\\toprule\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t c = 0; c < rows[i].size(); ++c) {
      out << (c == 0 ? "" : " & ") << latex(rows[i][c]);
    }
    out << " \\\\\n" << (i == 0 ? "\\midrule\n" : "");
  }
  out << "\\bottomrule\n\\end{tabular}\n";
}

void print_comparison(std::ostream& out, const Comparison& comparison) {
  std::vector<std::vector<std::string>> losses = {
      {"Normalization", "Batch", "Total", "Content", "Style", "Test"}};
  for (const Index batch : batch_sizes_of(comparison)) {
    for (const std::string& name : normalizations_of(comparison)) {
      const auto runs = runs_of(comparison, name, batch);
      if (runs.empty()) {
        continue;
      }
      const auto over_seeds = [&](const std::function<double(const ComparisonRun&)>& measure) {
        return Spread(values_of(runs, measure)).str();
      };
      losses.push_back({name, std::to_string(batch),
                        over_seeds([](const ComparisonRun& run) { return run.training.total; }),
                        over_seeds([](const ComparisonRun& run) { return run.training.content; }),
                        over_seeds([](const ComparisonRun& run) { return run.training.style; }),
                        over_seeds([](const ComparisonRun& run) { return run.test.total; })});
    }
  }
  print_table(out, "lrrrrr", losses);
  std::vector<std::vector<std::string>> claims = {
      {"Claim", "Effect", "95 % interval", "Threshold", "p", "Verdict"}};
  for (const ClaimVerdict& found : verdicts_of(comparison)) {
    std::vector<std::string> row = {found.claim.name,      "", "", percent(found.claim.threshold), "",
                                    name_of(found.verdict)};
    if (found.effect) {
      row[1] = percent(found.effect->mean);
      row[2] = concat_text(percent(found.effect->low), " to ", percent(found.effect->high));
      row[4] = found.p < 0.001 ? "< 0.001" : short_number(found.p);
    }
    claims.push_back(row);
  }
  out << "\n";
  print_table(out, "lrrrrl", claims);
}

void print_experiments(std::ostream& out, const ExperimentResults& results) {
  for (const Experiment* experiment : experiments()) {
    if (experiment->count(results) == 0) {
      continue;
    }
    for (const ReportTable& table : experiment_tables(*experiment, results)) {
      std::vector<std::vector<std::string>> rows = {table.columns};
      rows.insert(rows.end(), table.rows.begin(), table.rows.end());
      out << "\n% " << table.title << "\n";
      print_table(out, "l" + std::string(table.columns.size() - 1, 'r'), rows);
    }
  }
}

}  // namespace

void write_csv(const Comparison& comparison, const std::filesystem::path& folder) {
  std::ostringstream trainings, curves;
  trainings << "normalization,batch,seed,photographs";
  for (const Column& column : columns()) {
    trainings << "," << column.name;
  }
  trainings << "\n";
  curves << "normalization,batch,seed,photographs,step,total,content,style\n";
  for (const ComparisonRun& run : comparison.runs) {
    trainings << csv_name(run);
    for (const Column& column : columns()) {
      trainings << "," << detail::csv_text(column.value(run));
    }
    trainings << "\n";
    for (std::size_t i = 0; i < run.step.size(); ++i) {
      curves << csv_name(run) << "," << detail::csv_text(run.step[i]) << "," << detail::csv_text(run.total[i])
             << "," << detail::csv_text(run.content[i]) << "," << detail::csv_text(run.style[i]) << "\n";
    }
  }
  write_file_atomically((folder / "trainings.csv").string(), trainings.str());
  write_file_atomically((folder / "curves.csv").string(), curves.str());
  for (const Experiment* experiment : experiments()) {
    if (experiment->count(comparison.experiments) > 0) {
      std::filesystem::create_directories(folder / "experiments");
      write_file_atomically((folder / "experiments" / (experiment->name + ".csv")).string(),
                            experiment->csv(comparison.experiments));
    }
  }
}

void print_latex(std::ostream& out, const Comparison& comparison) {
  if (!comparison.runs.empty()) {
    print_comparison(out, comparison);
  }
  print_experiments(out, comparison.experiments);
}

}  // namespace gesso
