#include "gesso/training/picture_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"

namespace gesso {

namespace fs = std::filesystem;

namespace {

// A folder as the system knows it, whatever links lead there.
using FolderId = std::pair<dev_t, ino_t>;

std::optional<FolderId> id_of(const fs::path& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return FolderId(status.st_dev, status.st_ino);
}

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with("."); }

// What is in `folder`, in the order of names, so that the same pictures are found by the same paths everywhere.
std::vector<fs::path> sorted_entries(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace

std::vector<std::string> pictures_in(const fs::path& folder, const FolderScan& scan) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw FileError(concat_text(folder.string(), ": there is no such folder of photographs"));
  }
  std::vector<std::string> files;
  std::set<FolderId> seen;  // a link back to a folder above would go on for ever
  std::vector<fs::path> waiting = {folder};
  while (!waiting.empty()) {
    const fs::path current = std::move(waiting.back());
    waiting.pop_back();
    const std::optional<FolderId> id = id_of(current);
    if (id && !seen.insert(*id).second) {
      continue;
    }
    const std::vector<fs::path> entries = sorted_entries(current, error);
    if (error) {
      const std::string complaint =
          concat_text(current.string(), ": the folder cannot be read: ", error.message());
      if (current == folder) {
        throw FileError(complaint);
      }
      if (scan.complaints != nullptr) {
        scan.complaints->push_back(complaint);
      }
    }
    std::vector<fs::path> below;
    for (const fs::path& entry : entries) {
      if (is_hidden(entry)) {
        continue;  // "._photo.jpg" beside a Mac's photo.jpg, say
      }
      if (std::error_code ignored; has_picture_ending(entry) && fs::is_regular_file(entry, ignored)) {
        files.push_back(entry.string());
      } else if (scan.folders_inside && fs::is_directory(entry, ignored)) {
        below.push_back(entry);
      }
    }
    waiting.insert(waiting.end(), below.rbegin(), below.rend());
  }
  if (files.empty()) {
    throw FileError(
        concat_text(folder.string(), ": the folder holds no pictures (JPEG, PNG, BMP, GIF or WebP)"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

namespace {

void check(const PictureFolderOptions& options) {
  require(options.crop >= 1 && options.crop <= 16384, "PictureFolder: crop is ", options.crop,
          "; it must be from 1 to 16384");
  require(options.batch >= 1 && options.batch <= 4096, "PictureFolder: batch is ", options.batch,
          "; it must be from 1 to 4096");
  require(options.min_scale > 0 && options.min_scale <= options.max_scale && options.max_scale <= 1,
          "PictureFolder: min_scale ", options.min_scale, " and max_scale ", options.max_scale,
          " must satisfy 0 < min_scale <= max_scale <= 1");
  require(options.ahead >= 1 && options.ahead <= 64, "PictureFolder: ahead is ", options.ahead,
          "; it must be from 1 to 64");
}

// What one epoch draws: an order of the pictures (a shuffle, Fisher and Yates), and random numbers for each
// turn in it. Order and turns have streams of their own, whose seeds come from the options' seed and the
// epoch.
class Epoch {
 public:
  Epoch(std::uint64_t seed, Index number, std::size_t count) : number_(number), order_(count) {
    const auto bits = Generator::block(seed, static_cast<std::uint64_t>(number));
    Generator shuffle(std::uint64_t{bits[0]} << 32 | bits[1]);
    crop_seed_ = std::uint64_t{bits[2]} << 32 | bits[3];
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    for (std::size_t i = count; i > 1; --i) {
      std::swap(order_[i - 1], order_[shuffle.below(static_cast<Index>(i))]);
    }
  }

  Index number() const { return number_; }
  /// The picture whose turn it is.
  std::size_t picture(std::size_t turn) const { return order_[turn % order_.size()]; }
  Generator numbers(std::size_t turn) const {
    constexpr std::uint64_t kBlocks = 16;  // set aside for each crop, which takes four
    return Generator(Generator::State{crop_seed_, turn * kBlocks});
  }

 private:
  Index number_;
  std::vector<std::size_t> order_;
  std::uint64_t crop_seed_;
};

// x mirrored left to right, in place.
void mirror(Tensor& x) {
  const Index width = x.size(3);
  float* values = x.mutable_data<float>();
  for (Index row = 0; row < x.numel() / width; ++row) {
    std::reverse(values + row * width, values + (row + 1) * width);
  }
}

}  // namespace

// The thread that prepares batches, and what it shares with the one that takes them.
class PictureFolder::Worker {
 public:
  Worker(std::vector<std::string> files, const PictureFolderOptions& options,
         std::vector<std::string> warnings = {})
      : files_(std::move(files)),
        options_(options),
        count_(options.batch),
        epoch_(options.seed, 0, files_.size()),
        usable_(files_.size(), true),
        warnings_(std::move(warnings)) {
    check(options_);
    start();
  }

  ~Worker() { stop(); }

  Tensor next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || failure_; });
    if (ready_.empty()) {
      std::rethrow_exception(failure_);
    }
    Tensor batch = std::move(ready_.front());
    ready_.pop_front();
    taken_.crops += options_.batch;
    changed_.notify_all();
    return batch;
  }

  State state() const {
    std::lock_guard lock(mutex_);
    return taken_;
  }

  void set_state(State state) {
    require(state.crops >= 0, "PictureFolder::set_state: position ", state.crops, " is negative");
    stop();
    taken_ = state;
    start();
  }

  void set_share(Index first, Index count) {
    require(first >= 0 && count >= 1 && first + count <= options_.batch, "PictureFolder::set_share: crops ",
            first, " to ", first + count - 1, " are not all in a batch of ", options_.batch);
    stop();
    first_ = first;
    count_ = count;
    start();
  }

  std::vector<std::string> take_warnings() {
    std::lock_guard lock(mutex_);
    return std::exchange(warnings_, {});
  }

  const std::vector<std::string>& files() const { return files_; }

 private:
  void start() {
    stopping_ = false;
    ready_.clear();
    failure_ = nullptr;
    position_ = taken_.crops;
    thread_ = std::thread([this] { prepare(); });
  }

  void stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void prepare() {
    const SerialSection leave_the_cores_to_training;
    try {
      while (!stopping_) {
        Tensor batch = Tensor::empty({count_, 3, options_.crop, options_.crop});
        for (Index i = 0; i < count_ && !stopping_; ++i) {
          batch.alias({1, 3, options_.crop, options_.crop}, i * 3 * options_.crop * options_.crop)
              .copy_(crop_at(position_ + first_ + i));
        }
        position_ += options_.batch;
        std::unique_lock lock(mutex_);
        changed_.wait(lock,
                      [this] { return stopping_ || static_cast<Index>(ready_.size()) < options_.ahead; });
        if (stopping_) {
          return;
        }
        ready_.push_back(std::move(batch));
        changed_.notify_all();
      }
    } catch (...) {
      std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  // Crop number `position` of the stream. An unreadable picture hands its turn to the next in the epoch's
  // order.
  Tensor crop_at(Index position) {
    const auto count = static_cast<Index>(files_.size());
    if (epoch_.number() != position / count) {
      epoch_ = Epoch(options_.seed, position / count, files_.size());
    }
    const auto turn = static_cast<std::size_t>(position % count);
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const std::size_t file = epoch_.picture(turn + i);
      if (const Tensor picture = usable_[file] ? picture_of(file) : Tensor(); picture.defined()) {
        return random_crop(picture, epoch_.numbers(turn));
      }
    }
    throw FileError(
        concat_text("none of the ", count, " photographs can be read; the first is ", files_.front()));
  }

  Tensor random_crop(const Tensor& picture, Generator rng) const {
    const Index height = picture.size(2), width = picture.size(3), shorter = std::min(height, width);
    const auto side_of = [&](double scale) {
      const Index side = std::llround(scale * static_cast<double>(shorter));
      return std::max(side, std::min(options_.crop, shorter));
    };
    const Index smallest = side_of(options_.min_scale), largest = side_of(options_.max_scale);
    const Index side = smallest + rng.below(largest - smallest + 1);
    const Index top = rng.below(height - side + 1), left = rng.below(width - side + 1);
    Tensor result = resize_picture(crop(picture, top, left, side, side), options_.crop, options_.crop);
    if (options_.flip && rng.uniform() < 0.5) {
      mirror(result);
    }
    return result;
  }

  // The decoded picture, from the cache if it is there; undefined, with a warning, if it cannot be read.
  // Larger pictures are kept at a short side of crop / min_scale: then the smallest crop needs no resizing.
  Tensor picture_of(std::size_t file) {
    if (const auto found = cache_.find(file); found != cache_.end()) {
      return found->second;
    }
    try {
      Tensor picture = load_picture(files_[file]);
      const double enough = std::ceil(static_cast<double>(options_.crop) / options_.min_scale);
      if (static_cast<double>(std::min(picture.size(2), picture.size(3))) > enough) {
        picture = resize_short_side(picture, static_cast<Index>(enough));
      }
      const Index bytes = picture.numel() * 4;
      if (cached_bytes_ + bytes <= options_.cache_bytes) {
        cache_[file] = picture;
        cached_bytes_ += bytes;
      }
      return picture;
    } catch (const FileError& error) {
      usable_[file] = false;
      std::lock_guard lock(mutex_);
      warnings_.push_back(concat_text(error.what(), " (left out)"));
      return {};
    }
  }

  const std::vector<std::string> files_;
  const PictureFolderOptions options_;

  Index first_ = 0,
        count_;  // of each batch's crops, those that are given; changed while the thread stands still

  // The thread's own.
  Index position_ = 0;
  Epoch epoch_;
  std::vector<bool> usable_;
  std::map<std::size_t, Tensor> cache_;
  Index cached_bytes_ = 0;

  // Shared.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Tensor> ready_;
  std::vector<std::string> warnings_;
  std::exception_ptr failure_;
  State taken_;
  std::atomic<bool> stopping_ = false;  // changed under the mutex
  std::thread thread_;
};

PictureFolder::PictureFolder(const fs::path& folder, const PictureFolderOptions& options) {
  std::vector<std::string> complaints;
  std::vector<std::string> files = pictures_in(folder, {.complaints = &complaints});
  worker_ = std::make_unique<Worker>(std::move(files), options, std::move(complaints));
}

PictureFolder::PictureFolder(std::vector<std::string> files, const PictureFolderOptions& options) {
  require(!files.empty(), "PictureFolder: no files were given");
  worker_ = std::make_unique<Worker>(std::move(files), options);
}

PictureFolder::~PictureFolder() = default;

Tensor PictureFolder::next() { return worker_->next(); }

void PictureFolder::set_share(Index first, Index count) { worker_->set_share(first, count); }

PictureFolder::State PictureFolder::state() const { return worker_->state(); }

void PictureFolder::set_state(State state) { worker_->set_state(state); }

std::vector<std::string> PictureFolder::take_warnings() { return worker_->take_warnings(); }

const std::vector<std::string>& PictureFolder::files() const { return worker_->files(); }

}  // namespace gesso
