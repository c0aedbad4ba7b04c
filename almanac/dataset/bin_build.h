// From columns that never are in memory all at once to a file of bins: columns come in groups, are
// judged, binned and dropped; rows that are not asked for are dropped as they come.
//
// What is written is what PruneColumns (prune.h) keeps, binned as BinMapper::Find does; it does not
// depend on the memory limit, the number of threads or interruptions. The output is a folder with
// columns.bins (bin_file.h) and report.json. It appears whole or not at all. Until then the work so
// far lies in a folder beside it ("NAME.work"), from which the same call goes on.
#ifndef ALMANAC_DATASET_BIN_BUILD_H_
#define ALMANAC_DATASET_BIN_BUILD_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/progress.h"
#include "almanac/dataset/bin_mapper.h"
#include "almanac/dataset/prune.h"
#include "almanac/dataset/split.h"
#include "almanac/feature/stream.h"

namespace almanac {

// Columns that come in groups of neighbours, such as a FeatureStream's.
struct ColumnStream {
  std::vector<TimeMs> times;  // of all rows that the columns have
  std::vector<MatrixColumn> names;
  std::vector<ColumnGroup> groups;
  // Gives a group's blocks of rows, in order. Called from several threads at once.
  std::function<void(size_t group, const FeatureStream::Sink& sink)> compute;
};
// Of a FeatureStream, which must outlive it.
inline ColumnStream StreamOf(const FeatureStream& stream) {
  ColumnStream columns{stream.index(), stream.Names(), {}, {}};
  for (size_t g = 0; g < stream.groups(); ++g) columns.groups.push_back(stream.group(g));
  columns.compute = [&stream](size_t group, const FeatureStream::Sink& sink) {
    stream.Compute(group, sink);
  };
  return columns;
}

// The rows to keep, and what they are for.
struct BinRows {
  std::vector<uint32_t> rows;         // of the stream, ascending
  TrainingRows training;              // places in `rows`
  std::vector<uint32_t> with_target;  // places in `rows` that have a target, ascending
};

struct BinBuildSpec {
  PruneSpec prune;
  std::string target;  // its name, for the lineage
  Lineage lineage;
  BinOptions bins;  // numerical, at most 256 bins
  int64_t sampled_rows = 200000;
  uint32_t seed = 1;
  size_t memory = size_t{4} << 30;                   // bytes that the process may have resident
  size_t largest_batch = CorrelationFilter::kBatch;  // columns worked on at a time, at most
  std::string configuration = "{}";  // of what made the columns, JSON: goes into the description
  std::string key;                   // names everything that the result depends on
};

struct BinBuildReport {
  size_t columns = 0;      // that were computed
  size_t stream_rows = 0;  // of each
  size_t rows = 0;         // that were kept
  PruneReport prune;
  bool was_there = false;      // nothing had to be done
  size_t resumed_columns = 0;  // that an earlier call had done
  size_t peak_memory = 0;      // bytes, of the process

  // What report.json holds: no times, no memory, so that equal calls give equal bytes.
  Json ToJson(const std::vector<std::string>& names) const;
};

// Throws Error(kUsage) for options out of range, Error(kFailed) if the memory is too little for the
// smallest piece of work, Error(kBadData) if no column is left, and whatever `stream` throws.
BinBuildReport BuildBins(const ColumnStream& stream, const BinRows& rows, const BinBuildSpec& spec,
                         const std::filesystem::path& folder, Progress& progress);

}  // namespace almanac

#endif  // ALMANAC_DATASET_BIN_BUILD_H_
