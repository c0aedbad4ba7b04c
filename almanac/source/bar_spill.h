// Bars put aside on disk until all files of an import were read, so that memory does not grow with
// them. The file has no name: it is gone when the object or the process is.
#ifndef ALMANAC_SOURCE_BAR_SPILL_H_
#define ALMANAC_SOURCE_BAR_SPILL_H_

#include <cstdint>
#include <filesystem>

#include "almanac/market/candle.h"

namespace almanac {

class BarSpill {
 public:
  // Where some bars lie.
  struct Place {
    int64_t offset = 0;
    size_t bars = 0;
    bool has_trade_count = false, has_vwap = false;
  };

  // In the system's folder for temporary files ($TMPDIR, else /tmp). Throws Error(kFailed).
  BarSpill();
  ~BarSpill();
  BarSpill(const BarSpill&) = delete;
  BarSpill& operator=(const BarSpill&) = delete;

  // Writes the bars [first, last). Not by several threads at once. Throws Error(kFailed), for
  // example if the disk is full.
  Place Write(const CandleSeries& bars, size_t first, size_t last);
  // By any number of threads. The key is not kept.
  CandleSeries Read(const Place& place) const;

 private:
  std::filesystem::path folder_;
  int fd_ = -1;
  int64_t end_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_SOURCE_BAR_SPILL_H_
