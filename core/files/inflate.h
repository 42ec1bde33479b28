// Unpacking what deflate packed (RFC 1951) and gzip wrapped (RFC 1952), by zlib.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gesso::detail {

/// Whether this build can: whether zlib was there.
bool can_inflate();

/// Unpacks what next() gives, piece by piece until it is empty, and hands the result to take(), which returns
/// whether it wants more. False when it is damaged or cut short, or take() had enough.
bool inflate(const std::function<std::string()>& next, const std::function<bool(std::string_view)>& take);

/// What the gzip file `bytes` unpacks to, its checksum right; std::nullopt if it is damaged or has more than `most`
/// bytes.
std::optional<std::string> gunzip(std::string_view bytes, std::size_t most);

}  // namespace gesso::detail
