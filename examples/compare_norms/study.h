// A comparison of normalizations on a network, a source of batches and a loss of one's own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gesso/layers/module.h"
#include "results.h"

namespace gesso {

/// What a network is given, and what its output is held to.
struct StudyBatch {
  Tensor input, target;
};

/// What is compared. All trainings of a seed begin with the same weights, as far as the networks have the same, and see
/// the same batches.
/// examples/compare_own_network.cpp is a whole one.
struct Study {
  std::string title = "A comparison of normalizations";
  /// The network for one of `normalizations`, with weights drawn from the generator. make_normalization()
  /// (painting/style_network.h) makes a layer from such a name; any other names will do.
  std::function<std::unique_ptr<Module>(const std::string& normalization, Generator& rng)> network = {};
  /// The next batch of `batch` samples to train on, drawn from the generator.
  std::function<StudyBatch(Index batch, Generator& rng)> batches = {};
  std::function<Tensor(const Tensor& output, const StudyBatch& batch)> loss = {};  ///< of one element
  StudyBatch test = {};  ///< what no network trains on

  std::vector<std::string> normalizations = {"none", "batch", "instance"};
  std::vector<Index> batch_sizes = {4};
  Index seeds = 5;              ///< repetitions: seeds 1, 2, ...
  Index steps = 200;            ///< of Adam
  double learning_rate = 1e-3;  ///< the highest, after a tenth of the steps; it then falls to a hundredth
};

/// One training of a study.
struct StudyRun {
  std::string normalization;
  Index batch = 4;
  std::uint64_t seed = 1;
  std::vector<double> step = {}, loss = {};  ///< the curve
  double training = 0;                       ///< mean loss of the last tenth of the steps
  double test = 0;                           ///< of the test batch in eval mode
  double test_train_mode = 0;                ///< the same in training mode
};

struct StudyResults {
  ComparisonOrigin origin = {};
  std::map<std::string, std::string> settings = {};
  std::vector<StudyRun> runs = {};
  std::vector<FailedTraining> failures = {};  ///< those that diverged
};

/// Trains what the study asks for and is not in folder/results.json yet, and keeps that file, its schema and
/// folder/report.html up to date after every training; runs/NAME/ holds each training's log and network. Shows a
/// progress bar. Returns the results; those so far after stop_requested() (program/interrupt.h). Throws ArgumentError
/// for a study that lacks a function or has numbers out of range, and for a folder with a study of other settings;
/// FileError for what cannot be read or written.
StudyResults run_study(const Study& study, const std::filesystem::path& folder);

}  // namespace gesso
