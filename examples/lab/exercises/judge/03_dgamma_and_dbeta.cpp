#include "judge.h"
#include "set.h"

const Exercise exercise{"03 dgamma and dbeta",
                        "plane_row_gradients and add_element_gradients in core/normalization/backward.cpp"};

namespace {

// The gradients of layer norm, one for each element, added up where elements share a gamma.
Numbers collected(const Numbers& of_elements, const std::vector<int>& row, int rows) {
  Numbers sums(rows);
  for (int i = 0; i < of_elements.size(); ++i) sums[row[i]] += of_elements[i];
  return sums;
}

}  // namespace

void check(Judge& judge) {
  struct Case {
    const char* name;
    int rows;
    std::vector<int> (*row)(int m);
  };
  const Case cases[] = {
      {"one gamma for all, as in batch and instance norm", 1, [](int m) { return std::vector<int>(m, 0); }},
      {"a gamma for each element, as in layer norm", 7,
       [](int m) {
         std::vector<int> row;
         for (int i = 0; i < m; ++i) row.push_back(i);
         return row;
       }},
      {"three gammas, used in no order", 3,
       [](int m) {
         std::vector<int> row;
         for (int i = 0; i < m; ++i) row.push_back(i * i % 3);
         return row;
       }},
  };
  for (const auto& [set_name, set, dy] : three_sets()) {
    const Forward f = forward(set);
    const Gradients right = backward(set, dy), by_differences = gradient_by_differences(set, dy);
    for (const auto& [name, rows, row_of] : cases) {
      const std::vector<int> row = row_of(set.x.size());
      Numbers shown_row(set.x.size());
      for (int i = 0; i < set.x.size(); ++i) shown_row[i] = row[i];
      judge.with(std::string(set_name) + ", " + name, {{"dy", dy}, {"xhat", f.xhat}, {"row", shown_row}});
      const AffineGradients yours = affine_gradients(dy, f.xhat, row, rows);
      judge.compare("dgamma", yours.dgamma, collected(right.dgamma, row, rows),
                    collected(by_differences.dgamma, row, rows));
      judge.compare("dbeta", yours.dbeta, collected(right.dbeta, row, rows),
                    collected(by_differences.dbeta, row, rows));
    }
  }
}
