#include "against.h"

#include <map>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/experiment_tables.h"
#include "gesso/core/error.h"
#include "tally.h"
#include "verdicts.h"

namespace gesso {
namespace {

std::string value_or_none(const std::map<std::string, std::string>& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() || found->second.empty() ? "–" : found->second;
}

ReportTable settings_table(const Comparison& here, const Comparison& there, const std::string& name) {
  std::map<std::string, std::string> names = here.settings;
  names.insert(there.settings.begin(), there.settings.end());
  ReportTable table{"Settings that differ", {"Setting", "This", name}, {}};
  for (const auto& [setting, value] : names) {
    const std::string a = value_or_none(here.settings, setting), b = value_or_none(there.settings, setting);
    if (a != b) {
      table.rows.push_back({setting, a, b});
    }
  }
  return table;
}

// "42 % (39 % to 46 %)"
std::string effect_text(const ClaimVerdict& found) {
  if (!found.effect) {
    return "–";
  }
  return concat_text(percent(found.effect->mean), " (", percent(found.effect->low), " to ",
                     percent(found.effect->high), ")");
}

ReportTable claims_table(const Comparison& here, const Comparison& there, const std::string& name) {
  ReportTable table{"Claims: effect, its interval of 95 % confidence, verdict",
                    {"Claim", "Threshold", "This", "Verdict", name, "Verdict"},
                    {}};
  const std::vector<ClaimVerdict> a = verdicts_of(here), b = verdicts_of(there);
  for (std::size_t i = 0; i < a.size(); ++i) {
    table.rows.push_back({a[i].claim.name, percent(a[i].claim.threshold), effect_text(a[i]),
                          name_of(a[i].verdict), effect_text(b[i]), name_of(b[i].verdict)});
  }
  return table;
}

ReportTable losses_table(const Comparison& here, const Comparison& there, const std::string& name) {
  ReportTable table{"Total loss on test photographs, in eval mode",
                    {"Normalization", "Batch", "This", name, concat_text(name, " / this")},
                    {}};
  const auto losses = [](const std::vector<const ComparisonRun*>& runs) {
    return Spread(values_of(runs, [](const ComparisonRun& run) { return run.test.total; }));
  };
  for (const Index batch : batch_sizes_of(here)) {
    for (const std::string& normalization : normalizations_of(here)) {
      const Spread a = losses(runs_of(here, normalization, batch)),
                   b = losses(runs_of(there, normalization, batch));
      if (a.count > 0 && b.count > 0) {
        table.rows.push_back(
            {normalization, std::to_string(batch), a.str(), b.str(), short_number(b.mean / a.mean)});
      }
    }
  }
  return table;
}

}  // namespace

ReportSection against_section(const Comparison& here, const Comparison& there, const std::string& name) {
  ReportSection section{"Against " + name, {}};
  for (const ReportTable& table : {settings_table(here, there, name), claims_table(here, there, name),
                                   losses_table(here, there, name)}) {
    if (table.rows.empty()) {
      section.blocks.push_back(ReportText{{table.title + ": none."}});
    } else {
      section.blocks.push_back(table);
    }
  }
  for (const Experiment* experiment : experiments()) {
    if (const auto table = experiment_table_against(*experiment, here.experiments, there.experiments, name)) {
      section.blocks.push_back(*table);
    }
  }
  return section;
}

}  // namespace gesso
