// Looking up the bins of many float32 numbers, several at a time. Inside this room.
#ifndef ALMANAC_DATASET_BIN_SEARCH_H_
#define ALMANAC_DATASET_BIN_SEARCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace almanac {

inline constexpr size_t kByteBins = 256;

// bins[i] is the first bin whose upper bound is not below values[i], or `nan_bin`. The bounds do
// not decrease; those after the last bin's are infinite.
void SearchBins(std::span<const float> values, const std::array<float, kByteBins>& bounds,
                uint8_t nan_bin, uint8_t* bins);

}  // namespace almanac

#endif  // ALMANAC_DATASET_BIN_SEARCH_H_
