// Requests of the page, read: JSON into numbers, and complaints that name the field.
#pragma once

#include <memory>
#include <string>

#include "gesso/core/error.h"
#include "gesso/core/files/json.h"
#include "norm_lab/given.h"

namespace lab {

/// Throws ArgumentError unless the text is an object of JSON.
gesso::Json parse_request(const std::string& text);

/// Field `name` as a T. Throws ArgumentError if it is missing or something else.
template <class T>
T field(const gesso::Json& request, const char* name) {
  try {
    return request.at(name).get<T>();
  } catch (const gesso::Json::exception&) {
    throw gesso::ArgumentError(gesso::concat_text("the request has no ", name,
                                                  " of the kind that it takes; see examples/lab/engine/"));
  }
}

/// The same, or `otherwise` if the field is missing or null.
template <class T>
T field_or(const gesso::Json& request, const char* name, const T& otherwise) {
  const auto found = request.find(name);
  return found == request.end() || found->is_null() ? otherwise : field<T>(request, name);
}

/// "instance", ...; throws ArgumentError for another name.
norm_lab::Norm norm_named(const std::string& name);

/// The layer and the numbers that a request of the bench names (bench.h).
struct Bench {
  explicit Bench(const gesso::Json& request);

  norm_lab::Norm norm;
  norm_lab::Example example;
  std::unique_ptr<gesso::NormalizationLayer> layer;
};

}  // namespace lab
