// train-classifier: a small network that learns to tell pictures apart, with a normalization of one's choice.
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "gesso/gesso.h"
#include "painting/memory_need.h"
#include "painting/style_network.h"
#include "program/command_line.h"
#include "program/interrupt.h"
#include "program/usage_error.h"

using namespace gesso;
namespace fs = std::filesystem;

namespace {

struct Options {
  std::string data = "mnist";
  fs::path folder, test_folder, out;
  std::string normalization = "batch";
  Index epochs = 5, batch = 64, width = 32, side = 64;
  double lr = 3e-3;
  std::uint64_t seed = 1;
};

// Three blocks of two 3x3 convolutions, each with normalization and ReLU; between blocks a maximum halves the picture.
class Classifier : public Module {
 public:
  Classifier(Index channels, Index classes, const Options& options, Generator& rng)
      : dropout_(0.2, rng), head_(4 * options.width, classes, rng) {
    Index in = channels;
    for (const Index out : {options.width, 2 * options.width, 4 * options.width}) {
      for (int i = 0; i < 2; ++i) {
        features_.emplace<Conv2d>(in, out, 3, {.padding = 1}, rng);
        features_.append(make_normalization(options.normalization, out, Activation::relu));
        in = out;
      }
      if (out != 4 * options.width) {
        features_.emplace<MaxPool2d>({.kernel = 2, .ceil_mode = true});
      }
    }
    register_module("features", features_);
    register_module("head", head_);
    register_module("dropout", dropout_);
  }
  Tensor forward(const Tensor& x) override {
    return head_(dropout_(flatten(adaptive_avg_pool2d(features_(x - 0.5), 1), 1)));
  }

 private:
  Sequential features_;
  Dropout dropout_;
  Linear head_;
};

LabelledPictures load(const Options& options, DataSplit split) {
  if (options.data == "mnist") return load_mnist(options.folder, split);
  if (options.data == "cifar10") return load_cifar10(options.folder, split);
  if (options.data == "cifar100") return load_cifar100(options.folder, split);
  return load_image_folder(split == DataSplit::training ? options.folder : options.test_folder, options.side);
}

// What a training takes, from a step with two pictures. Throws UsageError unless there is that much memory.
MemoryNeed require_memory(const Options& options, const LabelledPictures& data) {
  Generator rng(options.seed);
  Classifier net(data.channels, static_cast<Index>(data.classes.size()), options, rng);
  const double step_of_two = peak_memory_of([&] {
    mean(net(Tensor::zeros({2, data.channels, data.height, data.width}))).backward();
  });
  const double pictures =
      static_cast<double>(data.size() * data.channels) * static_cast<double>(data.height * data.width);
  const MemoryNeed need =
      memory_of_process(step_of_two / 2 * static_cast<double>(options.batch), 0, pictures, net);
  require_memory_for_training({.batch = options.batch, .crop = 0}, need);
  return need;
}

double test_accuracy(Module& net, const LabelledPictures& data, Index at_once) {
  const NoGradGuard no_grad;
  net.eval();
  double right = 0;
  for (Index begin = 0; begin < data.size(); begin += at_once) {
    const Index end = std::min(data.size(), begin + at_once);
    const std::vector<Index> labels(data.labels.begin() + begin, data.labels.begin() + end);
    right += accuracy(net(data.pictures(begin, end)), labels) * static_cast<double>(end - begin);
  }
  net.train();
  return right / static_cast<double>(data.size());
}

bool run(const Options& options) {
  if (options.folder.empty() || (options.data == "folder") == options.test_folder.empty()) {
    throw UsageError(
        "name the folder of the data by --folder and, for --data folder alone, that of the test by --test");
  }
  const LabelledPictures data = load(options, DataSplit::training), test = load(options, DataSplit::test);
  if (test.classes.size() > data.classes.size() || test.height != data.height || test.width != data.width) {
    throw UsageError("the test has other classes or sizes than the pictures to learn from");
  }
  const MemoryNeed memory = require_memory(options, data);
  Generator rng(options.seed);
  Classifier net(data.channels, static_cast<Index>(data.classes.size()), options, rng);
  const Index steps = std::max<Index>(1, options.epochs * data.size() / options.batch);
  std::cerr << "Learning " << data.classes.size() << " classes from " << data.size() << " pictures with "
            << net.number_of_parameters() << " numbers, for " << steps << " steps" << memory.in_about()
            << "\n";
  // Things are the same mirrored; digits and letters are not.
  LabelledBatches batches(data, {.batch = std::min(options.batch, data.size()),
                                 .flip = options.data != "mnist",
                                 .shift = data.height / 14,
                                 .seed = options.seed});
  AdamW adam(net.parameters(), {.lr = options.lr, .weight_decay = 0.01});
  const WarmupCosine schedule{.warmup = std::min<Index>(100, steps / 10), .total = steps};
  stop_gently_on_interrupt();
  ProgressBar progress("Learning", steps);
  for (Index step = 0; step < steps && !stop_requested(); ++step) {
    const LabelledBatch batch = batches.next();
    const Tensor loss = cross_entropy(net(batch.pictures), batch.labels, {.label_smoothing = 0.1});
    adam.set_lr(options.lr * schedule(step));
    adam.zero_grad();
    loss.backward();
    adam.step();
    progress.update(step + 1);
    if ((step + 1) * options.epochs / steps > step * options.epochs / steps) {  // the end of an epoch
      progress.message(concat_text("epoch ", (step + 1) * options.epochs / steps, ": loss ", loss.item(),
                                   ", right in ", 100 * test_accuracy(net, test, options.batch),
                                   " % of the test"));
    }
  }
  progress.finish();
  if (stop_requested()) {
    return false;
  }
  net.eval();
  std::printf("%.2f %% of %lld test pictures are named rightly\n",
              100 * test_accuracy(net, test, options.batch), static_cast<long long>(test.size()));
  if (!options.out.empty()) {
    save_safetensors(options.out.string(), net.state_dict());
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CommandLine line("train-classifier",
                   "Trains a small network to tell pictures apart and says how often it is right.");
  line.option("--data", &options.data, "What the data are")
      .choices({"mnist", "cifar10", "cifar100", "folder"});
  line.option(
          "--folder", &options.folder,
          "Where they are: MNIST's or CIFAR's own binary files, or a folder with a folder of pictures for each class")
      .value_name("FOLDER");
  line.option("--test", &options.test_folder, "With --data folder: such a folder to test with")
      .value_name("FOLDER");
  const Option side = line.option("--side", &options.side,
                                  "With --data folder: pictures are cut to squares of so many pixels")
                          .range(8, 1024);
  line.option("--norm", &options.normalization, "Normalization").choices(known_normalizations());
  line.option("--epochs", &options.epochs, "How often each picture is shown").range(1, 10000);
  line.option("--batch", &options.batch, "Pictures in each step").range(1, 4096);
  line.option("--width", &options.width, "Channels of the first layer").range(2, 512);
  line.option("--lr", &options.lr, "The highest learning rate").positive();
  line.option("--seed", &options.seed, "Draws the first weights and the order of the pictures")
      .not_negative();
  line.option("--out", &options.out, "File for the weights (safetensors)").value_name("FILE");
  line.add_threads_option();
  line.footer("Example:\n  train-classifier --data mnist --folder data/MNIST --norm batch");
  return line.run(argc, argv, [&] {
    if (side.given() && options.data != "folder") {
      throw UsageError("--side is for --data folder; pictures of " + options.data + " have a size");
    }
    return run(options);
  });
}
