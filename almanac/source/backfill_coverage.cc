#include "almanac/source/backfill_coverage.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/json.h"
#include "almanac/base/lock.h"
#include "almanac/source/http.h"

namespace almanac {
namespace {

constexpr int kFormat = 1;
constexpr DurationMs kLockPatience = 30 * kMsPerSecond;

Json ToJson(const IntervalSet& set) {
  Json list = Json::array();
  for (const TimeInterval& interval : set.intervals()) {
    list.push_back(Json::array({FormatTime(interval.from), FormatTime(interval.to)}));
  }
  return list;
}

[[noreturn]] void ThrowBroken(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::kBadData, path.string(), what,
              "delete the file: what the series has is then asked for again");
}

IntervalSet ReadIntervals(const Json& list, const std::filesystem::path& path) {
  if (!list.is_array()) ThrowBroken(path, "the intervals are not a list");
  std::vector<TimeInterval> intervals;
  for (const Json& pair : list) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      ThrowBroken(path, "an interval is not a pair of times");
    }
    const auto from = ParseTime(pair[0].get<std::string>());
    const auto to = ParseTime(pair[1].get<std::string>());
    if (!from || !to || *from >= *to) ThrowBroken(path, "an interval is not [from, to)");
    intervals.push_back({*from, *to});
  }
  return IntervalSet(intervals);
}

}  // namespace

IntervalSet::IntervalSet(const std::vector<TimeInterval>& intervals) {
  for (const TimeInterval& interval : intervals) Add(interval);
}

void IntervalSet::Add(TimeInterval added) {
  if (added.from >= added.to) return;
  std::vector<TimeInterval> result;
  for (const TimeInterval& each : intervals_) {
    if (each.to < added.from || each.from > added.to) {
      result.push_back(each);
    } else {
      added = {std::min(each.from, added.from), std::max(each.to, added.to)};
    }
  }
  const auto place = std::find_if(result.begin(), result.end(),
                                  [&](const TimeInterval& each) { return each.from > added.from; });
  result.insert(place, added);
  intervals_ = std::move(result);
}

void IntervalSet::Subtract(TimeInterval removed) {
  if (removed.from >= removed.to) return;
  std::vector<TimeInterval> result;
  for (const TimeInterval& each : intervals_) {
    if (each.to <= removed.from || each.from >= removed.to) {
      result.push_back(each);
      continue;
    }
    if (each.from < removed.from) result.push_back({each.from, removed.from});
    if (each.to > removed.to) result.push_back({removed.to, each.to});
  }
  intervals_ = std::move(result);
}

void IntervalSet::Add(const IntervalSet& other) {
  for (const TimeInterval& each : other.intervals_) Add(each);
}

void IntervalSet::Subtract(const IntervalSet& other) {
  for (const TimeInterval& each : other.intervals_) Subtract(each);
}

std::filesystem::path CoveragePath(const Home& home, const SeriesKey& key) {
  return home.lake() / "coverage" / key.market / key.timeframe.name() /
         (PercentEncode(key.symbol) + ".json");
}

Coverage LoadCoverage(const Home& home, const SeriesKey& key) {
  const std::filesystem::path path = CoveragePath(home, key);
  if (!std::filesystem::exists(path)) return {};
  const Json state = Json::parse(ReadFile(path), nullptr, false);
  if (!state.is_object() || !state.contains("format") || state["format"] != kFormat ||
      !state.contains("source") || !state["source"].is_string() || !state.contains("answered") ||
      !state.contains("stale")) {
    ThrowBroken(path, "this is not the state of a backfill");
  }
  return {state["source"].get<std::string>(), ReadIntervals(state["answered"], path),
          ReadIntervals(state["stale"], path)};
}

void UpdateCoverage(const Home& home, const SeriesKey& key,
                    const std::function<void(Coverage&)>& change) {
  const FileLock lock(home.locks() / "coverage.lock", FileLock::Mode::kExclusive, kLockPatience,
                      "backfill");
  Coverage coverage = LoadCoverage(home, key);
  change(coverage);
  Json state;
  state["format"] = kFormat;
  state["market"] = key.market;
  state["symbol"] = key.symbol;
  state["timeframe"] = key.timeframe.name();
  state["source"] = coverage.source;
  state["answered"] = ToJson(coverage.answered);
  state["stale"] = ToJson(coverage.stale);
  WriteFileAtomic(CoveragePath(home, key), state.dump(1) + "\n");
}

}  // namespace almanac
