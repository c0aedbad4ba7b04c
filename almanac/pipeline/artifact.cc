#include "almanac/pipeline/artifact.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/json.h"
#include "almanac/base/lock.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kManifest = "manifest.json";
constexpr int kManifestFormat = 1;
constexpr size_t kNameDigits = 16;
// Another process may be training for hours on the same artifact: wait for it rather than repeat
// its work.
constexpr DurationMs kPatience = 7 * kMsPerDay;

std::vector<fs::path> FilesBelow(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

Json ManifestOf(const ArtifactKey& key, const fs::path& folder) {
  Json manifest;
  manifest["format"] = kManifestFormat;
  manifest["stage"] = key.stage;
  manifest["hash"] = key.Hash();
  manifest["code_version"] = key.code_version;
  manifest["inputs"] = Json::object();
  for (const auto& [role, hash] : key.inputs) manifest["inputs"][role] = hash;
  manifest["configuration"] = Json::parse(key.configuration);
  manifest["files"] = Json::array();
  for (const fs::path& file : FilesBelow(folder)) {
    manifest["files"].push_back({{"path", file.generic_string()},
                                 {"bytes", fs::file_size(folder / file)},
                                 {"sha256", Sha256OfFile(folder / file)}});
  }
  return manifest;
}

bool IsFileEntry(const Json& entry) {
  return entry.is_object() && entry.contains("path") && entry.at("path").is_string() &&
         entry.contains("bytes") && entry.at("bytes").is_number_unsigned() &&
         entry.contains("sha256") && entry.at("sha256").is_string();
}

// Nothing if there is none, or if it is not what ManifestOf writes.
std::optional<Json> ReadManifest(const fs::path& folder) {
  if (!fs::is_regular_file(folder / kManifest)) return std::nullopt;
  Json manifest = Json::parse(ReadFile(folder / kManifest), nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object() || !manifest.contains("files") || !manifest.contains("hash")) {
    return std::nullopt;
  }
  const Json& files = manifest.at("files");
  if (!files.is_array() || !std::all_of(files.begin(), files.end(), IsFileEntry)) {
    return std::nullopt;
  }
  return manifest;
}

}  // namespace

std::string ArtifactKey::Hash() const {
  Hasher hasher;
  hasher.Add(stage).Add(code_version).Add(configuration);
  hasher.Add(static_cast<int64_t>(inputs.size()));
  for (const auto& [role, hash] : inputs) hasher.Add(role).Add(hash);
  return hasher.Finish();
}

fs::path ArtifactStore::FolderOf(const ArtifactKey& key) const {
  return FolderOf(key.stage, key.Hash());
}

fs::path ArtifactStore::FolderOf(const std::string& stage, const std::string& hash) const {
  return home_.artifacts() / stage / hash.substr(0, kNameDigits);
}

bool ArtifactStore::IsComplete(const ArtifactKey& key) const {
  const fs::path folder = FolderOf(key);
  const std::optional<Json> manifest = ReadManifest(folder);
  if (!manifest || manifest->at("hash") != key.Hash()) return false;
  for (const Json& file : manifest->at("files")) {
    std::error_code error;
    const auto size = fs::file_size(folder / file.at("path").get<std::string>(), error);
    if (error || size != file.at("bytes").get<uintmax_t>()) return false;
  }
  return true;
}

ArtifactStore::Made ArtifactStore::Make(
    const ArtifactKey& key, const std::function<void(const fs::path& folder)>& write) const {
  const fs::path folder = FolderOf(key);
  if (IsComplete(key)) return {folder, false};
  const std::string name = key.stage + "-" + key.Hash().substr(0, kNameDigits);
  const FileLock lock(home_.locks() / (name + ".lock"), FileLock::Mode::kExclusive, kPatience,
                      "stage " + key.stage);
  if (IsComplete(key)) return {folder, false};

  AtomicFolder staged(folder);
  write(staged.staging());
  WriteFileAtomic(staged.staging() / kManifest, ManifestOf(key, staged.staging()).dump(2) + "\n");
  staged.Commit();
  return {folder, true};
}

std::string ArtifactStore::ContentHash(const ArtifactKey& key) const {
  const fs::path folder = FolderOf(key);
  if (!IsComplete(key)) {
    throw Error(ErrorCode::kBadData, folder.string(), "the artifact is not complete",
                "run the recipe again");
  }
  const std::optional<Json> manifest = ReadManifest(folder);
  Hasher hasher;
  for (const Json& file : manifest->at("files")) {
    hasher.Add(file.at("path").get<std::string>()).Add(file.at("sha256").get<std::string>());
  }
  return hasher.Finish();
}

void ArtifactStore::Remove(const ArtifactKey& key) const {
  // Renamed first, so that a kill in the middle of the deletion leaves no half artifact.
  const fs::path folder = FolderOf(key);
  if (!fs::exists(folder)) return;
  const fs::path aside = TemporaryBeside(folder);
  fs::rename(folder, aside);
  fs::remove_all(aside);
}

std::vector<std::string> ArtifactStore::Verify(const fs::path& folder) {
  const std::optional<Json> manifest = ReadManifest(folder);
  if (!manifest) return {std::string(kManifest) + ": is missing or cannot be read"};
  std::vector<std::string> problems;
  for (const Json& file : manifest->at("files")) {
    const std::string path = file.at("path");
    if (!fs::is_regular_file(folder / path)) {
      problems.push_back(path + ": is missing");
    } else if (Sha256OfFile(folder / path) != file.at("sha256").get<std::string>()) {
      problems.push_back(path + ": its content is not what was written");
    }
  }
  return problems;
}

}  // namespace almanac
