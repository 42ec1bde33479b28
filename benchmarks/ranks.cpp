// Steps of a training on several ranks, or alone: how long they take, what they send, and how long they wait for it.
// benchmarks/scaling starts it and makes sense of what it prints, a JSON object a line:
//
//   {"message": bytes, "seconds": ...}    from rank 0 to rank 1, half of there and back, the fastest of many
//   {"ranks": ..., "threads": ..., ...}   after each round of steps, per step: see step_line()
#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "gesso/autograd/batch_share.h"
#include "gesso/core/parallel.h"
#include "painting/training_run.h"
#include "program/assets.h"
#include "program/command_line.h"
#include "program/ranks.h"
#include "resource_usage.h"

using namespace gesso;

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Passes everything on, and counts.
class CountingGroup : public ProcessGroup {
 public:
  explicit CountingGroup(ProcessGroup& inner) : inner_(inner) {}
  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }

  std::unique_ptr<Exchange> exchange(const std::vector<ConstBytes>& to_each,
                                     const std::vector<Bytes>& from_each, int tag) override {
    ++exchanges;
    for (int r = 0; r < size(); ++r) {
      const auto sent = static_cast<Index>(to_each[static_cast<std::size_t>(r)].size());
      messages += r == rank() || sent == 0 ? 0 : 1;
      bytes += r == rank() ? 0 : sent;
    }
    return std::make_unique<Timed>(*this, inner_.exchange(to_each, from_each, tag));
  }

  Index exchanges = 0, waits = 0, messages = 0, bytes = 0;
  double waited = 0;  // seconds

 private:
  class Timed : public Exchange {
   public:
    Timed(CountingGroup& group, std::unique_ptr<Exchange> inner) : group_(group), inner_(std::move(inner)) {}
    bool arrived() override { return inner_->arrived(); }
    void wait() override {
      const Clock::time_point begin = Clock::now();
      group_.waits += inner_->arrived() ? 0 : 1;
      inner_->wait();
      group_.waited += seconds_since(begin);
    }

   private:
    CountingGroup& group_;
    std::unique_ptr<Exchange> inner_;
  };
  ProcessGroup& inner_;
};

void print(const nlohmann::json& line) { std::cout << line.dump() << std::endl; }

void time_messages(ProcessGroup& ranks) {
  for (Index bytes = 8; bytes <= (Index{4} << 20); bytes *= 8) {
    std::vector<std::byte> sent(static_cast<std::size_t>(bytes)), received(sent.size());
    const std::vector<ProcessGroup::ConstBytes> to_none(static_cast<std::size_t>(ranks.size()));
    const std::vector<ProcessGroup::Bytes> from_none(to_none.size());
    auto to_other = to_none;
    auto from_other = from_none;
    if (ranks.rank() < 2) {
      const auto other = static_cast<std::size_t>(1 - ranks.rank());
      to_other[other] = sent;
      from_other[other] = received;
    }
    const auto send = [&] { ranks.exchange(to_other, from_none, 0)->wait(); };
    const auto receive = [&] { ranks.exchange(to_none, from_other, 0)->wait(); };
    const int times = bytes < 100000 ? 300 : 10;
    ranks.barrier();
    double fastest = 1e9;  // what the machine has to do otherwise slows some down
    for (int i = 0; i < times; ++i) {
      const Clock::time_point begin = Clock::now();
      if (ranks.rank() == 0) {
        send();
        receive();
      } else {
        receive();
        send();
      }
      fastest = std::min(fastest, seconds_since(begin) / 2);
    }
    print({{"message", bytes}, {"seconds", fastest}});
  }
}

nlohmann::json step_line(const CountingGroup& ranks, const TrainSettings& settings, Index steps,
                         double seconds, double processor) {
  const auto per_step = [&](auto number) { return static_cast<double>(number) / static_cast<double>(steps); };
  return {{"ranks", ranks.size()},
          {"threads", num_threads()},
          {"batch", settings.batch},
          {"seconds", per_step(seconds)},
          {"waited", per_step(ranks.waited)},
          {"bytes", per_step(ranks.bytes)},
          {"exchanges", per_step(ranks.exchanges)},
          {"messages", per_step(ranks.messages)},
          {"waits", per_step(ranks.waits)},
          {"processor", per_step(processor)}};
}

}  // namespace

int main(int argc, char** argv) {
  TrainSettings settings;
  settings.styles = {asset("styles/stained_glass.jpg")};
  settings.content = asset("photos");
  settings.network = {.width = 32, .blocks = 5};
  settings.crop = 256;
  Index rounds = 5, steps = 2, bucket = Index{1} << 20;
  bool on_request = false;
  CommandLine line("benchmark-ranks", "Times steps of a training on several ranks; prints JSON lines.");
  line.option("--width", &settings.network.width, "channels of the first layer");
  line.option("--crop", &settings.crop, "side of the crops in pixels");
  line.option("--batch", &settings.batch, "photographs in each step");
  line.option("--rounds", &rounds, "how often to time it").positive();
  line.option("--steps", &steps, "steps of a round").positive();
  line.option("--bucket", &bucket, "bytes of gradients that travel together").positive();
  line.flag("--on-request", &on_request, "one round for every line on standard input, instead of --rounds");
  line.add_threads_option();
  return line.run(argc, argv, [&] {
    CountingGroup ranks(program_ranks());
    BatchShare::bucket_bytes = bucket;
    settings.steps = 1'000'000;
    TrainingRun run(settings, ranks);
    run.training().step();
    if (ranks.size() > 1) {
      time_messages(ranks);
    }
    // Rank 0 reads the requests, and tells the others, who leave the processors to other trainings meanwhile.
    const auto wanted = [&](Index round) {
      std::string request;
      char go = round < rounds ? 1 : 0;
      if (on_request && ranks.rank() == 0) {
        go = std::getline(std::cin, request) ? 1 : 0;
      }
      std::vector<char> all(static_cast<std::size_t>(ranks.size()));
      const auto told = ranks.gather(bytes_of(&go, 1), mutable_bytes_of(all.data(), all.size()),
                                     std::vector<std::size_t>(all.size(), 1));
      while (!told->arrived()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      return all.front() == 1;
    };
    for (Index round = 0; wanted(round); ++round) {
      ranks.exchanges = ranks.waits = ranks.messages = ranks.bytes = 0;
      ranks.waited = 0;
      const double processor = processor_seconds();
      const Clock::time_point begin = Clock::now();
      for (Index i = 0; i < steps; ++i) {
        run.training().step();
      }
      print(step_line(ranks, settings, steps, seconds_since(begin), processor_seconds() - processor));
    }
    return true;
  });
}
