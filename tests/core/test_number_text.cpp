#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "gesso/core/generator.h"
#include "gesso/core/number_text.h"
#include "gesso/core/tensor.h"

using namespace gesso;

TEST_CASE("number_text gives the shortest text that reads as the number") {
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(-0.25) == "-0.25");
  CHECK(number_text(3.0) == "3");
  CHECK(number_text(1e-5) == "1e-05");
  CHECK(number_text(1.0 / 3) == "0.3333333333333333");
  CHECK(number_text(std::int64_t{-1234567890123}) == "-1234567890123");
}

TEST_CASE("what number_text writes, read_number reads, bit for bit") {
  Generator rng(3);
  const std::vector<double> drawn = Tensor::randn({200}, rng, float64).to_vector();
  std::vector<double> values = {0, std::numeric_limits<double>::max(), std::numeric_limits<double>::min(),
                                1e23};
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    values.push_back(std::ldexp(drawn[i], static_cast<int>(i) * 8 - 800));
  }
  for (const double value : values) {
    double read = -1;
    CHECK(read_number(number_text(value), read) == std::errc());
    CHECK(read == value);
  }
}

TEST_CASE("read_number takes nothing but a number, and says what is wrong") {
  double value = 7;
  for (const char* text : {"", "x", "1x", " 1", "1 ", "1,5", "0x10", "--1", "+1"}) {
    CAPTURE(text);
    CHECK(read_number(text, value) == std::errc::invalid_argument);
  }
  CHECK(read_number("1e999", value) == std::errc::result_out_of_range);
  CHECK(value == 7);
  std::int64_t whole = 7;
  CHECK(read_number("1.5", whole) == std::errc::invalid_argument);
  CHECK(read_number("99999999999999999999", whole) == std::errc::result_out_of_range);
  CHECK(read_number("-12", whole) == std::errc());
  CHECK(whole == -12);
}
