// Several processes for many jobs: what a step of one leaves idle, a step of another takes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gesso/core/index.h"

namespace gesso {

/// Called by a job with how much of it is done, in whatever unit, and what is to be said of that. When it
/// returns false, the job is to end without a result.
using JobProgress = std::function<bool(Index done, const std::string& status)>;

/// Does jobs 0 to count - 1 in so many `processes`, children of this one by fork(): each begins with a copy of all that
/// is in memory now and with its share of the threads, and takes the next job when it is done with one. `work` runs in
/// a child and makes a job's result, any bytes; what else it changes in memory is lost. `done` runs here,
/// with one result after the other as they come, and so does `show_progress`, with what a job last said, a
/// few times a second.
///
/// Returns whether all jobs are done. After stop_requested(), and if a child is asked to stop by SIGTERM, no
/// job begins, `work` is told so by its JobProgress (in the child stop_requested() is true too), and false is
/// returned when all have ended. Throws Error with the text of what `work` threw, and if a process cannot be
/// started or dies. The children end with this process, however it ends. Call it from the main thread.
bool work_in_processes(
    Index count, Index processes,
    const std::function<std::optional<std::string>(Index job, const JobProgress& progress)>& work,
    const std::function<void(Index job, const std::string& result)>& done,
    const std::function<void(Index job, Index done, const std::string& status)>& show_progress = {});

}  // namespace gesso
