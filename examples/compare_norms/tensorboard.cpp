#include "tensorboard.h"

#include <bit>
#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <string_view>

#include "comparison_jobs.h"
#include "experiments/experiment.h"
#include "gesso/core/files/file.h"

namespace gesso {
namespace {

static_assert(std::endian::native == std::endian::little, "event files are little-endian");

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// CRC-32C (Castagnoli; RFC 3720, appendix B.4), bit by bit: an event has a few dozen bytes.
std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78 : 0);
    }
  }
  return ~crc;
}

// So that a checksum of bytes that hold a checksum is none of the usual ones (record_writer.h).
std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8; }

std::string record(const std::string& data) {
  const std::string length = bytes_of(static_cast<std::uint64_t>(data.size()));
  return length + bytes_of(masked_crc(length)) + data + bytes_of(masked_crc(data));
}

// ---- protocol buffers: fields of a number, a type and a value

constexpr unsigned kVarint = 0, kEightBytes = 1, kLengthAndBytes = 2, kFourBytes = 5;

std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 128; value >>= 7) {
    text += static_cast<char>(value | 128);
  }
  return text + static_cast<char>(value);
}

std::string key(unsigned field, unsigned type) { return varint(field << 3 | type); }

std::string bytes_field(unsigned field, const std::string& bytes) {
  return key(field, kLengthAndBytes) + varint(bytes.size()) + bytes;
}

// An Event: wall_time = 1, and step = 2, file_version = 3 or summary = 5.
std::string event(double wall_time, const std::string& rest) {
  return key(1, kEightBytes) + bytes_of(wall_time) + rest;
}

// A Summary's value = 1, of tag = 1 and simple_value = 2.
std::string scalar(const std::string& tag, double value) {
  return bytes_field(1, bytes_field(1, tag) + key(2, kFourBytes) + bytes_of(static_cast<float>(value)));
}

// Events by their steps, and a file of them in a folder of a training's own.
class Events {
 public:
  void add(double step, const std::string& tag, double value) {
    summaries_[static_cast<std::uint64_t>(step)] += scalar(tag, value);
  }
  void write(const std::filesystem::path& folder) const {
    const auto now = static_cast<double>(std::time(nullptr));
    std::string file = record(event(now, bytes_field(3, "brain.Event:2")));
    for (const auto& [step, summary] : summaries_) {
      file += record(event(now, key(2, kVarint) + varint(step) + bytes_field(5, summary)));
    }
    std::filesystem::create_directories(folder);
    write_file_atomically((folder / "events.out.tfevents.0.gesso").string(), file);
  }

 private:
  std::map<std::uint64_t, std::string> summaries_;
};

}  // namespace

std::size_t write_tensorboard(const Comparison& comparison, const std::filesystem::path& folder) {
  std::size_t files = 0;
  for (const ComparisonRun& run : comparison.runs) {
    Events events;
    for (std::size_t i = 0; i < run.step.size(); ++i) {
      events.add(run.step[i], "loss/total", run.total[i]);
      events.add(run.step[i], "loss/content", run.content[i]);
      events.add(run.step[i], "loss/style", run.style[i]);
    }
    events.write(folder / PlannedRun{run.normalization, run.batch, run.seed, run.photographs}.name());
    ++files;
  }
  for (const ClassificationRun& run : comparison.classification) {
    Events events;
    for (std::size_t i = 0; i < run.step.size(); ++i) {
      events.add(run.step[i], "classifier/loss", run.loss[i]);
      events.add(run.step[i], "classifier/accuracy", run.train_accuracy[i]);
    }
    events.write(folder / PlannedClassifier{run.task, run.normalization, run.seed}.name());
    ++files;
  }
  for (const Experiment* experiment : experiments()) {
    const std::vector<std::string> measures = experiment->measures();
    for (const TrainingNumbers& numbers : experiment->numbers(comparison.experiments)) {
      Events events;
      for (const ReportCurve& curve : numbers.curves) {
        for (std::size_t i = 0; i < curve.x.size(); ++i) {
          events.add(curve.x[i], experiment->name + "/" + curve.name, curve.y[i]);
        }
      }
      for (std::size_t i = 0; i < measures.size(); ++i) {
        events.add(static_cast<double>(numbers.steps), experiment->name + " results/" + measures[i],
                   numbers.values[i]);
      }
      events.write(folder / "experiments" / experiment->name / numbers.name);
      ++files;
    }
  }
  return files;
}

}  // namespace gesso
