// Files that are either the old state or the new one: written aside, flushed to disk, renamed into
// place, the folder flushed. A process killed at any instant leaves at most a "*.tmp" entry, which
// no reader looks at and RemoveStaleTemporaries deletes.
#ifndef ALMANAC_BASE_FILE_H_
#define ALMANAC_BASE_FILE_H_

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace almanac {

// The whole content. Throws Error(kFailed) naming the path if it cannot be read.
std::string ReadFile(const std::filesystem::path& path);

// Replaces the file's content; missing parent folders are made. Throws Error(kFailed), leaving what
// was there as it was.
void WriteFileAtomic(const std::filesystem::path& path, std::string_view content);

// Makes `staged` (a finished file or folder on the same file system) appear as `path`, replacing a
// file that is there, and flushes everything that makes this survive a power cut.
void CommitRename(const std::filesystem::path& staged, const std::filesystem::path& path);

// Flushes a file's or a folder's own data to disk.
void SyncPath(const std::filesystem::path& path);

// A name beside `path` that no other process or thread uses: "<path>.<pid>-<counter>.tmp".
std::filesystem::path TemporaryBeside(const std::filesystem::path& path);

// Deletes "*.tmp" entries below `folder` whose process (the pid in their name) is gone.
// Returns how many.
int RemoveStaleTemporaries(const std::filesystem::path& folder);

// A folder that appears whole or not at all. Write below staging(), then Commit(); destruction
// without Commit deletes what was staged. Commit on a path where a folder already is, replaces it.
class AtomicFolder {
 public:
  explicit AtomicFolder(std::filesystem::path path);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const std::filesystem::path& staging() const { return staging_; }
  void Commit();

 private:
  std::filesystem::path path_, staging_;
  bool committed_ = false;
};

// A file mapped read-only for as long as the object lives. Movable.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_BASE_FILE_H_
