#include "almanac/source/repeats.h"

#include <fmt/format.h>

#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

struct First {
  int64_t line = 0;
  BarBits bits{};
};
using Wanted = std::map<std::pair<std::string_view, TimeMs>, std::optional<First>>;

std::string_view SymbolOf(const CandleFile& file, const CandleRows& rows, size_t row) {
  return rows.symbol.empty() ? file.symbol() : rows.symbols[rows.symbol[row]];
}

}  // namespace

bool TimeSet::Insert(TimeMs time) {
  if (step_ >= kMsPerDay) return daily_.insert(time).second;
  const int64_t slot = time / step_;  // exact, so negative times need no floor
  const int64_t page_number = slot >= 0 ? slot / kPageSlots : -1 - (-1 - slot) / kPageSlots;
  if (last_page_ == nullptr || page_number != last_page_number_) {
    auto& page = pages_[page_number];
    if (page == nullptr) page = std::make_unique<Page>();
    last_page_ = page.get();
    last_page_number_ = page_number;
  }
  const auto bit = static_cast<uint64_t>(slot - page_number * kPageSlots);
  uint64_t& word = (*last_page_)[bit / 64];
  const uint64_t mask = uint64_t{1} << (bit % 64);
  const bool is_new = (word & mask) == 0;
  word |= mask;
  return is_new;
}

BarBits BitsOf(const CandleRows& rows, size_t row) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const auto bits = [](double value) { return std::bit_cast<uint64_t>(value); };
  return {bits(rows.open[row]),
          bits(rows.high[row]),
          bits(rows.low[row]),
          bits(rows.close[row]),
          bits(rows.volume[row]),
          bits(rows.trade_count.empty() ? kNaN : rows.trade_count[row]),
          bits(rows.vwap.empty() ? kNaN : rows.vwap[row])};
}

std::vector<BadLine> FindConflicts(const CandleFile& file, const ImportOptions& options,
                                   const std::vector<Repeat>& repeats) {
  Wanted wanted;
  for (const Repeat& repeat : repeats) wanted[{repeat.symbol, repeat.time}] = std::nullopt;
  CandleFile again(file.path(), options);
  size_t found = 0;
  for (FilePiece piece; found < wanted.size() && again.Next(piece);) {
    const CandleRows rows = again.Parse(piece);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto it = wanted.find({SymbolOf(again, rows, i), rows.time[i]});
      if (it == wanted.end() || it->second) continue;
      it->second = First{piece.first_line + rows.line[i], BitsOf(rows, i)};
      ++found;
    }
  }
  std::vector<BadLine> conflicts;
  for (const Repeat& repeat : repeats) {
    const auto& first = wanted[{repeat.symbol, repeat.time}];
    if (!first || first->bits == repeat.bits) continue;
    conflicts.push_back({file.path().string(), repeat.line,
                         fmt::format("{} {} has other values than on line {}", repeat.symbol,
                                     FormatTime(repeat.time), first->line)});
  }
  return conflicts;
}

}  // namespace almanac
