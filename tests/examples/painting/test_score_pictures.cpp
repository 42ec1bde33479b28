// score-pictures: its measures against cases that can be worked out, and the program.
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "files.h"
#include "gesso/autograd/channel_moments.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/reduce.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/json.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/parallel.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/core/pictures/resize.h"
#include "painting/flicker.h"
#include "painting/judge.h"
#include "painting/score.h"
#include "painting/spectrum.h"
#include "painting/stroke_width.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

const std::string kAssets = source_path("examples/assets/");

Tensor photograph() { return resize_short_side(load_picture(kAssets + "photos/cat.jpg"), 128); }
Tensor style() { return resize_short_side(load_picture(kAssets + "styles/starry_night.jpg"), 128); }

// Luminance with a vertical step edge at column `at`, `low` left of it and `high` from it on.
Tensor step_picture(Index at, double low, double high) {
  std::vector<double> values;
  for (int i = 0; i < 3 * 16 * 16; ++i) {
    values.push_back(i % 16 < at ? low : high);
  }
  return Tensor::from(values, {1, 3, 16, 16});
}

}  // namespace

TEST_CASE("sliced Wasserstein: 0 of a picture and itself, the projected shift of a shifted one") {
  const Tensor x = style();
  CHECK(sliced_wasserstein(x, x) == 0);
  // All points moved by the same vector s: every projection moves by u s, so the distance is the mean of
  // |u s|. For pixels and s = 0.1 (1, 1, 1), |u s| is 0.1 sqrt(3) times half on average over the sphere.
  const Tensor moved = Tensor::from(
      [&] {
        std::vector<double> values = x.to_vector();
        for (double& value : values) {
          value += 0.1;
        }
        return values;
      }(),
      x.shape());
  const double distance = sliced_wasserstein(x, moved, {.patch = 1, .samples = 500, .directions = 4000});
  CHECK(distance == doctest::Approx(0.1 * std::sqrt(3.0) / 2).epsilon(0.03));
  // Two constant pictures 0.5 apart in red alone: the mean of |0.5 u_red| = 0.25.
  Tensor red = Tensor::zeros({1, 3, 9, 8});
  std::fill_n(red.mutable_data<float>(), 9 * 8, 0.5f);
  CHECK(sliced_wasserstein(red, Tensor::zeros({1, 3, 12, 12}),
                           {.patch = 1, .samples = 3, .directions = 4000}) ==
        doctest::Approx(0.25).epsilon(0.03));
}

TEST_CASE("sliced Wasserstein sees what means and covariances cannot") {
  // Both have mean 0.5 and the same variance in all colours: two values, and three.
  std::vector<double> two, three;
  for (int i = 0; i < 3 * 24 * 24; ++i) {
    const int pixel = i % (24 * 24);
    two.push_back(pixel % 2 == 0 ? 0.3 : 0.7);
    three.push_back(pixel % 4 < 2    ? 0.5
                    : pixel % 4 == 2 ? 0.5 - 0.2 * std::sqrt(2.0)
                                     : 0.5 + 0.2 * std::sqrt(2.0));
  }
  const Tensor a = Tensor::from(two, {1, 3, 24, 24}), b = Tensor::from(three, {1, 3, 24, 24});
  CHECK(sliced_wasserstein(a, b, {.patch = 1}) > 0.05);
}

TEST_CASE("sliced Wasserstein orders: itself, its own parts, another picture") {
  const Tensor x = style();
  const Tensor left = crop(x, 0, 0, x.size(2), x.size(3) / 2);
  const double part = sliced_wasserstein(left, x), other = sliced_wasserstein(photograph(), x);
  CHECK(part > 0);
  CHECK(other > 1.5 * part);
  // By seed, and by nothing else.
  CHECK(sliced_wasserstein(left, x, {.seed = 2}) != part);
  CHECK(sliced_wasserstein(left, x, {.seed = 2}) == doctest::Approx(part).epsilon(0.2));
  const int before = num_threads();
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    CHECK(sliced_wasserstein(left, x) == part);
  }
  set_num_threads(before);
}

TEST_CASE("edge agreement: 1 of the same edges at any contrast, 0 without edges, low of other places") {
  CHECK(edge_agreement(step_picture(8, 0.2, 0.8), step_picture(8, 0.9, 0.4)) == doctest::Approx(1));
  CHECK(edge_agreement(step_picture(8, 0.2, 0.8), step_picture(16, 0.5, 0.5)) == 0);
  // Of 14 inner columns, 2 are edges in each, not the same: correlation -(2/14) / (1 - 2/14) = -1/6.
  CHECK(edge_agreement(step_picture(5, 0.2, 0.8), step_picture(10, 0.2, 0.8)) == doctest::Approx(-1.0 / 6));
}

TEST_CASE("a whole score: the photograph keeps its content, the style picture has its style") {
  const Tensor content = photograph(), painting = style();
  const PictureScore same = score_picture(content, painting, content);
  CHECK(same.content == doctest::Approx(1));
  CHECK(same.patches.size() == 3);
  CHECK(same.edges.size() == 2);
  CHECK(same.style == doctest::Approx((same.patches[0] + same.patches[1] + same.patches[2]) / 3));
  const PictureScore copy = score_picture(painting, painting, content);
  CHECK(copy.style == 0);
  CHECK(copy.palette == 0);
  CHECK(copy.content < 0.5);
}

TEST_CASE("what cannot be scored is refused") {
  const Tensor x = Tensor::zeros({1, 3, 6, 40});
  CHECK_THROWS_WITH_AS(sliced_wasserstein(x, style()), doctest::Contains("at least 7"), ArgumentError);
  CHECK_THROWS_WITH_AS(sliced_wasserstein(style(), style(), {.samples = 0}), doctest::Contains("samples 0"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(edge_agreement(x, Tensor::zeros({1, 3, 40, 6})), doctest::Contains("resize"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(score_picture(style(), style(), Tensor::zeros({1, 3, 20, 20})),
                       doctest::Contains("at least 28"), ArgumentError);
  CHECK_THROWS_AS(score_picture(style(), style(), style(), {.scales = 0}), ArgumentError);
}

namespace {

// Gray 0.5 + 0.3 sin(2 pi (across x + down y)): `across` and `down` in periods a pixel.
Tensor grating(Index height, Index width, double across, double down) {
  Tensor picture = Tensor::empty({1, 3, height, width});
  float* values = picture.mutable_data<float>();
  for (Index i = 0; i < picture.numel(); ++i) {
    const auto x = static_cast<double>(i % width), y = static_cast<double>(i / width % height);
    values[i] =
        static_cast<float>(0.5 + 0.3 * std::sin(2 * std::numbers::pi * (across * (x + 0.5) + down * y)));
  }
  return picture;
}

Tensor noise_picture(Index height, Index width) {
  Generator rng(3);
  return Tensor::uniform({1, 3, height, width}, rng);
}

}  // namespace

TEST_CASE("the spectrum: which way lines run") {
  for (const auto& [height, width] : {std::pair<Index, Index>{96, 160}, {200, 130}, {33, 64}}) {
    CAPTURE(height);
    const PictureSpectrum upright = measure_spectrum(grating(height, width, 0.25, 0));
    CHECK(upright.upright > 1000);
    CHECK(upright.level < 1.001);
    const PictureSpectrum level = measure_spectrum(grating(height, width, 0, 0.25));
    CHECK(level.level > 1000);
    CHECK(level.upright < 1.001);
    for (const double sign : {1.0, -1.0}) {  // a period of 4 across lines of 45 degrees
      const double f = 0.25 / std::sqrt(2.0);
      const PictureSpectrum diagonal = measure_spectrum(grating(height, width, f, sign * f));
      CHECK(diagonal.upright < 0.1);
      CHECK(diagonal.level < 0.1);
    }
  }
  // Lines of other periods are none of a weave; those slightly turned still are.
  CHECK(measure_spectrum(grating(128, 128, 0.05, 0) + 0.01 * noise_picture(128, 128)).upright < 1.3);
  CHECK(measure_spectrum(grating(128, 128, 0.45, 0) + 0.01 * noise_picture(128, 128)).upright < 1.3);
  CHECK(measure_spectrum(grating(128, 128, 0.25, 0.04)).upright > 1000);
  const PictureSpectrum noise = measure_spectrum(noise_picture(256, 300));
  CHECK(noise.upright == doctest::Approx(1).epsilon(0.15));
  CHECK(noise.level == doctest::Approx(1).epsilon(0.15));
  // A faint weave on noise, at any contrast and brightness.
  const Tensor woven = noise_picture(256, 300) + 0.3 * grating(256, 300, 0.25, 0);
  const PictureSpectrum weave = measure_spectrum(woven), faint = measure_spectrum(0.5 + 0.25 * woven);
  CHECK(weave.upright > 2 * noise.upright);
  CHECK(weave.level < 1.15);
  CHECK(faint.upright == doctest::Approx(weave.upright).epsilon(1e-3));
}

TEST_CASE("how wide strokes are") {
  // Stripes of a width on ground that is too wide to be a stroke: light or dark, upright or level.
  const auto stripes = [](Index width, bool upright, bool light) {
    const Index height = upright ? 70 : 200, across = upright ? 200 : 70;
    Tensor picture = Tensor::empty({1, 3, height, across});
    float* values = picture.mutable_data<float>();
    for (Index i = 0; i < picture.numel(); ++i) {
      const Index place = upright ? i % across : i / across % height;
      values[i] = (place % (40 + width) >= 40) == light ? 0.7f : 0.4f;
    }
    return picture;
  };
  for (const Index width : {1, 4, 9, 20}) {
    CAPTURE(width);
    for (const bool upright : {true, false}) {
      for (const bool light : {true, false}) {
        CHECK(measure_stroke_width(stripes(width, upright, light)) ==
              doctest::Approx(static_cast<double>(width)).epsilon(0.1).scale(10));
      }
    }
    // Faint or strong, it is the same.
    const Tensor picture = stripes(width, true, true);
    CHECK(measure_stroke_width(0.5 * picture + 0.2) ==
          doctest::Approx(measure_stroke_width(picture)).epsilon(1e-4));
  }
  CHECK(measure_stroke_width(noise_picture(100, 120)) < 5);
  CHECK(measure_stroke_width(Tensor::full({1, 3, 50, 40}, 0.37)) == 0);
  CHECK(measure_stroke_width(Tensor::full({1, 3, 1, 1}, 0.37)) == 0);
  const int before = num_threads();
  const Tensor picture = noise_picture(90, 110);
  const double expected = measure_stroke_width(picture);
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    CHECK(measure_stroke_width(picture) == expected);
  }
  set_num_threads(before);
  CHECK_THROWS_WITH_AS(measure_stroke_width(Tensor::zeros({2, 3, 8, 8})), doctest::Contains("(2, 3, 8, 8)"),
                       ArgumentError);
}

TEST_CASE("the spectrum: pictures without texture, threads, and what is refused") {
  for (const Index size : {33, 100, 128}) {
    // Sums of their brightness are not exact.
    for (const std::vector<double>& colour : {std::vector<double>{1, 0, 0}, {0.37, 0.61, 0.93}}) {
      const PictureSpectrum none =
          measure_spectrum(Tensor::from(colour, {1, 3, 1, 1}) + Tensor::zeros({1, 3, size, 70}));
      CHECK(none.upright == doctest::Approx(1));
      CHECK(none.level == doctest::Approx(1));
    }
  }
  const int before = num_threads();
  const Tensor picture = noise_picture(150, 200);
  const PictureSpectrum expected = measure_spectrum(picture);
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const PictureSpectrum spectrum = measure_spectrum(picture);
    CHECK(spectrum.upright == expected.upright);
    CHECK(spectrum.level == expected.level);
  }
  set_num_threads(before);
  for (const Tensor& wrong :
       {Tensor::zeros({1, 3, 31, 64}), Tensor::zeros({1, 3, 64, 31}), Tensor::zeros({2, 3, 64, 64}),
        Tensor::zeros({1, 1, 64, 64}), Tensor::zeros({3, 64, 64}), Tensor::zeros({1, 3, 64, 64}, float64)}) {
    CHECK_THROWS_WITH_AS(measure_spectrum(wrong), doctest::Contains("at least 32"), ArgumentError);
  }
}

namespace {

const SqueezeNetOptions kJudging{.fires = 9};

// Torchvision's names and shapes, nothing learned.
NamedTensors judging_weights() {
  Generator rng(4);
  return random_torchvision_weights(squeezenet_parameters(kJudging), rng);
}

// By Gram matrices of fire7 to fire9.
double gram_distance(const SqueezeNet& network, const Tensor& picture, const Tensor& style) {
  const std::vector<Tensor> a = network.features(picture), b = network.features(style);
  double sum = 0;
  for (std::size_t i = 6; i < 9; ++i) {
    const Tensor wanted = gram_matrix(b[i], GramNormalizer::pixels);
    const Tensor difference = gram_matrix(a[i], GramNormalizer::pixels) - wanted;
    sum += mean(square(difference)).item() / mean(square(wanted)).item();
  }
  return sum / 3;
}

// Of fire9.
double agreement(const SqueezeNet& network, const Tensor& picture, const Tensor& other) {
  const Tensor a = network.features(picture)[8];
  const Tensor b = network.features(resize_picture(other, picture.size(2), picture.size(3)))[8];
  return mean(a * b).item() / std::sqrt(mean(square(a)).item() * mean(square(b)).item());
}

}  // namespace

TEST_CASE("the judge: distances in units of the style picture's halves, and whose subject it is") {
  const TemporaryFolder folder;
  const std::string path = folder / "weights.safetensors";
  const NamedTensors weights = judging_weights();
  save_safetensors(path, weights);
  const SqueezeNet network(kJudging, weights);
  const NoGradGuard no_grad;
  const auto small = [](const char* name, Index height, Index width) {
    return resize_picture(load_picture(kAssets + name), height, width);
  };
  const Tensor wide = small("styles/starry_night.jpg", 64, 97),
               tall = small("styles/starry_night.jpg", 98, 64);
  const Tensor photo = small("photos/cat.jpg", 72, 64), painting = small("styles/waves.jpg", 64, 72);
  const std::vector<Tensor> others = {small("photos/bridge.jpg", 64, 80), small("photos/coffee.jpg", 90, 64)};
  const Judge judge(path, others);

  const Judgement of_wide = judge.judge(painting, wide, photo);
  CHECK(of_wide.gram ==
        doctest::Approx(gram_distance(network, painting, wide) /
                        gram_distance(network, crop(wide, 0, 49, 64, 48), crop(wide, 0, 0, 64, 48)))
            .epsilon(1e-4));
  CHECK(judge.judge(painting, tall, photo).gram ==
        doctest::Approx(gram_distance(network, painting, tall) /
                        gram_distance(network, crop(tall, 49, 0, 49, 64), crop(tall, 0, 0, 49, 64)))
            .epsilon(1e-4));
  CHECK(
      of_wide.content ==
      doctest::Approx(agreement(network, painting, photo) -
                      (agreement(network, painting, others[0]) + agreement(network, painting, others[1])) / 2)
          .epsilon(1e-4));
  // The style picture itself, and the photograph itself.
  const Judgement copy = judge.judge(wide, wide, photo);
  CHECK(copy.gram == doctest::Approx(0).epsilon(1e-6));
  CHECK(copy.wasserstein == doctest::Approx(0).epsilon(1e-6));
  CHECK(of_wide.wasserstein > 0.1);
  const Judgement untouched = judge.judge(photo, wide, photo);
  CHECK(untouched.content ==
        doctest::Approx(1 - (agreement(network, photo, others[0]) + agreement(network, photo, others[1])) / 2)
            .epsilon(1e-4));
  CHECK(untouched.content > of_wide.content);
  CHECK(Judge(path, {photo}).judge(photo, wide, photo).content == doctest::Approx(0).epsilon(1e-6));

  const Tensor narrow = Tensor::zeros({1, 3, 64, 63});
  CHECK_THROWS_WITH_AS(judge.judge(narrow, wide, photo), doctest::Contains("at least 64"), ArgumentError);
  CHECK_THROWS_WITH_AS(judge.judge(photo, narrow, photo), doctest::Contains("(1, 3, 64, 63)"), ArgumentError);
  CHECK_THROWS_AS(judge.judge(photo, wide, narrow), ArgumentError);
  CHECK_THROWS_AS(judge.judge(Tensor::zeros({2, 3, 64, 64}), wide, photo), ArgumentError);
  CHECK_THROWS_WITH_AS(Judge(path, {}), doctest::Contains("no other photographs"), ArgumentError);
  CHECK_THROWS_WITH_AS(Judge(folder / "none", others), doctest::Contains("none"), FileError);
  // Down to fire6, as a loss network has it, is not enough.
  Generator rng(4);
  save_safetensors(path, random_torchvision_weights(squeezenet_parameters({}), rng));
  CHECK_THROWS_WITH_AS(Judge(path, others), doctest::Contains("no tensor features.9.squeeze.weight"),
                       FileError);
}

namespace {

struct Outcome {
  int status;
  std::string out, error;
};

Outcome run(const std::string& arguments, const std::string& program = "score-pictures") {
  const TemporaryFolder folder;
  const std::string command =
      program_path(program) + " " + arguments + " > '" + folder / "out" + "' 2> '" + folder / "error" + "'";
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), read_file(folder / "out"), read_file(folder / "error")};
}

}  // namespace

TEST_CASE("the program: a table, JSON with the same numbers, and usage") {
  const std::string pictures = "--style-size 64 --style " + kAssets + "styles/waves.jpg --content " +
                               kAssets + "photos/cat.jpg " + kAssets + "photos/cat.jpg";
  const Outcome table = run(pictures);
  CHECK(table.status == 0);
  CHECK(table.out.find("palette") != std::string::npos);
  CHECK(table.out.find("the photograph itself") != std::string::npos);
  CHECK(table.out.find("upright    level   width") != std::string::npos);
  CHECK(table.out.find("subject") == std::string::npos);
  CHECK(std::count(table.out.begin(), table.out.end(), '\n') == 4);
  const auto all = parse_json(run(pictures + " --json").out);
  REQUIRE(all.size() == 3);
  CHECK(all[0]["picture"] == "the style picture");
  CHECK_FALSE(all[0].contains("style"));
  CHECK(all[2]["content"] == 1);
  CHECK(all[1]["style"] == all[2]["style"]);
  CHECK(all[1]["patches"].size() == 3);
  CHECK_FALSE(all[1].contains("judge_gram"));
  const PictureSpectrum of_style =
      measure_spectrum(resize_short_side(load_picture(kAssets + "styles/waves.jpg"), 64));
  const Tensor cat = load_picture(kAssets + "photos/cat.jpg");
  const PictureSpectrum of_photograph = measure_spectrum(cat);
  CHECK(all[0]["upright"].get<double>() == doctest::Approx(of_style.upright));
  CHECK(all[0]["level"].get<double>() == doctest::Approx(of_style.level));
  CHECK(all[2]["upright"].get<double>() == doctest::Approx(of_photograph.upright));
  CHECK(all[2]["width"].get<double>() == doctest::Approx(measure_stroke_width(cat)));
  CHECK(run("--help").out.find("Wasserstein") != std::string::npos);
  const auto refused = [&](const std::string& arguments, int status, const std::string& text) {
    CAPTURE(arguments);
    const Outcome outcome = run(arguments);
    CHECK(outcome.status == status);
    CHECK(outcome.error.find(text) != std::string::npos);
    CHECK(outcome.error.find('\n') == outcome.error.size() - 1);
  };
  refused("--style a.jpg", 2, "--content");
  refused("--style /nowhere.jpg --content /nowhere.jpg x.jpg", 1, "/nowhere.jpg");
  refused(pictures + " --judge squeezenet", 2, "--judge-weights");
  refused(pictures + " --judge vgg", 2, "--judge");
  refused(pictures + " --judge squeezenet --judge-weights /nowhere.safetensors", 1, "/nowhere.safetensors");
}

TEST_CASE("the program asks its judge about every result") {
  const TemporaryFolder folder;
  save_safetensors(folder / "weights.safetensors", judging_weights());
  save_picture(folder / "small.png", photograph());
  save_picture(folder / "style.png", style());
  const std::string pictures = concat_text(
      "--style-size 64 --style '", folder / "style.png", "' --content '", folder / "small.png", "' '",
      folder / "style.png", "' --judge squeezenet --judge-weights '", folder / "weights.safetensors", "'");
  const Outcome table = run(pictures);
  CAPTURE(table.error);
  CHECK(table.status == 0);
  CHECK(table.out.find("gram   wass  subject") != std::string::npos);
  const auto all = parse_json(run(pictures + " --json").out);
  REQUIRE(all.size() == 3);
  CHECK_FALSE(all[0].contains("judge_gram"));
  for (const int row : {1, 2}) {
    CHECK(all[row]["judge_gram"].get<double>() > 0);
    CHECK(all[row]["judge_wasserstein"].get<double>() > 0);
  }
  CHECK(all[2]["judge_gram"].get<double>() < all[1]["judge_gram"].get<double>());
  CHECK(all[2]["judge_content"].get<double>() < all[1]["judge_content"].get<double>());
}

TEST_CASE("flicker: what the painting changes where the film stands still") {
  // Three frames of four pixels: the first moves far, the others by noise of 3 bytes in one colour or not.
  const unsigned char film[3][12] = {{0, 0, 0, 50, 50, 50, 90, 90, 90, 7, 7, 7},
                                     {200, 0, 0, 53, 50, 50, 90, 90, 90, 7, 7, 7},
                                     {0, 0, 0, 50, 50, 50, 90, 90, 90, 7, 7, 7}};
  const unsigned char painted[3][12] = {{0, 0, 0, 80, 80, 80, 90, 90, 90, 0, 0, 0},
                                        {0, 90, 0, 95, 80, 80, 90, 90, 90, 0, 0, 30},
                                        {0, 90, 0, 80, 80, 80, 90, 96, 90, 0, 0, 30}};
  FlickerMeter meter(12);
  CHECK(meter.score().frames == 0);
  for (int f = 0; f < 3; ++f) {
    meter.add(film[f], painted[f]);
  }
  const FlickerScore score = meter.score();
  CHECK(score.frames == 3);
  CHECK(score.change == doctest::Approx((200 + 3 + 200 + 3) / (2 * 12 * 255.0)));
  CHECK(score.painted_change == doctest::Approx((90 + 15 + 30 + 15 + 6) / (2 * 12 * 255.0)));
  CHECK(score.still == doctest::Approx(6.0 / 8));
  CHECK(score.still_change == doctest::Approx((3 + 3) / (6 * 3 * 255.0)));
  CHECK(score.still_painted_change == doctest::Approx((15 + 30 + 15 + 6) / (6 * 3 * 255.0)));
  CHECK(score.flicker() == doctest::Approx(60 / (6 * 3 * 255.0)));
  // Below 3 / 765 not even the noise stands still; at 1 everything does.
  FlickerMeter strict(12, 0.003), all(12, 1);
  for (int f = 0; f < 3; ++f) {
    strict.add(film[f], painted[f]);
    all.add(film[f], painted[f]);
  }
  CHECK(strict.score().still == doctest::Approx(4.0 / 8));
  CHECK(all.score().still == 1);
  CHECK(all.score().still_painted_change == all.score().painted_change);
  CHECK_THROWS_WITH_AS(FlickerMeter(10), doctest::Contains("3 for each pixel"), ArgumentError);
  CHECK_THROWS_AS(FlickerMeter(12, 1.5), ArgumentError);
}

TEST_CASE("frame sizes: width x height, and nothing else") {
  REQUIRE(parse_frame_size("640x360"));
  CHECK(parse_frame_size("640x360")->width == 640);
  CHECK(parse_frame_size("640x360")->bytes() == 3 * 640 * 360);
  for (const char* wrong : {"", "640", "640x", "640x360x", "640 by 360", "0x5", "-3x5", "5x16385"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_frame_size(wrong));
  }
}

TEST_CASE("score-film: a row for each film, JSON with the same numbers, and usage") {
  const TemporaryFolder folder;
  const std::string still(4 * 6 * 3, 'p');
  std::string painted = still;
  painted[30] = 'z';  // ten more, in one byte of 18
  write_bytes(folder / "film.rgb", still);
  write_bytes(folder / "painted.rgb", painted);
  write_bytes(folder / "short.rgb", still.substr(0, 54));
  const std::string film = concat_text("--raw 3x2 --film '", folder / "film.rgb", "' ");
  const auto file = [&](const char* name) { return concat_text("'", folder / name, "' "); };
  const Outcome table = run(film + file("painted.rgb") + file("film.rgb"), "score-film");
  CAPTURE(table.error);
  CHECK(table.status == 0);
  CHECK(table.out.find("4 frames; 100 % of the film's pixels stand still") != std::string::npos);
  CHECK(std::count(table.out.begin(), table.out.end(), '\n') == 5);
  const auto all = parse_json(run(film + file("painted.rgb") + "--json", "score-film").out);
  REQUIRE(all.size() == 1);
  CHECK(all[0]["frames"] == 4);
  CHECK(all[0]["flicker"].get<double>() == doctest::Approx(2 * 10 / (3 * 18 * 255.0)));
  CHECK(run("--help", "score-film").out.find("flicker") != std::string::npos);
  const auto refused = [&](const std::string& arguments, int status, const std::string& text) {
    CAPTURE(arguments);
    const Outcome outcome = run(arguments, "score-film");
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    CHECK(outcome.error.find(text) != std::string::npos);
    CHECK(outcome.error.find('\n') == outcome.error.size() - 1);
  };
  refused(file("film.rgb"), 2, "--raw");
  refused("--raw 3by2 --film " + file("film.rgb") + file("film.rgb"), 2, "as in 640x360");
  refused(film + "/nowhere.rgb", 1, "/nowhere.rgb");
  refused(film + file("short.rgb"), 1, "fewer frames");
  refused("--raw 5x2 --film " + file("film.rgb") + file("film.rgb"), 1, "12 bytes of 30");
  refused("--raw 4x6 --film " + file("film.rgb") + file("film.rgb"), 1, "fewer than two frames");
}
