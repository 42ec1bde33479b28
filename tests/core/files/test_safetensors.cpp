// safetensors files: what is saved is loaded back bit for bit; files from others; hostile files.
#include "gesso/core/files/safetensors.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "files.h"
#include "gesso/core/files/checksum.h"
#include "gesso/core/files/file.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// A file with this header and data; the header's length as given, or its own.
std::string make_file(const std::string& header, const std::string& data, Index length = -1) {
  const std::uint64_t count = length < 0 ? header.size() : static_cast<std::uint64_t>(length);
  std::string file(8, '\0');
  std::memcpy(file.data(), &count, 8);
  return file + header + data;
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

Tensor find(const SafetensorsFile& file, const std::string& name) {
  for (const auto& [key, tensor] : file.tensors) {
    if (key == name) {
      return tensor;
    }
  }
  FAIL("no entry ", name);
  return {};
}

}  // namespace

TEST_CASE("tensors and metadata are loaded back bit for bit, in the order given") {
  const TemporaryFolder folder;
  Generator rng(1);
  NamedTensors tensors = {
      {"z.weight", Tensor::randn({3, 5, 1, 7}, rng)},
      {"a.bias", Tensor::randn({11}, rng, float64)},
      {"scalar", Tensor::scalar(-0.0)},
      {"empty", Tensor::zeros({0, 4})},
      {"in1.num_batches_tracked", Tensor::scalar(12345678901.0, float64)},
      {"strange \"name\"\n\xC3\xA9", Tensor::from({1e-45, 1e38, INFINITY, -INFINITY}, {2, 2})},
  };
  const Metadata metadata = {
      {"format", "pt"}, {"settings", "{\"width\": 32, \"text\": \"\xE2\x82\xAC\"}"}, {"", ""}};
  save_safetensors(folder / "m.safetensors", tensors, metadata, {.int64 = {"in1.num_batches_tracked"}});
  CHECK(folder.entries() == 1);
  const SafetensorsFile file = load_safetensors(folder / "m.safetensors");
  CHECK(file.metadata == metadata);
  REQUIRE(file.tensors.size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CHECK(file.tensors[i].first == tensors[i].first);
    CHECK(identical(file.tensors[i].second, tensors[i].second));
  }
  CHECK(std::signbit(find(file, "scalar").item()));

  const SafetensorsReader reader(folder / "m.safetensors");
  CHECK(reader.entry("in1.num_batches_tracked").dtype == "I64");
  CHECK(reader.entry("a.bias").dtype == "F64");
  CHECK(reader.entry("z.weight").shape == Shape{3, 5, 1, 7});
  CHECK(reader.entry("a.bias").begin % 8 == 0);
  CHECK(reader.entry("in1.num_batches_tracked").begin % 8 == 0);
  CHECK(identical(reader.load("z.weight"), tensors[0].second));
  CHECK(reader.contains("empty"));
  CHECK_FALSE(reader.contains("weight"));
  CHECK_THROWS_WITH_AS(reader.load("weight"), doctest::Contains("it has no tensor 'weight'"), FileError);

  Tensor nan = Tensor::from({NAN}, {1});
  save_safetensors(folder / "m.safetensors", {{"nan", nan}});
  CHECK(std::isnan(load_safetensors(folder / "m.safetensors").tensors[0].second.item()));
  save_safetensors(folder / "m.safetensors", {});
  CHECK(load_safetensors(folder / "m.safetensors").tensors.empty());
}

TEST_CASE("the bytes of a file are those of the format") {
  const TemporaryFolder folder;
  save_safetensors(folder / "f", {{"w", Tensor::from({1, 2, 3}, {3, 1})}, {"n", Tensor::scalar(7)}},
                   {{"k", "v"}}, {.int64 = {"n"}});
  const std::string header =
      R"({"__metadata__":{"k":"v"},"w":{"data_offsets":[8,20],"dtype":"F32","shape":[3,1]},)"
      R"("n":{"data_offsets":[0,8],"dtype":"I64","shape":[]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  CHECK(read_file(folder / "f") ==
        make_file(header + padding, bytes_of<Index>({7}) + bytes_of<float>({1, 2, 3})));
}

TEST_CASE("half precision, bfloat16 and whole numbers are read exactly") {
  const TemporaryFolder folder;
  const std::string data = bytes_of<std::uint16_t>({0x0000, 0x8000, 0x3C00, 0xC000, 0x7BFF, 0x0001, 0x03FF,
                                                    0x0400, 0x7C00, 0xFC00, 0x3555}) +
                           bytes_of<std::uint16_t>({0x3F80, 0xC049, 0x0001}) +
                           bytes_of<Index>({-5, (1LL << 53) - 1}) + bytes_of<Index>({(1LL << 53) + 1}) +
                           bytes_of<std::uint16_t>({1, 2});
  const std::string header = R"({"big":{"dtype":"I64","shape":[1],"data_offsets":[44,52]},
      "half":{"dtype":"F16","shape":[11],"data_offsets":[0,22]},
      "brain":{"dtype":"BF16","shape":[3],"data_offsets":[22,28]},
      "whole":{"dtype":"I64","shape":[2,1],"data_offsets":[28,44]},
      "other":{"dtype":"F4","shape":[2,4],"data_offsets":[52,56]}})";
  write_bytes(folder / "f", make_file(header, data));
  const SafetensorsReader reader(folder / "f");
  CHECK(reader.names() == std::vector<std::string>{"big", "half", "brain", "whole", "other"});
  const Tensor half = reader.load("half");
  CHECK(half.dtype() == float32);
  CHECK(half.to_vector() == std::vector<double>{0, 0, 1, -2, 65504, 0x1p-24, 1023 * 0x1p-24, 0x1p-14,
                                                INFINITY, -INFINITY, 1365 * 0x1p-12});
  CHECK(std::signbit(half.at({1})));
  CHECK(reader.load("brain").to_vector() == std::vector<double>{1, -3.140625, 0x1p-133});
  const Tensor whole = reader.load("whole");
  CHECK(whole.dtype() == float64);
  CHECK(whole.shape() == Shape{2, 1});
  CHECK(whole.to_vector() == std::vector<double>{-5, 9007199254740991.0});
  CHECK_THROWS_WITH_AS(reader.load("big"), doctest::Contains("entry 'big': it has whole numbers of 2^53"),
                       FileError);
  CHECK_THROWS_WITH_AS(reader.load("other"), doctest::Contains("entry 'other': its dtype is F4"), FileError);
  CHECK_THROWS_AS(load_safetensors(folder / "f"), FileError);

  // A NaN of each kind stays one.
  write_bytes(folder / "g", make_file(R"({"h":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})",
                                      bytes_of<std::uint16_t>({0x7E01})));
  CHECK(std::isnan(load_safetensors(folder / "g").tensors[0].second.item()));
}

TEST_CASE(
    "integers and truth values of every size are read exactly; what gesso has no use for is only listed") {
  const TemporaryFolder folder;
  const std::string data =
      bytes_of<std::uint64_t>({1, (1ULL << 53) - 1}) + bytes_of<std::int32_t>({-2147483647 - 1}) +
      bytes_of<std::uint32_t>({4294967295u}) + bytes_of<std::int16_t>({-32768, 5}) +
      bytes_of<std::uint16_t>({65535, 0}) + bytes_of<std::int8_t>({-128}) +
      bytes_of<std::uint8_t>({255, 0, 2}) + bytes_of<std::uint8_t>({1, 2, 3, 4, 5, 6, 7, 8});
  write_bytes(folder / "f", make_file(R"({"u64":{"dtype":"U64","shape":[2],"data_offsets":[0,16]},
      "i32":{"dtype":"I32","shape":[1],"data_offsets":[16,20]},
      "u32":{"dtype":"U32","shape":[1],"data_offsets":[20,24]},
      "i16":{"dtype":"I16","shape":[2],"data_offsets":[24,28]},
      "u16":{"dtype":"U16","shape":[2],"data_offsets":[28,32]},
      "i8":{"dtype":"I8","shape":[1],"data_offsets":[32,33]},
      "u8":{"dtype":"U8","shape":[1],"data_offsets":[33,34]},
      "bool":{"dtype":"BOOL","shape":[2],"data_offsets":[34,36]},
      "f8":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[36,38]},
      "f6":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[38,41]},
      "new":{"dtype":"F2","shape":[12],"data_offsets":[41,44]}})",
                                      data));
  const SafetensorsReader reader(folder / "f");
  CHECK(reader.load("u64").to_vector() == std::vector<double>{1, 9007199254740991.0});
  CHECK(reader.load("i32").item() == -2147483648.0);
  CHECK(reader.load("i32").dtype() == float64);
  CHECK(reader.load("u32").item() == 4294967295.0);
  CHECK(reader.load("i16").to_vector() == std::vector<double>{-32768, 5});
  CHECK(reader.load("i16").dtype() == float32);
  CHECK(reader.load("u16").to_vector() == std::vector<double>{65535, 0});
  CHECK(reader.load("i8").item() == -128);
  CHECK(reader.load("u8").item() == 255);
  CHECK(reader.load("bool").to_vector() == std::vector<double>{0, 1});
  for (const char* name : {"f8", "f6", "new"}) {
    CHECK_THROWS_WITH_AS(reader.load(name), doctest::Contains("gesso reads F64, F32"), FileError);
  }
}

TEST_CASE("F16 is written as the nearest half, ties to even, behind what needs more alignment") {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  // Exact ones; ties between neighbours of 1 and among subnormals; a carry into the exponent; the extremes.
  const std::vector<double> values = {0,           -1.5,          1 + 0x1p-11,   1 + 3 * 0x1p-11,
                                      2 - 0x1p-12, 1.5 * 0x1p-24, 2.5 * 0x1p-24, 0x1p-14 - 0x1p-26,
                                      -65519,      1.0 / 3};
  const std::vector<double> halves = {0,           -1.5,        1,       1 + 0x1p-9, 2,
                                      2 * 0x1p-24, 2 * 0x1p-24, 0x1p-14, -65504,     1365 * 0x1p-12};
  save_safetensors(path, {{"h", Tensor::from(values, {10})}, {"d", Tensor::scalar(0.1, float64)}}, {},
                   {.float16 = {"h"}});
  const SafetensorsReader reader(path);
  CHECK(reader.entry("h").dtype == "F16");
  CHECK(reader.entry("h").begin == 8);
  CHECK(reader.load("h").to_vector() == halves);
  CHECK(reader.load("d").item() == 0.1);
  CHECK_THROWS_WITH_AS(save_safetensors(path, {{"a", Tensor::scalar(65520)}}, {}, {.float16 = {"a"}}),
                       doctest::Contains("too large"), ArgumentError);
  CHECK_THROWS_AS(save_safetensors(path, {{"a", Tensor::scalar(NAN)}}, {}, {.float16 = {"a"}}),
                  ArgumentError);
  CHECK_THROWS_WITH_AS(save_safetensors(path, {{"a", Tensor::scalar(1)}}, {}, {.float16 = {"b"}}),
                       doctest::Contains("not among"), ArgumentError);
  CHECK_THROWS_WITH_AS(
      save_safetensors(path, {{"a", Tensor::scalar(1)}}, {}, {.int64 = {"a"}, .float16 = {"a"}}),
      doctest::Contains("also"), ArgumentError);
}

TEST_CASE("what cannot be saved is named, and nothing is left behind") {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  const Tensor x = Tensor::from({1, 2.5}, {2});
  CHECK_THROWS_WITH_AS(save_safetensors(path, {{"a", x}, {"a", x}}), doctest::Contains("'a' is given twice"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(save_safetensors(path, {{"__metadata__", x}}), doctest::Contains("__metadata__"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(save_safetensors(path, {{"a", Tensor()}}), doctest::Contains("'a' is undefined"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(save_safetensors(path, {{"a", x}}, {}, {.int64 = {"b"}}),
                       doctest::Contains("'b' is to be written as I64"), ArgumentError);
  CHECK_THROWS_WITH_AS(save_safetensors(path, {{"a", x}}, {}, {.int64 = {"a"}}),
                       doctest::Contains("has the value 2.5"), ArgumentError);
  CHECK_THROWS_AS(save_safetensors(path, {{"a", Tensor::scalar(NAN)}}, {}, {.int64 = {"a"}}), ArgumentError);
  CHECK_THROWS_WITH_AS(save_safetensors(path, {{"\xFF", x}}), doctest::Contains("UTF-8"), ArgumentError);
  CHECK_THROWS_WITH_AS(save_safetensors(path, {{"a", x}}, {{"k", "\xC3"}}), doctest::Contains("UTF-8"),
                       ArgumentError);
  CHECK_THROWS_WITH_AS(save_safetensors(folder / "no/f", {{"a", x}}), doctest::Contains("does not exist"),
                       FileError);
  CHECK(folder.entries() == 0);
}

TEST_CASE("each way a header can be wrong is named") {
  const TemporaryFolder folder;
  const std::string path = folder / "bad.safetensors";
  const auto reason = [&](const std::string& bytes) {
    write_bytes(path, bytes);
    try {
      load_safetensors(path);
    } catch (const FileError& error) {
      const std::string text = error.what();
      CHECK(text.find("cannot read '" + path + "': ") == 0);
      return text.substr(text.find("': ") + 3);
    }
    return std::string("loaded");
  };
  const auto entry = [&](const std::string& text, const std::string& data = std::string(8, '\0')) {
    return reason(make_file("{\"w\":" + text + "}", data));
  };
  const auto is = [](const std::string& text, const std::string& expected) {
    INFO(text);
    CHECK(text.find(expected) != std::string::npos);
  };
  CHECK(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})") == "loaded");

  is(reason(""), "too short");
  is(reason("1234567"), "too short");
  is(reason("a text file, not a model"), "not a safetensors file");
  is(reason(make_file("{}", "", 100'000'001)), "not a safetensors file");
  is(reason(make_file("{}", "", 3)), "truncated");
  is(reason(make_file("[]", "")), "not a safetensors file");
  is(reason(make_file("{\"w\":", "")), "not valid JSON (byte 6)");
  is(reason(make_file("{} x", "")), "not valid JSON");
  is(reason(make_file("{\"\xFF\":1}", "")), "not valid JSON");
  is(reason(make_file("{\"a\":1e999}", "")), "not valid JSON");  // a number that no float64 holds
  is(reason(make_file("{\"w\":{\"shape\":[-1e999]}}", "")), "not valid JSON");
  is(reason(make_file("{\"w\":[[[[[[]]]]]]}", "")), "nested too deeply");
  is(reason(make_file("{\"w\":" + std::string(100000, '['), "")), "nested too deeply");

  for (const char* text :
       {"1", "[]", "{}", R"({"dtype":"F32","shape":[2]})", R"({"dtype":4,"shape":[2],"data_offsets":[0,8]})",
        R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})",
        R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",
        R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})",
        R"({"dtype":"F32","shape":["2"],"data_offsets":[0,8]})",
        R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})",
        R"({"dtype":"F32","shape":[2],"data_offsets":[-8,0]})",
        R"({"dtype":"F32","shape":[2],"data_offsets":{"a":1}})"}) {
    CAPTURE(text);
    is(entry(text), "entry 'w': it must have a dtype, a shape and two data_offsets");
  }
  is(entry(R"({"dtype":"F31","shape":[2],"data_offsets":[0,8]})"),
     "entry 'w': its dtype is F31; gesso reads F64");
  is(entry(R"({"dtype":"F4","shape":[17],"data_offsets":[0,8]})"),
     "shape (17) of F4 does not fit its bytes 0 to 8");
  is(entry(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"),
     "entry 'w': shape (3) of F32 does not fit its bytes 0 to 8");
  is(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,9]})"), "does not fit its bytes");
  is(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), "does not fit its bytes");
  // 2^62 elements of 4 bytes would be 0 bytes modulo 2^64.
  is(entry(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})"), "entry 'w': ");
  is(entry(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})"), "entry 'w': ");
  is(entry(R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]})"), "is too large");
  is(entry(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]})"), "entry 'w': ");
  is(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", "1234"),
     "entry 'w': the file ends before its data");
  is(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]})", std::string(12, '\0')),
     "entry 'w': there is a gap");
  is(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", std::string(11, '\0')),
     "3 bytes at its end");
  is(entry(R"({"dtype":"F32","dtype":"F64","shape":[2],"data_offsets":[0,8]})"),
     "entry 'dtype': it is there twice");

  const std::string first = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  is(reason(make_file("{\"a\":" + first + ",\"b\":" + first + "}", std::string(8, '\0'))),
     "entry 'b': its bytes overlap");
  is(reason(make_file("{\"a\":" + first + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                      std::string(12, '\0'))),
     "entry 'b': its bytes overlap");
  is(reason(make_file("{\"a\":" + first + ",\"a\":" + first + "}", std::string(8, '\0'))),
     "entry 'a': it is there twice");
  is(reason(make_file(R"({"__metadata__":3})", "")), "its metadata is not a JSON object");
  is(reason(make_file(R"({"__metadata__":{"k":3}})", "")), "the metadata 'k' is not text");
  CHECK_THROWS_WITH_AS(load_safetensors(folder / "none"), doctest::Contains("no such file"), FileError);
  CHECK_THROWS_WITH_AS(load_safetensors(folder.path()), doctest::Contains("it is a folder"), FileError);
}

TEST_CASE("every truncated file is an error, every flipped byte an error or a sane file") {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  Generator rng(8);
  save_safetensors(
      path,
      {{"a", Tensor::randn({2, 3}, rng)}, {"b", Tensor::randn({2}, rng, float64)}, {"c", Tensor::scalar(3)}},
      {{"key", "value"}}, {.int64 = {"c"}});
  const std::string file = read_file(path);
  for (std::size_t size = 0; size < file.size(); ++size) {
    write_bytes(path, file.substr(0, size));
    CHECK_THROWS_AS(load_safetensors(path), FileError);
  }
  const auto header_end = static_cast<Index>(file.size() - 24 - 16 - 8);
  int refused = 0, loaded = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string broken = file;
    for (Index flips = 1 + rng.below(2); flips > 0; --flips) {
      broken[rng.below(header_end)] =
          static_cast<char>(rng.below(4) == 0 ? '0' + rng.below(10) : rng.below(256));
    }
    write_bytes(path, broken);
    try {
      for (const auto& [name, tensor] : load_safetensors(path).tensors) {
        CHECK(tensor.numel() <= 6);
      }
      ++loaded;
    } catch (const FileError&) {
      ++refused;
    }
  }
  CHECK(refused > 500);
  CHECK(loaded > 20);
}

TEST_CASE("many tensors, and data larger than one block") {
  const TemporaryFolder folder;
  NamedTensors tensors;
  for (int i = 0; i < 500; ++i) {
    tensors.emplace_back("layer" + std::to_string(i), Tensor::full({i % 7, 3}, i));
  }
  Generator rng(2);
  tensors.emplace_back("large", Tensor::randn({300, 1001}, rng));
  save_safetensors(folder / "f", tensors);
  const SafetensorsFile file = load_safetensors(folder / "f");
  REQUIRE(file.tensors.size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CHECK(identical(file.tensors[i].second, tensors[i].second));
  }
}

TEST_CASE("a header of many entries takes time in proportion to its length") {
  const TemporaryFolder folder;
  std::string header = "{";
  for (int i = 0; i < 100000; ++i) {
    header +=
        (i > 0 ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  }
  write_bytes(folder / "f", make_file(header + "}", ""));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(SafetensorsReader(folder / "f").names().size() == 100000);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));  // 250 s in squares
}

TEST_CASE("a file that is truncated while it is open is an error, not the end of the program") {
  const TemporaryFolder folder;
  Generator rng(3);
  save_safetensors(folder / "f", {{"a", Tensor::randn({300, 1000}, rng)}, {"b", Tensor::ones({5}, float64)}},
                   {}, {.float16 = {"a"}});
  const SafetensorsReader reader(folder / "f");
  std::filesystem::resize_file(folder / "f", 5000);
  CHECK_THROWS_WITH_AS(reader.load("a"), doctest::Contains("it became shorter while it was read"), FileError);
  CHECK(reader.load("b").to_vector() == std::vector<double>{1, 1, 1, 1, 1});
}

TEST_CASE("a checksum finds every flipped bit") {
  if (!has_checksums()) {
    return;
  }
  CHECK(crc32(0, "123456789") == 0xCBF43926);  // the value that the standard gives
  CHECK(crc32(crc32(0, "1234"), "56789") == 0xCBF43926);
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  Generator rng(4);
  const NamedTensors tensors = {{"a", Tensor::randn({5, 7}, rng)}, {"n", Tensor::scalar(12)}};
  save_safetensors(path, tensors, {{"key", "value"}}, {.int64 = {"n"}, .checksum = true});
  const SafetensorsFile file = load_safetensors(path);
  CHECK(identical(find(file, "a"), tensors[0].second));
  CHECK(file.metadata.at("key") == "value");
  CHECK(file.checksum);
  CHECK(file.metadata.size() == 1);
  const std::string bytes = read_file(path);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string broken = bytes;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << bit % 8));
    write_bytes(path, broken);
    CAPTURE(bit);
    try {
      // A bit of the word "checksum" itself is seen by the reader that asks for one: a checkpoint's does.
      CHECK_FALSE(load_safetensors(path).checksum);
    } catch (const FileError&) {
    }
  }
  CHECK_THROWS_AS(save_safetensors(path, {}, {{"checksum", "mine"}}, {.checksum = true}), ArgumentError);
}
