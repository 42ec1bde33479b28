// measure-filter-bank FOLDER > filter_bank_means.inc: the means that scale the filter bank's responses,
// measured on a folder of photographs. Run it again after any change of the filters.
#include <cstdio>
#include <filesystem>
#include <vector>

#include "gesso/core/pictures/picture.h"
#include "gesso/training/picture_folder.h"
#include "painting/filter_bank.h"
#include "program/command_line.h"

namespace {

using namespace gesso;

void measure(const std::filesystem::path& folder) {
  std::vector<Tensor> pictures;
  for (const std::string& file : pictures_in(folder, {.folders_inside = false})) {
    pictures.push_back(load_picture(file));
  }
  const std::vector<double> means = FilterBank::measure_means(pictures);
  std::printf("// Written by measure-filter-bank examples/assets/photos.\n");
  for (std::size_t i = 0; i < means.size(); ++i) {
    std::printf("%.6g,%s", means[i], i % 10 == 9 ? "\n" : " ");
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path folder;
  CommandLine line(
      "measure-filter-bank",
      "Measures on photographs the means that scale the filter bank's responses, and prints them as C++.");
  line.option("folder", &folder, "The photographs").required();
  line.footer(
      "Example:\n  measure-filter-bank examples/assets/photos > examples/painting/filter_bank_means.inc");
  return line.run(argc, argv, [&] {
    measure(folder);
    return true;
  });
}
