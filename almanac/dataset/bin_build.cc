#include "almanac/dataset/bin_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/lock.h"
#include "almanac/base/parallel.h"
#include "almanac/base/time.h"
#include "almanac/dataset/bin_file.h"
#include "almanac/dataset/bin_spool.h"
#include "almanac/dataset/lcg.h"
#include "almanac/dataset/memory_use.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kBinsFile = "columns.bins";
constexpr const char* kReportFile = "report.json";
constexpr double kMib = 1024.0 * 1024.0;
// Of one thread that computes a group, beside what grows with the rows.
constexpr size_t kThreadBytes = size_t{24} << 20;
// Of a column while it is compared, beside what grows with the rows (correlation.h).
constexpr size_t kFilterBytes = size_t{24} << 10;
// A state on disk costs a flush; work is repeated for at most this long.
constexpr std::chrono::seconds kBetweenSaves{10};

using Verdict = std::optional<PrunedColumn>;

// Some columns at a time: room for their values, one after another.
struct Batch {
  size_t first_group = 0, last_group = 0;  // [first, last)
  size_t first_column = 0, columns = 0;
};

// Each row the one after the row before.
bool AreNeighbours(std::span<const uint32_t> rows) {
  const auto gap = std::adjacent_find(rows.begin(), rows.end(),
                                      [](uint32_t a, uint32_t b) { return b != a + 1; });
  return gap == rows.end();
}

class Builder {
 public:
  Builder(const ColumnStream& stream, const BinRows& rows, const BinBuildSpec& spec,
          const fs::path& folder, Progress& progress)
      : stream_(stream),
        rows_(rows),
        spec_(spec),
        folder_(folder),
        progress_(progress),
        judge_(spec.prune, rows.training.size(), TrainingPlacesWithTarget()),
        lineage_(spec.target, spec.lineage),
        compared_(Pick(CorrelationRows(rows.training.size(), spec.prune.correlation_rows))),
        sampled_(Pick(Lcg(spec.seed).Sample(
            static_cast<uint32_t>(rows.training.size()),
            static_cast<uint32_t>(
                std::min<size_t>(rows.training.size(), static_cast<size_t>(spec.sampled_rows)))))),
        training_neighbours_(AreNeighbours(rows.training.rows())),
        sampled_neighbours_(AreNeighbours(sampled_)),
        filter_(compared_.size(), spec.prune.max_correlation),
        spool_(fs::path(folder).concat(".work"), spec.key, rows.rows.size(), compared_.size()) {}

  BinBuildReport Run() {
    Restore();
    const size_t largest = PlanMemory();
    values_ = std::make_unique_for_overwrite<float[]>(largest * Rows());
    progress_.Begin("features to bins", static_cast<int64_t>(stream_.names.size()));
    progress_.Advance(static_cast<int64_t>(spool_.state().verdicts.size()));
    saved_ = std::chrono::steady_clock::now();
    std::future<void> stored;  // of the batch before: the disk works beside the processors
    for (size_t group = spool_.state().groups; group < stream_.groups.size();) {
      const Batch batch = NextBatch(group, largest);
      RequireMemory(batch.columns);
      auto done = std::make_shared<const Done>(WorkOrSave(batch, &stored));
      Wait(&stored);
      stored = std::async(std::launch::async, [this, batch, done] { Store(batch, *done); });
      group = batch.last_group;
      progress_.Advance(static_cast<int64_t>(batch.columns));
    }
    Wait(&stored);
    return Finish();
  }

 private:
  size_t Rows() const { return rows_.rows.size(); }

  // Places in the training rows -> places in the kept rows.
  std::vector<uint32_t> Pick(std::vector<uint32_t> places) const {
    for (uint32_t& place : places) place = rows_.training.rows()[place];
    return places;
  }

  std::vector<uint32_t> TrainingPlacesWithTarget() const {
    std::vector<uint32_t> places;
    const std::span<const uint32_t> training = rows_.training.rows();
    for (size_t i = 0; i < training.size(); ++i) {
      if (std::binary_search(rows_.with_target.begin(), rows_.with_target.end(), training[i])) {
        places.push_back(static_cast<uint32_t>(i));
      }
    }
    return places;
  }

  void Restore() {
    const BinSpool::State& state = spool_.state();
    resumed_ = state.verdicts.size();
    for (size_t place = 0; place < state.compared.size(); ++place) {
      filter_.Restore(state.compared[place], spool_.ReadCompared(place));
    }
  }

  // Bytes that one more column in a batch takes: its values and bins; what is compared of it, as it
  // is and as bytes, and what the filter needs beside; and what the batch before has on its way to
  // the disk.
  size_t BytesOfColumn() const {
    const size_t compared = compared_.size() * (2 * sizeof(float) + 2);
    return Rows() * (sizeof(float) + 2) + compared + kFilterBytes;
  }
  size_t BytesOfThreads() const {
    const size_t rows = rows_.training.size() * 2 * sizeof(float);
    const size_t sample = sampled_.size() * (3 * sizeof(float) + 2 * sizeof(double));
    return static_cast<size_t>(ThreadCount()) * (kThreadBytes + rows + sample);
  }

  [[noreturn]] void ThrowTooLittle(size_t needed) const {
    throw Error(
        ErrorCode::kFailed, "memory",
        fmt::format("{:.0f} MiB are allowed and at least {:.0f} are needed",
                    static_cast<double>(spec_.memory) / kMib, static_cast<double>(needed) / kMib),
        "allow more, or compare fewer rows (correlation_rows)");
  }

  // The most columns in a batch. Half of what is free is left to kept columns if they may need it.
  size_t PlanMemory() const {
    size_t smallest = 1;
    for (const ColumnGroup& group : stream_.groups) smallest = std::max(smallest, group.count);
    const size_t used = ReadMemoryUse().now + BytesOfThreads();
    if (used + smallest * BytesOfColumn() > spec_.memory) {
      ThrowTooLittle(used + smallest * BytesOfColumn());
    }
    const size_t free = spec_.memory - used;
    const size_t kept = stream_.names.size() * compared_.size() * (sizeof(float) + 1);
    const size_t columns = (free - std::min(kept, free / 2)) / BytesOfColumn();
    return std::clamp(columns, smallest, std::max(smallest, spec_.largest_batch));
  }

  // Kept columns grow as the work goes on.
  void RequireMemory(size_t columns) const {
    const size_t needed =
        ReadMemoryUse().now + columns * (BytesOfColumn() - Rows() * sizeof(float));
    if (needed > spec_.memory) ThrowTooLittle(needed);
  }

  Batch NextBatch(size_t group, size_t largest) const {
    Batch batch{group, group, stream_.groups[group].first, 0};
    while (batch.last_group < stream_.groups.size() &&
           batch.columns + stream_.groups[batch.last_group].count <= largest) {
      batch.columns += stream_.groups[batch.last_group++].count;
    }
    return batch;
  }

  std::span<float> Values(size_t place) const { return {values_.get() + place * Rows(), Rows()}; }

  // Of a block, the rows that are kept; `next` is the first of them that has not come yet.
  void Take(const FeatureBlock& block, size_t first_place, size_t* next) const {
    const auto begin = rows_.rows.begin() + static_cast<std::ptrdiff_t>(*next);
    const auto end = std::lower_bound(begin, rows_.rows.end(), block.first_row + block.rows);
    const auto count = static_cast<size_t>(end - begin);
    for (size_t c = 0; c < block.columns.size(); ++c) {
      const float* from = block.columns[c];
      float* to = Values(first_place + c).data() + *next;
      if (count == block.rows) {
        std::copy_n(from, count, to);
      } else {
        for (size_t i = 0; i < count; ++i) to[i] = from[begin[i] - block.first_row];
      }
    }
    *next += count;
  }

  void Compute(const Batch& batch, size_t group, std::vector<Verdict>* verdicts) {
    const ColumnGroup columns = stream_.groups[group];
    const size_t first_place = columns.first - batch.first_column;
    size_t next = 0;
    stream_.compute(group, [&](const FeatureBlock& block) { Take(block, first_place, &next); });
    std::vector<float> memory;
    for (size_t place = first_place; place < first_place + columns.count; ++place) {
      (*verdicts)[place] =
          judge_.Judge(At(Values(place), rows_.training.rows(), training_neighbours_, &memory));
    }
  }

  static void Gather(std::span<const float> values, std::span<const uint32_t> rows, float* out) {
    for (size_t i = 0; i < rows.size(); ++i) out[i] = values[rows[i]];
  }

  // The values at some rows: of neighbours as they lie, else copied into `memory`.
  static std::span<const float> At(std::span<const float> values, std::span<const uint32_t> rows,
                                   bool are_neighbours, std::vector<float>* memory) {
    if (are_neighbours) return values.subspan(rows.front(), rows.size());
    memory->resize(rows.size());
    Gather(values, rows, memory->data());
    return *memory;
  }

  // What a batch adds to the work so far.
  struct Done {
    std::vector<Verdict> verdicts;
    std::vector<size_t> compared_ids;  // that are kept
    std::vector<float> compared_values;
    std::vector<size_t> binned_places;
    std::vector<BinMapper> mappers;
    std::vector<std::vector<uint8_t>> bins;
  };

  static void Wait(std::future<void>* stored) {
    if (stored->valid()) stored->get();
  }

  // If it is interrupted, what was stored before is not lost.
  Done WorkOrSave(const Batch& batch, std::future<void>* stored) {
    try {
      Done done;
      done.verdicts.resize(batch.columns);
      ParallelFor(batch.last_group - batch.first_group,
                  [&](size_t g) { Compute(batch, batch.first_group + g, &done.verdicts); });
      Compare(batch, &done);
      Bin(batch, &done);
      return done;
    } catch (...) {
      Wait(stored);
      spool_.Save();
      throw;
    }
  }

  void Store(const Batch& batch, const Done& done) {
    const std::span<const float> values(done.compared_values);
    for (size_t i = 0; i < done.compared_ids.size(); ++i) {
      spool_.AddCompared(done.compared_ids[i],
                         values.subspan(i * compared_.size(), compared_.size()));
    }
    for (size_t i = 0; i < done.binned_places.size(); ++i) {
      const size_t column = batch.first_column + done.binned_places[i];
      const MatrixColumn& name = stream_.names[column];
      spool_.AddBinned(column, {name.name, name.unit, done.mappers[i]}, done.bins[i]);
    }
    spool_.AddVerdicts(done.verdicts, batch.last_group);
    const auto now = std::chrono::steady_clock::now();
    if (now - saved_ < kBetweenSaves) return;
    spool_.Save();
    saved_ = now;
  }

  void Compare(const Batch& batch, Done* done) {
    std::vector<size_t> places;
    for (size_t place = 0; place < batch.columns; ++place) {
      if (!done->verdicts[place]) places.push_back(place);
    }
    const size_t rows = compared_.size();
    std::vector<float>& memory = done->compared_values;
    memory.resize(places.size() * rows);
    std::vector<std::span<const float>> columns(places.size());
    std::vector<size_t> ids(places.size());
    ParallelFor(places.size(), [&](size_t i) {
      Gather(Values(places[i]), compared_, memory.data() + i * rows);
      columns[i] = {memory.data() + i * rows, rows};
      ids[i] = batch.first_column + places[i];
    });
    const auto found = filter_.Judge(columns, ids);
    for (size_t i = 0; i < places.size(); ++i) {
      if (found[i]) {
        done->verdicts[places[i]] = RepeatOf(*found[i], stream_.names[found[i]->earlier].name);
        continue;
      }
      std::copy(columns[i].begin(), columns[i].end(),
                memory.begin() + static_cast<std::ptrdiff_t>(done->compared_ids.size() * rows));
      done->compared_ids.push_back(ids[i]);
    }
  }

  void Bin(const Batch& batch, Done* done) {
    for (size_t place = 0; place < batch.columns; ++place) {
      Verdict& verdict = done->verdicts[place];
      if (!verdict) verdict = lineage_.Judge(stream_.names[batch.first_column + place].name);
      if (!verdict) done->binned_places.push_back(place);
    }
    const std::vector<size_t>& places = done->binned_places;
    done->mappers.resize(places.size());
    done->bins.resize(places.size());
    ParallelFor(places.size(), [&](size_t i) {
      std::vector<float> memory;
      done->mappers[i] = BinMapper::Find(
          At(Values(places[i]), sampled_, sampled_neighbours_, &memory), spec_.bins);
      done->bins[i].resize(Rows());
      done->mappers[i].BinsOf(Values(places[i]), done->bins[i].data());
    });
  }

  BinBuildReport Finish() {
    values_.reset();  // their memory is the tiles' now
    spool_.Save();
    BinBuildReport report;
    report.columns = stream_.names.size();
    report.stream_rows = stream_.times.size();
    report.rows = Rows();
    report.resumed_columns = resumed_;
    report.prune.rows = rows_.training.size();
    std::vector<std::string> names;
    for (size_t c = 0; c < stream_.names.size(); ++c) {
      names.push_back(stream_.names[c].name);
      report.prune.Add(c, names.back(), spool_.state().verdicts[c]);
    }
    report.prune.Finish();
    AtomicFolder output(folder_);
    std::vector<TimeMs> times;
    for (const uint32_t row : rows_.rows) times.push_back(stream_.times[row]);
    BinFileWriter writer(output.staging() / kBinsFile, std::move(times));
    spool_.WriteTo(&writer);
    const BinningFacts facts{spec_.bins, rows_.training.size(), sampled_.size()};
    writer.Finish({{"binning", facts.ToJson()},
                   {"pruning", spec_.prune.ToJson()},
                   {"configuration", Json::parse(spec_.configuration)}});
    Json json = report.ToJson(names);
    json["key"] = spec_.key;
    WriteFileAtomic(output.staging() / kReportFile, json.dump(1) + "\n");
    output.Commit();
    fs::remove_all(fs::path(folder_).concat(".work"));
    report.peak_memory = ReadMemoryUse().peak;
    progress_.End(fmt::format("{} of {} columns kept", report.prune.kept.size(), report.columns));
    return report;
  }

  const ColumnStream& stream_;
  const BinRows& rows_;
  const BinBuildSpec& spec_;
  const fs::path folder_;
  Progress& progress_;
  ColumnJudge judge_;
  LineageJudge lineage_;
  std::vector<uint32_t> compared_, sampled_;  // places in the kept rows
  const bool training_neighbours_, sampled_neighbours_;
  CorrelationFilter filter_;
  BinSpool spool_;
  std::unique_ptr<float[]> values_;  // of a batch, column by column
  std::chrono::steady_clock::time_point saved_;
  size_t resumed_ = 0;
};

// What an earlier call with the same key wrote.
std::optional<BinBuildReport> ReadFinished(const fs::path& folder, const ColumnStream& stream,
                                           const std::string& key) {
  if (!fs::exists(folder / kReportFile) || !fs::exists(folder / kBinsFile)) return std::nullopt;
  const Json json = Json::parse(ReadFile(folder / kReportFile), nullptr, false);
  if (!json.is_object() || json.value("key", "") != key) return std::nullopt;
  BinBuildReport report;
  report.was_there = true;
  report.columns = json.at("columns").get<size_t>();
  report.stream_rows = json.at("stream_rows").get<size_t>();
  report.rows = json.at("rows").get<size_t>();
  report.prune.rows = json.at("training_rows").get<size_t>();
  std::map<std::string, PrunedColumn> pruned;
  for (const Json& gone : json.at("pruned")) {
    const std::string name = gone.at("name");
    report.prune.pruned.push_back({name, gone.at("reason"), gone.at("value"), gone.at("because")});
    pruned[name] = report.prune.pruned.back();
  }
  for (size_t c = 0; c < stream.names.size(); ++c) {
    if (!pruned.contains(stream.names[c].name)) report.prune.kept.push_back(c);
  }
  report.peak_memory = ReadMemoryUse().peak;
  return report;
}

void Check(const ColumnStream& stream, const BinRows& rows, const BinBuildSpec& spec) {
  spec.prune.Check();
  const auto refuse = [](const char* what, std::string problem, const char* remedy) {
    throw Error(ErrorCode::kUsage, what, std::move(problem), remedy);
  };
  if (spec.bins.is_categorical || spec.bins.max_bin < 2 || spec.bins.max_bin > 256) {
    refuse("bins", fmt::format("max_bin is {}", spec.bins.max_bin), "2 to 256, of numbers");
  }
  if (spec.bins.min_split_rows != 0) {
    refuse("bins", "min_split_rows is set", "training chooses it, not the file");
  }
  if (spec.sampled_rows < 1) {
    refuse("bins", fmt::format("sampled_rows is {}", spec.sampled_rows), "at least 1");
  }
  if (!std::is_sorted(rows.rows.begin(), rows.rows.end()) ||
      (!rows.rows.empty() && rows.rows.back() >= stream.times.size())) {
    refuse("bins", "the rows to keep are not ascending rows of the columns", "give each once");
  }
  const auto beyond = [&](uint32_t place) { return place >= rows.rows.size(); };
  const std::span<const uint32_t> training = rows.training.rows();
  if (training.empty() || std::any_of(training.begin(), training.end(), beyond)) {
    refuse("bins", "the training rows are not among the kept ones", "split the rows that are kept");
  }
}

}  // namespace

Json BinBuildReport::ToJson(const std::vector<std::string>& names) const {
  Json reasons = Json::object();
  for (const std::string& reason : PruneReasons()) reasons[reason] = prune.Count(reason);
  Json pruning = prune.ToJson(names);
  return {{"columns", columns},
          {"stream_rows", stream_rows},
          {"rows", rows},
          {"training_rows", prune.rows},
          {"reasons", reasons},
          {"kept", pruning.at("kept")},
          {"pruned", pruning.at("pruned")}};
}

BinBuildReport BuildBins(const ColumnStream& stream, const BinRows& rows, const BinBuildSpec& spec,
                         const fs::path& folder, Progress& progress) {
  Check(stream, rows, spec);
  constexpr DurationMs kPatience = DurationMs{3600} * 1000;
  const FileLock lock(fs::path(folder).concat(".lock"), FileLock::Mode::kExclusive, kPatience,
                      "building " + folder.string());
  if (const auto finished = ReadFinished(folder, stream, spec.key)) return *finished;
  return Builder(stream, rows, spec, folder, progress).Run();
}

}  // namespace almanac
