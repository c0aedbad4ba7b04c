#include "almanac/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "almanac/base/error.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTemporarySuffix = ".tmp";

[[noreturn]] void Fail(const fs::path& path, std::string_view action) {
  throw Error(ErrorCode::kFailed, path.string(),
              fmt::format("{} failed: {}", action, std::strerror(errno)));
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0644)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (fd_ < 0) Fail(path, "opening");
  }
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void WriteAll(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      Fail(path, "writing");
    }
    content.remove_prefix(static_cast<size_t>(written));
  }
}

fs::path ParentOf(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void MakeFolders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorCode::kFailed, folder.string(),
                "the folder cannot be made: " + error.message());
  }
}

void SyncTree(const fs::path& path) {
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) SyncTree(entry.path());
  }
  SyncPath(path);
}

// The pid in "<name>.<pid>-<counter>.tmp", or 0.
pid_t OwnerOf(const fs::path& path) {
  const std::string stem = path.stem().string();
  const size_t dot = stem.rfind('.');
  if (dot == std::string::npos) return 0;
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(stem.data() + dot + 1, stem.data() + stem.size(), pid);
  return error == std::errc() && *end == '-' ? pid : 0;
}

}  // namespace

std::string ReadFile(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  std::string content;
  struct stat info {};
  if (fstat(file.get(), &info) == 0 && info.st_size > 0) {
    content.reserve(static_cast<size_t>(info.st_size));
  }
  constexpr size_t kBlock = size_t{1} << 18;
  std::vector<char> block(kBlock);
  while (true) {
    const ssize_t count = read(file.get(), block.data(), block.size());
    if (count == 0) return content;
    if (count < 0) {
      if (errno == EINTR) continue;
      Fail(path, "reading");
    }
    content.append(block.data(), static_cast<size_t>(count));
  }
}

void SyncPath(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  // A file system that cannot flush (some network mounts) answers EINVAL: nothing more to do there.
  if (fsync(file.get()) != 0 && errno != EINVAL) Fail(path, "flushing");
}

fs::path TemporaryBeside(const fs::path& path) {
  static std::atomic<int> counter{0};
  // "folder/" is the folder itself: the name goes beside it, not inside.
  const fs::path target = path.has_filename() ? path : path.parent_path();
  return target.string() +
         fmt::format(".{}-{}{}", getpid(), counter.fetch_add(1), kTemporarySuffix);
}

void WriteFileAtomic(const fs::path& path, std::string_view content) {
  MakeFolders(ParentOf(path));
  const fs::path staged = TemporaryBeside(path);
  try {
    {
      const Descriptor file(staged, O_WRONLY | O_CREAT | O_TRUNC);
      WriteAll(file.get(), content, staged);
      if (fsync(file.get()) != 0 && errno != EINVAL) Fail(staged, "flushing");
    }
    if (rename(staged.c_str(), path.c_str()) != 0) Fail(path, "renaming into place");
  } catch (...) {
    unlink(staged.c_str());
    throw;
  }
  SyncPath(ParentOf(path));
}

void CommitRename(const fs::path& staged, const fs::path& path) {
  SyncTree(staged);
  if (rename(staged.c_str(), path.c_str()) != 0) Fail(path, "renaming into place");
  SyncPath(ParentOf(path));
}

int RemoveStaleTemporaries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> stale;
  for (auto it = fs::recursive_directory_iterator(folder, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().extension() != kTemporarySuffix) continue;
    if (it->is_directory()) it.disable_recursion_pending();
    const pid_t owner = OwnerOf(it->path());
    const bool alive = owner > 0 && (kill(owner, 0) == 0 || errno == EPERM);
    if (owner > 0 && !alive) stale.push_back(it->path());
  }
  for (const fs::path& path : stale) fs::remove_all(path, error);
  return static_cast<int>(stale.size());
}

AtomicFolder::AtomicFolder(fs::path path)
    : path_(path.has_filename() ? std::move(path) : path.parent_path()),
      staging_(TemporaryBeside(path_)) {
  MakeFolders(staging_);
}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(staging_, ignored);
}

void AtomicFolder::Commit() {
  SyncTree(staging_);
  if (fs::exists(path_)) {
    // A folder cannot be replaced in one step by a plain rename; exchanging the two can.
    if (renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0) {
      Fail(path_, "exchanging the folder");
    }
  } else if (rename(staging_.c_str(), path_.c_str()) != 0) {
    Fail(path_, "renaming into place");
  }
  committed_ = true;
  SyncPath(ParentOf(path_));
  // The old folder goes once the new one is safe. What cannot be deleted is a temporary like
  // others.
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) Fail(path, "reading the size");
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;  // an empty file cannot be mapped; data() stays null
  void* mapped = mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) Fail(path, "mapping");
  data_ = static_cast<const std::byte*>(mapped);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace almanac
