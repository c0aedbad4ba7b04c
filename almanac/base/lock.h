// Advisory locks between processes (flock on a file that stays).
#ifndef ALMANAC_BASE_LOCK_H_
#define ALMANAC_BASE_LOCK_H_

#include <filesystem>
#include <optional>
#include <string>

#include "almanac/base/time.h"

namespace almanac {

// Held for as long as the object lives; the kernel releases it when the process dies. Movable.
class FileLock {
 public:
  enum class Mode { kShared, kExclusive };

  // Waits up to `patience` for the lock; then throws Error(kFailed) that names the file, the
  // holder's pid and purpose, and how long it waited. Parent folders are made. `purpose` is written
  // into the file by an exclusive holder ("pid 123: almanac run since ...").
  FileLock(const std::filesystem::path& path, Mode mode, DurationMs patience,
           const std::string& purpose = "");
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Does not wait: nothing if somebody else holds it.
  static std::optional<FileLock> Try(const std::filesystem::path& path, Mode mode,
                                     const std::string& purpose = "");

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace almanac

#endif  // ALMANAC_BASE_LOCK_H_
