#include "gesso/core/files/inflate.h"

#ifdef GESSO_HAS_ZLIB
#include <zlib.h>

#include <utility>
#include <vector>
#endif

namespace gesso::detail {

#ifdef GESSO_HAS_ZLIB

bool can_inflate() { return true; }

namespace {

constexpr int kBare = -MAX_WBITS,
              kGzip = MAX_WBITS + 16;  // zlib's numbers for what is around the packed bytes

bool unpack(int around, const std::function<std::string()>& next,
            const std::function<bool(std::string_view)>& take) {
  z_stream stream{};
  if (inflateInit2(&stream, around) != Z_OK) {
    return false;
  }
  std::vector<char> out(1 << 18);
  std::string in;
  int state = Z_OK;
  bool hungry = true;  // whether it has used up what it was given, and put out all that came of it
  while (state == Z_OK) {
    if (hungry) {
      in = next();
      if (in.empty()) {
        break;
      }
      stream.next_in = reinterpret_cast<Bytef*>(in.data());
      stream.avail_in = static_cast<uInt>(in.size());
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    state = ::inflate(&stream, Z_NO_FLUSH);
    state = state == Z_BUF_ERROR ? Z_OK : state;  // there was nothing more to put out
    hungry = stream.avail_in == 0 && stream.avail_out > 0;
    if ((state == Z_OK || state == Z_STREAM_END) && !take({out.data(), out.size() - stream.avail_out})) {
      state = Z_DATA_ERROR;
    }
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END;
}

}  // namespace

bool inflate(const std::function<std::string()>& next, const std::function<bool(std::string_view)>& take) {
  return unpack(kBare, next, take);
}

std::optional<std::string> gunzip(std::string_view bytes, std::size_t most) {
  std::string result;
  const auto next = [&] { return std::string(std::exchange(bytes, {})); };
  const auto take = [&](std::string_view piece) {
    result += piece;
    return result.size() <= most;
  };
  return unpack(kGzip, next, take) ? std::optional(std::move(result)) : std::nullopt;
}

#else

bool can_inflate() { return false; }

bool inflate(const std::function<std::string()>&, const std::function<bool(std::string_view)>&) {
  return false;
}

std::optional<std::string> gunzip(std::string_view, std::size_t) { return std::nullopt; }

#endif

}  // namespace gesso::detail
