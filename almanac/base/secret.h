// Secrets: API keys and passwords. They come from the environment or from a file that only its owner
// can read, and never reach a log, an error, a manifest or a report.
#ifndef ALMANAC_BASE_SECRET_H_
#define ALMANAC_BASE_SECRET_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// A value that formats as "***". Reveal() is the only way to its text.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

// Looks for NAME in the environment, then in the file ALMANAC_SECRETS names, then in
// HOME/secrets.yaml (a flat mapping NAME: value). A file that group or others can read is refused
// with Error(kUsage) that gives the chmod to run. Nothing found: nullopt.
std::optional<Secret> FindSecret(std::string_view name, const std::filesystem::path& home);
// The same, but missing is Error(kUsage) that says where it can be set.
Secret RequireSecret(std::string_view name, const std::filesystem::path& home,
                     std::string_view used_for);

// Replaces every registered secret's text in `text` by "***" (secrets register when found). The
// logger and Error printing pass through this.
std::string Redact(std::string text);

}  // namespace almanac

#endif  // ALMANAC_BASE_SECRET_H_
