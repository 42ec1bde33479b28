// Reports: what is in the page, whatever the texts are; base64; files.

#include "files.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/training/report/base64.h"
#include "sample_report.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// The JSON inside the page, as a browser finds it: up to the first "</script".
Json data_of(const std::string& html) {
  const std::string tag = "<script type=\"application/json\" id=\"data\">";
  const std::size_t begin = html.find(tag) + tag.size();
  return parse_json(html.substr(begin, html.find("</script", begin) - begin));
}

// The addresses of the pictures, which stand in what is shown without scripts.
std::vector<std::string> pictures_of(const std::string& html) {
  std::vector<std::string> addresses;
  for (std::size_t at = 0;;) {
    const std::string tag = concat_text("<img data-picture=\"", addresses.size(), "\" src=\"");
    at = html.find(tag, at);
    if (at == std::string::npos) {
      return addresses;
    }
    at += tag.size();
    addresses.push_back(html.substr(at, html.find('"', at) - at));
  }
}

std::string with_report_error(const ReportBlock& block) {
  Report report;
  report.sections = {{"", {block}}};
  try {
    report.html();
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the page holds the data, and no text of it gets out of its place") {
  const Report report = sample_report();
  const std::string html = report.html();
  const Json data = data_of(html);
  CHECK(data["title"] == report.title);
  CHECK(data["summary"] == Json(report.summary));
  CHECK(data["figures"][1] == Json{"Speed", "2.4 steps/s"});
  CHECK(data["settings"][1][1] == "caf\xef\xbf\xbd.jpg");  // what is no UTF-8 becomes U+FFFD
  CHECK(!data.contains("progress"));
  CHECK(html.find("window.broken = 1</script>") == std::string::npos);
  const Json& blocks = data["sections"][0]["blocks"];
  CHECK(blocks[0]["type"] == "text");
  CHECK(blocks[1]["curves"][0]["y"][1] == 5.0);
  CHECK(blocks[4]["lines"][0] == "y = gamma x-hat + beta");
  CHECK(blocks[5]["matrices"][1]["values"] == Json{{2.0, 1.0}});
  CHECK(blocks[1]["curves"][1]["y"][49].is_null());
  CHECK(!blocks[1]["curves"][1].contains("low"));
  CHECK(blocks[2]["curves"][0]["high"] == Json{4.0, 3.0, 2.0});
  CHECK(blocks[3]["rows"][0][1] == "3.25 ± 0.1");
  CHECK(blocks[6]["maps"][0]["values"][1] == Json{0.5, nullptr, 4.0});
  CHECK(blocks[7]["cells"][0][1] == Json{{"value", nullptr}, {"text", "NaN"}, {"note", ""}});
  CHECK(blocks[8]["findings"][1] ==
        Json{{"claim", "C is 0"}, {"verdict", "contradicted"}, {"evidence", "It was 3."}});
}

TEST_CASE("each picture is in the page once, as a file that can be read") {
  const std::string html = sample_report().html();
  const Json data = data_of(html);
  const std::vector<std::string> pictures = pictures_of(html);
  REQUIRE(pictures.size() == 4);
  const Json& comparison = data["sections"][1]["blocks"][0]["scenes"][0];
  const Json& group = data["sections"][1]["blocks"][1];
  const Json& steps = data["sections"][1]["blocks"][2];
  CHECK(comparison["pictures"][0]["image"] == group["pictures"][0]["image"]);
  CHECK(comparison["pictures"][1]["image"] == group["pictures"][1]["image"]);
  CHECK(steps["series"][0][1]["image"] == comparison["pictures"][2]["image"]);
  CHECK(group["pictures"][0]["alt"] == "A red square");
  CHECK((group["pictures"][0]["width"] == 36 && group["pictures"][0]["height"] == 24));
  const std::string exact = pictures[group["pictures"][2]["image"].get<std::size_t>()];
  const Tensor map = sample_picture(0.4, 4, 5);
  CHECK(exact == "data:image/png;base64," + base64(encode_png(map)));
  const ReportPicture day = report_picture(sample_picture(0.9), "", "");
  CHECK(largest_difference(decode_picture(day.file, "day"), sample_picture(0.9)) < 0.3);
}

TEST_CASE("without scripts the page still shows texts, numbers, verdicts and pictures") {
  const std::string html = sample_report().html();
  const std::size_t begin = html.find("<noscript>");
  const std::string plain = html.substr(begin, html.find("</noscript>") - begin);
  for (const char* part :
       {"<h1>Night &lt;/script>", "<p>&lt;b>Another&lt;/b> line.</p>", "<td>3.25 ± 0.1</td>",
        "<strong>C is 0</strong> (contradicted) It was 3.", "y = gamma x-hat + beta\n&lt;i>dx", "<dd>16</dd>",
        "alt=\"A dark square\"", "<p>step 20</p>", "first: 2 rows, from 0.5 to 4", "<td>-0.001</td>",
        // Of a curve with 100 points, 12 with the first and the last; a value that is none is a dash.
        "<tr><td>1</td><td>10</td><td>2.841</td></tr>\n<tr><td>10</td><td>1</td><td>1.456</td></tr>",
        "<tr><td>100</td><td>0.1</td><td>1.494</td></tr>", "12 of 100 points", "Small print."}) {
    CAPTURE(part);
    CHECK(plain.find(part) != std::string::npos);
  }
  CHECK(plain.find("<b>") == std::string::npos);
}

TEST_CASE("the page asks for nothing from outside") {
  const std::string html = sample_report().html();
  // The only addresses are names of XML namespaces, and a policy forbids the rest.
  for (std::size_t at = html.find("://"); at != std::string::npos; at = html.find("://", at + 1)) {
    CHECK(html.substr(at, 14) == "://www.w3.org/");
  }
  CHECK(html.find("default-src 'none'") != std::string::npos);
}

TEST_CASE("long curves are thinned to means, and the page stays small") {
  ReportCurve curve{.name = "long"};
  for (int i = 0; i < 25'000; ++i) {
    curve.x.push_back(i);
    curve.y.push_back(i % 2 == 0 ? 1 : i == 26 || i % 25 == 3 ? std::nan("") : 3);
  }
  Report report;
  report.sections = {{"", {ReportChart{.title = "", .curves = {curve}}}}};
  const Json thinned = data_of(report.html())["sections"][0]["blocks"][0]["curves"][0];
  REQUIRE(thinned["x"].size() == 1000);
  CHECK(thinned["x"][0] == 12.0);  // the mean of 0 to 24
  CHECK(thinned["y"][0].get<double>() == doctest::Approx((13 * 1 + 11 * 3) / 24.0));
  CHECK(thinned["x"][999] == 24'987.0);
}

TEST_CASE("a page holds the progress of work under way") {
  Report report;
  report.progress = ReportProgress{0.25, "step 25 of 100"};
  CHECK(data_of(report.html())["progress"] == Json{{"fraction", 0.25}, {"text", "step 25 of 100"}});
  CHECK(data_of(Report{}.html())["sections"].empty());
}

TEST_CASE("a report is written whole or not at all, and what does not fit is named") {
  const TemporaryFolder folder;
  sample_report().write(folder / "report.html");
  CHECK(read_file(folder / "report.html").size() > 20'000);
  CHECK(folder.entries() == 1);
  CHECK_THROWS_AS(sample_report().write(folder / "missing/report.html"), FileError);

  CHECK(with_report_error(ReportTable{"Costs", {"a", "b"}, {{"1", "2"}, {"3"}}}) ==
        "report: a row of table \"Costs\" has 1 texts for 2 columns");
  const ReportPicture day = report_picture(sample_picture(0.9), "day", "A red square");
  CHECK(with_report_error(ReportComparison{"Wipe", {{"square", {day}}}}) ==
        "report: comparison \"Wipe\" has 1 pictures; it must have two or more");
  CHECK(with_report_error(ReportComparison{"Wipe", {}}) == "report: comparison \"Wipe\" has no scene");
  CHECK(with_report_error(ReportPictureSteps{.title = "On the way", .steps = {1, 2}, .series = {{day}}}) ==
        "report: a series of \"On the way\" has 1 pictures for 2 steps");
  CHECK(with_report_error(ReportColorMaps{.title = "", .maps = {{"mean", {1, 2}, {{1, 2}, {3}}}}}) ==
        "report: a row of colour map \"mean\" has 1 values for 2 columns");
  CHECK(with_report_error(ReportChart{.title = "", .curves = {{"total", {1, 2}, {1}}}}) ==
        "report: curve \"total\" has 2 x and 1 y");
  CHECK(with_report_error(ReportChart{.title = "", .curves = {{"total", {1, 2}, {1, 2}, {1, 2}}}}) ==
        "report: curve \"total\" has 2 x, 2 low and 0 high");
  CHECK(with_report_error(
            ReportChart{.title = "Rates", .curves = {{"total", {0, 2}, {1, 2}}}, .log_x = true}) ==
        "report: curve \"total\" of chart \"Rates\" has an x that is not above 0, on a log scale");
  CHECK(
      with_report_error(ReportGrid{.title = "Map", .columns = {"a", "b"}, .rows = {"r"}, .cells = {{{1}}}}) ==
      "report: a row of grid \"Map\" has 1 cells for 2 columns");
  CHECK(with_report_error(ReportGrid{.title = "Map", .columns = {"a"}, .rows = {}, .cells = {{{1}}}}) ==
        "report: grid \"Map\" has 1 rows of cells and 0 names for them");
}

TEST_CASE("base64 gives the examples of RFC 4648") {
  const char* const examples[][2] = {{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    CHECK(base64(bytes) == text);
  }
  CHECK(base64("\xff\xfe\xfd") == "//79");
}
