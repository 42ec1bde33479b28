#include "gesso/training/report/report.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>

#include "gesso/core/build_info.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/training/report/picture_files.h"
#include "gesso/training/report/plain_page.h"

namespace gesso {

extern const char report_page[];  // training/report/report_page/, turned into C++ when gesso is built

namespace {

constexpr std::size_t kMaxPoints = 1000;  // of a curve; more than a screen shows, and reports stay small

// Values in groups of `group`, each group as its mean; NaN (null in JSON) if no value of it is finite.
std::vector<double> group_means(const std::vector<double>& values, std::size_t group) {
  std::vector<double> means;
  for (std::size_t begin = 0; begin < values.size(); begin += group) {
    double sum = 0;
    int count = 0;
    for (std::size_t i = begin; i < std::min(values.size(), begin + group); ++i) {
      if (std::isfinite(values[i])) {
        sum += values[i];
        ++count;
      }
    }
    means.push_back(count > 0 ? sum / count : std::nan(""));
  }
  return means;
}

Json to_json(const ReportCurve& curve) {
  const std::size_t count = curve.x.size();
  const bool band = !curve.low.empty() || !curve.high.empty();
  require(curve.y.size() == count, "report: curve \"", curve.name, "\" has ", count, " x and ",
          curve.y.size(), " y");
  require(!band || (curve.low.size() == count && curve.high.size() == count), "report: curve \"", curve.name,
          "\" has ", count, " x, ", curve.low.size(), " low and ", curve.high.size(), " high");
  const std::size_t group = (count + kMaxPoints - 1) / kMaxPoints;
  const auto reduced = [&](const std::vector<double>& values) {
    return group_means(values, std::max<std::size_t>(1, group));
  };
  Json json = {{"name", curve.name}, {"x", reduced(curve.x)}, {"y", reduced(curve.y)}};
  if (curve.color >= 0) {
    json["color"] = curve.color % 8;
  }
  if (band) {
    json["low"] = reduced(curve.low);
    json["high"] = reduced(curve.high);
  }
  return json;
}

Json to_json(const ReportPicture& picture, PictureFiles& files) {
  return {{"image", files.index_of(picture)}, {"caption", picture.caption}, {"alt", picture.alt},
          {"width", picture.width},           {"height", picture.height},   {"exact", picture.exact}};
}

Json to_json(const ReportText& text, PictureFiles&) {
  return {{"type", "text"}, {"paragraphs", text.paragraphs}};
}

Json to_json(const ReportFormula& formula, PictureFiles&) {
  return {{"type", "formula"}, {"lines", formula.lines}};
}

Json to_json(const ReportMatrices& group, PictureFiles&) {
  Json matrices = Json::array();
  for (const ReportMatrix& matrix : group.matrices) {
    matrices.push_back({{"caption", matrix.caption}, {"values", matrix.values}});
  }
  return {{"type", "matrices"}, {"title", group.title}, {"matrices", matrices}, {"decimals", group.decimals}};
}

// Four significant digits: colours show less, and a page with many maps stays small.
Json rounded(const std::vector<double>& values) {
  Json json = Json::array();
  for (const double value : values) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    json.push_back(std::isfinite(value) ? Json(std::stod(text)) : Json());
  }
  return json;
}

Json to_json(const ReportColorMaps& group, PictureFiles&) {
  Json maps = Json::array();
  for (const ReportColorMap& map : group.maps) {
    Json rows = Json::array();
    for (const std::vector<double>& row : map.values) {
      require(row.size() == map.x.size(), "report: a row of colour map \"", map.caption, "\" has ",
              row.size(), " values for ", map.x.size(), " columns");
      rows.push_back(rounded(row));
    }
    maps.push_back({{"caption", map.caption}, {"x", map.x}, {"values", rows}});
  }
  return {{"type", "color_maps"},
          {"title", group.title},
          {"x_label", group.x_label},
          {"row_label", group.row_label},
          {"value_label", group.value_label},
          {"maps", maps},
          {"log_scale", group.log_scale},
          {"columns", group.columns}};
}

Json to_json(const ReportGrid& grid, PictureFiles&) {
  require(grid.cells.size() == grid.rows.size(), "report: grid \"", grid.title, "\" has ", grid.cells.size(),
          " rows of cells and ", grid.rows.size(), " names for them");
  Json rows = Json::array();
  for (const std::vector<ReportGridCell>& row : grid.cells) {
    require(row.size() == grid.columns.size(), "report: a row of grid \"", grid.title, "\" has ", row.size(),
            " cells for ", grid.columns.size(), " columns");
    Json cells = Json::array();
    for (const ReportGridCell& cell : row) {
      cells.push_back({{"value", cell.value}, {"text", cell.text}, {"note", cell.note}});
    }
    rows.push_back(cells);
  }
  return {{"type", "grid"},          {"title", grid.title}, {"column_label", grid.column_label},
          {"columns", grid.columns}, {"rows", grid.rows},   {"cells", rows}};
}

Json to_json(const ReportFindings& group, PictureFiles&) {
  Json findings = Json::array();
  for (const ReportFinding& finding : group.findings) {
    Json json = {
        {"claim", finding.claim}, {"verdict", name_of(finding.verdict)}, {"evidence", finding.evidence}};
    if (const auto& effect = finding.effect) {
      json["effect"] = {{"values", effect->values},
                        {"mean", effect->mean},
                        {"low", effect->low},
                        {"high", effect->high},
                        {"threshold", effect->threshold}};
    }
    findings.push_back(json);
  }
  return {{"type", "findings"}, {"findings", findings}};
}

Json to_json(const ReportTable& table, PictureFiles&) {
  for (const std::vector<std::string>& row : table.rows) {
    require(row.size() == table.columns.size(), "report: a row of table \"", table.title, "\" has ",
            row.size(), " texts for ", table.columns.size(), " columns");
  }
  return {{"type", "table"}, {"title", table.title}, {"columns", table.columns}, {"rows", table.rows}};
}

Json to_json(const ReportChart& chart, PictureFiles&) {
  Json curves = Json::array();
  for (const ReportCurve& curve : chart.curves) {
    require(!chart.log_x || std::all_of(curve.x.begin(), curve.x.end(), [](double x) { return x > 0; }),
            "report: curve \"", curve.name, "\" of chart \"", chart.title,
            "\" has an x that is not above 0, on a log scale");
    curves.push_back(to_json(curve));
  }
  return {{"type", "chart"},          {"title", chart.title}, {"x_label", chart.x_label},
          {"y_label", chart.y_label}, {"curves", curves},     {"log_scale", chart.log_scale},
          {"log_x", chart.log_x}};
}

Json to_json(const std::vector<ReportPicture>& pictures, PictureFiles& files) {
  Json list = Json::array();
  for (const ReportPicture& picture : pictures) {
    list.push_back(to_json(picture, files));
  }
  return list;
}

Json to_json(const ReportPictures& group, PictureFiles& files) {
  return {{"type", "pictures"},
          {"title", group.title},
          {"columns", group.columns},
          {"pictures", to_json(group.pictures, files)}};
}

Json to_json(const ReportComparison& comparison, PictureFiles& files) {
  require(!comparison.scenes.empty(), "report: comparison \"", comparison.title, "\" has no scene");
  Json scenes = Json::array();
  for (const ReportScene& scene : comparison.scenes) {
    require(scene.pictures.size() >= 2, "report: comparison \"", comparison.title, "\" has ",
            scene.pictures.size(), " pictures; it must have two or more");
    scenes.push_back({{"name", scene.name}, {"pictures", to_json(scene.pictures, files)}});
  }
  return {{"type", "comparison"}, {"title", comparison.title}, {"scenes", scenes}};
}

Json to_json(const ReportPictureSteps& group, PictureFiles& files) {
  Json series = Json::array();
  for (const std::vector<ReportPicture>& pictures : group.series) {
    require(pictures.size() == group.steps.size(), "report: a series of \"", group.title, "\" has ",
            pictures.size(), " pictures for ", group.steps.size(), " steps");
    series.push_back(to_json(pictures, files));
  }
  return {{"type", "picture_steps"},        {"title", group.title},     {"steps", group.steps},
          {"step_label", group.step_label}, {"columns", group.columns}, {"series", series}};
}

Json to_json(const ReportSection& section, PictureFiles& files) {
  Json blocks = Json::array();
  for (const ReportBlock& block : section.blocks) {
    blocks.push_back(std::visit([&](const auto& b) { return to_json(b, files); }, block));
  }
  return {{"title", section.title}, {"blocks", blocks}};
}

Json to_json(const std::vector<std::pair<std::string, std::string>>& entries) {
  Json json = Json::array();
  for (const auto& [name, value] : entries) {
    json.push_back({name, value});
  }
  return json;
}

// The JSON as it may stand inside an HTML script element: without "<" there is no "</script>" and no "<!--".
// Bytes that are not UTF-8 (in the name of a file, say) become U+FFFD.
std::string embeddable(const Json& json) {
  const std::string text = json_text(json);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::supported:
      return "supported";
    case Verdict::contradicted:
      return "contradicted";
    case Verdict::undecided:
      return "undecided";
    case Verdict::indicative:
      return "indicative";
    default:
      return "open";
  }
}

ReportPicture report_picture(const Tensor& picture, std::string caption, std::string alt, bool exact) {
  return {.caption = std::move(caption),
          .alt = std::move(alt),
          .file = exact ? encode_png(picture) : encode_jpeg(picture, 88),
          .width = picture.size(-1),
          .height = picture.size(-2),
          .exact = exact};
}

ReportCurve log_curve(const std::vector<LogEntry>& log, const std::string& name, const std::string& label,
                      double factor) {
  ReportCurve curve{.name = label};
  for (const LogEntry& entry : log) {
    if (const std::optional<double> value = logged(entry, name)) {
      curve.x.push_back(logged(entry, "step").value_or(0));
      curve.y.push_back(factor * *value);
    }
  }
  return curve;
}

void Report::add_settings(const std::map<std::string, std::string>& entries) {
  settings.insert(settings.end(), entries.begin(), entries.end());
  const BuildInfo info = build_info();
  settings.emplace_back("gesso", info.version + ", " + info.build_type + ", " + info.compiler);
  settings.emplace_back(
      "machine", concat_text(info.threads, " threads, ", info.simd, ", products of matrices by ", info.blas,
                             info.blas_core.empty() ? "" : " " + info.blas_core));
}

std::string Report::html() const {
  PictureFiles files;
  Json json = {{"title", title},
               {"summary", summary},
               {"updated", std::chrono::duration_cast<std::chrono::seconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count()},
               {"made_by", "gesso " + build_info().version}};
  if (progress) {
    json["progress"] = {{"fraction", progress->fraction}, {"text", progress->text}};
  }
  json["figures"] = to_json(figures);
  json["sections"] = Json::array();
  for (const ReportSection& section : sections) {
    json["sections"].push_back(to_json(section, files));
  }
  json["settings"] = to_json(settings);
  json["notes"] = notes;
  std::string page = report_page;
  const auto fill = [&](const std::string& place, const std::string& text) {
    page.replace(page.find(place), place.size(), text);
  };
  fill("@DATA@", embeddable(json));
  fill("@PLAIN@", plain_page(*this, files));  // above the data, whatever stands in them
  return page;
}

void Report::write(const std::string& path) const { write_file_atomically(path, html()); }

}  // namespace gesso
