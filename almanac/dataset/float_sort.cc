#include "almanac/dataset/float_sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace almanac {
namespace {

constexpr uint32_t kDigitBits = 11;
constexpr size_t kDigits = size_t{1} << kDigitBits;
constexpr size_t kPasses = 3;
// Below, the histograms cost more than comparing.
constexpr size_t kFewValues = 1024;

constexpr uint32_t kSign = 0x80000000U;

// A number whose order as an unsigned integer is that of the float: negative ones are turned over.
uint32_t ToKey(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

float FromKey(uint32_t key) {
  return std::bit_cast<float>((key & kSign) != 0 ? key ^ kSign : ~key);
}

uint32_t Digit(uint32_t key, size_t pass) { return key >> (pass * kDigitBits) & (kDigits - 1); }

}  // namespace

void SortFloats(std::vector<float>* values) {
  if (values->size() < kFewValues) {
    std::sort(values->begin(), values->end(), [](float a, float b) { return ToKey(a) < ToKey(b); });
    return;
  }
  std::array<std::array<uint32_t, kDigits>, kPasses> starts{};
  std::vector<uint32_t> keys(values->size()), sorted(values->size());
  for (size_t i = 0; i < keys.size(); ++i) {
    keys[i] = ToKey((*values)[i]);
    for (size_t pass = 0; pass < kPasses; ++pass) ++starts[pass][Digit(keys[i], pass)];
  }
  for (size_t pass = 0; pass < kPasses; ++pass) {
    uint32_t before = 0;
    for (uint32_t& start : starts[pass]) {
      const uint32_t count = start;
      start = before;
      before += count;
    }
    for (const uint32_t key : keys) sorted[starts[pass][Digit(key, pass)]++] = key;
    keys.swap(sorted);
  }
  std::transform(keys.begin(), keys.end(), values->begin(), FromKey);
}

}  // namespace almanac
