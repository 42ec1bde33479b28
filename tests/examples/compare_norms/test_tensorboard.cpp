// The event files of TensorBoard: their bytes, read back as the format says.
#include "compare_norms/tensorboard.h"

#include <cmath>
#include <cstring>
#include <filesystem>

#include "files.h"
#include "gesso/core/files/file.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T value;
  REQUIRE(at + sizeof value <= bytes.size());
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The records' protocol buffers.
std::vector<std::string> records_of(const std::string& file) {
  std::vector<std::string> records;
  for (std::size_t at = 0; at < file.size();) {
    const auto length = number_at<std::uint64_t>(file, at);
    records.push_back(file.substr(at + 12, length));
    REQUIRE(records.back().size() == length);
    at += 12 + length + 4;
    REQUIRE(at <= file.size());
  }
  return records;
}

}  // namespace

TEST_CASE("an event file for each training, a record for each step") {
  Comparison comparison;
  ComparisonRun run{.normalization = "batch", .batch = 2, .seed = 3};
  run.step = {1, 300};
  run.total = {0.5, NAN};
  run.content = {0.25, 1};
  run.style = {2, 3};
  comparison.runs = {run, {.normalization = "instance", .photographs = "style-normalized"}};
  const TemporaryFolder folder;
  CHECK(write_tensorboard(comparison, folder.path()) == 2);
  CHECK(
      std::filesystem::exists(folder / "instance-batch4-seed1-style-normalized/events.out.tfevents.0.gesso"));
  const std::string file = read_file(folder / "batch-batch2-seed3/events.out.tfevents.0.gesso");
  // The checksum of the length 24, as TensorFlow 2 writes it at the beginning of every event file.
  CHECK(number_at<std::uint64_t>(file, 0) == 24);
  CHECK(number_at<std::uint32_t>(file, 8) == 0x224B7FA3);
  const std::vector<std::string> records = records_of(file);
  REQUIRE(records.size() == 3);
  CHECK(records[0].ends_with("brain.Event:2"));
  // Wall time, step 1, then a summary of three values with tag and number.
  const std::string& first = records[1];
  CHECK(first[0] == 0x09);
  CHECK(number_at<double>(first, 1) > 1.7e9);
  CHECK(first.substr(9, 2) == "\x10\x01");
  const std::size_t total = first.find("loss/total");
  REQUIRE(total != std::string::npos);
  CHECK(number_at<float>(first, total + 11) == 0.5f);
  CHECK(number_at<float>(first, first.find("loss/style") + 11) == 2.0f);
  CHECK(records[2].substr(9, 3) == "\x10\xAC\x02");  // 300
  CHECK(std::isnan(number_at<float>(records[2], records[2].find("loss/total") + 11)));
}

TEST_CASE(
    "classifiers and experiments have event files too: what was recorded, and what was measured at the end") {
  Comparison comparison;
  comparison.classification = {{.task = "crops",
                                .normalization = "batch",
                                .seed = 2,
                                .step = {1, 2},
                                .loss = {2, 1},
                                .train_accuracy = {0.25, 0.5}}};
  StackRun stack{.name = "group-batch4-seed2"};
  stack.network.normalization = "group";
  stack.training.steps = 600;
  stack.result.training_loss = 1.5;
  comparison.experiments.batch_size = {stack};
  GrowthRun growth{.name = "batch-Adam-seed1", .optimizer = "Adam"};
  growth.step = {1, 300};
  growth.loss = {3, 2};
  growth.growth = {1, 1.25};
  growth.effective_rate = {1, 0.5};
  growth.along = {0, 0};
  growth.training.steps = 300;
  comparison.experiments.weight_growth = {growth};
  const TemporaryFolder folder;
  CHECK(write_tensorboard(comparison, folder.path()) == 3);
  const auto records = [&](const std::string& training) {
    return records_of(read_file(folder / (training + "/events.out.tfevents.0.gesso")));
  };
  const auto value = [](const std::string& record, const std::string& tag) {
    const std::size_t at = record.find(tag);
    REQUIRE(at != std::string::npos);
    return number_at<float>(record, at + tag.size() + 1);
  };
  const std::vector<std::string> classifier = records("classifier-crops-batch-seed2");
  REQUIRE(classifier.size() == 3);
  CHECK(value(classifier[2], "classifier/accuracy") == 0.5f);
  const std::vector<std::string> of_stack = records("experiments/batch-size/group-batch4-seed2");
  REQUIRE(of_stack.size() == 2);
  CHECK(of_stack[1].substr(9, 3) == "\x10\xD8\x04");  // 600
  CHECK(value(of_stack[1], "batch-size results/training loss") == 1.5f);
  const std::vector<std::string> of_growth = records("experiments/weight-growth/batch-Adam-seed1");
  REQUIRE(of_growth.size() == 3);  // what is recorded at the last step and measured at the end is one event
  CHECK(value(of_growth[2], "weight-growth/loss") == 2.0f);
  CHECK(value(of_growth[2], "weight-growth results/effective rate at the end, of the first") == 0.5f);
}
