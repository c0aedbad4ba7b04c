// Homes and series for the tests of this room.
#ifndef ALMANAC_LAKE_LAKE_FOR_TEST_H_
#define ALMANAC_LAKE_LAKE_FOR_TEST_H_

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include "almanac/base/file.h"
#include "almanac/base/home.h"
#include "almanac/base/random.h"
#include "almanac/market/candle.h"

namespace almanac {

// A home of its own, deleted in the end.
class TemporaryHome {
 public:
  TemporaryHome() {
    static std::atomic<int> counter{0};
    home_.root =
        std::filesystem::temp_directory_path() / ("almanac-lake-test-" + std::to_string(getpid()) +
                                                  "-" + std::to_string(counter.fetch_add(1)));
    std::filesystem::create_directories(home_.root);
  }
  ~TemporaryHome() {
    std::error_code ignored;
    std::filesystem::remove_all(home_.root, ignored);
  }
  TemporaryHome(const TemporaryHome&) = delete;
  TemporaryHome& operator=(const TemporaryHome&) = delete;
  const Home& home() const { return home_; }

 private:
  Home home_;
};

inline SeriesKey TestKey(const std::string& symbol = "BTCUSDT", const std::string& frame = "1h") {
  return {"test-spot", symbol, Timeframe::Parse(frame)};
}

// A random walk; every tenth bar has no trade count.
inline CandleSeries WalkSeries(const SeriesKey& key, TimeMs from, size_t count, uint64_t seed) {
  CandleSeries bars;
  bars.key = key;
  Random random(seed);
  double price = 100.0;
  for (size_t i = 0; i < count; ++i) {
    Candle bar;
    bar.open_time = from + static_cast<TimeMs>(i) * key.timeframe.duration();
    bar.open = price;
    price *= std::exp(0.001 * random.Normal());
    bar.close = price;
    bar.high = std::max(bar.open, bar.close) * 1.001;
    bar.low = std::min(bar.open, bar.close) * 0.999;
    bar.volume = std::floor(1000 * random.Exponential()) / 1000;
    if (i % 10 != 9) bar.trade_count = static_cast<double>(random.Below(1000));
    bar.vwap = (bar.open + bar.close) / 2;
    bars.Append(bar);
  }
  return bars;
}

inline bool SameOrBothNan(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  }
  return true;
}

inline bool SameBars(const CandleSeries& a, const CandleSeries& b) {
  return a.open_time == b.open_time && SameOrBothNan(a.open, b.open) &&
         SameOrBothNan(a.high, b.high) && SameOrBothNan(a.low, b.low) &&
         SameOrBothNan(a.close, b.close) && SameOrBothNan(a.volume, b.volume) &&
         SameOrBothNan(a.trade_count, b.trade_count) && SameOrBothNan(a.vwap, b.vwap);
}

// The content of every file below a folder by relative path.
inline std::map<std::string, std::string> FilesBelow(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[std::filesystem::relative(entry.path(), folder).string()] = ReadFile(entry.path());
  }
  return files;
}

}  // namespace almanac

#endif  // ALMANAC_LAKE_LAKE_FOR_TEST_H_
