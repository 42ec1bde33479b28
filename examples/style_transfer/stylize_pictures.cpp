// style-transfer stylize: pictures.
#include <algorithm>
#include <functional>
#include <future>
#include <iostream>

#include "commands.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/core/system_limits.h"
#include "gesso/training/report/progress.h"
#include "outputs.h"
#include "painting/memory_need.h"
#include "painting/stylize.h"
#include "painting_memory.h"
#include "program/byte_count.h"
#include "stylize_strips.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

bool keeps_transparency(const fs::path& path) {
  return ending_of(path) == ".png" || ending_of(path) == ".webp";
}

// The memory that may be used: what is asked for, or what there is, less a margin for others.
double memory_to_use(const std::string& asked_for) {
  constexpr double margin = 0.1;
  return asked_for.empty() ? (1 - margin) * static_cast<double>(available_memory())
                           : byte_count(asked_for, "--memory");
}

// Writes a painting.
using Save = std::function<void()>;

Save paint_whole(StyleNetwork& network, const PaintingTask& task, const StylizeCommand& command) {
  Tensor picture = load_picture(task.from.string());
  if (command.size != 0) {
    picture = resize_short_side(picture, command.size);
  }
  Tensor painted = stylize(network, picture, command.paint);
  if (keeps_transparency(task.to)) {
    if (Tensor alpha = load_transparency(task.from.string()); alpha.defined()) {
      painted = concat({painted, resize_picture(alpha, painted.size(2), painted.size(3))}, 1);
    }
  }
  return [to = task.to, painted] {
    fs::create_directories(fs::absolute(to).parent_path());
    save_picture(to.string(), painted);
  };
}

// What is left to do when the picture is painted; nothing where it went by strips.
Save paint_picture(StyleNetwork& network, const PaintingTask& task, const StylizeCommand& command,
                   double per_pixel) {
  const Size2d size = look_at_picture(task.from.string(), strip_load_options).size;
  const double memory = memory_to_use(command.memory);
  const double need = memory_to_repaint(size, factor_of(size, command.size), command.paint.scale, per_pixel);
  constexpr double of_program = 6e7;  // code, stacks, working memory of threads
  const bool fits = need + of_program <= memory && size.width <= LoadOptions().max_pixels / size.height;
  if (fits && !command.thumbnail_statistics) {
    return paint_whole(network, task, command);
  }
  repaint_by_strips(network, {.from = task.from,
                              .to = task.to,
                              .size = command.size,
                              .paint = command.paint,
                              .memory = memory,
                              .thumbnail_statistics = command.thumbnail_statistics});
  return [] {};
}

std::string failed_words(int failed) { return failed == 0 ? "" : concat_text(failed, " failed"); }

}  // namespace

void StylizeCommand::repaint_pictures(StyleNetwork& network, const std::string& painter,
                                      const std::string& painter_name) {
  const std::vector<PaintingTask> tasks =
      plan_outputs(expand(inputs), out, painter_name, written_picture_endings(), ".png");
  const double per_pixel = bytes_per_pixel(network);
  const double budget = memory_to_use(memory);
  double most = 0;
  for (const PaintingTask& task : tasks) {
    try {
      const Size2d loaded = look_at_picture(task.from.string(), strip_load_options).size;
      const double need = memory_to_repaint(loaded, factor_of(loaded, size), paint.scale, per_pixel);
      most = std::max(most, std::min(need, budget));
    } catch (const Error&) {
      // Said when its turn comes.
    }
  }
  std::cerr << "Repainting " << tasks.size() << (tasks.size() == 1 ? " picture" : " pictures")
            << " in the style of " << painter
            << (most > 0 ? ", in up to " + gigabytes(most) + " of memory" : "") << "\n";
  ProgressBar progress("Repainting", static_cast<Index>(tasks.size()));
  Index done = 0;
  int failed = 0;
  // One bad picture does not cost the others; that of a single one is the program's.
  const auto finish_picture = [&](auto&& work) {
    try {
      work();
      progress.update(++done, failed_words(failed));
    } catch (const Error& error) {
      if (tasks.size() == 1) {
        throw;
      }
      progress.message(concat_text("style-transfer: ", error.what()));
      progress.skip(++done, failed_words(++failed));
    }
  };
  // A painting is written while the next one is painted, by one thread: otherwise the others would wait for it.
  std::future<void> saving;
  const auto finish_saving = [&] {
    if (saving.valid()) {
      finish_picture([&] { saving.get(); });
    }
  };
  for (const PaintingTask& task : tasks) {
    if (!memory.empty()) {  // what was asked for is for one picture
      finish_saving();
    }
    Save save;
    std::exception_ptr failure;
    try {
      save = paint_picture(network, task, *this, per_pixel);
    } catch (const Error&) {
      failure = std::current_exception();
    }
    finish_saving();
    if (failure) {
      finish_picture([&] { std::rethrow_exception(failure); });
      continue;
    }
    saving = std::async(std::launch::async, [save = std::move(save)] {
      const SerialSection alone;
      save();
    });
  }
  finish_saving();
  progress.finish();
  if (failed > 0) {
    throw Error(concat_text(failed, " of ", tasks.size(),
                            " pictures could not be repainted; the reasons stand above"));
  }
  if (tasks.size() > 1 && !out.empty()) {
    std::cout << out.string() << "\n";
    return;
  }
  for (const PaintingTask& task : tasks) {
    std::cout << task.to.string() << "\n";
  }
}

}  // namespace gesso
