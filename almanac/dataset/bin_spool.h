// What a build of bins has done so far, on disk: three files that only grow and a record of how far
// they are valid, replaced at once. A process killed at any instant leaves a state that was. Inside
// this room.
#ifndef ALMANAC_DATASET_BIN_SPOOL_H_
#define ALMANAC_DATASET_BIN_SPOOL_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "almanac/dataset/bin_file.h"
#include "almanac/dataset/prune.h"

namespace almanac {

class BinSpool {
 public:
  // Where the work stands.
  struct State {
    size_t groups = 0;                                  // of the stream, done
    std::vector<std::optional<PrunedColumn>> verdicts;  // of their columns
    std::vector<size_t> compared;  // columns that the filter of correlations keeps
    std::vector<size_t> binned;    // columns that are in the spool
  };

  // Goes on where the folder's work stands if it was done under the same key; otherwise begins
  // anew. `rows` are those of a column's bins, `compared_rows` those of a compared column's values.
  BinSpool(std::filesystem::path folder, std::string key, size_t rows, size_t compared_rows);

  const State& state() const { return state_; }
  void AddCompared(size_t column, std::span<const float> values);
  void AddBinned(size_t column, const BinColumn& description, std::span<const uint8_t> bins);
  void AddVerdicts(std::span<const std::optional<PrunedColumn>> verdicts, size_t groups);
  // Makes what was added part of the state that another process would find.
  void Save();

  // In the order of state().compared and state().binned.
  std::vector<float> ReadCompared(size_t place) const;
  void WriteTo(BinFileWriter* writer) const;  // all binned columns

 private:
  std::filesystem::path Path(const char* name) const { return folder_ / name; }
  bool Load();
  void Open(bool afresh);

  std::filesystem::path folder_;
  std::string key_;
  size_t rows_, compared_rows_;
  State state_;
  uint64_t record_bytes_ = 0;
  std::ofstream compared_, bins_, records_;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_BIN_SPOOL_H_
