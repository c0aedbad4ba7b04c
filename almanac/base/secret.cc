#include "almanac/base/secret.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/error.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFileVariable = "ALMANAC_SECRETS";
constexpr std::string_view kMask = "***";

struct Registry {
  std::mutex mutex;
  std::vector<std::string> texts;  // longest first, so that one inside another leaves nothing over

  static Registry& Get() {
    // Never destroyed: a thread may still log while the program ends.
    static Registry* registry = new Registry;
    return *registry;
  }

  void Add(const std::string& text) {
    if (text.empty() || std::find(texts.begin(), texts.end(), text) != texts.end()) return;
    texts.push_back(text);
    std::stable_sort(texts.begin(), texts.end(), [](const std::string& a, const std::string& b) {
      return a.size() > b.size();
    });
  }
};

// As in the query of a URL (RFC 3986: all but unreserved characters).
std::string PercentEncoded(const std::string& text, std::string_view hexadecimal) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') ||
                            std::string_view("-._~").find(c) != std::string_view::npos;
    if (unreserved) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += hexadecimal[byte >> 4];
      encoded += hexadecimal[byte & 15];
    }
  }
  return encoded;
}

std::string JsonEscaped(const std::string& text) {
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

const char* FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr && *value != '\0' ? value : nullptr;
}

// False if there is no such file.
bool CheckPermissions(const fs::path& file) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw Error(ErrorCode::kUsage, file.string(),
                fmt::format("cannot be looked at: {}", std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    throw Error(ErrorCode::kUsage, file.string(), "is not a regular file",
                "secrets stand in a file of lines \"NAME: value\"");
  }
  constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
  if ((info.st_mode & kOthers) != 0) {
    throw Error(
        ErrorCode::kUsage, file.string(),
        fmt::format("holds secrets, but its mode {:04o} lets others at it", info.st_mode & 07777),
        fmt::format("run: chmod 600 '{}'", file.string()));
  }
  return true;
}

std::optional<Secret> FromFile(std::string_view name, const fs::path& file) {
  const ConfigDocument document = ConfigDocument::Load(file);
  const std::string value = document.root().String(name, "");
  if (value.empty()) return std::nullopt;
  return Secret(value);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Secret&) { return out << kMask; }

std::optional<Secret> FindSecret(std::string_view name, const fs::path& home) {
  std::optional<Secret> secret;
  if (const char* value = FromEnvironment(std::string(name))) secret = Secret(value);
  if (const char* file = FromEnvironment(kFileVariable); !secret && file != nullptr) {
    if (!CheckPermissions(file)) {
      throw Error(ErrorCode::kUsage, fmt::format("{}={}", kFileVariable, file),
                  "there is no such file",
                  "set it to a file of lines \"NAME: value\", or unset it");
    }
    secret = FromFile(name, file);
  }
  const fs::path own = home / "secrets.yaml";
  if (!secret && CheckPermissions(own)) secret = FromFile(name, own);
  if (secret) RegisterSecret(*secret);
  return secret;
}

Secret RequireSecret(std::string_view name, const fs::path& home, std::string_view used_for) {
  std::optional<Secret> secret = FindSecret(name, home);
  if (secret) return *std::move(secret);
  throw Error(ErrorCode::kUsage, std::string(name),
              fmt::format("is not set; {} needs it", used_for),
              fmt::format("export {0}=..., or write \"{0}: ...\" into {1} (chmod 600)", name,
                          (home / "secrets.yaml").string()));
}

void RegisterSecret(const Secret& secret) {
  Registry& registry = Registry::Get();
  const std::lock_guard<std::mutex> hold(registry.mutex);
  registry.Add(secret.Reveal());
  registry.Add(PercentEncoded(secret.Reveal(), "0123456789ABCDEF"));
  registry.Add(PercentEncoded(secret.Reveal(), "0123456789abcdef"));
  registry.Add(JsonEscaped(secret.Reveal()));
}

std::string Redact(std::string text) {
  Registry& registry = Registry::Get();
  const std::lock_guard<std::mutex> hold(registry.mutex);
  for (const std::string& secret : registry.texts) {
    for (size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + kMask.size())) {
      text.replace(at, secret.size(), kMask);
    }
  }
  return text;
}

}  // namespace almanac
