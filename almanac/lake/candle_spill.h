// Bars that wait in files until their writer commits. Inside lake only.
#ifndef ALMANAC_LAKE_CANDLE_SPILL_H_
#define ALMANAC_LAKE_CANDLE_SPILL_H_

#include <filesystem>
#include <map>
#include <vector>

#include "almanac/market/candle.h"

namespace almanac {

// A folder of its own below `temporary`, made with the first Add and deleted in the end.
class CandleSpill {
 public:
  explicit CandleSpill(std::filesystem::path temporary) : temporary_(std::move(temporary)) {}
  ~CandleSpill() { Clear(); }
  CandleSpill(const CandleSpill&) = delete;
  CandleSpill& operator=(const CandleSpill&) = delete;

  void Add(int year, const CandleSeries& bars);
  std::vector<int> Years() const;
  // Takes the year's pieces, sorted and unique, later ones over earlier ones. Safe from several
  // threads, each with its own year.
  CandleSeries Read(int year) const;
  // Deletes everything.
  void Clear();

 private:
  std::filesystem::path temporary_, folder_;
  std::map<int, std::vector<std::filesystem::path>> pieces_;
};

}  // namespace almanac

#endif  // ALMANAC_LAKE_CANDLE_SPILL_H_
