#include "gesso/training/report/plain_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>

#include "gesso/core/error.h"
#include "gesso/training/report/base64.h"

namespace gesso {
namespace {

constexpr std::size_t kRows = 12;  // of a chart's table: enough to see how a curve goes

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

// "<p>text</p>"
std::string tagged(const char* name, const std::string& text) {
  return concat_text("<", name, ">", escaped(text), "</", name, ">\n");
}

std::string title_of(const std::string& title) { return title.empty() ? "" : tagged("h3", title); }

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return std::isfinite(value) ? text : "–";
}

std::string cells(const char* kind, const std::vector<std::string>& texts) {
  std::string row = "<tr>";
  for (const std::string& text : texts) {
    row += concat_text("<", kind, ">", escaped(text), "</", kind, ">");
  }
  return row + "</tr>\n";
}

class PlainPage {
 public:
  explicit PlainPage(PictureFiles& files) : files_(files) {}

  std::string of(const ReportText& text) { return paragraphs(text.paragraphs); }

  std::string of(const ReportFormula& formula) {
    std::string lines;
    for (const std::string& line : formula.lines) {
      lines += (lines.empty() ? "" : "\n") + line;
    }
    return "<pre class=\"formula\">" + escaped(lines) + "</pre>\n";
  }

  std::string of(const ReportTable& table) {
    std::string html = title_of(table.title) + "<div class=\"scroll\"><table>\n" + cells("th", table.columns);
    for (const std::vector<std::string>& row : table.rows) {
      html += cells("td", row);
    }
    return html + "</table></div>\n";
  }

  std::string of(const ReportMatrices& group) {
    std::string html = title_of(group.title);
    for (const ReportMatrix& matrix : group.matrices) {
      html += "<table>" + tagged("caption", matrix.caption);
      for (const std::vector<double>& row : matrix.values) {
        std::vector<std::string> texts(row.size());
        std::transform(row.begin(), row.end(), texts.begin(), number);
        html += cells("td", texts);
      }
      html += "</table>\n";
    }
    return html;
  }

  std::string of(const ReportColorMaps& group) {
    std::string html = title_of(group.title);
    for (const ReportColorMap& map : group.maps) {
      double low = std::numeric_limits<double>::infinity(), high = -low;
      for (const std::vector<double>& row : map.values) {
        for (const double value : row) {
          low = std::min(low, std::isfinite(value) ? value : low);
          high = std::max(high, std::isfinite(value) ? value : high);
        }
      }
      html += tagged("p", concat_text(map.caption, ": ", map.values.size(), " rows, from ", number(low),
                                      " to ", number(high), " (the page's script draws the map)"));
    }
    return html;
  }

  std::string of(const ReportGrid& grid) {
    ReportTable table{grid.title, {grid.column_label}, {}};
    table.columns.insert(table.columns.end(), grid.columns.begin(), grid.columns.end());
    for (std::size_t i = 0; i < grid.rows.size(); ++i) {
      std::vector<std::string>& texts = table.rows.emplace_back(1, grid.rows[i]);
      for (const ReportGridCell& cell : grid.cells[i]) {
        texts.push_back(cell.note.empty() ? cell.text : concat_text(cell.text, " (", cell.note, ")"));
      }
    }
    return of(table);
  }

  std::string of(const ReportFindings& group) {
    std::string html = "<ul>\n";
    for (const ReportFinding& finding : group.findings) {
      html += "<li><strong>" + escaped(finding.claim) + "</strong> " +
              escaped(concat_text("(", name_of(finding.verdict), ") ", finding.evidence)) + "</li>\n";
    }
    return html + "</ul>\n";
  }

  // A row for some of the steps of the longest curve.
  std::string of(const ReportChart& chart) {
    ReportTable table{chart.title, {chart.x_label}, {}};
    const ReportCurve* longest = nullptr;
    for (const ReportCurve& curve : chart.curves) {
      table.columns.push_back(curve.name);
      longest = longest == nullptr || curve.x.size() > longest->x.size() ? &curve : longest;
    }
    const std::size_t count = longest == nullptr ? 0 : longest->x.size(), rows = std::min(count, kRows);
    for (std::size_t row = 0; row < rows; ++row) {
      const double x = longest->x[rows == 1 ? 0 : row * (count - 1) / (rows - 1)];
      std::vector<std::string>& texts = table.rows.emplace_back(1, number(x));
      for (const ReportCurve& curve : chart.curves) {
        const auto at = std::lower_bound(curve.x.begin(), curve.x.end(), x);
        texts.push_back(at != curve.x.end() && *at == x
                            ? number(curve.y[static_cast<std::size_t>(at - curve.x.begin())])
                            : "–");
      }
    }
    return of(table) + (rows < count ? tagged("p", concat_text(rows, " of ", count, " points.")) : "");
  }

  std::string of(const ReportPictures& group) { return title_of(group.title) + pictures(group.pictures); }
  // Of several scenes the first is open.
  std::string of(const ReportComparison& group) {
    std::string html = title_of(group.title);
    if (group.scenes.size() == 1) {
      return html + pictures(group.scenes.front().pictures);
    }
    for (const ReportScene& scene : group.scenes) {
      html += concat_text("<details", &scene == group.scenes.data() ? " open" : "", ">",
                          tagged("summary", scene.name), pictures(scene.pictures), "</details>\n");
    }
    return html;
  }

  std::string of(const ReportPictureSteps& group) {
    std::string html = title_of(group.title);
    for (std::size_t i = 0; i < group.steps.size(); ++i) {
      std::vector<ReportPicture> now;
      for (const std::vector<ReportPicture>& series : group.series) {
        now.push_back(series[i]);
      }
      html += tagged("p", concat_text(group.step_label, " ", number(group.steps[i]))) + pictures(now);
    }
    return html;
  }

  static std::string paragraphs(const std::vector<std::string>& texts) {
    std::string html;
    for (const std::string& text : texts) {
      html += tagged("p", text);
    }
    return html;
  }

  static std::string pairs(const std::vector<std::pair<std::string, std::string>>& entries) {
    std::string html = "<dl class=\"settings\">";
    for (const auto& [name, value] : entries) {
      html += "<div>" + tagged("dt", name) + tagged("dd", value) + "</div>";
    }
    return html + "</dl>\n";
  }

 private:
  std::string pictures(const std::vector<ReportPicture>& pictures) {
    std::string html = "<div class=\"pictures\">\n";
    for (const ReportPicture& picture : pictures) {
      const std::size_t index = files_.index_of(picture);
      const std::string words = picture.caption.empty() ? picture.alt : picture.caption;
      if (shown_.insert(index).second) {
        html += concat_text("<figure id=\"picture-", index, "\"><img data-picture=\"", index,
                            "\" src=\"data:image/", picture.exact ? "png" : "jpeg", ";base64,",
                            base64(picture.file), "\" alt=\"", escaped(picture.alt),
                            "\" style=\"max-width: 100%\"><figcaption>", escaped(words),
                            "</figcaption></figure>\n");
      } else {
        html +=
            concat_text("<p><a href=\"#picture-", index, "\">", escaped(words), "</a>, shown above</p>\n");
      }
    }
    return html + "</div>\n";
  }

  PictureFiles& files_;
  std::set<std::size_t> shown_;
};

}  // namespace

std::string plain_page(const Report& report, PictureFiles& files) {
  PlainPage page(files);
  std::string html = tagged("h1", report.title) + PlainPage::paragraphs(report.summary);
  if (report.progress) {
    html += tagged("p", report.progress->text);
  }
  html += PlainPage::pairs(report.figures);
  for (const ReportSection& section : report.sections) {
    html += "<section>\n" + tagged("h2", section.title);
    for (const ReportBlock& block : section.blocks) {
      html += "<div class=\"block\">\n" + std::visit([&](const auto& b) { return page.of(b); }, block) +
              "</div>\n";
    }
    html += "</section>\n";
  }
  return html + PlainPage::pairs(report.settings) + PlainPage::paragraphs(report.notes);
}

}  // namespace gesso
