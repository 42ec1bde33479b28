// A comparison's curves for TensorBoard.
#pragma once

#include <filesystem>

#include "results.h"

namespace gesso {

/// Writes an event file for each training into a folder of its own, folder/NAME/events.out.tfevents.0.gesso, with the
/// scalars "loss/total", "loss/content" and "loss/style" of every step; for each classifier the same with
/// "classifier/loss" and "classifier/accuracy"; for each training of an experiment, in
/// folder/experiments/EXPERIMENT/NAME, what it recorded on the way ("EXPERIMENT/loss") and, at its last step,
/// its measures ("EXPERIMENT results/training loss"). Values that are not finite are NaN there.
/// `tensorboard --logdir folder` shows them. Returns how many it wrote. Throws FileError when one cannot be written.
///
/// The format (TensorFlow, core/lib/io/record_writer.h and core/util/event.proto): records of a length, a checksum of
/// it, a protocol buffer and a checksum of that.
std::size_t write_tensorboard(const Comparison& comparison, const std::filesystem::path& folder);

}  // namespace gesso
