#include "picture_section.h"

#include <algorithm>
#include <functional>

#include "curves.h"
#include "gesso/core/error.h"
#include "tally.h"

namespace gesso {
namespace {

std::optional<ReportPicture> painted_by(const Page& page, const std::string& name, Index batch,
                                        std::size_t photograph) {
  const ComparisonRun* run = painted_run(page, name, batch);
  if (run == nullptr || photograph >= run->pictures.size()) {
    return {};
  }
  const std::string what = name_of_photograph(page.comparison.test_photographs.at(photograph));
  return picture_of(page, run->pictures[photograph], label_of(name),
                    concat_text(what, " repainted by the network with ", label_of(name),
                                ", trained in batches of ", batch));
}

// All networks' pictures of each photograph, and the photograph: batch against instance norm to begin with.
std::optional<ReportComparison> wipe_of(const Page& page) {
  ReportComparison wipe{"Any two of the networks", {}};
  std::vector<std::string> names = page.names;
  const auto first = [](const std::string& name) { return name == "batch" || name == "instance"; };
  std::stable_partition(names.begin(), names.end(), first);
  for (std::size_t i = 0; i < page.comparison.test_photographs.size(); ++i) {
    const std::string& photograph = page.comparison.test_photographs[i];
    ReportScene scene{name_of_photograph(photograph), {}};
    for (const Index batch : page.batch_sizes) {
      for (const std::string& name : names) {
        if (auto painted = painted_by(page, name, batch, i)) {
          painted->caption = concat_text(label_of(name), ", batches of ", batch);
          scene.pictures.push_back(*painted);
        }
      }
    }
    if (auto picture = picture_of(page, photograph, "photograph", "The photograph " + scene.name)) {
      scene.pictures.push_back(*picture);
    }
    if (scene.pictures.size() >= 2) {
      wipe.scenes.push_back(std::move(scene));
    }
  }
  return wipe.scenes.empty() ? std::nullopt : std::optional(wipe);
}

// What the networks painted on the way, the same steps for all.
ReportPictureSteps steps_of(const Page& page, Index batch) {
  ReportPictureSteps group{
      .title = concat_text("On the way, trained in batches of ", batch), .steps = {}, .series = {}};
  for (const std::string& name : page.names) {
    const ComparisonRun* run = painted_run(page, name, batch);
    if (run == nullptr || run->samples.empty()) {
      continue;
    }
    std::vector<double> steps;
    std::vector<ReportPicture> pictures;
    for (const SamplePicture& sample : run->samples) {
      const std::string alt = concat_text("What the network with ", label_of(name), " painted after ",
                                          sample.step, " steps, in batches of ", batch);
      if (const auto picture = picture_of(page, sample.picture, label_of(name), alt)) {
        steps.push_back(static_cast<double>(sample.step));
        pictures.push_back(*picture);
      }
    }
    if (group.series.empty()) {
      group.steps = steps;
    }
    if (steps == group.steps && !steps.empty()) {
      group.series.push_back(std::move(pictures));
    }
  }
  group.columns = static_cast<int>(group.series.size());
  return group;
}

}  // namespace

ReportSection picture_section(const Page& page) {
  ReportSection section{"Pictures", {}};
  const std::vector<std::string>& photographs = page.comparison.test_photographs;
  if (const auto style = picture_of(page, page.comparison.style_picture, "", "The style picture")) {
    section.blocks.push_back(
        ReportText{{"The style picture, and photographs that no network was trained on, in eval mode. "
                    "Click a picture to enlarge it, and to wipe it against any other."}});
    section.blocks.push_back(ReportPictures{.title = "", .pictures = {*style}});
  }
  if (const std::optional<ReportComparison> wipe = wipe_of(page)) {
    section.blocks.push_back(*wipe);
  }
  for (const Index batch_size : page.batch_sizes) {
    const ReportPictureSteps steps = steps_of(page, batch_size);
    if (!steps.series.empty()) {
      section.blocks.push_back(steps);
    }
  }
  for (const Index batch_size : page.batch_sizes) {
    for (std::size_t i = 0; i < photographs.size(); ++i) {
      ReportPictures row{
          .title = concat_text(name_of_photograph(photographs[i]), ", trained in batches of ", batch_size),
          .pictures = {},
          .columns = static_cast<int>(page.names.size()) + 1};
      if (const auto photograph = picture_of(page, photographs[i], "photograph",
                                             "The photograph " + name_of_photograph(photographs[i]))) {
        row.pictures.push_back(*photograph);
      }
      for (const std::string& name : page.names) {
        if (const auto painted = painted_by(page, name, batch_size, i)) {
          row.pictures.push_back(*painted);
        }
      }
      if (row.pictures.size() > 1) {
        section.blocks.push_back(row);
      }
    }
  }
  return section;
}

ReportSection quality_section(const Page& page) {
  ReportTable table{
      "", {"Normalization", "Batch", "Structure kept", "Weave", "Content, unseen", "Style, unseen"}, {}};
  for (const Index batch : page.batch_sizes) {
    for (const std::string& name : page.names) {
      const auto runs = runs_of(page.comparison, name, batch);
      if (runs.empty()) {
        continue;
      }
      const auto text = [&](double PictureQuality::*value) {
        return Spread(values_of(runs, [&](const ComparisonRun& run) { return run.quality.*value; })).str();
      };
      table.rows.push_back({label_of(name), std::to_string(batch), text(&PictureQuality::structure),
                            text(&PictureQuality::weave), text(&PictureQuality::content),
                            text(&PictureQuality::style)});
    }
  }
  return {
      "How good the pictures are",
      {ReportText{{concat_text(
           "Measures that no training reduced, of photographs that none was trained on. Structure kept: how much "
           "the edges agree with the photograph's, 1 for the same edges. Weave: how much more upright or level "
           "lines than diagonal ones the texture has, as a multiple of the style picture's; above 1 it is woven. "
           "Unseen: the losses in the loss network \"",
           page.comparison.quality_network,
           "\", which trained nothing here; lower is better. Mean ± standard deviation over seeds.")}},
       table}};
}

}  // namespace gesso
