// Several processes for many small jobs: a step that takes a few milliseconds gains little from a second thread.
#pragma once

#include <functional>
#include <string>

#include "gesso/core/index.h"

namespace gesso {

/// Does jobs 0 to count - 1 in so many `processes`, children of this one by fork(): each begins with a copy of all that
/// is in memory now and with its share of the threads, and takes the next job when it is done with one. `work` runs in
/// a child and makes a job's result, any bytes; what else it changes is lost. `done` runs here, with one result after
/// the other as they come.
///
/// Returns whether all jobs are done: false after stop_requested(), which ends the jobs under way at once. Throws Error
/// with the text of what `work` threw, and if a process cannot be started or dies. The children end with this process,
/// however it ends. Call it from the main thread.
bool work_in_processes(Index count, Index processes, const std::function<std::string(Index job)>& work,
                       const std::function<void(Index job, const std::string& result)>& done);

}  // namespace gesso
