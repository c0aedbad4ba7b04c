#include "almanac/market/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <nlohmann/json.hpp>
#include <numeric>

#include "almanac/base/error.h"

namespace almanac {
namespace {

// Outside of these years an open time is a mistake of its unit, not a bar.
constexpr TimeMs kEarliest = -2208988800000;  // 1900-01-01
constexpr TimeMs kLatest = 7258118400000;     // 2200-01-01

bool SameValue(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool SameValues(const Candle& a, const Candle& b) {
  return SameValue(a.open, b.open) && SameValue(a.high, b.high) && SameValue(a.low, b.low) &&
         SameValue(a.close, b.close) && SameValue(a.volume, b.volume) &&
         SameValue(a.trade_count, b.trade_count) && SameValue(a.vwap, b.vwap);
}

bool FinitePrices(const Candle& bar) {
  return std::isfinite(bar.open) && std::isfinite(bar.high) && std::isfinite(bar.low) &&
         std::isfinite(bar.close);
}

bool PositivePrices(const Candle& bar) {
  return FinitePrices(bar) && bar.open > 0 && bar.high > 0 && bar.low > 0 && bar.close > 0;
}

// The first value for which `wrong` holds, named: "low -1".
template <typename Wrong>
std::string Offender(const Candle& bar, const Wrong& wrong) {
  if (wrong(bar.open)) return fmt::format("open {}", bar.open);
  if (wrong(bar.high)) return fmt::format("high {}", bar.high);
  if (wrong(bar.low)) return fmt::format("low {}", bar.low);
  if (wrong(bar.close)) return fmt::format("close {}", bar.close);
  if (wrong(bar.volume)) return fmt::format("volume {}", bar.volume);
  return "";
}

// How the prices contradict each other; empty if they do not.
std::string Contradiction(const Candle& bar) {
  if (bar.high < bar.low) return fmt::format("high {} < low {}", bar.high, bar.low);
  if (bar.high < bar.open) return fmt::format("high {} < open {}", bar.high, bar.open);
  if (bar.high < bar.close) return fmt::format("high {} < close {}", bar.high, bar.close);
  if (bar.low > bar.open) return fmt::format("low {} > open {}", bar.low, bar.open);
  if (bar.low > bar.close) return fmt::format("low {} > close {}", bar.low, bar.close);
  return "";
}

// The median of the last `window` values, kept sorted beside their order of arrival.
class RollingMedian {
 public:
  explicit RollingMedian(size_t window) : window_(window) {}

  void Add(double value) {
    if (arrived_.size() == window_) {
      sorted_.erase(std::ranges::lower_bound(sorted_, arrived_.front()));
      arrived_.pop_front();
    }
    arrived_.push_back(value);
    sorted_.insert(std::ranges::upper_bound(sorted_, value), value);
  }
  size_t size() const { return arrived_.size(); }
  double value() const {
    const size_t half = sorted_.size() / 2;
    return sorted_.size() % 2 == 1 ? sorted_[half] : (sorted_[half - 1] + sorted_[half]) / 2;
  }

 private:
  size_t window_;
  std::deque<double> arrived_;
  std::vector<double> sorted_;
};

// One pass over the rows as given, one over the distinct times in order.
class Auditor {
 public:
  Auditor(const CandleSeries& bars, const AuditOptions& options)
      : bars_(bars),
        options_(options),
        calendar_(options.calendar ? *options.calendar : CalendarOfMarket(bars.key.market)) {}

  SeriesAudit Run() {
    audit_.key = bars_.key;
    audit_.calendar = calendar_.name();
    audit_.bars = static_cast<int64_t>(bars_.size());
    CheckTimes();
    SortRows();
    for (size_t row = 0; row < bars_.size(); ++row) AuditRow(row);
    FindDuplicates();
    FindGaps();
    FindJumps();
    return std::move(audit_);
  }

 private:
  void CheckTimes() const {
    for (size_t row = 0; row < bars_.size(); ++row) {
      const TimeMs time = bars_.open_time[row];
      if (time >= kEarliest && time < kLatest) continue;
      throw Error(ErrorCode::kBadData, fmt::format("{} row {}", ToString(bars_.key), row),
                  fmt::format("open time {} lies outside years 1900 to 2199", time),
                  "times are milliseconds since 1970; other units are converted by the import");
    }
  }

  void Note(AuditFinding& finding, size_t row, std::string detail) const {
    ++finding.count;
    if (finding.places.size() >= options_.places) return;
    finding.places.push_back({bars_.open_time[row], row, std::move(detail)});
  }

  // Rows by time, equal times in the order given.
  void SortRows() {
    order_.resize(bars_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    if (std::ranges::is_sorted(bars_.open_time)) return;
    std::ranges::stable_sort(order_, {}, [&](size_t row) { return bars_.open_time[row]; });
  }

  void AuditRow(size_t row) {
    const Candle bar = bars_.At(row);
    if (row > 0 && bar.open_time < bars_.open_time[row - 1]) {
      Note(audit_.out_of_order, row, fmt::format("after {}", FormatTime(bars_.open_time[row - 1])));
    }
    AuditPlaceInTime(row, bar.open_time);
    AuditValues(row, bar);
  }

  void AuditPlaceInTime(size_t row, TimeMs time) {
    const Timeframe timeframe = bars_.key.timeframe;
    const TimeMs slot = timeframe.Floor(time);
    if (timeframe.duration() < kMsPerDay && slot != time) {
      Note(audit_.off_grid, row, fmt::format("the bar's grid has {}", FormatTime(slot)));
    }
    if (!calendar_.IsExpected(timeframe, slot)) {
      Note(audit_.outside_sessions, row, "the market is closed");
    }
  }

  void AuditValues(size_t row, const Candle& bar) {
    const auto not_finite = [](double value) { return !std::isfinite(value); };
    const auto below_zero = [](double value) { return value < 0; };
    if (auto what = Offender(bar, not_finite); !what.empty()) {
      Note(audit_.non_finite, row, std::move(what));
    }
    if (auto what = Offender(bar, below_zero); !what.empty()) {
      Note(audit_.negative, row, std::move(what));
    } else if (bar.trade_count < 0) {
      Note(audit_.negative, row, fmt::format("trade count {}", bar.trade_count));
    }
    if (bar.open == 0 || bar.high == 0 || bar.low == 0 || bar.close == 0) {
      Note(audit_.zero_price, row, "a price is zero");
    }
    if (bar.volume == 0) Note(audit_.zero_volume, row, "");
    if (!FinitePrices(bar)) return;
    if (auto what = Contradiction(bar); !what.empty()) {
      Note(audit_.ohlc_violations, row, std::move(what));
    }
  }

  // What may not repeat: the open time, or the day or week of a bar that is stamped at any hour.
  TimeMs Identity(size_t row) const {
    const TimeMs time = bars_.open_time[row];
    const Timeframe timeframe = bars_.key.timeframe;
    return timeframe.duration() < kMsPerDay ? time : timeframe.Floor(time);
  }

  // Leaves in order_ the last given row of each time, which is the one that a store keeps.
  void FindDuplicates() {
    std::vector<size_t> distinct;
    distinct.reserve(order_.size());
    for (const size_t row : order_) {
      if (distinct.empty() || Identity(distinct.back()) != Identity(row)) {
        distinct.push_back(row);
        continue;
      }
      const bool same = SameValues(bars_.At(distinct.back()), bars_.At(row));
      if (!same) ++audit_.conflicting_duplicates;
      Note(audit_.duplicates, row,
           fmt::format("{} values as row {}", same ? "the same" : "other", distinct.back()));
      distinct.back() = row;
    }
    order_ = std::move(distinct);
  }

  void FindGaps() {
    if (!order_.empty()) {
      audit_.from = bars_.open_time[order_.front()];
      audit_.to = bars_.open_time[order_.back()];
    }
    const Timeframe timeframe = bars_.key.timeframe;
    std::optional<TimeMs> next = options_.from;  // the first instant not yet covered
    for (const size_t row : order_) {
      const TimeMs slot = timeframe.Floor(bars_.open_time[row]);
      if (next && *next < slot) AddGaps(*next, slot);
      next = std::max(next.value_or(slot), slot + timeframe.duration());
    }
    if (next && options_.to && *next < *options_.to) AddGaps(*next, *options_.to);
  }

  // The bars expected in [from, to), where none is: one gap, however many closed hours lie in it.
  void AddGaps(TimeMs from, TimeMs to) {
    const Timeframe timeframe = bars_.key.timeframe;
    const int64_t missing = calendar_.CountExpected(timeframe, from, to);
    if (missing == 0) return;
    const auto first_from = [&](TimeMs time) {
      TimeMs open = timeframe.Floor(time);
      while (open < time || !calendar_.IsExpected(timeframe, open)) open += timeframe.duration();
      return open;
    };
    const auto last_before = [&](TimeMs time) {
      TimeMs open = timeframe.Floor(time - 1);
      while (!calendar_.IsExpected(timeframe, open)) open -= timeframe.duration();
      return open;
    };
    audit_.gaps.push_back({first_from(from), last_before(to) + timeframe.duration(), missing});
    audit_.missing_bars += missing;
  }

  void FindJumps() {
    RollingMedian typical(options_.jump_window);
    std::optional<size_t> before;  // the last row with usable prices
    for (const size_t row : order_) {
      const Candle bar = bars_.At(row);
      if (!PositivePrices(bar)) continue;
      if (before) JudgeMove(*before, row, bar, typical);
      before = row;
    }
  }

  void JudgeMove(size_t before, size_t row, const Candle& bar, RollingMedian& typical) {
    constexpr double kNormalMedian = 0.6745;  // median of |x|, x standard normal
    const double last = bars_.close[before];
    const double elapsed = static_cast<double>(bar.open_time - bars_.open_time[before]);
    const double steps =
        std::max(1.0, elapsed / static_cast<double>(bars_.key.timeframe.duration()));
    const double highest = std::max({bar.high, bar.open, bar.close});
    const double lowest = std::min({bar.low, bar.open, bar.close});
    const double up = std::log(highest / last), down = std::log(lowest / last);
    const double move = std::abs(up) >= std::abs(down) ? up : down;
    if (typical.size() >= std::max<size_t>(1, options_.jump_history)) {
      const double scale =
          std::max(options_.jump_scale_floor, typical.value() / kNormalMedian) * std::sqrt(steps);
      if (std::abs(move) > options_.jump_threshold * scale) {
        Note(audit_.jumps, row,
             fmt::format("{:+.2f}% from {}, {:.0f} times the usual move", 100 * std::expm1(move),
                         last, std::abs(move) / scale));
      }
    }
    typical.Add(std::abs(std::log(bar.close / last)) / std::sqrt(steps));
  }

  const CandleSeries& bars_;
  const AuditOptions& options_;
  const Calendar& calendar_;
  std::vector<size_t> order_;
  SeriesAudit audit_;
};

void CheckOptions(const AuditOptions& options) {
  const auto refuse = [](const char* name, const char* allowed) {
    throw Error(ErrorCode::kUsage, fmt::format("audit option {}", name), "out of range", allowed);
  };
  if (!(options.jump_threshold > 0)) refuse("jump_threshold", "give a number above 0");
  if (!(options.jump_scale_floor >= 0)) refuse("jump_scale_floor", "give a number of at least 0");
  if (options.jump_window == 0) refuse("jump_window", "give a number of at least 1");
  if (options.jump_history > options.jump_window) {
    refuse("jump_history", "give at most jump_window");
  }
}

Json TimeOrNull(bool given, TimeMs time) { return given ? Json(FormatTime(time)) : Json(nullptr); }

Json PlacesJson(const AuditFinding& finding) {
  Json places = Json::array();
  for (const AuditPlace& place : finding.places) {
    places.push_back(
        {{"time", FormatTime(place.time)}, {"row", place.row}, {"detail", place.detail}});
  }
  return places;
}

struct NamedFinding {
  const char* name;
  const AuditFinding& finding;
};

std::vector<NamedFinding> Findings(const SeriesAudit& audit) {
  return {{"zero_volume", audit.zero_volume},
          {"duplicates", audit.duplicates},
          {"out_of_order", audit.out_of_order},
          {"ohlc_violations", audit.ohlc_violations},
          {"jumps", audit.jumps},
          {"non_finite", audit.non_finite},
          {"negative", audit.negative},
          {"zero_price", audit.zero_price},
          {"off_grid", audit.off_grid},
          {"outside_sessions", audit.outside_sessions}};
}

}  // namespace

bool SeriesAudit::IsSound() const {
  return duplicates.count == 0 && out_of_order.count == 0 && off_grid.count == 0 &&
         ohlc_violations.count == 0 && non_finite.count == 0 && negative.count == 0 &&
         zero_price.count == 0;
}

SeriesAudit Audit(const CandleSeries& series, const AuditOptions& options) {
  CheckOptions(options);
  return Auditor(series, options).Run();
}

SeriesAudit Audit(const RawCandles& raw, const AuditOptions& options) {
  return Audit(raw.bars, options);
}

Json ToJson(const SeriesAudit& audit) {
  const bool any = audit.bars > 0;
  Json json = {{"market", audit.key.market},
               {"symbol", audit.key.symbol},
               {"timeframe", audit.key.timeframe.name()},
               {"calendar", audit.calendar},
               {"from", TimeOrNull(any, audit.from)},
               {"to", TimeOrNull(any, audit.to)},
               {"bars", audit.bars},
               {"gaps", audit.gaps.size()},
               {"missing_bars", audit.missing_bars}};
  for (const auto& [name, finding] : Findings(audit)) json[name] = finding.count;
  json["conflicting_duplicates"] = audit.conflicting_duplicates;
  json["sound"] = audit.IsSound();
  json["gap_list"] = Json::array();
  for (const Gap& gap : audit.gaps) {
    json["gap_list"].push_back(
        {{"from", FormatTime(gap.from)}, {"to", FormatTime(gap.to)}, {"bars", gap.bars}});
  }
  json["places"] = Json::object();
  for (const auto& [name, finding] : Findings(audit)) {
    if (finding.count > 0) json["places"][name] = PlacesJson(finding);
  }
  return json;
}

}  // namespace almanac
