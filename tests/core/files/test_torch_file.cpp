// PyTorch's files: what PyTorch wrote is read number for number; whatever calls something, lies or is too good to be
// true is refused in one line.
#include "gesso/core/files/torch_file.h"

#include <cstring>

#include "files.h"
#include "gesso/core/files/checksum.h"
#include "gesso/core/files/file.h"
#include "gesso/core/files/inflate.h"
#include "gesso/core/files/weights.h"
#include "paths.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

std::string golden(const std::string& name) { return source_path("tests/golden/torch/" + name); }

const SafetensorsReader& numbers() {
  static const SafetensorsReader reader(source_path("tests/golden/torch_files.safetensors"));
  return reader;
}

// Every number that `prefix` has in the golden file is in `reader`.
void check_against_golden(const TorchReader& reader, const std::string& prefix) {
  for (const std::string& name : numbers().names()) {
    if (name.starts_with(prefix)) {
      CAPTURE(name);
      const Tensor expected = numbers().load(name);
      const Tensor loaded = reader.load(name.substr(prefix.size()));
      CHECK(loaded.shape() == reader.entry(name.substr(prefix.size())).shape);
      CHECK(identical(loaded, expected));
    }
  }
}

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// ---- pickles by hand, in the words of Python's pickletools

std::string text(const std::string& value) {
  return "X" + bytes_of(static_cast<std::uint32_t>(value.size())) + value;
}
std::string integer(std::int64_t value) { return "\x8A\x08" + bytes_of(value); }
std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
std::string tuple(const std::string& items) { return "(" + items + "t"; }
std::string dict(const std::string& items) { return "}(" + items + "u"; }
std::string pickle(const std::string& value) { return "\x80\x02" + value + "."; }

std::string storage(const std::string& key, std::int64_t count, const std::string& type = "FloatStorage") {
  return tuple(text("storage") + global("torch", type) + text(key) + text("cpu") + integer(count)) + "Q";
}
std::string tensor(const std::string& storage, std::int64_t offset, const std::string& sizes,
                   const std::string& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(storage + integer(offset) + tuple(sizes) + tuple(strides) + "\x89" +
               global("collections", "OrderedDict") + ")R") +
         "R";
}

// The older form around a pickle, with the floats 0, 1, 2, ... in storage "0".
std::string stream(const std::string& value, int count) {
  std::string file = pickle("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19") + pickle(integer(1001)) +
                     pickle(dict(text("little_endian") + "\x88")) + pickle(value) +
                     pickle("](" + (count > 0 ? text("0") : "") + "e");
  if (count > 0) {
    file += bytes_of(std::int64_t{count});
    for (int i = 0; i < count; ++i) {
      file += bytes_of(static_cast<float>(i));
    }
  }
  return file;
}

struct ZipPart {
  std::string name, bytes;
  std::uint32_t size = 0;  // unpacked, where the bytes are deflated
  std::uint16_t method = 0;
};

std::string zip(const std::vector<ZipPart>& parts) {
  std::string file, directory;
  for (const ZipPart& part : parts) {
    const auto packed = static_cast<std::uint32_t>(part.bytes.size());
    const std::string common =
        bytes_of(std::uint16_t{0}) + bytes_of(part.method) + bytes_of(std::uint32_t{0}) +
        bytes_of(crc32(0, part.bytes)) + bytes_of(packed) + bytes_of(part.method == 0 ? packed : part.size) +
        bytes_of(static_cast<std::uint16_t>(part.name.size())) + bytes_of(std::uint16_t{0});
    directory += "PK\1\2" + bytes_of(std::uint32_t{0}) + common + std::string(10, '\0') +
                 bytes_of(static_cast<std::uint32_t>(file.size())) + part.name;
    file += "PK\3\4" + bytes_of(std::uint16_t{0}) + common + part.name + part.bytes;
  }
  return file + directory + "PK\5\6" + std::string(4, '\0') +
         bytes_of(static_cast<std::uint16_t>(parts.size())) +
         bytes_of(static_cast<std::uint16_t>(parts.size())) +
         bytes_of(static_cast<std::uint32_t>(directory.size())) +
         bytes_of(static_cast<std::uint32_t>(file.size())) + bytes_of(std::uint16_t{0});
}

// What reading the bytes as a file of PyTorch's throws; "loaded" if nothing.
std::string reason(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.pth";
  write_bytes(path, bytes);
  try {
    load_weights(path);
  } catch (const FileError& error) {
    const std::string text = error.what();
    CHECK(text.find("cannot read '" + path + "': ") == 0);
    return text.substr(text.find("': ") + 3);
  }
  return "loaded";
}

void refuses(const std::string& bytes, const std::string& expected) {
  const std::string text = reason(bytes);
  CAPTURE(expected);
  INFO(text);
  CHECK(text.find(expected) != std::string::npos);
}

}  // namespace

TEST_CASE("every dtype, stride and shared storage that PyTorch saved, in both forms") {
  for (const char* file : {"plain.pth", "plain_stream.pth", "plain_protocol4.pth", "plain_deflated.pth"}) {
    CAPTURE(file);
    if (std::string(file) == "plain_deflated.pth" && !detail::can_inflate()) {
      continue;
    }
    const TorchReader reader(golden(file));
    reader.verify();
    check_against_golden(reader, "plain.");
    CHECK(reader.names().front() == "float32");
    CHECK(reader.entry("bfloat16").dtype == "BF16");
    CHECK(reader.entry("int64").dtype == "I64");
    CHECK(reader.load("bool").to_vector() == std::vector<double>{1, 0, 1});
    CHECK(reader.entry("complex64").dtype == "C64");
    CHECK_THROWS_WITH_AS(reader.load("complex64"), doctest::Contains("entry 'complex64': its dtype is C64"),
                         FileError);
    CHECK_THROWS_WITH_AS(reader.load("weight"), doctest::Contains("it has no tensor 'weight'"), FileError);
  }
}

TEST_CASE("the weights of a checkpoint are found among other things, without DataParallel's prefix") {
  for (const char* file : {"checkpoint.pth", "checkpoint_stream.pth"}) {
    const TorchReader reader(golden(file));
    CHECK(reader.names() == std::vector<std::string>{"0.weight", "0.bias", "1.weight", "1.bias",
                                                     "1.running_mean", "1.running_var",
                                                     "1.num_batches_tracked"});
    check_against_golden(reader, "checkpoint.");
  }
  CHECK(TorchReader(golden("nested.pth")).names() == std::vector<std::string>{"a.w", "b.0", "b.1.c"});
  CHECK(load_weights(golden("one_tensor.pth")).at(0).second.to_vector() == std::vector<double>{0, 1, 2});
  CHECK(WeightsReader(golden("plain.pth")).shape("float32") == Shape{2, 3, 1, 2});
  CHECK(WeightsReader(source_path("tests/golden/vgg.safetensors")).names().size() == 20);
  CHECK_THROWS_WITH_AS(WeightsReader(source_path("README.md")),
                       doctest::Contains("neither a safetensors file nor one of torch.save()"), FileError);
}

TEST_CASE("a pickle that names more than tensors is refused with the names, and nothing is run") {
  const TemporaryFolder folder;
  const std::string canary = folder / "canary";
  const std::string touch = global("posix", "system") + tuple(text("touch " + canary)) + "R";
  refuses(stream(touch, 0),
          "its pickle names posix.system, which is more than tensors; nothing of it was run");
  refuses(stream(dict(text("w") + touch), 0), "posix.system");
  refuses(stream(global("torch._utils", "_rebuild_tensor_v2") + tuple(touch) + "R", 0), "posix.system");
  refuses(zip({{"a/data.pkl", pickle(touch)}}), "posix.system");
  // By another way to name it; as an object that is made, added to and given a state.
  refuses(stream(text("builtins") + text("eval") + "\x93" + tuple(text("1")) + "R", 0), "builtins.eval");
  refuses(stream(global("m", "C") + ")\x81}b", 0), "m.C");
  refuses(stream(global("m", "D") + ")\x81(" + text("k") + "Nu", 0), "m.D");
  refuses(stream("(" + global("m", "A") + global("m", "B") + global("m", "A") + "t", 0),
          "names m.A, m.B, which");
  // Even if what follows is no pickle at all.
  refuses(stream(global("os", "system") + "\xFF", 0), "os.system");
  refuses(stream(global("torch._utils", "_rebuild_sparse_tensor") + ")R", 0),
          "save its state_dict() alone, each tensor after to_dense() or dequantize()");
  // Old ways to make an object; the extension registry; persistent ids that are not of storages.
  refuses(stream("(ios\nsystem\n", 0), "operation 105 is not one that tensors need");
  refuses(stream("(o", 0), "operation 111");
  refuses(stream("\x82\x01", 0), "operation 130");
  refuses(stream(text("file:///etc/passwd") + "Q", 0), "not a storage");
  CHECK_FALSE(std::filesystem::exists(canary));

  const auto named = [](const std::string& file) {
    try {
      TorchReader reader(golden(file));
    } catch (const FileError& error) {
      return std::string(error.what());
    }
    return std::string("loaded");
  };
  CHECK(named("module.pth").find("names torch.nn.modules.conv.Conv2d") != std::string::npos);
  CHECK(named("script.pth").find("TorchScript program") != std::string::npos);
}

TEST_CASE("by hand: what a tensor may be, and each way it can be wrong") {
  const std::string six = storage("0", 6);
  const auto one = [&](const std::string& value) { return stream(dict(text("w") + value), 6); };
  CHECK(reason(one(tensor(six, 0, integer(6), integer(1)))) == "loaded");
  CHECK(reason(one(tensor(six, 5, integer(1), integer(1000)))) ==
        "loaded");                                                         // the stride of one is never used
  CHECK(reason(one(tensor(six, 9, integer(0), integer(1)))) == "loaded");  // and nothing of none
  refuses(one(tensor(six, 1, integer(6), integer(1))), "entry 'w': shape (6) from number 1 on does not fit");
  refuses(one(tensor(six, 0, integer(3), integer(3))), "does not fit its storage of 6 numbers");
  refuses(one(tensor(six, 0, integer(2) + integer(2), integer(1))), "does not fit");
  refuses(one(tensor(six, 0, integer(2), integer(std::int64_t{1} << 62))), "does not fit");
  refuses(one(tensor(six, 0, integer(std::int64_t{1} << 62), integer(std::int64_t{1} << 62))),
          "more elements than");
  refuses(one(tensor(six, std::int64_t{1} << 62, integer(1), integer(1))), "does not fit");
  refuses(one(tensor(six, -1, integer(1), integer(1))),
          "it is not what torch._utils._rebuild_tensor_v2 takes");
  refuses(one(tensor(six, 0, integer(-1), integer(1))), "must be whole numbers");
  refuses(one(tensor(six, 0, text("a"), integer(1))), "must be whole numbers");
  refuses(
      one(tensor(integer(1), 0, integer(1), integer(1)) + text("v") + tensor(six, 0, integer(6), integer(1))),
      "entry 'w': it is not what");
  refuses(one(tensor(storage("0", 7), 0, integer(7), integer(1))), "is to have 7 numbers and has 6");
  refuses(one(tensor(storage("1", 6), 0, integer(6), integer(1))), "no tensor has the storage '0'");
  refuses(one(tensor(storage("0", -1), 0, integer(6), integer(1))), "not a storage");
  refuses(one(tensor(six, 0, integer(6), integer(1)) + text("v") +
              tensor(storage("0", 6, "IntStorage"), 0, integer(6), integer(1))),
          "of two dtypes");
  const std::string whole = one(tensor(six, 0, integer(6), integer(1)));
  refuses(whole.substr(0, whole.size() - 1), "the file ends before the 6 numbers of storage '0' do");
  // A view of one number that claims a billion.
  refuses(one(tensor(six, 0, integer(1'000'000'000), integer(0))), "repeat 6 numbers more than 16 times");
  refuses(one(tensor(six, 0, integer(6), integer(1)) + text("w") + tensor(six, 0, integer(6), integer(1))),
          "entry 'w': it is there twice");
}

TEST_CASE("pickles that are broken, endless or deep") {
  refuses("\x80\x02", "ends too early");
  refuses(pickle("N"), "it is a pickle, but not a file of torch.save()");
  refuses(stream("", 0), "it takes more from its stack");
  refuses(stream("h\x05", 0), "it recalls what it did not put away");
  refuses(stream("t", 0), "a mark is missing");
  refuses(stream("NNs", 0), "takes more from its stack");
  refuses(stream("NNNs", 0), "adds to something that is not a list or dict");
  refuses(stream("](Ne", 0), "loaded");
  refuses(stream("(0N", 0), "takes more from its stack");
  refuses(stream("\x80\x01N", 0), "protocol 1");
  refuses(stream("\x8D" + bytes_of(~std::uint64_t{0}), 0), "ends too early");
  refuses(stream(std::string(4'000'001, 'N'), 0), "more than 4000000 values");
  refuses(stream("NN\x93", 0), "the name of a global is not text");
  refuses(stream("N)R", 0), "calls something that is not a function");
  // A dict that holds itself; a list of lists of lists whose walk would never end.
  refuses(stream("}q\x01" + text("a") + "h\x01s", 0), "nested more than 20 deep");
  std::string lists = "]q" + std::string(1, '\0');
  for (char level = 0; level < 18; ++level) {
    lists += "](";
    for (int i = 0; i < 10; ++i) {
      lists += "h" + std::string(1, level);
    }
    lists += "eq" + std::string(1, static_cast<char>(level + 1));
  }
  CHECK(reason(stream(lists, 0)).find("nested more than") != std::string::npos);
}

TEST_CASE("zip archives that lie") {
  const std::string good = pickle(dict(text("w") + tensor(storage("0", 2), 0, integer(2), integer(1))));
  const std::string data(8, '\0');
  CHECK(reason(zip({{"a/data.pkl", good}, {"a/data/0", data}})) == "loaded");
  refuses(zip({{"a/data.pkl", good}}), "the numbers of storage '0' are not in the archive");
  refuses(zip({{"a/data.pkl", good}, {"a/data/0", "1234567"}}), "is to have 2 numbers in 7 bytes");
  refuses(zip({{"a/data.pkl", good}, {"a/data/0", data}, {"a/data/0", data}}), "has 'a/data/0' twice");
  refuses(zip({{"a/other", good}}), "without a data.pkl");
  refuses(zip({{"a/data.pkl", good}, {"a/data/0", data}, {"a/byteorder", "big"}}), "big-endian");
  refuses(zip({{"a/data.pkl", good}, {"a/data/0", data, 0, 12}}), "packed by method 12");
  refuses("PK\3\4", "directory at the end of the zip archive is missing");
  // 3 bytes that claim to unpack to 4 GB.
  refuses(zip({{"a/data.pkl", good}, {"a/data/0", "123", 0xF0000000, 8}}), "would unpack to more than");
  if (detail::can_inflate()) {
    refuses(zip({{"a/data.pkl", good}, {"a/data/0", "123", 8, 8}}), "does not unpack: it is damaged");
  }
  if (has_checksums()) {
    std::string damaged = zip({{"a/data.pkl", good}, {"a/data/0", "12345678"}});
    damaged[damaged.find("12345678")] = 'x';
    refuses(damaged, "the checksum of 'a/data/0'");
  }
}

TEST_CASE("every truncated file is refused, every damaged one refused or sane") {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  Generator rng(3);
  for (const char* name : {"plain.pth", "plain_stream.pth", "plain_deflated.pth", "checkpoint_stream.pth"}) {
    const std::string file = read_file(golden(name));
    for (std::size_t size = 0; size < file.size(); size += 7) {
      CAPTURE(size);
      write_bytes(path, file.substr(0, size));
      CHECK_THROWS_AS(TorchReader reader(path), FileError);
    }
    for (int round = 0; round < 1500; ++round) {
      std::string broken = file;
      for (Index flips = 1 + rng.below(3); flips > 0; --flips) {
        broken[rng.below(static_cast<Index>(broken.size()))] = static_cast<char>(rng.below(256));
      }
      write_bytes(path, broken);
      try {
        const TorchReader reader(path);
        for (const std::string& tensor : reader.names()) {
          try {
            CHECK(reader.load(tensor).numel() <= 1 << 24);
          } catch (const FileError&) {
          }
        }
      } catch (const FileError&) {
      }
    }
  }
}
