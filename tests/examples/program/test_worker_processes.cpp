// Many jobs for several processes.
#include "program/worker_processes.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <set>

#include "files.h"
#include "gesso/core/error.h"
#include "gesso/core/parallel.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// What `jobs` jobs return in so many processes, by job.
std::vector<std::string> results_of(Index jobs, Index processes,
                                    const std::function<std::string(Index)>& work) {
  std::vector<std::string> results(jobs);
  CHECK(work_in_processes(
      jobs, processes, [&](Index job, const JobProgress&) { return std::optional(work(job)); },
      [&](Index job, const std::string& result) {
        CHECK(results[job].empty());
        results[job] = result;
      }));
  return results;
}

}  // namespace

TEST_CASE("every job is done once, whatever the number of processes, and in more than one of them") {
  const auto square = [](Index job) { return std::to_string(job * job); };
  const std::vector<std::string> alone = results_of(20, 1, square);
  CHECK(alone[19] == "361");
  CHECK(results_of(20, 3, square) == alone);
  CHECK(results_of(2, 8, square) == std::vector<std::string>{"0", "1"});
  CHECK(results_of(0, 3, square).empty());

  const std::vector<std::string> processes = results_of(12, 3, [](Index) {
    ::usleep(3000);
    return std::to_string(::getpid());
  });
  const std::set<std::string> different(processes.begin(), processes.end());
  CHECK(different.size() == 3);
  CHECK(!different.contains(std::to_string(::getpid())));
}

TEST_CASE("results are any bytes, of any size, and a child has its share of the threads") {
  const std::string zeros(3'000'000, '\0');
  CHECK(results_of(2, 2, [&](Index job) { return job == 0 ? zeros : ""; })[0] == zeros);
  const int before = num_threads();
  set_num_threads(6);
  CHECK(results_of(2, 2, [](Index) { return std::to_string(num_threads()); })[1] == "3");
  CHECK(results_of(1, 1, [](Index) {
          return std::to_string(
              parallel_sum<Index>(1000, 10, [](Index begin, Index end) { return end - begin; }));
        })[0] == "1000");
  set_num_threads(before);
}

TEST_CASE("an error comes back as it was thrown, and a process that dies is told") {
  const auto with = [](const std::function<std::string(Index)>& work) {
    work_in_processes(
        3, 2, [&](Index job, const JobProgress&) { return std::optional(work(job)); },
        [](Index, const std::string&) {});
  };
  CHECK_THROWS_WITH_AS(with([](Index job) -> std::string {
                         if (job == 1) {
                           throw ArgumentError("job 1 is impossible");
                         }
                         return "";
                       }),
                       "job 1 is impossible", Error);
  CHECK_THROWS_WITH_AS(with([](Index job) -> std::string {
                         if (job == 2) {
                           ::raise(SIGKILL);
                         }
                         return "";
                       }),
                       doctest::Contains("has died"), Error);
  CHECK_THROWS_WITH_AS(work_in_processes(3, 0, {}, {}), doctest::Contains("processes is 0"), ArgumentError);
}

TEST_CASE(
    "jobs say how far they are, and one that is asked to stop stops the others, who may put things in order") {
  const TemporaryFolder folder;
  Index furthest = 0;
  std::string words;
  std::vector<Index> finished;
  // The first two jobs end when they are told to, the third never begins.
  const bool all = work_in_processes(
      3, 2,
      [&](Index job, const JobProgress& progress) -> std::optional<std::string> {
        for (Index done = 1; done < 4000; ++done) {
          ::usleep(5000);
          if (!progress(done, "job " + std::to_string(job))) {
            write_bytes(folder / std::to_string(job), "in order");
            return std::nullopt;
          }
          if (job == 0 && done == 100) {
            ::raise(SIGTERM);
          }
        }
        return "";
      },
      [&](Index job, const std::string&) { finished.push_back(job); },
      [&](Index job, Index done, const std::string& status) {
        CHECK(status == "job " + std::to_string(job));
        furthest = std::max(furthest, done);
        words = status;
      });
  CHECK(!all);
  CHECK(finished.empty());
  CHECK(words.starts_with("job "));
  CHECK((furthest > 1 && furthest < 4000));
  CHECK(folder.entries() == 2);
}
