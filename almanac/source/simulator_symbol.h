// One symbol of the simulator: turns the market's bars into its own candles (docs/simulator.md).
#ifndef ALMANAC_SOURCE_SIMULATOR_SYMBOL_H_
#define ALMANAC_SOURCE_SIMULATOR_SYMBOL_H_

#include <array>

#include "almanac/base/random.h"
#include "almanac/market/candle.h"
#include "almanac/source/simulator_market.h"

namespace almanac::simulator {

// Rounds prices to a number of decimals; a price is at least one tick.
class PriceGrid {
 public:
  PriceGrid(int decimals, double start_price);
  double Round(double price) const;
  double tick() const { return unrounded_ ? 0.0 : 1.0 / scale_; }

 private:
  bool unrounded_;
  double scale_;
};

class Symbol {
 public:
  // `market_log_variance` is Market::log_variance(). The options must outlive the object.
  Symbol(const SimulatorOptions& options, const SimulatedSymbol& symbol,
         double market_log_variance);

  // The next bar.
  Candle Step(const MarketBar& market, TimeMs open_time);

 private:
  // A bar's move in logarithms, from its open.
  struct Move {
    double close = 0.0, high = 0.0, low = 0.0;
    double shock = 0.0;  // standardised diffusive return
    double jump = 0.0;   // sum of standardised shocks of jumps
  };

  double RelativeVolatility(const MarketBar& market);
  Move DrawMove(const MarketBar& market, double relative);
  void AddExtremes(Move& move, double diffusion, double variance, double jump);
  double DrawLogVolume(const MarketBar& market, double relative, const Move& move);
  void Advance(double own_shock);

  const SimulatorOptions& options_;
  Scales scales_;
  double factor_weight_, own_weight_;  // square roots of correlation and its complement
  double bar_deviation_;               // of a bar's whole log return, unconditionally
  double diffusion_deviation_, jump_deviation_;
  double base_volume_;  // mean of a bar, base units
  PriceGrid grid_;
  Random noise_;
  JumpClock jumps_;
  std::array<OrnsteinUhlenbeck, 2> log_volatility_;
  OrnsteinUhlenbeck log_volume_;
  double log_mean_;         // subtracted, makes the mean square of own_scale_ 1
  double own_scale_ = 1.0;  // of this bar
  double momentum_ = 0.0;   // of unit variance, from past shocks
  double log_price_;        // not rounded
  double close_;            // rounded, of the bar before
};

}  // namespace almanac::simulator

#endif  // ALMANAC_SOURCE_SIMULATOR_SYMBOL_H_
