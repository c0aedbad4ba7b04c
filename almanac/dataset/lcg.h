// The generator behind every random choice of a model: LightGBM's 32-bit linear congruential one,
// so that equal seeds choose equal rows and columns.
#ifndef ALMANAC_DATASET_LCG_H_
#define ALMANAC_DATASET_LCG_H_

#include <cstdint>
#include <vector>

namespace almanac {

// x' = 214013 x + 2531011 modulo 2^32.
class Lcg {
 public:
  explicit Lcg(uint32_t seed) : state_(seed) {}

  uint32_t Draw16() { return (Next() >> 16) & 0x7FFF; }  // 15 bits in fact: 0 to 32767
  uint32_t Draw31() { return Next() & 0x7FFFFFFF; }
  float DrawFloat() { return static_cast<float>(Draw16()) / 32768.0F; }  // [0, 1)

  // `count` of 0 ... total-1, ascending. All of them, without a draw, if count >= total. A large
  // share is taken in one pass, a small one by Floyd's method (Bentley and Floyd 1987, "A sample of
  // brilliance").
  std::vector<uint32_t> Sample(uint32_t total, uint32_t count);

 private:
  uint32_t Next() { return state_ = 214013 * state_ + 2531011; }

  uint32_t state_;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_LCG_H_
