#include "almanac/lake/candle_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "almanac/base/error.h"

namespace almanac {
namespace {

using Field = std::vector<double> CandleSeries::*;
constexpr std::array<Field, 5> kRequired = {&CandleSeries::open, &CandleSeries::high,
                                            &CandleSeries::low, &CandleSeries::close,
                                            &CandleSeries::volume};
constexpr std::array<Field, 2> kOptional = {&CandleSeries::trade_count, &CandleSeries::vwap};

bool SameValue(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

double ValueAt(const std::vector<double>& field, size_t i) {
  return field.empty() ? Candle::kNotGiven : field[i];
}

bool SameBar(const CandleSeries& a, size_t i, const CandleSeries& b, size_t j) {
  const auto same = [&](Field field) {
    return SameValue(ValueAt(a.*field, i), ValueAt(b.*field, j));
  };
  return std::ranges::all_of(kRequired, same) && std::ranges::all_of(kOptional, same);
}

template <typename T>
void AppendPart(std::vector<T>& to, const std::vector<T>& from, size_t first, size_t last) {
  to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(first),
            from.begin() + static_cast<std::ptrdiff_t>(last));
}

// `before` bars are there already; an optional field stays empty until a bar has it.
void AppendOptional(std::vector<double>& to, size_t before, const std::vector<double>& from,
                    size_t first, size_t last) {
  if (to.empty() && from.empty()) return;
  to.resize(before, Candle::kNotGiven);
  if (from.empty()) {
    to.resize(before + last - first, Candle::kNotGiven);
  } else {
    AppendPart(to, from, first, last);
  }
}

template <typename T>
void Permute(std::vector<T>& values, const std::vector<size_t>& order) {
  if (values.empty()) return;
  std::vector<T> permuted;
  permuted.reserve(order.size());
  for (const size_t i : order) permuted.push_back(values[i]);
  values = std::move(permuted);
}

}  // namespace

void CheckLengths(const CandleSeries& bars) {
  const auto check = [&](const std::vector<double>& field, const char* name, bool optional) {
    if (field.size() == bars.size() || (optional && field.empty())) return;
    throw Error(ErrorCode::kBadData, ToString(bars.key),
                fmt::format("{} has {} values for {} bars", name, field.size(), bars.size()));
  };
  check(bars.open, "open", false);
  check(bars.high, "high", false);
  check(bars.low, "low", false);
  check(bars.close, "close", false);
  check(bars.volume, "volume", false);
  check(bars.trade_count, "trade_count", true);
  check(bars.vwap, "vwap", true);
}

void AppendBars(CandleSeries& to, const CandleSeries& from, size_t first, size_t last) {
  const size_t before = to.size();
  AppendPart(to.open_time, from.open_time, first, last);
  for (const Field field : kRequired) AppendPart(to.*field, from.*field, first, last);
  for (const Field field : kOptional) AppendOptional(to.*field, before, from.*field, first, last);
}

bool IsSortedUnique(const CandleSeries& bars) {
  return std::ranges::adjacent_find(bars.open_time, std::greater_equal<>()) == bars.open_time.end();
}

void SortUnique(CandleSeries& bars) {
  if (IsSortedUnique(bars)) return;
  const std::vector<TimeMs>& times = bars.open_time;
  std::vector<size_t> order(bars.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return times[i]; });
  std::vector<size_t> kept;
  for (size_t k = 0; k < order.size(); ++k) {
    if (k + 1 == order.size() || times[order[k]] != times[order[k + 1]]) kept.push_back(order[k]);
  }
  for (const Field field : kRequired) Permute(bars.*field, kept);
  for (const Field field : kOptional) Permute(bars.*field, kept);
  Permute(bars.open_time, kept);
}

MergedBars MergeBars(CandleSeries old, CandleSeries fresh) {
  MergedBars merged;
  UpsertStats& stats = merged.stats;
  const bool follows = old.empty() || fresh.empty() || old.open_time.back() < fresh.open_time[0];
  if (follows) {
    stats.added = static_cast<int64_t>(fresh.size());
    if (old.empty()) {
      merged.bars = std::move(fresh);
    } else {
      merged.bars = std::move(old);
      AppendBars(merged.bars, fresh, 0, fresh.size());
    }
    return merged;
  }
  merged.bars.key = old.key;
  merged.bars.Reserve(old.size() + fresh.size());
  size_t i = 0;
  for (size_t j = 0; j < fresh.size(); ++j) {
    const auto start = old.open_time.begin() + static_cast<std::ptrdiff_t>(i);
    const auto place = std::lower_bound(start, old.open_time.end(), fresh.open_time[j]);
    const auto next = static_cast<size_t>(place - old.open_time.begin());
    if (next > i) AppendBars(merged.bars, old, i, next);
    i = next;
    AppendBars(merged.bars, fresh, j, j + 1);
    if (i == old.size() || old.open_time[i] != fresh.open_time[j]) {
      ++stats.added;
    } else {
      ++(SameBar(old, i, fresh, j) ? stats.unchanged : stats.replaced);
      ++i;
    }
  }
  AppendBars(merged.bars, old, i, old.size());
  return merged;
}

}  // namespace almanac
