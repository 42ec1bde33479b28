#include "results.h"

#include <ctime>

#include "gesso/core/build_info.h"
#include "gesso/core/error.h"
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
  const std::string which =
      !task.empty() ? concat_text("classifier of ", task, " with ", normalization, " norm, seed ", seed)
                    : concat_text(normalization, " norm, batch ", batch, ", seed ", seed);
  return which + (photographs == "plain" ? "" : ", " + photographs) + ": " + reason;
}

void write_results(const Comparison& comparison, const std::filesystem::path& path) {
  write_struct(comparison, path, "results.json of gesso's compare-norms");
}

Comparison read_results(const std::filesystem::path& path) {
  return read_struct<Comparison>(path, "results.json of compare-norms");
}

}  // namespace gesso
