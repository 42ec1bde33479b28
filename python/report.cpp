// Reports: the page that the programs write, made of what a notebook has.
#include "bindings.h"

namespace gesso::python {
namespace {

// What is added goes to the last section.
std::vector<ReportBlock>& blocks_of(Report& report) {
  if (report.sections.empty()) {
    report.sections.emplace_back();
  }
  return report.sections.back().blocks;
}

std::vector<std::string> texts(nb::handle values) {
  std::vector<std::string> texts;
  for (nb::handle value : values) {
    texts.push_back(nb::cast<std::string>(nb::str(value)));
  }
  return texts;
}

// y, over 1, 2, 3, ...; or (x, y).
ReportCurve curve_of(const std::string& name, nb::handle values) {
  ReportCurve curve;
  curve.name = name;
  if (nb::isinstance<nb::tuple>(values)) {
    std::tie(curve.x, curve.y) = nb::cast<std::pair<std::vector<double>, std::vector<double>>>(values);
  } else {
    curve.y = nb::cast<std::vector<double>>(values);
    for (std::size_t i = 1; i <= curve.y.size(); ++i) {
      curve.x.push_back(static_cast<double>(i));
    }
  }
  return curve;
}

void add_chart(Report& report, const std::string& title, const nb::dict& curves, const std::string& x_label,
               const std::string& y_label, bool log_scale) {
  ReportChart chart{.title = title, .x_label = x_label, .y_label = y_label, .log_scale = log_scale};
  for (const auto& [name, values] : curves) {
    chart.curves.push_back(curve_of(nb::cast<std::string>(name), values));
  }
  blocks_of(report).emplace_back(std::move(chart));
}

void add_table(Report& report, const std::string& title, const nb::iterable& columns,
               const nb::iterable& rows) {
  ReportTable table{.title = title, .columns = texts(columns), .rows = {}};
  for (nb::handle row : rows) {
    table.rows.push_back(texts(row));
  }
  blocks_of(report).emplace_back(std::move(table));
}

void add_matrices(Report& report, const std::string& title, const nb::dict& matrices, int decimals) {
  ReportMatrices block{.title = title, .matrices = {}, .decimals = decimals};
  for (const auto& [caption, values] : matrices) {
    block.matrices.push_back(
        {nb::cast<std::string>(caption), nb::cast<std::vector<std::vector<double>>>(values)});
  }
  blocks_of(report).emplace_back(std::move(block));
}

void add_pictures(Report& report, const std::string& title, const nb::dict& pictures, bool exact) {
  ReportPictures block{.title = title, .pictures = {}};
  for (const auto& [name, picture] : pictures) {
    const auto caption = nb::cast<std::string>(name);
    block.pictures.push_back(report_picture(tensor_over(picture).detach(), caption, caption, exact));
  }
  blocks_of(report).emplace_back(std::move(block));
}

}  // namespace

void bind_report(nb::module_& m) {
  nb::class_<Report>(m, "_Report")
      .def(
          "__init__",
          [](Report* self, const std::string& title, const nb::args& summary) {
            new (self) Report();
            self->title = title;
            self->summary = texts(summary);
          },
          "title"_a, "summary"_a)
      .def(
          "section",
          [](Report& self, const std::string& title) {
            self.sections.push_back({title, {}});
          },
          "title"_a, "Begins a section; what is added next goes into it.")
      .def(
          "text",
          [](Report& self, const nb::args& paragraphs) {
            blocks_of(self).emplace_back(ReportText{texts(paragraphs)});
          },
          "paragraphs"_a, "Adds paragraphs of plain text.")
      .def("chart", &add_chart, "title"_a, "curves"_a, "x_label"_a = "step", "y_label"_a = "",
           "log_scale"_a = false,
           "Adds curves that share their axes: {name: y} over 1, 2, 3, ..., or {name: (x, y)}.")
      .def("table", &add_table, "title"_a, "columns"_a, "rows"_a,
           "Adds a table; its cells are what str() makes of them.")
      .def("matrices", &add_matrices, "title"_a, "matrices"_a, "decimals"_a = 2,
           "Adds {caption: rows of numbers}, coloured by value.")
      .def("pictures", &add_pictures, "title"_a, "pictures"_a, "exact"_a = false,
           "Adds {caption: picture (C, H, W) with numbers in [0, 1]}. exact: every pixel as it is, large.")
      .def("html", &Report::html, "The page, complete in itself.")
      .def("write", &Report::write, "path"_a, "Writes the page to a file.");
}

}  // namespace gesso::python
