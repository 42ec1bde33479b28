// Reports: what a program measured and made, as one HTML file that needs nothing else, with curves to explore
// and pictures to compare. A report is plain data; training/report/report_page/ draws it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gesso/core/tensor.h"
#include "gesso/training/report/log.h"

namespace gesso {

/// Paragraphs of plain text.
struct ReportText {
  std::vector<std::string> paragraphs;
};

/// Formulas, one per line, set in monospace.
struct ReportFormula {
  std::vector<std::string> lines;
};

/// A table. Columns that hold only numbers are set flush right.
struct ReportTable {
  std::string title;
  std::vector<std::string> columns;            ///< their headings
  std::vector<std::vector<std::string>> rows;  ///< each with one text per column
};

/// One curve of a chart: y over x, with x growing. Values that are not finite leave a gap. A long curve is
/// thinned to about a thousand points, each the mean of its neighbours.
struct ReportCurve {
  std::string name;
  std::vector<double> x = {};
  std::vector<double> y = {};
  /// A band around the curve (a spread over seeds, say), or empty.
  std::vector<double> low = {};
  std::vector<double> high = {};
  /// 0 to 7: one of the page's eight colours, so that a name keeps its colour in several charts; -1: by its
  /// place in the chart.
  int color = -1;
};

/// The numbers called `name` in a log, times `factor`, over its steps.
ReportCurve log_curve(const std::vector<LogEntry>& log, const std::string& name, const std::string& label,
                      double factor = 1);

/// Curves that share their axes. Readers can point at values, switch curves off, and change to a log scale.
struct ReportChart {
  std::string title;
  std::string x_label = "step";
  std::string y_label = {};
  std::vector<ReportCurve> curves = {};
  bool log_scale = false;  ///< what it starts with
  /// For few settings that were tried (batch sizes, learning rates), all above 0: x has a log scale, with a tick and
  /// a mark on each curve at every one of them.
  bool log_x = false;
};

/// A small matrix of numbers.
struct ReportMatrix {
  std::string caption;                      ///< stands above it
  std::vector<std::vector<double>> values;  ///< its rows
};

/// Matrices side by side. A number's cell is bluer the further it is below 0, redder the further above; the
/// largest absolute value in the group has the strongest colour.
struct ReportMatrices {
  std::string title;
  std::vector<ReportMatrix> matrices;
  int decimals = 2;
};

/// A table of numbers as colours, for more numbers than anyone reads: what many channels do over many steps,
/// say.
struct ReportColorMap {
  std::string caption;                      ///< stands above it
  std::vector<double> x;                    ///< one for each column, growing
  std::vector<std::vector<double>> values;  ///< its rows, from the top; a value that is not finite is a gap
};

/// Colour maps side by side, with one scale from the smallest to the largest value of all. Readers can point
/// at cells to see their numbers.
struct ReportColorMaps {
  std::string title;
  std::string x_label = "step";
  std::string row_label = "channel";  ///< rows are numbered from 0
  std::string value_label = {};       ///< what the numbers are, beside the scale
  std::vector<ReportColorMap> maps = {};
  bool log_scale = false;  ///< colours by the logarithm; values <= 0 are then gaps
  int columns = 0;         ///< 0: as many as the window has room for
};

/// What came of one pair of settings.
struct ReportGridCell {
  double value = 0;       ///< what it is shaded by; crossed out if it is not finite
  std::string text = {};  ///< what stands in it
  std::string note = {};  ///< smaller, below that
};

/// What came of every pair of two settings, drawn as a map that can be saved like a chart: the lower a number, the
/// stronger its cell's colour, and the lowest of each row is framed.
struct ReportGrid {
  std::string title;
  std::string column_label = {};  ///< what the columns are
  std::vector<std::string> columns = {}, rows = {};
  std::vector<std::vector<ReportGridCell>> cells = {};  ///< rows of as many as there are columns
};

/// What a measurement says about a claim.
enum class Verdict {
  supported,
  contradicted,
  undecided,   ///< measured, but the numbers could be chance
  indicative,  ///< measured too seldom to decide anything
  open,        ///< not measured, or not yet
};

/// "supported", "contradicted", ...
const char* name_of(Verdict verdict);

/// An effect that was measured several times: shares, 0.05 being 5 %.
struct ReportEffect {
  std::vector<double> values;  ///< each measurement
  double mean = 0;
  double low = 0, high = 0;  ///< the interval of confidence about the mean
  double threshold = 0;      ///< what the claim says the mean is above
};

struct ReportFinding {
  std::string claim;
  Verdict verdict = Verdict::open;
  std::string evidence;                     ///< the numbers, in words
  std::optional<ReportEffect> effect = {};  ///< drawn on a line
};

/// Claims and what became of them.
struct ReportFindings {
  std::vector<ReportFinding> findings;
};

/// A picture as the report holds it, already a JPEG or PNG file; report_picture() makes one.
struct ReportPicture {
  std::string caption;  ///< stands below it
  std::string alt;      ///< says what it shows to those who cannot see it
  std::string file;     ///< the bytes of the JPEG, or of the PNG if `exact`
  Index width = 0;
  Index height = 0;
  bool exact = false;  ///< show each pixel as a square when it is enlarged
};

/// Encodes a picture, (1, C, H, W) or (C, H, W) in [0, 1], once, so that a report can be written again and
/// again. `exact` keeps every pixel as it is (a colour map, say) instead of JPEG. Throws ArgumentError as
/// encode_jpeg() does.
ReportPicture report_picture(const Tensor& picture, std::string caption, std::string alt, bool exact = false);

/// A grid of pictures. Readers can enlarge them and wipe between any two.
struct ReportPictures {
  std::string title;
  std::vector<ReportPicture> pictures;
  int columns = 0;  ///< 0: as many as the window has room for
};

/// Pictures of the same thing, equally large.
struct ReportScene {
  std::string name;
  std::vector<ReportPicture>
      pictures;  ///< two or more; the last stands for the scene where readers choose one
};

/// Two pictures of a scene, one on top of the other, with a border between them that readers can move. Of
/// more than two, readers choose by their captions, of several scenes by a small picture; the first two of
/// the first scene are there to begin with.
struct ReportComparison {
  std::string title;
  std::vector<ReportScene> scenes;  ///< one or more
};

/// Pictures as they were at several steps. Readers go from step to step, and all pictures follow.
struct ReportPictureSteps {
  std::string title;
  std::vector<double> steps;                       ///< growing
  std::vector<std::vector<ReportPicture>> series;  ///< each with one picture per step
  std::string step_label = "step";
  int columns = 0;  ///< 0: as many as the window has room for
};

using ReportBlock =
    std::variant<ReportText, ReportFormula, ReportTable, ReportMatrices, ReportColorMaps, ReportGrid,
                 ReportFindings, ReportChart, ReportPictures, ReportComparison, ReportPictureSteps>;

struct ReportSection {
  std::string title;
  std::vector<ReportBlock> blocks;
};

/// Work under way. A page with it reloads itself every few seconds.
struct ReportProgress {
  double fraction = 0;  ///< 0 to 1
  std::string text;     ///< "step 120 of 300, 1 minute left"
};

///     Report report;
///     report.title = "Starry Night";
///     const ReportChart chart{.title = "Loss", .curves = {{"total", steps, losses}}};
///     report.sections.push_back({"Loss", {chart}});
///     report.settings.push_back({"width", "16"});
///     report.write("report.html");
struct Report {
  std::string title;
  std::vector<std::string> summary;        ///< lines below the title
  std::optional<ReportProgress> progress;  ///< while the work goes on
  /// A few key numbers with their names, shown large.
  std::vector<std::pair<std::string, std::string>> figures;
  std::vector<ReportSection> sections;                        ///< in order
  std::vector<std::pair<std::string, std::string>> settings;  ///< names and values, at the end
  std::vector<std::string> notes;                             ///< small print

  /// Adds names and values to `settings`, and what else the numbers depend on: gesso's version and build,
  /// this machine's threads and instruction set.
  void add_settings(const std::map<std::string, std::string>& entries);

  /// The page. A small script in it draws the report; without scripts it shows the texts, tables and pictures as they
  /// are, and charts as tables. Any text may be given: none of it is read as HTML. Throws ArgumentError, naming the
  /// table, curve, map or grid, when a row does not have one text per column, or a curve one y (and low and
  /// high) per x, when a comparison has no scene or one with fewer than two pictures, or a series of pictures
  /// not one per step.
  std::string html() const;

  /// Writes the page to a file, all at once. Throws FileError when it cannot be written.
  void write(const std::string& path) const;
};

}  // namespace gesso
