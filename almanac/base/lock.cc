#include "almanac/base/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <utility>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/text.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

using Mode = FileLock::Mode;

constexpr DurationMs kPollEvery = 20;

[[noreturn]] void Fail(const fs::path& path, std::string_view action) {
  throw Error(ErrorCode::kFailed, path.string(),
              fmt::format("{} failed: {}", action, std::strerror(errno)));
}

class LockFile {
 public:
  LockFile(const fs::path& path, Mode mode) : path_(path), mode_(mode) {
    std::error_code error;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
    if (error) {
      throw Error(ErrorCode::kFailed, path.string(),
                  "the lock's folder cannot be made: " + error.message());
    }
    // A reader needs no right to write; on NFS, an exclusive lock does.
    const int access = mode == Mode::kShared ? O_RDONLY : O_RDWR;
    constexpr mode_t kPermissions = 0644;
    fd_ = open(path.c_str(), access | O_CREAT | O_CLOEXEC, kPermissions);
    if (fd_ < 0) Fail(path, "opening the lock file");
  }
  ~LockFile() {
    if (fd_ >= 0) close(fd_);
  }
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  // False if somebody else holds it.
  bool Acquire() {
    const int operation = (mode_ == Mode::kShared ? LOCK_SH : LOCK_EX) | LOCK_NB;
    while (flock(fd_, operation) != 0) {
      if (errno == EWOULDBLOCK) return false;
      if (errno != EINTR) Fail(path_, "locking");
    }
    return true;
  }

  // The descriptor of the lock that was acquired, with its holder written into the file. That is
  // information for people: failing to write it (a full disk) does not weaken the lock.
  int Keep(const std::string& purpose) {
    if (mode_ == Mode::kExclusive) {
      const std::string text =
          fmt::format("pid {}: {} since {}\n", getpid(), purpose.empty() ? "almanac" : purpose,
                      FormatTime(Now() / kMsPerSecond * kMsPerSecond));
      if (ftruncate(fd_, 0) == 0) (void)!pwrite(fd_, text.data(), text.size(), 0);
    }
    return std::exchange(fd_, -1);
  }

  // "held by pid 123: almanac run since ...". A process that was killed leaves its text behind, and
  // shared holders write none.
  std::string DescribeHolder() const {
    std::array<char, 512> buffer{};
    const ssize_t size = pread(fd_, buffer.data(), buffer.size(), 0);
    const std::string_view text =
        Trim(std::string_view(buffer.data(), static_cast<size_t>(std::max<ssize_t>(size, 0))));
    constexpr std::string_view kStart = "pid ";
    pid_t pid = 0;
    if (text.starts_with(kStart)) {
      std::from_chars(text.data() + kStart.size(), text.data() + text.size(), pid);
    }
    const bool alive = pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
    return alive ? fmt::format("held by {}", text) : "held by another process, for reading";
  }

 private:
  fs::path path_;
  Mode mode_;
  int fd_ = -1;
};

void Release(int fd, bool exclusive) {
  if (fd < 0) return;
  if (exclusive) (void)!ftruncate(fd, 0);
  close(fd);
}

// The access mode says which kind of lock the descriptor was opened for.
bool IsExclusive(int fd) { return fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR; }

}  // namespace

FileLock::FileLock(const fs::path& path, Mode mode, DurationMs patience,
                   const std::string& purpose) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  LockFile file(path, mode);
  while (!file.Acquire()) {
    const DurationMs waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
    if (waited >= patience) {
      throw Error(ErrorCode::kFailed, path.string(),
                  fmt::format("is {}; waited {}", file.DescribeHolder(), FormatDuration(waited)),
                  "try again when that is done");
    }
    SleepOrCancel(std::min(kPollEvery, patience - waited));
  }
  fd_ = file.Keep(purpose);
}

FileLock::~FileLock() { Release(fd_, IsExclusive(fd_)); }

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    Release(fd_, IsExclusive(fd_));
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

std::optional<FileLock> FileLock::Try(const fs::path& path, Mode mode, const std::string& purpose) {
  LockFile file(path, mode);
  if (!file.Acquire()) return std::nullopt;
  return FileLock(file.Keep(purpose));
}

}  // namespace almanac
