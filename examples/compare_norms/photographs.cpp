#include "photographs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iterator>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/reduce.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/training/picture_folder.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPhotographs = 500;

// `count` of `files`, evenly spread.
std::vector<std::string> spread(const std::vector<std::string>& files, std::size_t count) {
  std::vector<std::string> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(files[i * files.size() / count]);
  }
  return chosen;
}

// The luminance of R'G'B' (ITU-R BT.601).
constexpr std::array<float, 3> kLuminance = {0.299F, 0.587F, 0.114F};

}  // namespace

PhotographFiles split_photographs(const fs::path& folder) {
  std::vector<std::string> files = pictures_in(folder);
  if (files.size() > kMostPhotographs) {
    files = spread(files, kMostPhotographs);
  }
  const std::size_t found = files.size();
  std::erase_if(files, [](const std::string& file) {
    try {
      load_picture(file);
      return false;
    } catch (const FileError&) {
      return true;
    }
  });
  if (files.size() < 4) {
    throw FileError(concat_text(folder.string(), ": ", files.size(), " photographs ",
                                found > files.size() ? "that can be read " : "",
                                "are too few; a comparison needs at least 4, some of which are held out for "
                                "testing"));
  }
  PhotographFiles photographs;
  photographs.test = spread(files, std::clamp<std::size_t>(files.size() / 5, 2, 8));
  std::set_difference(files.begin(), files.end(), photographs.test.begin(), photographs.test.end(),
                      std::back_inserter(photographs.training));
  return photographs;
}

Tensor middle_squares(const std::vector<std::string>& files, Index side) {
  std::vector<Tensor> squares;
  for (const std::string& file : files) {
    const Tensor picture = load_picture(file);
    const Index shorter = std::min(picture.size(2), picture.size(3));
    squares.push_back(resize_picture(center_crop(picture, shorter, shorter), side, side));
  }
  return concat(squares, 0);
}

Tensor with_contrast(const Tensor& picture, double factor) {
  Tensor mean_gray = Tensor::scalar(0);
  for (int c = 0; c < 3; ++c) {
    mean_gray.add_(mean(slice(picture, 1, c, c + 1)), kLuminance[c]);
  }
  const double gray = mean_gray.item();
  return clamp((picture - gray) * factor + gray, 0, 1);
}

Tensor equalize_luminance(const Tensor& picture) {
  require(picture.rank() == 4 && picture.size(0) == 1 && picture.size(1) == 3,
          "equalize_luminance: the picture has shape ", picture.shape(), "; it must be (1, 3, H, W)");
  const Index pixels = picture.size(2) * picture.size(3);
  const float* rgb = picture.data<float>();
  std::vector<float> luminance(pixels);
  std::array<Index, 256> histogram{};
  const auto bin = [&](Index i) {
    return static_cast<std::size_t>(std::clamp(std::lround(255 * luminance[i]), 0L, 255L));
  };
  for (Index i = 0; i < pixels; ++i) {
    for (int c = 0; c < 3; ++c) {
      luminance[i] += kLuminance[c] * rgb[c * pixels + i];
    }
    ++histogram[bin(i)];
  }
  // Each bin's new luminance is the share of pixels that are darker, its own counted by half.
  std::array<float, 256> flat{};
  Index darker = 0;
  for (std::size_t b = 0; b < flat.size(); ++b) {
    flat[b] =
        (static_cast<float>(darker) + 0.5F * static_cast<float>(histogram[b])) / static_cast<float>(pixels);
    darker += histogram[b];
  }
  Tensor result = Tensor::empty(picture.shape());
  float* out = result.mutable_data<float>();
  for (Index i = 0; i < pixels; ++i) {
    const float brighter = flat[bin(i)] - luminance[i];
    for (int c = 0; c < 3; ++c) {
      out[c * pixels + i] = std::clamp(rgb[c * pixels + i] + brighter, 0.0F, 1.0F);
    }
  }
  return result;
}

Tensor each_picture(const Tensor& pictures, const std::function<Tensor(const Tensor&)>& change) {
  std::vector<Tensor> changed;
  for (Index i = 0; i < pictures.size(0); ++i) {
    changed.push_back(change(pictures.slice(i, i + 1)));
  }
  return concat(changed, 0);
}

std::vector<std::string> prepare_photographs(const std::vector<std::string>& files, const fs::path& folder,
                                             Index size, const std::function<Tensor(const Tensor&)>& change) {
  fs::create_directories(folder);
  std::vector<std::string> prepared;
  for (std::size_t i = 0; i < files.size(); ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%03zu-", i + 1);  // names from several folders may be equal
    const fs::path path = folder / (number + fs::path(files[i]).stem().string() + ".png");
    prepared.push_back(path.string());
    if (fs::exists(path)) {
      continue;
    }
    Tensor picture = load_picture(files[i]);
    if (std::min(picture.size(2), picture.size(3)) > size) {
      picture = resize_short_side(picture, size);
    }
    save_picture(path.string(), change(picture));
  }
  return prepared;
}

}  // namespace gesso
