// Reads ../shared/data for the tests of this room, which stands below the readers of files.
#ifndef ALMANAC_MARKET_REAL_DATA_FOR_TEST_H_
#define ALMANAC_MARKET_REAL_DATA_FOR_TEST_H_

#include <zstd.h>

#include <charconv>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/market/candle.h"

namespace almanac {

inline std::filesystem::path RealData(const std::string& name) {
  return SourceFolder() / "../shared/data" / name;
}

// The decompressed content of a zstd file whose frame states its size or not.
inline std::string ReadZstd(const std::filesystem::path& path) {
  const std::string packed = ReadFile(path);
  std::string text, block(ZSTD_DStreamOutSize(), '\0');
  ZSTD_DStream* stream = ZSTD_createDStream();
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  bool failed = false;
  while (in.pos < in.size && !failed) {
    ZSTD_outBuffer out{block.data(), block.size(), 0};
    failed = ZSTD_isError(ZSTD_decompressStream(stream, &out, &in)) != 0;
    text.append(block, 0, out.pos);
  }
  ZSTD_freeDStream(stream);
  if (failed) throw std::runtime_error("not zstd: " + path.string());
  return text;
}

// Calls visit(fields) for every line after the header.
template <typename Visit>
void VisitCsv(std::string_view text, const Visit& visit) {
  std::vector<std::string_view> fields;
  for (bool header = true; !text.empty(); header = false) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (header) continue;
    fields.clear();
    for (size_t comma = 0; comma != std::string_view::npos;) {
      comma = line.find(',');
      fields.push_back(line.substr(0, comma));
      if (comma != std::string_view::npos) line.remove_prefix(comma + 1);
    }
    visit(fields);
  }
}

template <typename T>
T NumberOf(std::string_view text) {
  T value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) throw std::runtime_error("not a number: " + std::string(text));
  return value;
}

// A file of timestamp_ms,open,high,low,close,volume as it lies.
inline CandleSeries ReadRealCandles(const std::string& folder, const std::string& symbol,
                                    const std::string& timeframe) {
  CandleSeries series;
  series.key = {"binance-spot", symbol, Timeframe::Parse(timeframe)};
  VisitCsv(ReadZstd(RealData("crypto/" + folder + "/" + symbol + ".csv.zst")),
           [&](const std::vector<std::string_view>& f) {
             Candle bar;
             bar.open_time = NumberOf<TimeMs>(f[0]);
             bar.open = NumberOf<double>(f[1]);
             bar.high = NumberOf<double>(f[2]);
             bar.low = NumberOf<double>(f[3]);
             bar.close = NumberOf<double>(f[4]);
             bar.volume = NumberOf<double>(f[5]);
             series.Append(bar);
           });
  return series;
}

#define ALMANAC_NEEDS_REAL_DATA(name)                                         \
  if (!std::filesystem::exists(::almanac::RealData(name))) {                  \
    GTEST_SKIP() << "../shared/data/" << (name) << " is not on this machine"; \
  }                                                                           \
  static_assert(true)

}  // namespace almanac

#endif  // ALMANAC_MARKET_REAL_DATA_FOR_TEST_H_
