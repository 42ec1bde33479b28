// measure-filter-bank FOLDER > filter_bank_means.inc: the means that scale the filter bank's responses,
// measured on a folder of photographs. Run it again after any change of the filters.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "gesso/core/pictures/picture.h"
#include "painting/filter_bank.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "measure-filter-bank: give one folder of photographs\n");
    return 2;
  }
  try {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<gesso::Tensor> pictures;
    for (const auto& file : files) {
      pictures.push_back(gesso::load_picture(file));
    }
    const std::vector<double> means = gesso::FilterBank::measure_means(pictures);
    std::printf("// Written by measure-filter-bank examples/assets/photos.\n");
    for (std::size_t i = 0; i < means.size(); ++i) {
      std::printf("%.6g,%s", means[i], i % 10 == 9 ? "\n" : " ");
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "measure-filter-bank: %s\n", error.what());
    return 1;
  }
  return 0;
}
