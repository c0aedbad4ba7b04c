// Random numbers that are the same on every machine and for every thread count: xoshiro256++ seeded
// through SplitMix64 (Blackman and Vigna 2019, "Scrambled linear pseudorandom number generators").
#ifndef ALMANAC_BASE_RANDOM_H_
#define ALMANAC_BASE_RANDOM_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace almanac {

class Random {
 public:
  explicit Random(uint64_t seed);
  // An independent stream for a named or numbered piece of work: the same piece gets the same
  // numbers whichever thread does it.
  Random(uint64_t seed, std::string_view stream);
  Random(uint64_t seed, uint64_t stream);

  uint64_t Next();                  // 64 random bits
  double Uniform();                 // [0, 1), 53 bits
  uint64_t Below(uint64_t bound);   // [0, bound), unbiased (Lemire 2019); bound > 0
  double Normal();                  // mean 0, variance 1 (Marsaglia's polar method)
  double Exponential();             // mean 1
  double Gamma(double shape);       // scale 1, shape > 0 (Marsaglia and Tsang 2000)
  double StudentT(double degrees);  // degrees > 0
  int64_t Poisson(double mean);     // mean in [0, 700] (multiplication in log space)

  // For snapshots: the whole state, the spare normal included.
  struct State {
    std::array<uint64_t, 4> words{};
    double spare = 0.0;
    bool has_spare = false;
  };
  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  State state_;
};

}  // namespace almanac

#endif  // ALMANAC_BASE_RANDOM_H_
