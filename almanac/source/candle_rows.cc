#include "almanac/source/candle_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "almanac/source/csv.h"
#include "almanac/source/decimal.h"
#include "almanac/source/import_name.h"

namespace almanac {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string_view NameOf(CandleField field) { return CandleFields()[field].field; }

std::string NotANumber(CandleField field, std::string_view text) {
  if (text.empty()) return fmt::format("the {} is missing", NameOf(field));
  return fmt::format("the {} '{}' is not a finite number", NameOf(field), ShownText(text));
}

template <typename T>
void KeepOnly(std::vector<T>& values, const std::vector<size_t>& kept) {
  if (values.empty()) return;
  for (size_t i = 0; i < kept.size(); ++i) values[i] = values[kept[i]];
  values.resize(kept.size());
}

void KeepRows(CandleRows& rows, const std::vector<size_t>& kept) {
  for (auto* values : {&rows.open, &rows.high, &rows.low, &rows.close, &rows.volume,
                       &rows.trade_count, &rows.vwap}) {
    KeepOnly(*values, kept);
  }
  KeepOnly(rows.time, kept);
  KeepOnly(rows.line, kept);
  KeepOnly(rows.symbol, kept);
}

}  // namespace

CandleRowBuilder::CandleRowBuilder(const CandleLayout& layout, CandleRows& rows,
                                   size_t expected_rows)
    : layout_(layout), rows_(rows) {
  rows.time.reserve(expected_rows);
  rows.line.reserve(expected_rows);
  for (auto* values : {&rows.open, &rows.high, &rows.low, &rows.close, &rows.volume}) {
    values->reserve(expected_rows);
  }
}

void CandleRowBuilder::AddBad(uint32_t line, std::string reason) {
  rows_.bad.push_back({line, std::move(reason)});
}

bool CandleRowBuilder::ReadPrices(const Texts& texts, uint32_t line,
                                  std::array<double, 4>& prices) {
  for (size_t i = 0; i < prices.size(); ++i) {
    const auto field = static_cast<CandleField>(kOpenField + i);
    const auto price = ParseDecimal(texts[field]);
    if (!price) {
      AddBad(line, NotANumber(field, texts[field]));
      return false;
    }
    if (*price <= 0) {
      AddBad(line, fmt::format("the {} {} is not above 0", NameOf(field), ShownText(texts[field])));
      return false;
    }
    prices[i] = *price;
  }
  return true;
}

bool CandleRowBuilder::ReadAmount(const Texts& texts, CandleField field, uint32_t line,
                                  double& value) {
  const bool may_lack = !CandleFields()[field].required;
  if (may_lack && texts[field].empty()) {
    value = kNaN;
    return true;
  }
  const auto amount = ParseDecimal(texts[field]);
  if (!amount) {
    AddBad(line, NotANumber(field, texts[field]));
    return false;
  }
  if (*amount < 0) {
    AddBad(line, fmt::format("the {} {} is negative", NameOf(field), ShownText(texts[field])));
    return false;
  }
  value = *amount == 0 ? 0.0 : *amount;  // not -0
  return true;
}

bool CandleRowBuilder::ReadSymbol(std::string_view text, uint32_t line, uint32_t& index) {
  // Mostly the symbol of the line before.
  if (!rows_.symbol.empty() && rows_.symbols[rows_.symbol.back()] == text) {
    index = rows_.symbol.back();
    return true;
  }
  const auto next = static_cast<uint32_t>(rows_.symbols.size());
  const auto [it, is_new] = symbol_index_.try_emplace(std::string(text), next);
  if (is_new && !IsSymbol(text)) {
    symbol_index_.erase(it);
    AddBad(line, text.empty() ? "the symbol is missing"
                              : fmt::format("'{}' is not a symbol", ShownText(text)));
    return false;
  }
  if (is_new) rows_.symbols.emplace_back(text);
  index = it->second;
  return true;
}

bool CandleRowBuilder::Add(const Texts& texts, uint32_t line) {
  const auto time = layout_.time.Read(texts[kTimeField]);
  if (!time) {
    AddBad(line, layout_.time.WhyNot(ShownText(texts[kTimeField])));
    return false;
  }
  std::array<double, 4> prices;
  if (!ReadPrices(texts, line, prices)) return false;
  double volume = 0, trade_count = 0, vwap = 0;
  uint32_t symbol = 0;
  if (layout_.Has(kVolumeField) && !ReadAmount(texts, kVolumeField, line, volume)) return false;
  const bool has_count = layout_.Has(kTradeCountField), has_vwap = layout_.Has(kVwapField);
  if (has_count && !ReadAmount(texts, kTradeCountField, line, trade_count)) return false;
  if (has_vwap && !ReadAmount(texts, kVwapField, line, vwap)) return false;
  const bool has_symbol = layout_.Has(kSymbolField);
  if (has_symbol && !ReadSymbol(texts[kSymbolField], line, symbol)) return false;

  rows_.time.push_back(*time);
  rows_.open.push_back(prices[0]);
  rows_.high.push_back(prices[1]);
  rows_.low.push_back(prices[2]);
  rows_.close.push_back(prices[3]);
  rows_.volume.push_back(volume);
  rows_.line.push_back(line);
  if (has_count) rows_.trade_count.push_back(trade_count);
  if (has_vwap) rows_.vwap.push_back(vwap);
  if (has_symbol) rows_.symbol.push_back(symbol);
  return true;
}

std::vector<std::string> SampleCsvTimes(std::string_view text, const CandleLayout& layout,
                                        size_t limit) {
  std::vector<std::string> samples;
  FieldSplitter splitter(layout.delimiter);
  const auto column = static_cast<size_t>(layout.columns.column[kTimeField]);
  while (!text.empty() && samples.size() < limit) {
    const std::string_view line = TakeLine(text);
    if (splitter.Split(line) != nullptr || splitter.fields().size() != layout.width) continue;
    samples.emplace_back(splitter.fields()[column]);
  }
  return samples;
}

CandleRows ReadCsvRows(std::string_view text, const CandleLayout& layout) {
  constexpr size_t kShortLine = 40;  // bytes; for the first guess of the number of lines
  CandleRows rows;
  CandleRowBuilder builder(layout, rows, text.size() / kShortLine);
  FieldSplitter splitter(layout.delimiter);
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const uint32_t number = rows.line_count++;
    if (const char* problem = splitter.Split(line)) {
      builder.AddBad(number, problem);
      continue;
    }
    const auto& fields = splitter.fields();
    if (fields.size() != layout.width) {
      if (fields.size() == 1 && fields[0].empty()) continue;  // a blank line
      builder.AddBad(number, fmt::format("{} field{} where {} are due", fields.size(),
                                         fields.size() == 1 ? "" : "s", layout.width));
      continue;
    }
    CandleRowBuilder::Texts texts;
    for (size_t f = 0; f < kCandleFieldCount; ++f) {
      const int column = layout.columns.column[f];
      if (column >= 0) texts[f] = fields[static_cast<size_t>(column)];
    }
    builder.Add(texts, number);
  }
  return rows;
}

void RefuseOffGrid(CandleRows& rows, Timeframe timeframe) {
  if (timeframe.duration() >= kMsPerDay) return;
  const DurationMs step = timeframe.duration();
  const auto off_grid = [&](TimeMs time) { return time % step != 0; };
  if (std::none_of(rows.time.begin(), rows.time.end(), off_grid)) return;
  std::vector<size_t> kept;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!off_grid(rows.time[i])) {
      kept.push_back(i);
      continue;
    }
    rows.bad.push_back({rows.line[i], fmt::format("the time {} is not on the grid of {} bars",
                                                  FormatTime(rows.time[i]), timeframe.name())});
  }
  KeepRows(rows, kept);
  std::stable_sort(rows.bad.begin(), rows.bad.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
}

}  // namespace almanac
