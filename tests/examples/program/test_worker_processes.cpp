// Many jobs for several processes.
#include "program/worker_processes.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <numeric>
#include <set>

#include "gesso/core/error.h"
#include "gesso/core/parallel.h"

using namespace gesso;

namespace {

// What `jobs` jobs return in so many processes, by job.
std::vector<std::string> results_of(Index jobs, Index processes,
                                    const std::function<std::string(Index)>& work) {
  std::vector<std::string> results(jobs);
  CHECK(work_in_processes(jobs, processes, work, [&](Index job, const std::string& result) {
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
    work_in_processes(3, 2, work, [](Index, const std::string&) {});
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
