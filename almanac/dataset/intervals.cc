#include "almanac/dataset/intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "almanac/base/error.h"

namespace almanac {

void CheckIntervals(std::span<const TimeMs> t0, std::span<const TimeMs> t1) {
  if (t0.size() != t1.size()) {
    throw Error(ErrorCode::kBadData, "split",
                fmt::format("{} starts and {} ends of labels", t0.size(), t1.size()),
                "every row has both");
  }
  for (size_t i = 0; i < t0.size(); ++i) {
    if (t1[i] >= t0[i]) continue;
    throw Error(ErrorCode::kBadData, "split row " + std::to_string(i),
                fmt::format("its label ends at {}, before it begins at {}", FormatTime(t1[i]),
                            FormatTime(t0[i])),
                "t1 must be at or after t0");
  }
}

std::vector<uint32_t> AllRows(size_t count) {
  std::vector<uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

std::vector<uint32_t> InOrderOfTime(std::span<const TimeMs> t0, std::span<const uint32_t> rows) {
  std::vector<uint32_t> order(rows.begin(), rows.end());
  for (const uint32_t row : order) {
    if (row < t0.size()) continue;
    throw Error(ErrorCode::kBadData, "split", fmt::format("row {} of {}", row, t0.size()),
                "split rows that there are");
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return t0[a] < t0[b]; });
  return order;
}

}  // namespace almanac
