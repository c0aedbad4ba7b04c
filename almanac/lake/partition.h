// One partition of the lake: a folder of Parquet files that are replaced together. A writer
// prepares files beside the live ones, and Publish makes all of them live in one step: readers that
// hold a ReadGuard see the files of before or those of after, also when the writer is killed
// half-way. docs/lake.md specifies files, journal and locks.
#ifndef ALMANAC_LAKE_PARTITION_H_
#define ALMANAC_LAKE_PARTITION_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/lock.h"

namespace almanac {

// "name=value" of a Hive path; characters other than letters, digits, '.', '_', '-' become %XX.
std::string HivePart(std::string_view name, std::string_view value);
// The value in "name=value"; empty if `part` is not of that name.
std::string HiveValue(std::string_view name, std::string_view part);

class Partition {
 public:
  // `relative` is below the lake: "candles/market=.../time_frame=.../symbol=...".
  Partition(const Home& home, const std::filesystem::path& relative);

  const std::filesystem::path& folder() const { return folder_; }

  // For as long as it lives, the live files stay the same ones.
  class ReadGuard {
   public:
    explicit ReadGuard(FileLock lock) : lock_(std::move(lock)) {}

   private:
    FileLock lock_;
  };
  ReadGuard BeginRead() const;
  // The live files, sorted by name; call under a guard.
  std::vector<std::filesystem::path> Files() const;

  // Held by the one writer of the partition from before it reads what it will replace. Finishes
  // what a killed writer had begun to publish and deletes what one had only prepared.
  class WriteGuard {
   public:
    WriteGuard(const Partition& partition, FileLock lock)
        : partition_(partition), lock_(std::move(lock)) {}
    // Where the next version of the file `name` is to be written before Publish.
    std::filesystem::path Staged(const std::string& name) const;
    // Makes the staged files of these names live, together.
    void Publish(const std::vector<std::string>& names) const;

   private:
    const Partition& partition_;
    FileLock lock_;
  };
  WriteGuard BeginWrite() const;

 private:
  std::filesystem::path Journal() const;
  std::filesystem::path LockFile(std::string_view kind) const;
  void RollForward() const;  // under the write lock

  std::filesystem::path folder_;
  std::filesystem::path lock_base_;
};

}  // namespace almanac

#endif  // ALMANAC_LAKE_PARTITION_H_
