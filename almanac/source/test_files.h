// For the tests of this room: a folder that disappears, packed files, and writers that keep what
// they are given.
#ifndef ALMANAC_SOURCE_TEST_FILES_H_
#define ALMANAC_SOURCE_TEST_FILES_H_

#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/file.h"
#include "almanac/source/candle_import.h"

namespace almanac::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "import-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path Write(const std::string& name, std::string_view content) const {
    WriteFileAtomic(path_ / name, content);
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

inline std::string Gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string Zstd(std::string_view text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const size_t size = ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3);
  EXPECT_FALSE(ZSTD_isError(size));
  packed.resize(size);
  return packed;
}

// What writers were given, by series; sorted, the last given value of a time, once committed.
class MemoryLake {
 public:
  OpenCandleWriter opener() {
    return [this](const SeriesKey& key) { return std::make_unique<Writer>(*this, key); };
  }
  std::map<SeriesKey, std::map<TimeMs, Candle>> series;
  const std::map<TimeMs, Candle>& Of(const std::string& symbol) const {
    for (const auto& [key, bars] : series) {
      if (key.symbol == symbol) return bars;
    }
    static const std::map<TimeMs, Candle> none;
    return none;
  }

 private:
  std::mutex mutex_;  // series are committed side by side
  class Writer : public CandleWriter {
   public:
    Writer(MemoryLake& lake, SeriesKey key) : lake_(lake), key_(std::move(key)) {}
    void Append(const CandleSeries& bars) override {
      for (size_t i = 0; i < bars.size(); ++i) bars_[bars.open_time[i]] = bars.At(i);
    }
    UpsertStats Commit() override {
      const std::lock_guard<std::mutex> lock(lake_.mutex_);
      UpsertStats stats;
      for (const auto& [time, bar] : bars_) {
        stats.added += lake_.series[key_].insert_or_assign(time, bar).second;
      }
      return stats;
    }

   private:
    MemoryLake& lake_;
    SeriesKey key_;
    std::map<TimeMs, Candle> bars_;
  };
};

}  // namespace almanac::test

#endif  // ALMANAC_SOURCE_TEST_FILES_H_
