// Gives TF_CPP_MIN_LOG_LEVEL its meaning back. Python's TensorFlow reads it; the C library alone does not, and logs to stderr whatever
// it says, from its first static initialiser on. The addon is linked with -z initfirst, so that this runs before those: absl keeps the
// level in a constant-initialised atomic, which may be set that early.
#include <cstdlib>

#include "absl/base/log_severity.h"
#include "absl/log/globals.h"

namespace {

// 0 everything, 1 from warnings on, 2 from errors on (the default here), 3 fatal only: as TensorFlow documents.
absl::LogSeverityAtLeast LevelFromEnvironment() {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level == nullptr || *level == '\0') return absl::LogSeverityAtLeast::kError;
  switch (*level) {
    case '0': return absl::LogSeverityAtLeast::kInfo;
    case '1': return absl::LogSeverityAtLeast::kWarning;
    case '2': return absl::LogSeverityAtLeast::kError;
    default: return absl::LogSeverityAtLeast::kFatal;
  }
}

const bool level_is_set = [] {
  absl::SetMinLogLevel(LevelFromEnvironment());
  return true;
}();

}  // namespace
