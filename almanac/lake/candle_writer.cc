#include "almanac/lake/candle_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/lake/candle_file.h"
#include "almanac/lake/candle_merge.h"

namespace almanac {
namespace {

// A piece smaller than this is not worth a file.
constexpr int64_t kSmallestSpill = int64_t{64} << 10;
constexpr size_t kLargeChunk = 4096;

}  // namespace

BufferedCandleWriter::BufferedCandleWriter(std::shared_ptr<CandleStoreState> state, SeriesKey key)
    : state_(std::move(state)),
      key_(std::move(key)),
      partition_(state_->PartitionOf(key_)),
      spill_(state_->home.temporary()) {
  ++state_->writers;
}

BufferedCandleWriter::~BufferedCandleWriter() {
  Buffered(-bytes_);
  --state_->writers;
}

void BufferedCandleWriter::Buffered(int64_t bytes) {
  bytes_ += bytes;
  state_->buffered += bytes;
}

void BufferedCandleWriter::CheckGrid(const CandleSeries& bars) const {
  const DurationMs duration = key_.timeframe.duration();
  if (duration >= kMsPerDay) return;
  const auto off =
      std::ranges::find_if(bars.open_time, [=](TimeMs time) { return time % duration != 0; });
  if (off == bars.open_time.end()) return;
  const TimeMs nearest = key_.timeframe.Floor(*off);
  throw Error(ErrorCode::kBadData, fmt::format("{} {}", ToString(key_), FormatTime(*off)),
              fmt::format("is not the open time of a {} bar", key_.timeframe.name()),
              fmt::format("the bar that contains it opens at {}", FormatTime(nearest)));
}

void BufferedCandleWriter::SelectYear(TimeMs time) {
  const int year = YearOf(time);
  year_start_ = StartOfDate({year, 1, 1});
  year_end_ = StartOfDate({year + 1, 1, 1});
  year_bars_ = &years_[year];
  year_bars_->key = key_;
}

void BufferedCandleWriter::Append(const CandleSeries& bars) {
  CheckLengths(bars);
  CheckGrid(bars);
  for (size_t first = 0; first < bars.size();) {
    const TimeMs time = bars.open_time[first];
    if (year_bars_ == nullptr || time < year_start_ || time >= year_end_) {
      SelectYear(time);
      // Room for the whole year, which costs nothing until it is used; growing by doubling would.
      if (bars.size() >= kLargeChunk && year_bars_->empty()) {
        year_bars_->Reserve(
            static_cast<size_t>((year_end_ - year_start_) / key_.timeframe.duration()));
      }
    }
    size_t last = first + 1;
    while (last < bars.size() && bars.open_time[last] >= year_start_ &&
           bars.open_time[last] < year_end_) {
      ++last;
    }
    AppendBars(*year_bars_, bars, first, last);
    first = last;
  }
  Buffered(static_cast<int64_t>(bars.size()) * kBytesPerBar);
  SpillIfLarge();
}

// The writer that appends gives way once all together hold too much, unless it holds less than half
// of what a writer holds on average: many writers would otherwise spill a few bars each time.
void BufferedCandleWriter::SpillIfLarge() {
  const int64_t all = state_->buffered;
  if (all <= state_->options.writer_memory || bytes_ < kSmallestSpill) return;
  if (bytes_ * 2 * state_->writers >= all) Spill();
}

void BufferedCandleWriter::Spill() {
  for (auto& [year, bars] : years_) {
    SortUnique(bars);
    spill_.Add(year, bars);
  }
  years_.clear();
  year_bars_ = nullptr;
  Buffered(-bytes_);
}

UpsertStats BufferedCandleWriter::MergeYear(PartitionChange& change, int year) {
  CandleSeries fresh = years_.empty() ? spill_.Read(year) : std::move(years_.at(year));
  fresh.key = key_;
  SortUnique(fresh);
  CandleSeries old;
  if (auto file = change.Open(year)) {
    std::vector<YearFile> files;
    files.push_back(std::move(*file));
    old = ReadCandleFiles(state_->writing_database(), files, key_, kMinTime, kMaxTime);
  }
  const MergedBars merged = MergeBars(std::move(old), std::move(fresh));
  if (merged.stats.added + merged.stats.replaced > 0) {
    WriteCandleFile(state_->writing_database(), merged.bars, change.Stage(year));
  }
  return merged.stats;
}

UpsertStats BufferedCandleWriter::Commit() {
  if (std::exchange(committed_, true)) {
    throw Error(ErrorCode::kFailed, ToString(key_), "was committed before");
  }
  // What waits in files is read year by year; nothing else needs to stay in memory meanwhile.
  if (!spill_.Years().empty()) Spill();
  std::set<int> all;
  for (const auto& [year, bars] : years_) all.insert(year);
  for (const int year : spill_.Years()) all.insert(year);
  const std::vector<int> years(all.begin(), all.end());
  if (years.empty()) return {};

  PartitionChange change(partition_);
  std::vector<UpsertStats> stats(years.size());
  std::vector<char> done(years.size(), 0);
  const auto merge = [&](size_t i) {
    stats[i] = MergeYear(change, years[i]);
    done[i] = 1;
  };
  try {
    ParallelFor(years.size(), merge);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInterrupted) throw;
  }
  // Somebody who was asked to stop and commits what he has, gets it committed.
  for (size_t i = 0; i < years.size(); ++i) {
    if (done[i] == 0) merge(i);
  }
  change.Commit();

  spill_.Clear();
  Buffered(-bytes_);
  UpsertStats total;
  for (const UpsertStats& one : stats) {
    total.added += one.added;
    total.replaced += one.replaced;
    total.unchanged += one.unchanged;
  }
  return total;
}

}  // namespace almanac
