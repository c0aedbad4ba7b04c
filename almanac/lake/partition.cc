#include "almanac/lake/partition.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/json.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

// A leading underscore hides a file from Spark, Athena and the pattern "*.parquet".
constexpr const char* kJournal = "_journal.json";
constexpr const char* kStagedSuffix = ".staged";
constexpr DurationMs kReadPatience = 5 * kMsPerMinute;
constexpr DurationMs kWritePatience = 60 * kMsPerMinute;
constexpr size_t kLockDigits = 16;

bool IsPlain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string HivePart(std::string_view name, std::string_view value) {
  std::string part = std::string(name) + "=";
  for (const char c : value) {
    if (IsPlain(c)) {
      part += c;
    } else {
      part += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return part;
}

std::string HiveValue(std::string_view name, std::string_view part) {
  if (part.size() <= name.size() || part.substr(0, name.size()) != name ||
      part[name.size()] != '=') {
    return "";
  }
  std::string value;
  for (size_t i = name.size() + 1; i < part.size(); ++i) {
    const bool escaped = part[i] == '%' && i + 2 < part.size() && HexDigit(part[i + 1]) >= 0 &&
                         HexDigit(part[i + 2]) >= 0;
    value +=
        escaped ? static_cast<char>(HexDigit(part[i + 1]) * 16 + HexDigit(part[i + 2])) : part[i];
    if (escaped) i += 2;
  }
  return value;
}

Partition::Partition(const Home& home, const fs::path& relative)
    : folder_(home.lake() / relative),
      lock_base_(home.locks() /
                 ("lake-" + Sha256(relative.generic_string()).substr(0, kLockDigits))) {}

fs::path Partition::Journal() const { return folder_ / kJournal; }

fs::path Partition::LockFile(std::string_view kind) const {
  return lock_base_.string() + "." + std::string(kind);
}

Partition::ReadGuard Partition::BeginRead() const {
  while (true) {
    FileLock lock(LockFile("read"), FileLock::Mode::kShared, kReadPatience, "read the lake");
    if (!fs::exists(Journal())) return ReadGuard(std::move(lock));
    // A writer is about to publish, or was killed while it did. Holding the write lock means that
    // there is none alive, and BeginWrite finishes its work.
    lock = FileLock(LockFile("wait"), FileLock::Mode::kShared, kReadPatience);
    const WriteGuard finished = BeginWrite();
  }
}

std::vector<fs::path> Partition::Files() const {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (entry.path().extension() == ".parquet") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void Partition::RollForward() const {
  if (!fs::exists(Journal())) return;
  const Json journal = Json::parse(ReadFile(Journal()), nullptr, false);
  if (!journal.is_object() || !journal.contains("files")) {
    throw Error(ErrorCode::kBadData, Journal().string(), "is not a journal of the lake",
                "it is written in one step, so another program must have changed it; remove it "
                "and import the series again");
  }
  const FileLock lock(LockFile("read"), FileLock::Mode::kExclusive, kWritePatience, "publish");
  for (const Json& name : journal.at("files")) {
    const fs::path live = folder_ / name.get<std::string>();
    const fs::path staged = live.string() + kStagedSuffix;
    // One that is not there any more was renamed before the writer was killed.
    if (fs::exists(staged)) fs::rename(staged, live);
  }
  SyncPath(folder_);
  fs::remove(Journal());
  SyncPath(folder_);
}

Partition::WriteGuard Partition::BeginWrite() const {
  FileLock lock(LockFile("write"), FileLock::Mode::kExclusive, kWritePatience, "write the lake");
  RollForward();
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    throw Error(ErrorCode::kFailed, folder_.string(),
                "the folder cannot be made: " + error.message());
  }
  std::vector<fs::path> abandoned;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() == kStagedSuffix) abandoned.push_back(entry.path());
  }
  for (const fs::path& path : abandoned) fs::remove(path);
  return WriteGuard(*this, std::move(lock));
}

fs::path Partition::WriteGuard::Staged(const std::string& name) const {
  return partition_.folder_ / (name + kStagedSuffix);
}

void Partition::WriteGuard::Publish(const std::vector<std::string>& names) const {
  if (names.empty()) return;
  for (const std::string& name : names) SyncPath(Staged(name));
  const Json journal = {{"files", names}};
  WriteFileAtomic(partition_.Journal(), journal.dump() + "\n");
  partition_.RollForward();
}

}  // namespace almanac
