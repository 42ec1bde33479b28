// Texts from outside: what is UTF-8, what a terminal gets, and names that are no UTF-8 on their way through JSON.
#include "gesso/core/text.h"

#include <locale>

#include "gesso/core/error.h"
#include "gesso/core/shape.h"
#include "support.h"

using namespace gesso;

TEST_CASE("UTF-8 is told from other bytes") {
  for (const char* text : {"", "plain", "\xC3\xA9t\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8E\xA8",
                           "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xC2\x80"}) {
    CAPTURE(text);
    CHECK(is_utf8(text));
  }
  // Latin-1; cut short; a continuation alone; too long forms; a surrogate; beyond the last; bytes that never occur.
  for (const char* text :
       {"\xE9t\xE9", "a\xC3", "\xE2\x82", "\x80", "\xC0\x80", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",
        "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "\xFE", "\xF5\x80\x80\x80"}) {
    CHECK_FALSE(is_utf8(text));
  }
}

TEST_CASE("a terminal gets no control characters from names") {
  CHECK(printable("a \xC3\xA9 \xF0\x9F\x8E\xA8\n\tb") == "a \xC3\xA9 \xF0\x9F\x8E\xA8\n\tb");
  CHECK(printable("\x1b[31mred\x07\r") == "\\x1b[31mred\\x07\\x0d");
  CHECK(printable("\x7f\xC2\x9B"
                  "2J") == "\\x7f\\xc2\\x9b2J");  // DEL, and CSI of the C1 controls
  CHECK(printable("caf\xE9.jpg") == "caf\\xe9.jpg");
  CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("every name of a file comes back from UTF-8 as it was") {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  for (const std::string& name : {std::string("photos/cat.jpg"), std::string("caf\xC3\xA9 100%.jpg"),
                                  std::string("caf\xE9/100%41.jpg"), std::string("percent:41"), all}) {
    CAPTURE(name);
    const std::string text = to_utf8(name);
    CHECK(is_utf8(text));
    CHECK(from_utf8(text) == name);
  }
  CHECK(to_utf8("caf\xC3\xA9 100%.jpg") == "caf\xC3\xA9 100%.jpg");  // what can stay as it is does
  CHECK(to_utf8("caf\xE9.jpg") == "percent:caf%E9.jpg");
  CHECK(from_utf8("percent:%zz%4") == "%zz%4");
}

TEST_CASE("texts do not follow the locale of the program") {
  struct Grouping : std::numpunct<char> {
    char do_thousands_sep() const override { return '.'; }
    char do_decimal_point() const override { return ','; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Grouping));
  CHECK(concat_text(1234567, ' ', 1.5, ' ', std::uint64_t{1} << 60) == "1234567 1.5 1152921504606846976");
  CHECK(concat_text(Shape{1, 4096}) == "(1, 4096)");
  std::locale::global(before);
}

TEST_CASE("the word that was meant") {
  const std::vector<std::string> known = {"conv1.weight", "conv1.bias", "in1.weight"};
  CHECK(nearest_word("conv1.wieght", known) == "conv1.weight");
  CHECK(nearest_word("conv.bias", known) == "conv1.bias");
  CHECK(nearest_word("in1.weight", known) == "in1.weight");
  CHECK(nearest_word("", known) == "conv1.bias");  // all are far; the shortest, and of these the first
  CHECK(nearest_word("x", {}).empty());
}
