// What the page can call: the only file that knows Emscripten. Texts go in and out as UTF-8; the first letter
// of an answer is '+', or '!' before the text of an exception.
#include <emscripten/emscripten.h>

#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "bench.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "picture.h"
#include "planted_errors.h"
#include "race.h"
#include "request.h"

namespace {

// Of one call at a time; it stays until the next.
std::string answer;

template <class Work>
const char* answered(Work work) {
  try {
    answer = "+" + work();
  } catch (const std::exception& error) {
    answer = std::string("!") + error.what();
  }
  return answer.c_str();
}

// Pictures go in and out by these, and a model comes in: lab_input and the like say where the page writes and
// reads.
std::vector<float> input, output;
std::string model;
std::optional<lab::Painter> painter;  // of the last model
std::optional<lab::Race> race;        // the last one

lab::Painter& the_painter() {
  gesso::require(painter.has_value(), "no model was loaded");
  return *painter;
}

lab::Race& the_race() {
  gesso::require(race.has_value(), "no race was begun");
  return *race;
}

}  // namespace

extern "C" {

EMSCRIPTEN_KEEPALIVE float* lab_input(int count) {
  input.resize(static_cast<std::size_t>(count));
  return input.data();
}
EMSCRIPTEN_KEEPALIVE const float* lab_output() { return output.data(); }
EMSCRIPTEN_KEEPALIVE int lab_output_size() { return static_cast<int>(output.size()); }
EMSCRIPTEN_KEEPALIVE char* lab_model(int bytes) {
  model.resize(static_cast<std::size_t>(bytes));
  return model.data();
}

EMSCRIPTEN_KEEPALIVE const char* lab_bench(const char* request) {
  return answered([&] { return lab::bench(request); });
}
EMSCRIPTEN_KEEPALIVE const char* lab_jacobian(const char* request) {
  return answered([&] { return lab::jacobian(request); });
}
EMSCRIPTEN_KEEPALIVE const char* lab_difference(const char* request) {
  return answered([&] { return lab::difference(request); });
}
EMSCRIPTEN_KEEPALIVE const char* lab_check_backward(const char* request) {
  return answered([&] { return lab::check_backward(request); });
}

EMSCRIPTEN_KEEPALIVE const char* lab_mutants(const char*) {
  return answered([&] { return lab::mutants(); });
}
EMSCRIPTEN_KEEPALIVE const char* lab_mutant_numbers(const char* request) {
  return answered([&] { return lab::mutant_numbers(request); });
}

EMSCRIPTEN_KEEPALIVE const char* lab_normalize_picture(const char* request) {
  return answered([&] { return lab::normalize_picture(request, input, output); });
}
EMSCRIPTEN_KEEPALIVE const char* lab_load_model(const char*) {
  return answered([&] {
    const std::string file = "model.safetensors";  // in memory; errors name it
    gesso::write_file_atomically(file, model);
    painter.reset();
    painter.emplace(file);
    return std::string("{}");
  });
}
EMSCRIPTEN_KEEPALIVE const char* lab_stylize(const char* request) {
  return answered([&] {
    output = the_painter().stylize(request, input);
    return std::string("{}");
  });
}
EMSCRIPTEN_KEEPALIVE const char* lab_layer_statistics(const char* request) {
  return answered([&] { return the_painter().layer_statistics(request, input); });
}

EMSCRIPTEN_KEEPALIVE const char* lab_race_new(const char* request) {
  return answered([&] {
    race.reset();
    race.emplace(request, input);
    return std::string("{}");
  });
}
EMSCRIPTEN_KEEPALIVE const char* lab_race_step(const char* request) {
  return answered(
      [&] { return the_race().step(lab::field<gesso::Index>(lab::parse_request(request), "count")); });
}
EMSCRIPTEN_KEEPALIVE const char* lab_race_picture(const char* request) {
  return answered([&] {
    output = the_race().picture(lab::field<gesso::Index>(lab::parse_request(request), "lane"));
    return std::string("{}");
  });
}
}
