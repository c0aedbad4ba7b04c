// Secrets: API keys and passwords. They come from the environment or from a file that only its
// owner can read, and never reach a log, an error, a manifest or a report.
#ifndef ALMANAC_BASE_SECRET_H_
#define ALMANAC_BASE_SECRET_H_

#include <fmt/core.h>

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// A value that formats as "***" (fmt and streams). Reveal() is the only way to its text.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

std::ostream& operator<<(std::ostream& out, const Secret&);

// Looks for NAME in the environment, then in the file ALMANAC_SECRETS names, then in
// HOME/secrets.yaml (a flat mapping NAME: value). An empty value counts as not set. Error(kUsage)
// for a file that group or others can read (it gives the chmod to run), a file that is no such
// mapping, and an ALMANAC_SECRETS that names no file. Nothing found: nullopt.
std::optional<Secret> FindSecret(std::string_view name, const std::filesystem::path& home);
// The same, but missing is Error(kUsage) that says where it can be set.
Secret RequireSecret(std::string_view name, const std::filesystem::path& home,
                     std::string_view used_for);

// Makes Redact know a secret that came another way, such as a session token that a service gave.
void RegisterSecret(const Secret& secret);

// Replaces every registered secret's text in `text` by "***", also where it stands percent-encoded
// or escaped for JSON (secrets register when found). The logger and Error printing pass through
// this. Safe from any thread.
std::string Redact(std::string text);

}  // namespace almanac

template <>
struct fmt::formatter<almanac::Secret> : fmt::formatter<fmt::string_view> {
  template <typename Context>
  auto format(const almanac::Secret&, Context& context) const {
    return fmt::formatter<fmt::string_view>::format("***", context);
  }
};

#endif  // ALMANAC_BASE_SECRET_H_
