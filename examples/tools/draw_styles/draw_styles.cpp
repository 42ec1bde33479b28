// draw-styles: draws the style pictures of examples/assets/styles that are gesso's own.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "gesso/core/error.h"
#include "gesso/core/pictures/picture.h"
#include "program/command_line.h"
#include "styles.h"

namespace {

struct Style {
  const char* name;
  gesso::Tensor (*draw)(int size, gesso::Generator& rng);
};
constexpr Style kStyles[] = {{"stained_glass", draw::stained_glass},
                             {"engraving", draw::engraving},
                             {"brush_strokes", draw::brush_strokes},
                             {"waves", draw::waves}};

struct Options {
  std::string out;
  std::vector<std::string> only;
  int size = 384;
  std::uint64_t seed = 1;
};

void draw_all(const Options& options) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(options.out, error);
  if (!fs::is_directory(options.out)) {
    throw gesso::FileError("cannot make the folder " + options.out + ": " +
                           (error ? error.message() : "a file of that name is in the way"));
  }
  std::printf("Drawing style pictures, short side %d pixels, seed %llu, into %s\n", options.size,
              static_cast<unsigned long long>(options.seed), options.out.c_str());
  for (const Style& style : kStyles) {
    if (!options.only.empty() && std::ranges::find(options.only, style.name) == options.only.end()) {
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    gesso::Generator rng(options.seed);  // anew for each, so that --only draws the same picture
    const gesso::Tensor picture = style.draw(options.size, rng);
    const std::string file = std::string(style.name) + ".jpg";
    gesso::save_picture((fs::path(options.out) / file).string(), picture, {.jpeg_quality = 88});
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%-18s %4d x %-4d %5.1f s\n", file.c_str(), static_cast<int>(picture.size(3)),
                static_cast<int>(picture.size(2)), seconds.count());
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<std::string> names;
  for (const Style& style : kStyles) {
    names.push_back(style.name);
  }
  gesso::CommandLine line("draw-styles",
                          "Draws style pictures from nothing but code: a style network learns the strokes, "
                          "colours and textures of "
                          "one picture, so these are made of strong ones (lead and glass, engraved lines, "
                          "thick paint, flat ink).");
  line.option("--out", &options.out, "Folder for the pictures, made if missing")
      .required()
      .value_name("FOLDER");
  line.option("--size", &options.size, "Short side in pixels; any size shows the same picture")
      .range(16, 1536);
  line.option("--seed", &options.seed, "Another seed, another variation").not_negative();
  line.option("--only", &options.only, "Draws only these").choices(names);
  line.footer("Example:\n  draw-styles --out styles --only waves");
  return line.run(argc, argv, [&] {
    draw_all(options);
    return true;
  });
}
