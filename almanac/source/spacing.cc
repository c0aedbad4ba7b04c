#include "almanac/source/spacing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace almanac {

void SpacingCount::Add(DurationMs distance) {
  distance = std::abs(distance);
  if (distance == 0) return;
  ++total_;
  if (distance != last_) {
    auto it = counts_.find(distance);
    if (it == counts_.end()) {
      if (counts_.size() >= kMaxDifferent) return;
      it = counts_.emplace(distance, 0).first;
    }
    last_ = distance;
    last_count_ = &it->second;  // a map's values stay where they are
  }
  ++*last_count_;
}

std::optional<DurationMs> SpacingCount::MostCommon() const {
  const auto most =
      std::max_element(counts_.begin(), counts_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts_.end() ? std::nullopt : std::optional(most->first);
}

std::string SpacingCount::Contradiction(Timeframe timeframe) const {
  constexpr int64_t kFewest = 8, kOneIn = 20;
  const auto common = MostCommon();
  if (total_ < kFewest || *common == timeframe.duration()) return "";
  const auto fitting = counts_.find(timeframe.duration());
  if (fitting != counts_.end() && fitting->second * kOneIn >= total_) return "";
  return fmt::format("its bars are mostly {} apart", FormatDuration(*common));
}

}  // namespace almanac
