#include "almanac/lake/object_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/text.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kInProgress = ".tmp";

[[noreturn]] void Fail(const fs::path& path, std::string_view action, const std::string& reason) {
  throw Error(ErrorCode::kFailed, path.string(), fmt::format("{} failed: {}", action, reason));
}

void CheckKey(const std::string& key) {
  for (const std::string_view part : Split(key, '/')) {
    if (part.empty() || part == "." || part == "..") {
      throw Error(ErrorCode::kFailed, fmt::format("\"{}\"", key), "is not an object's key",
                  "parts between '/' may not be empty, \".\" or \"..\"");
    }
  }
  if (key.ends_with(kInProgress)) {
    throw Error(ErrorCode::kFailed, fmt::format("\"{}\"", key),
                "is not an object's key: \".tmp\" marks what is being written");
  }
}

// Linux names an open descriptor by a path, which keeps to the version that was opened.
class PinnedFile : public PinnedObject {
 public:
  explicit PinnedFile(int fd) : fd_(fd) {}
  ~PinnedFile() override { close(fd_); }
  PinnedFile(const PinnedFile&) = delete;
  PinnedFile& operator=(const PinnedFile&) = delete;
  fs::path path() const override { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
};

class LocalObjectStore : public ObjectStore {
 public:
  explicit LocalObjectStore(fs::path root) : root_(std::move(root)) {}

  std::string Get(const std::string& key) const override { return ReadFile(PathOf(key)); }

  std::unique_ptr<PinnedObject> Pin(const std::string& key) const override {
    const fs::path path = PathOf(key);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) return std::make_unique<PinnedFile>(fd);
    if (errno == ENOENT || errno == ENOTDIR) return nullptr;
    Fail(path, "opening", std::strerror(errno));
  }

  void Put(const std::string& key, std::string_view content) override {
    WriteFileAtomic(PathOf(key), content);
  }

  void PutFile(const std::string& key, const fs::path& file) override { PutFiles({{key, file}}); }

  void PutFiles(const std::vector<LocalFile>& files) override {
    std::set<fs::path> folders;
    for (const auto& [key, file] : files) {
      const fs::path path = PathOf(key);
      MakeParent(path);
      std::error_code error;
      SyncPath(file);
      fs::rename(file, path, error);
      if (error == std::errc::cross_device_link) {
        CopyAside(file, path);
      } else if (error) {
        Fail(path, "renaming into place", error.message());
      }
      folders.insert(path.parent_path());
    }
    std::ranges::for_each(folders, SyncPath);
  }

  void Move(const std::string& from, const std::string& to) override { MoveAll({{from, to}}); }

  void MoveAll(const std::vector<KeyChange>& changes) override {
    std::set<fs::path> folders;
    for (const auto& [from, to] : changes) {
      const fs::path source = PathOf(from);
      const fs::path path = PathOf(to);
      if (!fs::exists(source) && fs::exists(path)) continue;
      MakeParent(path);
      std::error_code error;
      fs::rename(source, path, error);
      if (error) Fail(path, "renaming into place", error.message());
      folders.insert(path.parent_path());
    }
    std::ranges::for_each(folders, SyncPath);
  }

  void Delete(const std::string& key) override {
    const fs::path path = PathOf(key);
    std::error_code error;
    const bool removed = fs::remove(path, error);
    if (error) Fail(path, "deleting", error.message());
    if (removed) SyncPath(path.parent_path());
  }

  std::optional<int64_t> Size(const std::string& key) const override {
    std::error_code error;
    const auto size = fs::file_size(PathOf(key), error);
    if (error) return std::nullopt;
    return static_cast<int64_t>(size);
  }

  std::vector<ObjectInfo> List(const std::string& prefix) const override {
    std::vector<ObjectInfo> found;
    const size_t slash = prefix.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : prefix.substr(0, slash);
    if (!folder.empty()) CheckKey(folder);
    ListFolder(folder, prefix, found);
    std::ranges::sort(found, {}, &ObjectInfo::key);
    return found;
  }

  std::optional<fs::path> LocalPath(const std::string& key) const override { return PathOf(key); }

 private:
  fs::path PathOf(const std::string& key) const {
    CheckKey(key);
    return root_ / key;
  }

  static void MakeParent(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) Fail(path.parent_path(), "making the folder", error.message());
  }

  static void CopyAside(const fs::path& file, const fs::path& path) {
    const fs::path staged = TemporaryBeside(path);
    std::error_code error;
    fs::copy_file(file, staged, error);
    if (error) Fail(path, "copying", error.message());
    CommitRename(staged, path);
    fs::remove(file, error);
  }

  void ListFolder(const std::string& folder, const std::string& prefix,
                  std::vector<ObjectInfo>& found) const {
    std::error_code error;
    for (fs::directory_iterator it(root_ / folder, error), end; !error && it != end;
         it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name.ends_with(kInProgress)) continue;
      const std::string key = folder.empty() ? name : fmt::format("{}/{}", folder, name);
      std::error_code ignored;
      if (it->is_directory(ignored)) {
        const std::string inside = key + "/";
        if (inside.starts_with(prefix) || prefix.starts_with(inside)) {
          ListFolder(key, prefix, found);
        }
      } else if (key.starts_with(prefix)) {
        // A file that was deleted meanwhile is no object.
        const auto size = it->file_size(ignored);
        if (!ignored) found.push_back({key, static_cast<int64_t>(size)});
      }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      Fail(root_ / folder, "listing", error.message());
    }
  }

  fs::path root_;
};

}  // namespace

void ObjectStore::PutFiles(const std::vector<LocalFile>& files) {
  for (const auto& [key, file] : files) PutFile(key, file);
}

void ObjectStore::MoveAll(const std::vector<KeyChange>& changes) {
  for (const auto& [from, to] : changes) Move(from, to);
}

std::shared_ptr<ObjectStore> MakeLocalObjectStore(fs::path root) {
  return std::make_shared<LocalObjectStore>(std::move(root));
}

}  // namespace almanac
