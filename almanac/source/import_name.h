// What the name of a file and of its folders says about the bars in it: symbol and timeframe.
//   BTCUSDT.csv.zst                        BTCUSDT
//   BTCUSDT-1h-2024-01.csv                 BTCUSDT 1h
//   BTC_USDT-5m.json                       BTC_USDT 5m
//   daily_2018_2021.csv                    1d
//   spot_30m/BTCUSDT.csv                   BTCUSDT 30m
//   BTCUSDT/1h/2025-01-01.json.zst         BTCUSDT 1h
#ifndef ALMANAC_SOURCE_IMPORT_NAME_H_
#define ALMANAC_SOURCE_IMPORT_NAME_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "almanac/market/timeframe.h"

namespace almanac {

struct NameFacts {
  std::optional<std::string> symbol;
  std::optional<Timeframe> timeframe;
  std::string timeframe_from;  // the file or folder name that says it
  std::string unknown_length;  // the file's name says a bar length that Almanac does not have: "1M"
};

NameFacts ReadName(const std::filesystem::path& file);

// "BTCUSDT-1h.CSV.zst" -> "csv"; "" if there is none that is known (csv, tsv, txt, json).
std::string DataExtension(const std::filesystem::path& file);

// Letters, digits and . _ - / : ^ = + & $ #, at most 64 of them, the first one not a '.'.
bool IsSymbol(std::string_view text);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_IMPORT_NAME_H_
