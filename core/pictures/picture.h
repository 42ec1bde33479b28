// Pictures: JPEG, PNG, BMP, GIF, PPM, and in builds with libwebp, libtiff and libheif WebP, TIFF, HEIC and AVIF files to
// tensors, and JPEG, PNG, WebP and PPM back. A picture is a tensor of shape (1, 3, H, W), red, green, blue, with values in
// [0, 1] (sRGB numbers divided by their largest value, not linear light; colours that an ICC profile in a JPEG, PNG, TIFF,
// HEIC or AVIF means otherwise are converted to sRGB in builds with Little CMS, and taken as they are in others). All functions may be called from several threads at once.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gesso/core/size2d.h"
#include "gesso/core/tensor.h"

namespace gesso {

struct LoadOptions {
  /// The most pixels (width times height) that a file may have; known from its header, before decoding. A
  /// loaded picture takes 12 bytes a pixel, decoding about as much again.
  Index max_pixels = 100'000'000;
};

/// The picture in a JPEG, PNG, BMP, GIF, PPM (binary, PGM too), WebP, TIFF, HEIC or AVIF file (the first or main one, if there are several) as
/// float32 (1, 3, H, W) in [0, 1]. The bytes of the file decide its format, not its name. Gray becomes three equal
/// channels; transparent pixels are laid over white; PNG, HEIC and AVIF of more than 8 bits keep their precision, and TIFF
/// of 16 bits in plain rows; pictures come upright, as EXIF and TIFF tags say, and HEIF. JPEG files are taken as the world has them:
/// without an end marker or with a trailer behind it, with padding between segments or junk behind the scan, frames of
/// Motion JPEG without code tables, CMYK. Throws FileError, naming the file and the reason, if it is missing, a folder, empty,
/// not in one of these formats, truncated, corrupt or too large.
Tensor load_picture(const std::string& path, const LoadOptions& options = {});

/// The size of the picture in a file as load_picture() would show it, from the file's header alone: nothing is decoded.
/// Throws FileError as load_picture() does, but for damage behind the header.
Size2d read_picture_size(const std::string& path, const LoadOptions& options = {});

/// How opaque the pixels of the file are, (1, 1, H, W) in [0, 1]: 0 is transparent. Undefined if all of them are opaque.
/// Throws as load_picture() does.
Tensor load_transparency(const std::string& path, const LoadOptions& options = {});

/// load_picture() for a file whose bytes are in memory; `name` stands for it in error texts.
Tensor decode_picture(std::string_view bytes, const std::string& name, const LoadOptions& options = {});

/// Whether a file of this name is taken for a picture that can be read: whether it ends in .jpg, .jpeg, .png, .bmp, .gif, .ppm, .pgm
/// or, in builds with the libraries for them, .webp, .tif, .tiff, .heic, .heif, .avif; in any case.
bool has_picture_ending(const std::filesystem::path& path);

/// The endings of names that save_picture() takes: ".png", ".jpg", ".jpeg", ".webp" (in builds with libwebp), ".ppm".
const std::vector<std::string>& written_picture_endings();
/// Whether `path` has one of them, in any case.
bool has_writable_ending(const std::filesystem::path& path);

struct SaveOptions {
  int jpeg_quality = 92;  ///< 1 to 100; for JPEG and WebP. Up to 90, colour is stored at half resolution.
};

/// Writes `picture` to a PNG, JPEG, WebP or PPM file, as the name's ending says: .png, .jpg, .jpeg, .webp or .ppm, in any case.
/// `picture`: (1, C, H, W) or (C, H, W) with C = 3 or 1, and for PNG and WebP also 4, the last one how opaque pixels
/// are; float32 or float64; values are clamped to [0, 1] and rounded to 8 bits. The file appears complete or not at all. Throws ArgumentError for another ending, shape
/// or quality, for an empty picture and for NaN; FileError when it cannot be written.
void save_picture(const std::string& path, const Tensor& picture, const SaveOptions& options = {});

/// The bytes of a PNG file that shows `picture`, as save_picture() writes it.
std::string encode_png(const Tensor& picture);

/// The bytes of a JPEG file that shows `picture`, as save_picture() writes it. `quality` is 1 to 100.
std::string encode_jpeg(const Tensor& picture, int quality = SaveOptions{}.jpeg_quality);

}  // namespace gesso
