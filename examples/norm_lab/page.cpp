// The lab as a page.
#include <algorithm>
#include <cmath>

#include "lab.h"

namespace norm_lab {

using namespace gesso;

namespace {

constexpr Index kLargestMatrix = 8;  // larger planes are shown as colours without numbers

using Blocks = std::vector<ReportBlock>;

double largest_size(const Tensor& tensor) {
  double largest = 0;
  for (const double value : tensor.to_vector()) {
    largest = std::max(largest, std::abs(value));
  }
  return largest;
}

void add(Blocks& blocks, const Text& text) { blocks.push_back(ReportText{{text.text}}); }
void add(Blocks& blocks, const Formula& formula) { blocks.push_back(ReportFormula{formula.lines}); }
void add(Blocks& blocks, const Table& table) {
  blocks.push_back(ReportTable{table.title, table.columns, table.rows});
}

// One for each plane; captions begin with `name`.
void add_matrices(ReportMatrices& group, const Values& values, const std::string& name) {
  const Shape& shape = values.tensor.shape();
  const std::vector<double> all = values.tensor.to_vector();
  for (Index p = 0; p < shape[0] * shape[1]; ++p) {
    ReportMatrix matrix{name + plane_name(p, shape[1]), {}};
    for (Index i = 0; i < shape[2]; ++i) {
      const auto row = all.begin() + (p * shape[2] + i) * shape[3];
      matrix.values.emplace_back(row, row + shape[3]);
    }
    group.matrices.push_back(matrix);
  }
}

ReportPictures color_maps_of(const Values& values, double limit) {
  const Shape& shape = values.tensor.shape();
  ReportPictures group{values.name + ": white is 0, the strongest blue -" + short_number(limit) +
                           ", the strongest red " + short_number(limit),
                       {},
                       static_cast<int>(shape[1])};
  for (Index p = 0; p < shape[0] * shape[1]; ++p) {
    const std::string name = plane_name(p, shape[1]);
    group.pictures.push_back(
        report_picture(color_map(values.tensor, p, limit), name, values.name + ", plane " + name, true));
  }
  return group;
}

bool is_small(const Values& values) {
  return std::max(values.tensor.size(2), values.tensor.size(3)) <= kLargestMatrix;
}

void add(Blocks& blocks, const Values& values) {
  if (is_small(values)) {
    ReportMatrices group{.title = values.name, .matrices = {}};
    add_matrices(group, values, "");
    blocks.push_back(group);
  } else {
    blocks.push_back(color_maps_of(values, largest_size(values.tensor)));
  }
}

void add(Blocks& blocks, const OneScale& together) {
  double limit = 0;
  for (const Values& values : together.values) {
    limit = std::max(limit, largest_size(values.tensor));
  }
  ReportMatrices group{.title = together.title, .matrices = {}};  // one scale for all matrices of a group
  for (const Values& values : together.values) {
    if (is_small(values)) {
      add_matrices(group, values, values.name + ", ");
    } else {
      blocks.push_back(color_maps_of(values, limit));
    }
  }
  if (!group.matrices.empty()) {
    blocks.push_back(group);
  }
}

void add(Blocks& blocks, const Pictures& pictures) {
  ReportPictures group{pictures.title, {}, static_cast<int>(pictures.tensor.size(0))};
  for (Index n = 0; n < pictures.tensor.size(0); ++n) {
    const std::string& caption = pictures.captions.at(static_cast<std::size_t>(n));
    group.pictures.push_back(
        report_picture(pictures.tensor.slice(n, n + 1), caption, pictures.title + ": " + caption));
  }
  blocks.push_back(group);
}

void add(Blocks& blocks, const Histogram& histogram) {
  const Index plane = histogram.tensor.size(2) * histogram.tensor.size(3);
  const int bins = plane < 100 ? 8 : 48;
  const Counts counts = count_values(histogram.tensor, bins);
  ReportChart chart{.title = histogram.title, .x_label = "value", .y_label = "share of the plane"};
  for (std::size_t p = 0; p < counts.planes.size(); ++p) {
    ReportCurve curve{.name = plane_name(static_cast<Index>(p), histogram.tensor.size(1))};
    for (int bin = 0; bin < bins; ++bin) {
      curve.x.push_back(counts.low + (counts.high - counts.low) * (bin + 0.5) / bins);
      curve.y.push_back(static_cast<double>(counts.planes[p][bin]) / static_cast<double>(plane));
    }
    chart.curves.push_back(curve);
  }
  blocks.push_back(chart);
}

}  // namespace

Report page_of(const Lab& lab) {
  Report report;
  report.title = lab.title;
  report.summary = lab.summary;
  for (const Section& section : lab.sections) {
    ReportSection to{section.title, {}};
    for (const Block& block : section.blocks) {
      std::visit([&](const auto& b) { add(to.blocks, b); }, block);
    }
    report.sections.push_back(to);
  }
  return report;
}

}  // namespace norm_lab
