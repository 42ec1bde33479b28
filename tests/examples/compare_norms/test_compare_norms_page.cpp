// The page of a comparison: verdicts on made-up measurements, and a page at every stage of a comparison.
#include <functional>
#include <iostream>

#include "browser.h"
#include "compare_norms/against.h"
#include "compare_norms/page.h"
#include "compare_norms/tally.h"
#include "compare_norms/verdicts.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/files/file.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/layers/normalization/instance_norm.h"
#include "gesso/layers/sequential.h"
#include "gesso/training/report/recorder.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

ComparisonRun made_up_run(const std::string& normalization, Index batch, std::uint64_t seed,
                          const std::string& photographs) {
  const bool is_batch = normalization == "batch";
  const double noise = 0.01 * static_cast<double>(seed);
  double total = is_batch && batch > 1 ? 6 : 3;
  if (photographs == "style-normalized" && is_batch) {
    total = 3.2;
  }
  ComparisonRun run;
  run.normalization = normalization;
  run.batch = batch;
  run.seed = seed;
  run.photographs = photographs;
  run.step = {1, 2, 3};
  run.total = run.content = run.style = {3 * total, 2 * total, total};
  run.training = {total + noise, total / 2 + noise, total / 20 + noise};
  run.test = {(is_batch ? 2 * total : total) + noise, total / 2, total / 20};
  run.test_train_mode = is_batch ? LossValues{total, total / 2, total / 20} : run.test;
  for (const double contrast : {0.25, 0.5, 1.0, 2.0}) {
    run.contrast.push_back({.contrast = contrast,
                            .pixel_change = std::abs(1 - contrast) * (is_batch ? 0.1 : 0.001 + noise / 100),
                            .feature_change = 0.1,
                            .losses = {1, 1, 1},
                            .photograph = "",
                            .picture = ""});
  }
  run.leak = is_batch && batch > 1 ? 0.05 + noise / 10 : 0;
  run.quality = {.structure = 0.5, .weave = 1, .content = 0.6, .style = (is_batch ? 0.9 : 0.5) + noise / 10};
  run.roughness = (is_batch ? 0.02 : 0.03) + noise / 100;
  run.scale_change = is_batch ? 0.1 : 1e-5;
  run.seconds_per_step = 0.1;
  run.peak_megabytes = 100;
  return run;
}

// Everything that the literature claims is true in it.
Comparison made_up_comparison(std::uint64_t seeds = 5) {
  Comparison comparison;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for (const char* normalization : {"batch", "instance"}) {
      for (const Index batch : {4, 1}) {
        comparison.runs.push_back(made_up_run(normalization, batch, seed, "plain"));
      }
      comparison.runs.push_back(made_up_run(normalization, 4, seed, "contrast-normalized"));
      comparison.runs.push_back(made_up_run(normalization, 4, seed, "style-normalized"));
      comparison.classification.push_back(
          {.task = "crops",
           .normalization = normalization,
           .seed = seed,
           .step = {1, 2},
           .loss = {2, 1},
           .train_accuracy = {0.1, 0.5},
           .training_set_accuracy = 1,
           .test_accuracy = (normalization[0] == 'b' ? 0.8 : 0.3) + 0.01 * static_cast<double>(seed % 3)});
    }
  }
  for (ClassificationRun run : std::vector(comparison.classification)) {
    run.task = "pictures";
    comparison.classification.push_back(run);
  }
  comparison.classification_tasks = {{"crops", "Which photograph does a crop come from?"},
                                     {"pictures", "What does a picture show?"}};
  return comparison;
}

using Others = std::vector<std::pair<std::string, Verdict>>;

// The claims that are not simply supported.
Others others_in(const Comparison& comparison) {
  Others others;
  for (const ClaimVerdict& found : verdicts_of(comparison)) {
    if (found.verdict != Verdict::supported) {
      others.emplace_back(found.claim.name, found.verdict);
    }
  }
  return others;
}

// The same after `change` of every training.
Others after(const std::function<void(ComparisonRun&)>& change) {
  Comparison comparison = made_up_comparison();
  for (ComparisonRun& run : comparison.runs) {
    change(run);
  }
  return others_in(comparison);
}

const ClaimVerdict& named(const std::vector<ClaimVerdict>& verdicts, const std::string& name) {
  return *std::find_if(verdicts.begin(), verdicts.end(),
                       [&](const ClaimVerdict& found) { return found.claim.name == name; });
}

}  // namespace

TEST_CASE("each verdict follows the numbers that it is about") {
  CHECK(after([](ComparisonRun&) {}).empty());
  const auto plain_batch = [](const ComparisonRun& run, Index size) {
    return run.normalization == "batch" && run.batch == size && run.photographs == "plain";
  };
  using enum Verdict;
  CHECK(after([&](ComparisonRun& run) {
          if (plain_batch(run, 4)) run.training.style = 0.01 + 0.001 * static_cast<double>(run.seed);
        }) == Others{{"style-loss", contradicted}});
  // Lower in the mean, but seeds disagree by more than the mean.
  CHECK(after([&](ComparisonRun& run) {
          if (plain_batch(run, 4)) run.training.content = run.seed == 2 ? 0.5 : 2;
        }) == Others{{"content-loss", undecided}});
  // Lower, but not by enough to matter.
  CHECK(after([&](ComparisonRun& run) {
          if (plain_batch(run, 4)) run.training.content = 1.53 + 0.01 * static_cast<double>(run.seed);
        }) == Others{{"content-loss", contradicted}});
  CHECK(after([&](ComparisonRun& run) {
          if (plain_batch(run, 1)) run.test.total = 1;
        }) == Others{{"eval-of-one", contradicted}});
  CHECK(after([&](ComparisonRun& run) {
          if (plain_batch(run, 4)) run.contrast[0].pixel_change = 0.001;
        }) == Others{{"contrast", contradicted}});
  CHECK(after([](ComparisonRun& run) {
          if (run.photographs == "contrast-normalized" && run.normalization == "batch")
            run.training.total = 3;
        }) == Others{{"equal-contrast", contradicted}});
  CHECK(after([](ComparisonRun& run) {
          if (run.photographs == "style-normalized" && run.normalization == "batch") run.training.total = 6;
        }) == Others{{"equal-style", contradicted}});
  CHECK(after([](ComparisonRun& run) { run.leak /= 100; }) == Others{{"leak", contradicted}});
  CHECK(after([&](ComparisonRun& run) {
          if (plain_batch(run, 4)) run.test.total = run.test_train_mode.total;
        }) == Others{{"modes", contradicted}});
  CHECK(after([&](ComparisonRun& run) { run.quality.style = 0.9; }) ==
        Others{{"unseen-style", contradicted}});
  CHECK(after([&](ComparisonRun& run) { run.roughness = 0.03; }) == Others{{"smoother", contradicted}});
  Comparison comparison = made_up_comparison();
  for (ClassificationRun& run : comparison.classification) {
    run.test_accuracy = run.task == "crops" ? 1 - run.test_accuracy : run.test_accuracy;
  }
  CHECK(others_in(comparison) == Others{{"label", contradicted}});
  for (ClassificationRun& run : comparison.classification) {
    run.test_accuracy = 1 - run.test_accuracy;
  }
  CHECK(others_in(comparison) == Others{{"recognition", contradicted}});
}

TEST_CASE("one or two seeds are indicative, whatever they say") {
  for (const std::uint64_t seeds : {1, 2}) {
    const std::vector<ClaimVerdict> verdicts = verdicts_of(made_up_comparison(seeds));
    for (const ClaimVerdict& found : verdicts) {
      CHECK(found.verdict == Verdict::indicative);
    }
    CHECK(findings_of(verdicts)[0].evidence.find("speaks for the claim, but fewer than 3 seeds") !=
          std::string::npos);
  }
}

TEST_CASE("several claims at once need more than one alone") {
  // Two claims whose effects have p = 0.03 each: enough for one alone, not for one of the two.
  Comparison comparison = made_up_comparison(3);
  for (ComparisonRun& run : comparison.runs) {
    if (run.normalization == "batch" && run.batch == 4 && run.photographs == "plain") {
      run.training.content = run.seed == 1 ? 3.0 : run.seed == 2 ? 2.65 : 2.1;
      run.training.style = run.seed == 1 ? 0.32 : run.seed == 2 ? 0.3 : 0.25;
    }
  }
  const ClaimVerdict content = named(verdicts_of(comparison), "content-loss");
  CHECK(content.effect->p < 0.05);
  CHECK(content.p > 0.05);
  CHECK(content.verdict == Verdict::undecided);
  CHECK(findings_of(verdicts_of(comparison))[1].evidence.find("If further seeds spread as these do, ") !=
        std::string::npos);
}

TEST_CASE("a training that failed is left out with its partner, by name") {
  Comparison comparison = made_up_comparison(4);
  std::erase_if(comparison.runs, [](const ComparisonRun& run) {
    return run.normalization == "batch" && run.batch == 4 && run.photographs == "plain" && run.seed == 2;
  });
  comparison.failures.push_back(
      {.normalization = "batch", .batch = 4, .seed = 2, .reason = "step 7: the loss is NaN"});
  const std::vector<ClaimVerdict> verdicts = verdicts_of(comparison);
  CHECK(named(verdicts, "total-loss").effect->by_seed.size() == 3);
  CHECK(named(verdicts, "eval-of-one").effect->by_seed.size() == 4);
  CHECK(findings_of(verdicts)[0].evidence.find(
            "Left out with its partner: batch norm, batch 4, seed 2: step 7: the loss is NaN.") !=
        std::string::npos);

  comparison = made_up_comparison();
  for (ClassificationRun& run : comparison.classification) {
    if (run.normalization == "instance") run.training_set_accuracy = 0.15;
  }
  CHECK(others_in(comparison) == Others{{"label", Verdict::open}, {"recognition", Verdict::open}});
  CHECK(findings_of(verdicts_of(comparison))
            .back()
            .evidence.find("the classifier of pictures with instance norm, seed 5, learned only 15 % of its "
                           "training set") != std::string::npos);
}

TEST_CASE("what was not trained is open, not decided") {
  Comparison comparison = made_up_comparison();
  std::erase_if(comparison.runs, [](const ComparisonRun& run) { return run.normalization == "batch"; });
  comparison.classification.clear();
  for (const ClaimVerdict& found : verdicts_of(comparison)) {
    CHECK(found.verdict == Verdict::open);
  }
  for (const ClaimVerdict& found : verdicts_of(Comparison{})) {
    CHECK(found.verdict == Verdict::open);
  }
}

TEST_CASE("the evidence holds the effect and the numbers") {
  const ReportFinding finding = findings_of(verdicts_of(made_up_comparison()))[0];
  CHECK(finding.evidence.find(
            "50 % (50 % to 50 % with 95 % confidence, threshold 5.0 %; 5 seeds, p < 0.001)") !=
        std::string::npos);
  CHECK(finding.evidence.find("total loss 3.03 ± 0.02 with instance norm, 6.03 ± 0.02 with batch norm") !=
        std::string::npos);
  REQUIRE(finding.effect);
  CHECK(finding.effect->values.size() == 5);
}

TEST_CASE("identities are checked apart, and an error shows") {
  Comparison comparison = made_up_comparison();
  const std::vector<IdentityCheck> checks = identity_checks(comparison);
  CHECK(checks.size() == 5);
  for (const IdentityCheck& check : checks) {
    CAPTURE(check.identity);
    CHECK(check.error <= check.allowed);
  }
  for (ComparisonRun& run : comparison.runs) {
    if (run.normalization == "batch") run.total[0] *= 1.001, run.leak_eval = 1e-7;
    if (run.normalization == "instance") run.leak = 1e-7, run.test.total *= 1.1, run.scale_change = 0.1;
  }
  for (const IdentityCheck& check : identity_checks(comparison)) {
    CAPTURE(check.identity);
    CHECK(check.error > check.allowed);
  }
  CHECK(identity_checks(Comparison{}).empty());
}

TEST_CASE("two comparisons side by side: settings that differ, claims, losses that both have") {
  Comparison here = made_up_comparison(), there = made_up_comparison(2);
  here.settings = {{"steps", "120"}, {"lr", "0.001"}};
  there.settings = {{"steps", "200"}, {"lr", "0.001"}, {"seeds", "2"}};
  std::erase_if(there.runs, [](const ComparisonRun& run) { return run.batch == 1; });
  const ReportSection section = against_section(here, there, "other");
  REQUIRE(section.blocks.size() == 3);
  const auto& settings = std::get<ReportTable>(section.blocks[0]);
  CHECK(settings.rows == std::vector<std::vector<std::string>>{{"seeds", "–", "2"}, {"steps", "120", "200"}});
  const auto& claims = std::get<ReportTable>(section.blocks[1]);
  REQUIRE(claims.rows.size() == 13);
  CHECK(claims.rows[0] == std::vector<std::string>{"total-loss", "5.0 %", "50 % (50 % to 50 %)", "supported",
                                                   "50 % (49 % to 50 %)", "indicative"});
  CHECK(claims.rows[4][4] == "–");
  CHECK(claims.rows[4][5] == "open");
  const auto& losses = std::get<ReportTable>(section.blocks[2]);
  CHECK(losses.rows.size() == 2);  // batches of one are here alone

  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "there");
  write_results(there, folder / "there/results.json");
  write_page_against(here, folder.path(), folder / "there/");
  CHECK(read_file(folder / "report.html").find("Against there") != std::string::npos);
  CHECK_THROWS_WITH_AS(write_page_against(here, folder.path(), folder / "none"), doctest::Contains("none"),
                       FileError);
}

TEST_CASE("there is a page at every stage: nothing done, one training, without pictures, with some") {
  const TemporaryFolder folder;
  Comparison comparison;
  CHECK(comparison_report(comparison, folder.path()).html().find("first training") != std::string::npos);
  comparison = made_up_comparison();
  comparison.runs.resize(1);
  comparison.classification.clear();
  CHECK(!comparison_report(comparison, folder.path()).html().empty());

  comparison = made_up_comparison();
  save_picture(folder / "cat.png", Tensor::full({1, 3, 8, 8}, 0.5));
  comparison.test_photographs = {"cat.png"};
  comparison.runs[0].pictures = {"cat.png"};
  comparison.runs[0].samples = {{1, "cat.png"}, {2, "cat.png"}};
  comparison.runs[1].pictures = {"missing.png"};
  const Report report = comparison_report(comparison, folder.path());
  const auto section = std::find_if(report.sections.begin(), report.sections.end(),
                                    [](const ReportSection& each) { return each.title == "Pictures"; });
  REQUIRE(section != report.sections.end());
  const auto* row = std::get_if<ReportPictures>(&section->blocks.back());
  REQUIRE(row != nullptr);
  CHECK(row->pictures.size() == 2);  // the photograph and the one that was painted
  write_page(comparison, folder.path());
  CHECK(std::filesystem::exists(folder / "report.html"));
}

TEST_CASE("the page works in a browser: verdicts, curves, pictures, maps, and nothing goes wrong") {
  if (browser().empty()) {
    std::cout << "SKIPPED: no Chromium here\n";
    return;
  }
  const TemporaryFolder folder;
  Comparison comparison = made_up_comparison();
  save_picture(folder / "cat.png", Tensor::full({1, 3, 24, 32}, 0.5));
  save_picture(folder / "dog.png", Tensor::full({1, 3, 32, 24}, 0.25));
  comparison.test_photographs = {"cat.png", "dog.png"};
  comparison.style_picture = "cat.png";
  for (ComparisonRun& run : comparison.runs) {
    if (run.seed == 1 && run.photographs == "plain") {
      run.pictures = {"cat.png", "dog.png"};
      run.samples = {{2, "cat.png"}, {3, "cat.png"}};
      run.normalization_record = "record.jsonl";
    }
  }
  {
    Generator rng(1);
    Sequential network;
    network.emplace<InstanceNorm2d>(3, InstanceNormOptions{.affine = true});
    NormalizationRecorder recorder(network, folder / "record.jsonl");
    for (int step = 0; step < 4; ++step) {
      sum(square(network(Tensor::randn({2, 3, 4, 4}, rng).requires_grad_()))).backward();
      recorder.end_step();
    }
  }
  const char* const script = R"(<script>
    const check = (holds, words) => { if (!holds) errors.push(words); };
    const all = (selector) => [...document.querySelectorAll(selector)];
    addEventListener("load", () => setTimeout(() => {
      check(all(".findings li").length === 13, "findings: " + all(".findings li").length);
      check(all(".findings .verdict").every((words) => words.textContent === "supported"), "verdicts");
      check(all(".findings svg.effect").length === 13, "effects");
      check(all(".chart .curve").length >= 12, "curves: " + all(".chart .curve").length);
      check(all("img").every((image) => image.complete && image.naturalWidth > 0 && image.alt), "pictures");
      check(all(".thumb").length >= 5 && all(".comparison").length === 1, "picture rows and wipe");
      check(all(".comparison option").length === 2 * 5, "pictures to choose: " + all(".comparison option").length);
      check(all(".scenes button").map((door) => door.title).join() === "cat,dog", "photographs to choose");
      all(".scenes button")[1].click();
      check(all(".comparison .wipe img").every((image) => image.height > image.width), "the other photograph");
      check(all(".steps output").map((words) => words.textContent).join() === "step 3,step 3", "a row of steps for each batch size");
      check(all(".color-map canvas").length === 4, "maps: " + all(".color-map canvas").length);
      check(document.documentElement.scrollWidth <= innerWidth, "wider than the window");
      all(".legend button")[0].click();
      all(".thumb")[0].click();
      check(document.getElementById("viewer").open, "enlarged");
      check(performance.getEntriesByType("resource").every((entry) => entry.name.startsWith("data:")), "asked the network");
      document.title = errors.length === 0 ? "ALL WELL" : "WRONG: " + errors.join("; ");
    }, 300));
  </script>)";
  const std::string html = comparison_report(comparison, folder.path()).html();
  CHECK(title_in_browser(html, script, "1280,900") == "ALL WELL");
  CHECK(title_in_browser(html, script, "500,800") == "ALL WELL");
}

TEST_CASE("numbers are written with three significant digits") {
  CHECK(short_number(3.14159) == "3.14");
  CHECK(short_number(0.00123456) == "0.00123");
  CHECK(short_number(1234.5) == "1234");
  CHECK(short_number(1.76e-6) == "1.8e-06");
  CHECK(percent(0.123) == "12 %");
  CHECK(percent(0.0042) == "0.4 %");
  CHECK(Spread({}).str() == "–");
  CHECK(Spread({2.0}).str() == "2.00");
  CHECK(Spread({1.0, 3.0}).str() == "2.00 ± 1.41");
}
