// Unpacking what deflate packed (RFC 1951), by zlib.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace gesso::detail {

/// Whether this build can: whether zlib was there.
bool can_inflate();

/// Unpacks what next() gives, piece by piece until it is empty, and hands the result to take(), which returns
/// whether it wants more. False when it is damaged or cut short, or take() had enough.
bool inflate(const std::function<std::string()>& next, const std::function<bool(std::string_view)>& take);

}  // namespace gesso::detail
