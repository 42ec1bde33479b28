// How often a classifier is right.
#include "gesso/training/accuracy.h"
#include "support.h"

using namespace gesso;

TEST_CASE("accuracy is the share of rows with the largest number at the label") {
  const Tensor logits = Tensor::from({1, 2, 0, 5, 4, 3, 0, 0, 1, 7, 7, 0}, {4, 3});
  CHECK(accuracy(logits, {1, 0, 2, 0}) == 1);  // the first of equal ones counts
  CHECK(accuracy(logits, {1, 1, 2, 1}) == 0.5);
  CHECK(accuracy(logits.slice(0, 1), {2}) == 0);
  CHECK_THROWS_WITH_AS(accuracy(logits, {1, 1}), doctest::Contains("for 2 labels"), ArgumentError);
  CHECK_THROWS_AS(accuracy(Tensor::zeros({0, 3}), {}), ArgumentError);
}
