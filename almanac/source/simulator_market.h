// What all symbols of the simulator share: the factor return, the common volatility, the regime,
// the market-wide jumps and the seasonal cycle, one step a bar (docs/simulator.md).
#ifndef ALMANAC_SOURCE_SIMULATOR_MARKET_H_
#define ALMANAC_SOURCE_SIMULATOR_MARKET_H_

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "almanac/base/random.h"
#include "almanac/source/simulator.h"

namespace almanac::simulator {

inline constexpr double kMsPerYear = 365.25 * static_cast<double>(kMsPerDay);

// A stationary Ornstein-Uhlenbeck process with mean zero, seen once a bar. Its variance is that of
// its average over a bar: what is faster than a bar is not seen in it.
class OrnsteinUhlenbeck {
 public:
  // `relaxation` and `step` in the same unit.
  OrnsteinUhlenbeck(double variance, double relaxation, double step);
  void Start(Random& random) { value_ = deviation_ * random.Normal(); }
  void Step(double standard_normal) { value_ = keep_ * value_ + shock_ * standard_normal; }
  double value() const { return value_; }
  double variance() const { return deviation_ * deviation_; }

 private:
  double keep_, deviation_, shock_;
  double value_ = 0.0;
};

// Poisson arrivals of heavy-tailed shocks with mean 0 and variance 1 (Student t with 4 degrees of
// freedom, cut off at 12 deviations).
class JumpClock {
 public:
  // `rate` is the mean number a bar, 0: never.
  JumpClock(uint64_t seed, std::string_view stream, double rate);
  // The sum of the shocks of the next bar; `count` is how many there were.
  double Step(int& count);
  Random& random() { return random_; }

 private:
  Random random_;
  double rate_;
  double wait_;  // bars until the next one
};

// One bar of the market.
struct MarketBar {
  double factor = 0.0;          // standard normal
  double factor_scale = 1.0;    // common volatility relative to its mean square
  double log_volatility = 0.0;  // its logarithm, of mean zero
  double activity = 1.0;        // regime times season, a factor of every volatility
  double regime_scale = 1.0;    // the regime's part of it
  double direction = 0.0;       // -1 or 1 in a trend, else 0
  double jump = 0.0;            // sum of market-wide shocks
  int jumps = 0;
  double volume_season = 1.0;
};

// The model's rates in units of one bar, derived from the options.
struct Scales {
  explicit Scales(const SimulatorOptions& options);
  double bars_per_year;
  double bar_hours;
  double jump_share;       // of the variance; 0 where there are no jumps
  double jumps_per_bar;    // of one symbol, market-wide and own
  double diffusion_share;  // 1 - jump_share
};

class Market {
 public:
  // The first bar opens at `first_open`. The options must outlive the object.
  Market(const SimulatorOptions& options, TimeMs first_open);
  // The next bars, in order.
  void Next(size_t count, std::vector<MarketBar>& bars);
  double log_variance() const;  // of log_volatility

 private:
  enum Regime { kCalm, kTrend, kStress, kRegimes };
  void EnterRegime(int regime);
  void StepRegime();
  void BuildSeason(double strength);
  void BuildRegimes();

  const SimulatorOptions& options_;
  Scales scales_;
  Random price_, volatility_, regime_random_;
  JumpClock jumps_;
  std::vector<OrnsteinUhlenbeck> log_volatility_;
  std::array<double, kRegimes> regime_scale_{};  // normalised to mean square 1
  std::array<double, kRegimes> occupancy_{};     // fraction of time
  int regime_ = kCalm;
  double regime_wait_ = 0.0;  // bars
  double direction_ = 0.0;
  // Of each bar of a week, from Monday 00:00 UTC.
  std::vector<double> season_volatility_, season_volume_;
  size_t slot_ = 0;
};

}  // namespace almanac::simulator

#endif  // ALMANAC_SOURCE_SIMULATOR_MARKET_H_
