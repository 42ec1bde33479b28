// Trainings that mpirun starts on several ranks of this machine: the same bits as alone, and a clean end whatever
// happens to a rank.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "files.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/generator.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/training/checkpoint.h"
#include "gesso/training/mpi_group.h"
#include "gesso/training/report/log.h"
#include "painting/squeezenet.h"
#include "painting/torchvision_weights.h"
#include "paths.h"
#include "program_runs.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
using Clock = std::chrono::steady_clock;

namespace {

bool can_run() {
  static const bool there = has_mpi() && run_command("command -v mpirun").status == 0;
  if (!there) {
    MESSAGE("SKIPPED: no MPI (Debian: libopenmpi-dev, openmpi-bin)");
  }
  return there;
}

// Before a program's name: what starts it on so many ranks; nothing for one.
std::string on(int ranks) {
  const std::string mpirun = ::geteuid() == 0 ? "mpirun --allow-run-as-root" : "mpirun";
  return "env GESSO_NUM_THREADS=1 " +
         (ranks == 1 ? "" : mpirun + " --oversubscribe --bind-to none -n " + std::to_string(ranks) + " ");
}

std::string style_transfer(const std::string& arguments) {
  return program_path("style-transfer") + " " + arguments;
}

std::string training(const std::string& out, const std::string& options) {
  return style_transfer("train --style " + source_path("examples/assets/styles/stained_glass.jpg") +
                        " --loss-network filters --blocks 1 --style-size 48 --crop 32 --out " + out + " " +
                        options);
}

// What two runs must have in common: the model, and the log but for its times.
std::string results_of(const std::string& folder, const std::string& model = "model.safetensors") {
  std::string results = read_file(folder + "/" + model);
  for (const LogEntry& entry : read_log(folder + "/log.jsonl")) {
    for (const auto& [name, value] : entry) {
      results += name == "seconds" ? "" : name + concat_text(' ', value, '\n');
    }
  }
  return results;
}

void check_equal_results(const TemporaryFolder& folder, const std::string& options,
                         const std::vector<int>& all_ranks) {
  std::string alone;
  for (const int ranks : all_ranks) {
    CAPTURE(ranks);
    const std::string out = folder / std::to_string(ranks);
    const Outcome outcome = run_command(on(ranks) + training(out, options));
    INFO(outcome.errors);
    REQUIRE(outcome.status == 0);
    CHECK(outcome.out == out + "/model.safetensors\n");  // said once
    alone = ranks == 1 ? results_of(out) : alone;
    CHECK((results_of(out) == alone));
  }
}

// A shell command in the background, in a process group of its own.
struct Background {
  explicit Background(const std::string& command) : log(folder / "errors") {
    std::fflush(stdout);  // lest the child writes it once more
    child = ::fork();
    if (child == 0) {
      ::setpgid(0, 0);
      (void)!std::freopen("/dev/null", "w", stdout);
      (void)!std::freopen(log.c_str(), "w", stderr);
      ::execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
      ::_exit(127);
    }
  }
  ~Background() {
    if (child > 0) {
      ::kill(-child, SIGKILL);
      wait();
    }
  }
  void wait() {
    ::waitpid(child, nullptr, 0);
    child = 0;
  }
  std::vector<pid_t> children() const {
    std::ifstream list("/proc/" + std::to_string(child) + "/task/" + std::to_string(child) + "/children");
    std::vector<pid_t> pids;
    for (pid_t pid = 0; list >> pid;) pids.push_back(pid);
    return pids;
  }

  TemporaryFolder folder;
  std::string log;
  pid_t child = 0;
};

// Waits until the log of a run has so many lines, for half a minute at most.
void wait_for_steps(const std::string& folder, std::size_t steps) {
  const Clock::time_point end = Clock::now() + std::chrono::seconds(30);
  while (read_log(folder + "/log.jsonl").size() < steps) {
    REQUIRE(Clock::now() < end);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

constexpr double kSoon = kSanitized ? 60 : 15;  // seconds, on a busy machine; it takes about two

}  // namespace

TEST_CASE("--help of what trains says whether this build has MPI") {
  for (const char* command :
       {"style-transfer train", "style-transfer train-any", "train-loss-network", "compare-norms"}) {
    CAPTURE(command);
    const std::string help = run_command(program_path(command) + " --help").out;
    CHECK((help.find("(this build has MPI ") != std::string::npos) == has_mpi());
    CHECK((help.find("this build, which has no MPI") != std::string::npos) == !has_mpi());
  }
}

TEST_CASE("style-transfer train ends with the same bits on 1, 2, 3 and 4 ranks") {
  if (!can_run()) return;
  const TemporaryFolder folder;
  check_equal_results(folder, "--steps 2 --width 8 --batch 4 --norm batch", {1, 2, 3, 4});
}

TEST_CASE("and so with several styles, strength, steadiness and noise") {
  if (!can_run()) return;
  const TemporaryFolder folder;
  check_equal_results(folder,
                      "--steps 2 --width 4 --batch 8 --strength --steadiness 0.5 --noise 0.1 --style " +
                          source_path("examples/assets/styles/waves.jpg"),
                      {1, 3});
}

TEST_CASE("train-loss-network and compare-norms end with the same bits on 1 and 3 ranks") {
  if (!can_run()) return;
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "pictures");
  Generator rng(8);
  for (const char* name : {"a.png", "b.png", "c.png"}) {
    save_picture(folder / (std::string("pictures/") + name), Tensor::uniform({1, 3, 40, 48}, rng));
  }
  save_safetensors(folder / "teacher.safetensors",
                   random_torchvision_weights(squeezenet_parameters({}), rng));
  for (const int ranks : {1, 3}) {
    CAPTURE(ranks);
    const std::string n = std::to_string(ranks);
    const Outcome learned =
        run_command(on(ranks) + program_path("train-loss-network") + " --pictures " + (folder / "pictures") +
                    " --teacher-weights " + (folder / "teacher.safetensors") +
                    " --steps 3 --batch 4 --crop 32 --out " + (folder / ("loss" + n)));
    INFO(learned.errors);
    REQUIRE(learned.status == 0);
    const Outcome compared = run_command(
        on(ranks) + program_path("compare-norms") +
        " --norms batch,batch-unsynchronized --batch-sizes 1,4 --seeds 1 --steps 2 --width 4 --blocks 1 --crop 32 "
        "--style-size 48 --picture-size 32 --skip photographs --classifier-steps 2 --experiments none --loss-network filters --out " +
        (folder / ("norms" + n)));
    INFO(compared.errors);
    REQUIRE(compared.status == 0);
    CHECK(compared.out == (folder / ("norms" + n)) + "/report.html\n");
  }
  CHECK((results_of(folder / "loss1", "loss_network.safetensors") ==
         results_of(folder / "loss3", "loss_network.safetensors")));
  for (const char* run : {"batch-batch1-seed1", "batch-batch4-seed1", "batch-unsynchronized-batch4-seed1"}) {
    CAPTURE(run);
    CHECK((results_of(folder / ("norms1/runs/" + std::string(run))) ==
           results_of(folder / ("norms3/runs/" + std::string(run)))));
  }
  // Of the classifiers, each rank trained some.
  const auto classifiers = [&](const char* out) {
    return parse_json(read_file(folder / (std::string(out) + "/results.json"))).at("classification");
  };
  CHECK(classifiers("norms1").size() == 4);
  CHECK(classifiers("norms3") == classifiers("norms1"));
}

TEST_CASE("a run whose rank is killed ends soon, and goes on on another number of ranks, bit for bit") {
  if (!can_run()) return;
  const TemporaryFolder folder;
  const std::string options = "--steps 24 --width 4 --batch 4 --sample-every 4";
  REQUIRE(run_command(training(folder / "whole", options)).status == 0);
  {
    Background run(on(4) + training(folder / "killed", options));
    wait_for_steps(folder / "killed", 6);
    const std::vector<pid_t> ranks = run.children();
    REQUIRE(ranks.size() == 4);
    ::kill(ranks[2], SIGKILL);
    const Clock::time_point killed = Clock::now();
    run.wait();
    CHECK(seconds_since(killed) < kSoon);
    CHECK(read_file(run.log).find("rank 2") != std::string::npos);  // mpirun says so
  }
  CHECK(load_checkpoint(folder / "killed/checkpoint").step >= 4);
  const Outcome rest = run_command(on(2) + style_transfer("train --resume " + (folder / "killed")));
  INFO(rest.errors);
  REQUIRE(rest.status == 0);
  CHECK((results_of(folder / "killed") == results_of(folder / "whole")));
}

TEST_CASE("Ctrl-C on mpirun saves, and the run goes on alone, bit for bit") {
  if (!can_run()) return;
  const TemporaryFolder folder;
  const std::string options = "--steps 30 --width 4 --batch 4 --sample-every 1000";
  REQUIRE(run_command(training(folder / "whole", options)).status == 0);
  Index done = 0;
  {
    Background run(on(3) + training(folder / "stopped", options));
    wait_for_steps(folder / "stopped", 3);
    ::kill(run.child, SIGINT);
    run.wait();
    done = load_checkpoint(folder / "stopped/checkpoint").step;
    CHECK(done >= 3);
  }
  if (done < 30) {
    REQUIRE(run_command(style_transfer("train --resume " + (folder / "stopped"))).status == 0);
    CHECK((results_of(folder / "stopped") == results_of(folder / "whole")));
  }
}

TEST_CASE("a rank that fails ends all, with one line that says which and why") {
  if (!can_run()) return;
  const TemporaryFolder folder;
  const std::string options = "--steps 1000 --width 4 --batch 4";
  const std::string good = training(folder / "run", options);
  std::string bad = good;
  bad.replace(bad.find("stained_glass"), 13, "no_such_style");
  const Clock::time_point begin = Clock::now();
  const Outcome outcome = run_command(on(2).substr(0, on(2).rfind("2 ")) + "1 " + good + " : -n 1 " + bad);
  CHECK(outcome.status == 1);
  CHECK(seconds_since(begin) < kSoon);
  const std::string line = "rank 1 of 2: style-transfer: cannot read '";
  CHECK(outcome.errors.find(line) != std::string::npos);
  CHECK(outcome.errors.find(line) == outcome.errors.rfind(line));
}

TEST_CASE("what is wrong with every rank is said once") {
  if (!can_run()) return;
  const TemporaryFolder folder;
  const Outcome outcome = run_command(on(3) + training(folder / "run", "--steps 2 --width 4 --batch 2"));
  CHECK(outcome.status != 0);
  const std::string line = "a batch of 2 for 3 processes; each needs a sample";
  CHECK(outcome.errors.find(line) != std::string::npos);
  CHECK(outcome.errors.find(line) == outcome.errors.rfind(line));
}
