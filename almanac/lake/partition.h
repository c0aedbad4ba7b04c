// The files of one partition of the lake, one a year, and the protocol by which several of them
// change in one step (docs/lake.md, "How files change"). Inside lake only.
#ifndef ALMANAC_LAKE_PARTITION_H_
#define ALMANAC_LAKE_PARTITION_H_

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/lock.h"
#include "almanac/base/time.h"
#include "almanac/lake/object_store.h"

namespace almanac {

struct YearFile {
  int year = 0;
  int64_t size = 0;  // bytes
  std::string key;   // of the object: for messages
  std::unique_ptr<PinnedObject> object;
};

class Partition {
 public:
  // `path` is the partition's folder in the store, such as "candles/market=x/.../symbol=y".
  Partition(std::shared_ptr<ObjectStore> store, Home home, std::string path);

  const std::string& path() const { return path_; }
  // Whether there is any object in it.
  bool Exists() const;
  // The files of the years first..last, ascending, all of one version.
  std::vector<YearFile> Open(int first, int last) const;

 private:
  friend class PartitionChange;
  std::string KeyOf(std::string_view name) const;
  FileLock LockForView(FileLock::Mode mode) const;
  std::vector<YearFile> PinYears(int first, int last) const;
  void FinishJournal() const;
  void ApplyJournal() const;

  std::shared_ptr<ObjectStore> store_;
  Home home_;
  std::string path_;
};

// One change of a partition. It waits until it is the only writer, finishes what a killed writer
// left, and removes what it staged if it is not committed.
class PartitionChange {
 public:
  explicit PartitionChange(const Partition& partition);
  ~PartitionChange();
  PartitionChange(const PartitionChange&) = delete;
  PartitionChange& operator=(const PartitionChange&) = delete;

  // The year's file as it is; nothing if there is none. Safe from several threads, as is Stage.
  std::optional<YearFile> Open(int year) const;
  // Where to write the year's new file. It becomes the year's file with Commit.
  std::filesystem::path Stage(int year);
  // The year's file goes away with Commit.
  void Remove(int year);
  // Makes everything visible in one step. Nothing staged or removed: nothing happens.
  void Commit();

 private:
  void CommitOne();
  void CommitSeveral();

  const Partition& partition_;
  FileLock write_lock_;
  std::mutex mutex_;  // guards what follows
  std::map<int, std::filesystem::path> staged_;
  std::set<int> removed_;
};

// The years that a file can be named after.
inline constexpr int kFirstLakeYear = 1;
inline constexpr int kLastLakeYear = 9999;

// The year of an instant; Error(kBadData) outside those years.
int YearOf(TimeMs time);
// The same, with the nearest of those years instead of the error: for bounds of ranges.
int ClampedYear(TimeMs time);

// The values of the partitions below `root` that have files, in the order of their paths: for the
// names {"feature", "symbol"} those of "<root>/feature=a/symbol=b".
std::vector<std::vector<std::string>> ListPartitions(const ObjectStore& store,
                                                     const std::string& root,
                                                     const std::vector<std::string>& names);

}  // namespace almanac

#endif  // ALMANAC_LAKE_PARTITION_H_
