// What norm-lab has to say, as data: sections of texts, formulas, tables and tensors. It is printed in a
// terminal or written as a page.
#pragma once

#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "gesso/core/normalization/normalization.h"
#include "gesso/core/tensor.h"
#include "gesso/training/report/report.h"

namespace norm_lab {

struct Text {
  std::string text;  ///< one paragraph
};

struct Formula {
  std::vector<std::string> lines;
};

struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

/// The planes of a tensor (N, C, H, W): small ones as numbers; large ones as their upper left corner, or on a
/// page as colour maps.
struct Values {
  std::string name;
  gesso::Tensor tensor;
};

/// Tensors that are to be compared: as many digits for all of them, and one scale of colours.
struct OneScale {
  std::string title;
  std::vector<Values> values;
};

/// Pictures (N, 3, H, W); only on a page.
struct Pictures {
  std::string title;
  gesso::Tensor tensor;
  std::vector<std::string> captions;
};

/// How the values of each plane are distributed.
struct Histogram {
  std::string title;
  gesso::Tensor tensor;  ///< (N, C, H, W)
};

using Block = std::variant<Text, Formula, Table, Values, OneScale, Pictures, Histogram>;

struct Section {
  std::string title;
  std::vector<Block> blocks;
};

struct Lab {
  std::string title;
  std::vector<std::string> summary;
  std::vector<Section> sections;
};

/// "n=0 c=1": plane number `plane` of a tensor with `channels` channels.
std::string plane_name(gesso::Index plane, gesso::Index channels);

/// A number in few characters: four digits, 0.4512 or 1.3e-07.
std::string short_number(double value);

/// How many of the values of each plane (n, c) lie in each of `bins` equal parts of [low, high].
struct Counts {
  double low, high;
  std::vector<std::vector<gesso::Index>> planes;
};
Counts count_values(const gesso::Tensor& tensor, int bins);

/// Red for positive, blue for negative values, white for 0, the strongest colour for +-limit: (1, 3, H, W) of
/// plane number `plane`.
gesso::Tensor color_map(const gesso::Tensor& tensor, gesso::Index plane, double limit);

/// For a terminal of 80 columns; titles in bold if `bold`.
void print(std::ostream& out, const Lab& lab, bool bold = false);

/// The page.
gesso::Report page_of(const Lab& lab);

}  // namespace norm_lab
