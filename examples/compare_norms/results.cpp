#include "results.h"

#include <ctime>

#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
#include "gesso/core/files/file.h"
#include "result_fields.h"

namespace gesso {

ComparisonOrigin ComparisonOrigin::now() {
  const BuildInfo info = build_info();
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char begun[32];
  std::strftime(begun, sizeof begun, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {info.version, info.compiler, info.simd, info.blas, info.threads, begun};
}

std::string FailedTraining::str() const {
  const std::string which = classifier ? concat_text("classifier with ", normalization, " norm, seed ", seed)
                                       : concat_text(normalization, " norm, batch ", batch, ", seed ", seed);
  return which + (photographs == "plain" ? "" : ", " + photographs) + ": " + reason;
}

void write_results(const Comparison& comparison, const std::filesystem::path& path) {
  const std::filesystem::path schema = path.parent_path() / "results.schema.json";
  write_file_atomically(
      schema.string(), json_text(json_schema<Comparison>("results.json of gesso's compare-norms"), 1) + "\n");
  Json json = {{"$schema", schema.filename().string()}};
  json.update(json_of(comparison));
  write_file_atomically(path.string(), json_text(json) + "\n");
}

Comparison read_results(const std::filesystem::path& path) {
  const std::string text = read_file(path.string());
  try {
    return struct_of<Comparison>(parse_json(text));
  } catch (const Json::exception& error) {
    throw FileError(concat_text(path.string(), ": it is no results.json of compare-norms: ", error.what()));
  }
}

}  // namespace gesso
