// One list of settings: checks, metadata and back, the command line.
#include "gesso/training/settings.h"

#include <cmath>

#include "gesso/core/error.h"
#include "gesso/core/text.h"
#include "support.h"

using namespace gesso;

namespace {

struct Mine {
  std::vector<std::string> styles = {"a \"b\".jpg", "c,d.jpg"};
  std::string content = "photos";
  bool strength = true;
  int width = 16;
  Index steps = 600;
  double learning_rate = 2e-3;
  std::uint64_t seed = ~std::uint64_t{0};

  SettingList list() {
    return {{"styles", &styles},
            {"content", &content},
            {"strength", &strength},
            {"width", &width, 1, 512},
            {"max_steps", &steps, 1, 1e7},
            {"learning_rate", &learning_rate, 1e-7, 1, "lr"},
            {"seed", &seed}};
  }
};

}  // namespace

TEST_CASE("settings become text and come back equal") {
  Mine mine;
  mine.learning_rate = 0.1 + 0.2;
  const std::map<std::string, std::string> metadata = mine.list().to_metadata();
  CHECK(metadata == std::map<std::string, std::string>{{"styles", "[\"a \\\"b\\\".jpg\",\"c,d.jpg\"]"},
                                                       {"content", "photos"},
                                                       {"strength", "true"},
                                                       {"width", "16"},
                                                       {"max_steps", "600"},
                                                       {"learning_rate", "0.30000000000000004"},
                                                       {"seed", "18446744073709551615"}});
  Mine other;
  other.styles.clear();
  other.content = "elsewhere";
  other.strength = false;
  other.width = 1;
  other.steps = 2;
  other.learning_rate = 3;
  other.seed = 4;
  other.list().from_metadata(metadata);
  CHECK(other.styles == mine.styles);
  CHECK(other.list().to_metadata() == metadata);
}

TEST_CASE("metadata of an earlier version, which know fewer settings, leave the others as they are") {
  Mine mine;
  mine.list().from_metadata({{"width", "8"}, {"unknown", "x"}});
  CHECK(mine.width == 8);
  CHECK(mine.steps == 600);
}

TEST_CASE("what is unreadable is named") {
  Mine mine;
  const auto refused = [&](const std::string& name, const std::string& text, const std::string& error) {
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(mine.list().from_metadata({{name, text}}), error.c_str(), ArgumentError);
  };
  refused("width", "many", "setting width: 'many' is not a number in range");
  refused("width", "12 ", "setting width: '12 ' is not a number in range");
  refused("seed", "-1", "setting seed: '-1' is not a number in range");
  refused("max_steps", "1e3", "setting max_steps: '1e3' is not a number in range");
  refused("strength", "yes", "setting strength: 'yes' is not true or false");
  refused("styles", "a.jpg", "setting styles: 'a.jpg' is not a list of names");
  refused("styles", "[1]", "setting styles: '[1]' is not a list of names");
}

TEST_CASE("a number out of range is refused under the name it has on the command line") {
  Mine mine;
  CHECK_NOTHROW(mine.list().check());
  mine.steps = 0;
  CHECK_THROWS_WITH_AS(mine.list().check(), "max-steps is 0; it must be from 1 to 10000000", ArgumentError);
  mine.steps = 10'000'000;
  CHECK_NOTHROW(mine.list().check());
  mine.learning_rate = -0.5;
  CHECK_THROWS_WITH_AS(mine.list().check(), "lr is -0.5; it must be from 1e-07 to 1", ArgumentError);
  mine.learning_rate = NAN;
  CHECK_THROWS_WITH_AS(mine.list().check(), "lr is nan; it must be from 1e-07 to 1", ArgumentError);
  mine.learning_rate = 1;
  mine.width = 513;
  CHECK_THROWS_WITH_AS(mine.list().check(), "width is 513; it must be from 1 to 512", ArgumentError);
}

TEST_CASE("settings as they are given on a command line") {
  Mine mine;
  mine.content = "it's mine";
  CHECK(mine.list().options() ==
        " --styles 'a \"b\".jpg' c,d.jpg --content 'it'\\''s mine' --strength true --width 16 --max-steps "
        "600 --lr 0.002 --seed "
        "18446744073709551615");
}

TEST_CASE("names of files that are no UTF-8 come back, from texts that are") {
  Mine mine, other;
  mine.styles = {"caf\xE9.jpg", "\xFF\xFE/100%.png", "percent:20.jpg"};
  mine.content = "photos \xE9t\xE9";
  const std::map<std::string, std::string> metadata = mine.list().to_metadata();
  for (const auto& [name, text] : metadata) {
    CHECK(is_utf8(text));
  }
  other.list().from_metadata(metadata);
  CHECK(other.styles == mine.styles);
  CHECK(other.content == mine.content);
}
