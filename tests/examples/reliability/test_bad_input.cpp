// What users and disks get wrong, over all programs: each row ends with 1 or 2 and one clear line that names what is
// wrong, without a crash, a stack trace, a control character, or a file left behind.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/safetensors.h"
#include "gesso/core/pictures/picture.h"
#include "gesso/training/checkpoint.h"
#include "painting/squeezenet.h"
#include "painting/torchvision_weights.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;
namespace fs = std::filesystem;

namespace {

// The files that rows speak of as {name}.
class World {
 public:
  World() {
    const std::string photo = read_file(source_path("examples/assets/photos/cat.jpg"));
    write("photo.jpg", photo);
    write("torn.jpg", photo.substr(0, photo.size() / 2));
    write("text.jpg", "not a picture");
    write("nothing.jpg", "");
    write("tiny.png", encode_png(Tensor::full({1, 3, 1, 1}, 0.5)));
    write("gray.png", encode_png(Tensor::full({1, 3, 70, 70}, 0.5)));
    std::string large = encode_png(Tensor::full({1, 3, 8, 8}, 0.5));
    for (const std::size_t size : {16, 20}) {  // in the header: 9000 by 9000
      large.replace(size, 4, std::string("\0\0\x23\x28", 4));
    }
    write("large.png", large);
    write("narrow.png", encode_png(Tensor::full({1, 3, 3000, 1}, 0.5)));
    write("sound.tiff", std::string("II*\0rest", 8));
    write("sound.heic", std::string("\0\0\0\x10"
                                    "ftypheic\0\0\0\0",
                                    16));
    write("claim.jpg",
          std::string("\xFF\xD8\xFF\xC0\x00\x11\x08\x23\x28\x23\x28\x03\x01\x11\x00\x02\x11\x00\x03\x11"
                      "\x00\xFF\xD9",
                      23));
    write("file", "a file where a folder belongs");
    fs::create_directories(folder_ / "empty");
    fs::create_directories(folder_ / "photos");
    write("photos/a.jpg", photo);
    write("photos/b.jpg", photo);
    fs::create_directories(folder_ / "broken");
    write("broken/a.jpg", "not a picture");
    const std::string model = read_file(source_path("examples/assets/models/wave.safetensors"));
    write("model.safetensors", model);
    write("torn.safetensors", model.substr(0, model.size() - 100));
    write("text.safetensors", "not a model");
    Generator rng(8);
    save_safetensors(folder_ / "teacher.safetensors",
                     random_torchvision_weights(squeezenet_parameters({}), rng));
    write("header.safetensors", std::string("\x0b\0\0\0\0\0\0\0", 8) + "{\"a\":1e999}");
    save_safetensors(folder_ / "other.safetensors", {{"x", Tensor::ones({2})}});
    save_checkpoint(folder_ / "run/checkpoint", {.step = 3, .metadata = {{"command", "train-any"}}});
    save_checkpoint(folder_ / "abc/checkpoint",
                    {.step = 3, .metadata = {{"command", "train"}, {"steps", "abc"}}});
    save_checkpoint(folder_ / "bare/checkpoint", {.step = 3, .metadata = {{"command", "train"}}});
    save_safetensors(folder_ / "run/checkpoint/negative", {},
                     {{"format", "gesso checkpoint 1"}, {"step", "-5"}});
    fs::create_directories(folder_ / "negative/checkpoint");
    fs::copy(folder_ / "run/checkpoint/negative", folder_ / "negative/checkpoint/checkpoint.safetensors");
    fs::create_directories(folder_ / "damaged/checkpoint");
    write("damaged/checkpoint/checkpoint.safetensors", "torn");
    write("frames", std::string(100, 'x'));
    fs::create_directories(folder_ / "results");
    write("results/results.json", "{\"runs\": 3}");
  }

  std::string filled(std::string text) const {
    for (std::size_t at; (at = text.find('{')) != std::string::npos;) {
      const std::size_t end = text.find('}', at);
      const std::string name = text.substr(at + 1, end - at - 1);
      const std::string value =
          name == "style" ? source_path("examples/assets/styles/waves.jpg") : folder_ / name;
      text.replace(at, end - at + 1, "'" + value + "'");
    }
    return text;
  }
  std::string path(const std::string& name) const { return folder_ / name; }

 private:
  void write(const std::string& name, const std::string& bytes) const { write_bytes(folder_ / name, bytes); }

  TemporaryFolder folder_;
};

struct Row {
  const char *arguments, *text;  // what the one line must hold
};

constexpr const char* kTrain = "train --style {style} --out {new} ";
constexpr const char* kStylize = "stylize --model {model.safetensors} ";

// `before` is what the shell does first.
void check(const World& world, const std::string& program, const std::string& beginning,
           const std::vector<Row>& rows, std::size_t& count, const std::string& before = "") {
  for (const Row& row : rows) {
    ++count;
    const std::string arguments = world.filled(beginning + row.arguments);
    CAPTURE(program);
    CAPTURE(arguments);
    const std::string command = program_path(program) + " </dev/null " + arguments + " >" +
                                world.path("stdout") + " 2>" + world.path("stderr");
    // Time for a slow machine with sanitizers: what is sought is a program that never ends.
    const int status = std::system((before + "timeout 300 " + command).c_str());
    const std::string errors = read_file(world.path("stderr"));
    CAPTURE(errors);
    CHECK(WIFEXITED(status));
    const int code = WEXITSTATUS(status);
    CHECK((code == 1 || code == 2));
    CHECK(errors.find(row.text) != std::string::npos);
    // The complaint is the last line; before it there may be what the program was about to do.
    const std::string last = errors.substr(errors.rfind('\n', errors.size() - 2) + 1);
    CHECK(last.starts_with(program + ": "));
    CHECK(std::all_of(errors.begin(), errors.end(), [](char c) {
      return c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= 0x20;
    }));
    CHECK(errors.find("terminate called") == std::string::npos);
    const bool left_alone = code != 2 || !fs::exists(world.path("new"));
    CHECK(left_alone);
    fs::remove_all(world.path("new"));
    for (const auto& entry : fs::recursive_directory_iterator(world.path(""))) {
      CHECK(entry.path().filename().string().find(".tmp-") == std::string::npos);
    }
  }
}

}  // namespace

TEST_CASE("bad input to every program ends with one clear line") {
  const World world;
  std::size_t count = 0;
  check(world, "style-transfer", "",
        {{"train --from stary --out {new}", "--from stary: there is neither"},
         {"export --model stary --onnx {new}", "did you mean starry?"},
         {"export --model starry --onnx {new} --style stary_night", "did you mean starry_night?"},
         {"export --model starry --onnx {new} --torch {new}", "name one file to write"},
         {"sweep --style {style} --out {new} --style-sizes 0", "--style-sizes is 0"},
         {"", "name a command: train, train-any, sweep, stylize or export"},
         {"paint", "there is no command paint; there are train"},
         {"--nonsense", "there is no option --nonsense"},
         {"--threads 0 stylize --model list", "threads"},
         {"--threads x stylize --model list", "threads"},
         {"--threads 99999 stylize --model list", "threads"}},
        count);
  check(world, "style-transfer", kTrain,
        {{"--steps 0", "steps is 0"},
         {"--steps -1", "steps"},
         {"--steps abc", "steps"},
         {"--steps 1e99", "steps"},
         {"--steps", "steps"},
         {"--width 0", "width is 0"},
         {"--width 513", "width is 513"},
         {"--width 1.5", "width"},
         {"--blocks -1", "blocks"},
         {"--blocks 65", "blocks is 65"},
         {"--crop 0", "crop is 0"},
         {"--crop 100000", "crop"},
         {"--batch 0", "batch is 0"},
         {"--batch 100000", "batch"},
         {"--lr 0", "lr is 0"},
         {"--lr -1", "lr is -1"},
         {"--lr nan", "lr"},
         {"--lr inf", "lr"},
         {"--lr fast", "lr"},
         {"--style-size 0", "style-size is 0"},
         {"--style-size 100000", "style-size"},
         {"--style-weight -1", "style-weight"},
         {"--style-weight nan", "style-weight"},
         {"--content-weight -1", "content-weight"},
         {"--tv-weight -1", "tv-weight"},
         {"--noise 2", "noise"},
         {"--noise -1", "noise"},
         {"--norm layr", "layr"},
         {"--loss-network alexnet", "alexnet"},
         {"--style-loss l2", "l2"},
         {"--content-layer conv9", "conv9"},
         {"--preset slow", "slow"},
         {"--seed -1", "seed"},
         {"--seed 99999999999999999999", "seed"},
         {"--sample-every 0", "sample-every is 0"},
         {"--nonsense", "nonsense"},
         {"--content {none}", "none: there is no such folder"},
         {"--content {empty}", "empty: the folder holds no pictures"},
         {"--content {file}", "file: there is no such folder"},
         {"--loss-network vgg16 --loss-weights {none}", "none': there is no such file"},
         {"--loss-weights {text.safetensors}", "text.safetensors"},
         {"--resume {run}", "--resume"}},
        count);
  check(world, "style-transfer", "train --out {new} --steps 1 ",
        {{"", "--style"},
         {"--style {none.jpg}", "none.jpg': there is no such file"},
         {"--style {empty}", "it is a folder"},
         {"--style {text.jpg}", "text.jpg': it is not a JPEG"},
         {"--style {nothing.jpg}", "nothing.jpg': it is empty"},
         {"--style {torn.jpg}", "torn.jpg': the file ends before the picture does"},
         {"--style {claim.jpg}", "claim.jpg': the file ends"},
         {"--style {sound.tiff}", "sound.tiff': it"},
         {"--style {sound.heic}", "sound.heic': it"},
         {"--style {gray.png}", "one colour"},
         {"--style {narrow.png} --style-size 512", "too narrow"}},
        count);
  check(world, "style-transfer", "train ",
        {{"--style {style}", "--out"},
         {"--style {style} --out {file}", "file is a file; name a folder"},
         {"--style {style} --out {file}/x", "cannot be made"},
         {"--resume {none}", "no checkpoint in it"},
         {"--resume {empty}", "no checkpoint in it"},
         {"--resume {file}", "no checkpoint in it"},
         {"--resume {run}", "it is a run of train-any"},
         {"--resume {damaged}", "damaged/checkpoint/checkpoint.safetensors"},
         {"--resume {negative}", "its step is -5"},
         {"--resume {abc}", "'abc' is not a number"},
         {"--resume {bare}", ""},
         {"--resume {run} --steps 5", "it is a run of train-any"},
         {"--add-style {style} --model {none} --out {new}", "none"},
         {"--model {model.safetensors}", "--add-style"}},
        count);
  check(world, "style-transfer", "stylize ",
        {{"{photo.jpg}", "--model is missing"},
         {"--model {none.safetensors} {photo.jpg}", "none.safetensors"},
         {"--model nosuch {photo.jpg}", "--model nosuch"},
         {"--model {empty} {photo.jpg}", "it is a folder"},
         {"--model {text.safetensors} {photo.jpg}", "neither a safetensors file"},
         {"--model {torn.safetensors} {photo.jpg}", "truncated"},
         {"--model {header.safetensors} {photo.jpg}", "not valid JSON"},
         {"--model {other.safetensors} {photo.jpg}", "not a style network"},
         {"--model {file} {photo.jpg}", "file"},
         {"--model wave", "name pictures to repaint"}},
        count);
  check(world, "style-transfer", kStylize,
        {{"{none.jpg} --out {new}", "none.jpg': there is no such file"},
         {"{empty} --out {new}", "empty: the folder holds no"},
         {"{text.jpg} --out {new}", "text.jpg': it is not a JPEG"},
         {"{torn.jpg} --out {new}", "torn.jpg': the file ends"},
         {"{photo.jpg} --size 4", "--size is 4"},
         {"{photo.jpg} --size 99999", "--size is 99999"},
         {"{photo.jpg} --size abc", "size"},
         {"{photo.jpg} --scale 0", "--scale is 0"},
         {"{photo.jpg} --scale nan", "--scale: \"nan\" is not a number"},
         {"{photo.jpg} --scale 9", "--scale is 9"},
         {"{photo.jpg} --style rembrandt", "--style rembrandt"},
         {"{photo.jpg} --mix 0.5,0.5", "--mix has 2 weights"},
         {"{photo.jpg} --mix nan", "--mix"},
         {"{photo.jpg} --strength -1", "--strength is -1"},
         {"{photo.jpg} --strength 2", "--strength is 2"},
         {"{photo.jpg} --strength nan", "--strength: \"nan\" is not a number"},
         {"{photo.jpg} --any-style {style}", "--any-style"},
         {"{photo.jpg} --smooth 0.5", "--smooth is for films"},
         {"--raw 640x", "--raw 640x"},
         {"--raw 0x10", "0x10"},
         {"--raw 99999x10", "99999"},
         {"--raw 64x64 {photo.jpg}", "leave pictures"},
         {"--raw 64x64 --smooth 1", "--smooth is 1"},
         {"--raw 64x64 < {frames}", "frame 1 has 100 bytes"},
         {"{photo.jpg} {photos} --out {file}", "is a file; 3 pictures"},
         {"{photo.jpg} --out {photo.jpg}", "would overwrite"},
         {"{photo.jpg} --out {none}/a.tiff", "must end in .png, .jpg, .jpeg, .webp or .ppm"},
         {"{photo.jpg} --out {none}/a.heic", "must end in .png, .jpg, .jpeg, .webp or .ppm"},
         {"{photo.jpg} --size 20 --out {file}/a.png", "file"}},
        count);
  check(world, "style-transfer", "train-any --out {new} ",
        {{"", "--styles"},
         {"--styles {none}", "none"},
         {"--styles {empty}", "empty"},
         {"--styles {photos} --steps 0", "steps is 0"},
         {"--styles {photos} --batch 0", "batch is 0"},
         {"--styles {photos} --width 999", "width"}},
        count);
  check(world, "style-transfer", "sweep --out {new} ",
        {{"", "--style"},
         {"--style {none.jpg}", "none.jpg"},
         {"--style {style} --steps 0", "--steps is 0"},
         {"--style {style} --style-sizes 0", "style-size"},
         {"--style {style} --style-weights nan", "weight"},
         {"--style {style} --picture {text.jpg}", "text.jpg"}},
        count);
  check(world, "compare-norms", "",
        {{"", "--out"},
         {"--out {new} --norms layr", "layr"},
         {"--out {new} --steps 0", "steps"},
         {"--out {new} --seeds 0", "seeds"},
         {"--out {new} --batch-sizes 0", "batch"},
         {"--out {new} --content {none}", "none"},
         {"--out {new} --content {photos}", "2 photographs are too few"},
         {"--out {new} --content {broken}", "0 photographs that can be read are too few"},
         {"--out {new} --style {text.jpg}", "text.jpg"},
         {"--out {photos}", "holds something else"},
         {"--out {results}", "results.json"},
         {"--report {results}", "results.json"},
         {"--report {none}", "none"},
         {"--out {new} --preset huge", "huge"},
         {"--out {new} --skip all", "all"}},
        count);
  check(world, "norm-lab", "",
        {{"--norm layr", "layr"},
         {"--groups 0", "groups"},
         {"--norm group --groups 3", "--groups 3"},
         {"--x 1,2,nan", "--x"},
         {"--x 1,2 --shape 1,1,1,3", "--x has 2 numbers"},
         {"--x 1,,2", "--x 1,,2: there is nothing before or behind one ','"},
         {"--x=,1", "--x ,1: there is nothing"},
         {"--x 1, --norm batch", "--x 1,: there is nothing"},
         {"--shape 4,4", "--shape has 2 numbers"},
         {"--gamma 1,2,3", "--gamma has 3 numbers"},
         {"--picture {none.jpg}", "none.jpg"},
         {"--picture {text.jpg}", "text.jpg"},
         {"--picture {narrow.png} --size 512", "too narrow"},
         {"--picture {photo.jpg} --size 3", "size"},
         {"--picture {photo.jpg} --size 9999", "size"},
         {"--html {file}/a.html", "file"},
         {"--html {empty}", "it is a folder"},
         {"extra", "extra"}},
        count);
  check(world, "score-pictures", "",
        {{"", "--style is missing"},
         {"--style {style} {photo.jpg}", "--content"},
         {"--style {none.jpg} --content {photo.jpg} {photo.jpg}", "none.jpg"},
         {"--style {style} --content {text.jpg} {photo.jpg}", "text.jpg"},
         {"--style {style} --content {photo.jpg} {torn.jpg}", "torn.jpg"},
         {"--style {style} --content {photo.jpg} {photo.jpg} --judge oracle", "oracle"},
         {"--style {style} --content {photo.jpg} {photo.jpg} --style-size 0", "style-size"}},
        count);
  check(world, "score-film", "",
        {{"", "--raw is missing"},
         {"--raw 4x4 --film {none} {frames}", "cannot read"},
         {"--raw 64 --film {frames} {frames}", "64"},
         {"--raw 64x64 --film {frames} {frames}", "frame"}},
        count);
  check(world, "train-loss-network", "",
        {{"", "--pictures"},
         {"--pictures {photos}", "--out"},
         {"--pictures {none} --out {new} --teacher-weights {other.safetensors}", "none"},
         {"--pictures {photos} --out {new}", "teacher-weights"},
         {"--pictures {photos} --out {new} --teacher-weights {text.safetensors}", "text.safetensors"},
         {"--pictures {photos} --out {new} --teacher-weights {other.safetensors}", "other.safetensors"},
         {"--pictures {photos} --out {new} --steps 0 --teacher-weights {other.safetensors}", "steps is 0"},
         {"--pictures {photos} --out {new} --crop 33 --teacher-weights {other.safetensors}", "crop is 33"},
         {"--pictures {photos} --out {new} --batch 1 --teacher-weights {other.safetensors}", "batch is 1"},
         {"--resume {empty}", "no checkpoint in it"},
         {"--resume {bare}", "it is a run of train"}},
        count);
  MESSAGE(count << " bad inputs");
  CHECK(count >= 120);
}

TEST_CASE("what cannot fit into the memory is refused by every program before it begins" *
          doctest::skip(kSanitized)) {
  const World world;
  std::size_t count = 0;
  const std::string limit = "ulimit -v 2500000; ";
  check(world, "style-transfer", "",
        {{"train --style {style} --out {new} --crop 256 --batch 64",
          "--batch 64 --crop 256: the training takes "},
         {"train-any --styles {photos} --content {photos} --out {new} --crop 256 --batch 64",
          "--batch 64 --crop 256: the training takes "},
         {"train-any --styles {photos} --content {photos} --out {new} --style-size 2048 --batch 4",
          " of memory, and there are "},
         {"train --style {style} --out {new} --style-size 2000", "--style-size 2000: the training takes "},
         {"stylize --model {model.safetensors} {photo.jpg} --memory 20M --out {new}",
          " of memory to repaint, by strips of "},
         {"stylize --model {model.safetensors} --raw 9000x9000 <{frames}", "--raw 9000x9000: "}},
        count, limit);
  check(world, "style-transfer", kStylize, {{"{photo.jpg} --mix 1,,2", "--mix 1,,2: there is nothing"}},
        count);
  check(world, "compare-norms", "--out {new} ",
        {{"--batch-sizes 1,64 --crop 256", "--batch-sizes 64 --crop 256: the training takes "},
         {"--jobs 200", "--jobs 200 takes 200 times "}},
        count, limit);
  check(world, "train-loss-network",
        "--pictures {photos} --teacher-weights {teacher.safetensors} --out {new} ",
        {{"--batch 256", "--batch 256 --crop 128: the training takes "},
         {"--batch 8 --crop 512", "--crop 512: the training takes "}},
        count, limit);
  check(world, "norm-lab", "", {{"--picture {narrow.png} --size 512", "too narrow"}}, count, limit);
  check(world, "score-pictures", "--style {style} --content {photo.jpg} ",
        {{"{large.png}", "large.png: 9000 x 9000 pixels take "}}, count, limit);
}
