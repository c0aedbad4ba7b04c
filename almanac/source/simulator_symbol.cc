#include "almanac/source/simulator_symbol.h"

#include <algorithm>
#include <cmath>

namespace almanac::simulator {
namespace {

// Half of the variance of the logarithm of a symbol's own volatility is the market's.
constexpr double kSharedPart = 0.70710678118654752;  // its square root
constexpr double kOwnFastHours = 4.0, kOwnSlowHours = 120.0;

// The momentum signal forgets half in this many bars.
constexpr double kMomentumHalfLife = 4.0;

// The logarithm of volume: its slope on that of volatility, its answer to the size of the bar's
// move, its own slow and its own instantaneous part.
constexpr double kVolumeOnVolatility = 0.9;
constexpr double kVolumeOnMove = 0.35;
constexpr double kMeanAbsNormal = 0.79788456080286536;
constexpr double kVolumeHours = 12.0, kVolumeDeviation = 0.3;
constexpr double kVolumeNoise = 0.2;
constexpr double kVolumeDecimals = 1e6;
constexpr double kTradesPerDay = 1e5;
constexpr double kTradesPower = 0.8;

double Days(const SimulatorOptions& options) {
  return static_cast<double>(options.timeframe.duration()) / static_cast<double>(kMsPerDay);
}

double VolatilityOf(const SimulatorOptions& options, const SimulatedSymbol& symbol) {
  return symbol.annual_volatility > 0.0 ? symbol.annual_volatility : options.annual_volatility;
}

double SquareOf(double value) { return value * value; }

// How far beyond its two ends a Brownian bridge from 0 to `end` reaches, upwards: with E
// exponential, max = (end + sqrt(end^2 + 2 variance E)) / 2, as P(max > m) = exp(-2 m (m - end) /
// variance).
double BridgeMaximum(double end, double variance, double exponential) {
  return 0.5 * (end + std::sqrt(end * end + 2.0 * variance * exponential));
}

double BridgeMinimum(double end, double variance, double exponential) {
  return 0.5 * (end - std::sqrt(end * end + 2.0 * variance * exponential));
}

}  // namespace

PriceGrid::PriceGrid(int decimals, double start_price)
    : unrounded_(decimals == SimulatedSymbol::kUnrounded), scale_(1.0) {
  constexpr double kCoarsest = 1e-5;  // of the start price
  if (decimals == SimulatedSymbol::kAutomatic) {
    while (1.0 / scale_ > kCoarsest * start_price) scale_ *= 10.0;
  } else {
    for (int i = 0; i < decimals; ++i) scale_ *= 10.0;
  }
}

double PriceGrid::Round(double price) const {
  if (unrounded_) return price;
  // Dividing by the power of ten gives the double nearest to the decimal, multiplying would not.
  return std::max(1.0, std::round(price * scale_)) / scale_;
}

Symbol::Symbol(const SimulatorOptions& options, const SimulatedSymbol& symbol,
               double market_log_variance)
    : options_(options),
      scales_(options),
      factor_weight_(std::sqrt(options.correlation)),
      own_weight_(std::sqrt(1.0 - options.correlation)),
      bar_deviation_(VolatilityOf(options, symbol) / std::sqrt(scales_.bars_per_year)),
      diffusion_deviation_(bar_deviation_ * std::sqrt(scales_.diffusion_share)),
      jump_deviation_(scales_.jump_share > 0.0
                          ? bar_deviation_ * std::sqrt(scales_.jump_share / scales_.jumps_per_bar)
                          : 0.0),
      base_volume_(symbol.daily_turnover / symbol.start_price * Days(options)),
      grid_(symbol.price_decimals, symbol.start_price),
      noise_(options.seed, "symbol/" + symbol.name),
      jumps_(options.seed, "jumps/" + symbol.name,
             (1.0 - options.correlation) * scales_.jumps_per_bar),
      log_volatility_{OrnsteinUhlenbeck(0.25 * SquareOf(options.volatility_of_volatility),
                                        kOwnFastHours, scales_.bar_hours),
                      OrnsteinUhlenbeck(0.25 * SquareOf(options.volatility_of_volatility),
                                        kOwnSlowHours, scales_.bar_hours)},
      log_volume_(SquareOf(kVolumeDeviation), kVolumeHours, scales_.bar_hours),
      log_mean_(SquareOf(kSharedPart) * market_log_variance),
      log_price_(std::log(symbol.start_price)),
      close_(grid_.Round(symbol.start_price)) {
  for (OrnsteinUhlenbeck& component : log_volatility_) {
    component.Start(noise_);
    log_mean_ += component.variance();
  }
  log_volume_.Start(noise_);
  momentum_ = noise_.Normal();
}

Candle Symbol::Step(const MarketBar& market, TimeMs open_time) {
  const double relative = RelativeVolatility(market);
  const Move move = DrawMove(market, relative);
  const double log_volume = DrawLogVolume(market, relative, move);

  Candle bar;
  bar.open_time = open_time;
  bar.open = close_;
  bar.close = grid_.Round(std::exp(log_price_ + move.close));
  bar.high = std::max({grid_.Round(std::exp(log_price_ + move.high)), bar.open, bar.close});
  bar.low = std::min({grid_.Round(std::exp(log_price_ + move.low)), bar.open, bar.close});
  const double units = base_volume_ * std::exp(log_volume);
  bar.volume = std::round(units * kVolumeDecimals) / kVolumeDecimals;
  bar.trade_count = 0.0;
  if (bar.volume > 0.0) {
    const double trades = kTradesPerDay * Days(options_) * std::exp(kTradesPower * log_volume);
    bar.trade_count = std::max(1.0, std::round(trades));
    bar.vwap = std::clamp((bar.open + bar.high + bar.low + bar.close) / 4.0, bar.low, bar.high);
  }
  log_price_ += move.close;
  close_ = bar.close;
  return bar;
}

// The bar's diffusive volatility relative to its mean square over all time.
double Symbol::RelativeVolatility(const MarketBar& market) {
  double log_scale = kSharedPart * market.log_volatility - log_mean_;
  for (const OrnsteinUhlenbeck& component : log_volatility_) log_scale += component.value();
  own_scale_ = std::exp(log_scale);
  return std::sqrt(SquareOf(factor_weight_ * market.factor_scale) +
                   SquareOf(own_weight_ * own_scale_));
}

Symbol::Move Symbol::DrawMove(const MarketBar& market, double relative) {
  const double own = noise_.Normal();
  Move move;
  move.shock =
      (factor_weight_ * market.factor_scale * market.factor + own_weight_ * own_scale_ * own) /
      relative;
  const double p = options_.predictability;
  const double signal =
      market.direction != 0.0 ? kSharedPart * (momentum_ + market.direction) : momentum_;
  const double deviation = diffusion_deviation_ * relative * market.activity;
  const double drift = options_.annual_drift / scales_.bars_per_year;
  const double diffusion = drift + deviation * (p * signal + std::sqrt(1.0 - p * p) * move.shock);

  int own_jumps = 0;
  move.jump = market.jump + jumps_.Step(own_jumps);
  const bool jumped = market.jumps + own_jumps > 0;
  AddExtremes(move, diffusion, deviation * deviation, jumped ? jump_deviation_ * move.jump : 0.0);
  Advance(own);
  const double keep = std::exp2(-1.0 / kMomentumHalfLife);
  momentum_ = keep * momentum_ + std::sqrt(1.0 - keep * keep) * move.shock;
  return move;
}

// Highest, lowest and last point of a path with the given diffusive move, and a jump somewhere.
// Given its ends, the highest and the lowest point are drawn independently.
void Symbol::AddExtremes(Move& move, double diffusion, double variance, double jump) {
  const double up = noise_.Exponential(), down = noise_.Exponential();
  if (jump == 0.0) {
    move.close = diffusion;
    move.high = BridgeMaximum(diffusion, variance, up);
    move.low = BridgeMinimum(diffusion, variance, down);
    return;
  }
  Random& random = jumps_.random();
  const double place = random.Uniform();
  const double before =
      place * diffusion + std::sqrt(variance * place * (1.0 - place)) * random.Normal();
  const double after = diffusion - before, landing = before + jump;
  const double first = place * variance, second = variance - first;
  move.close = diffusion + jump;
  move.high = std::max(BridgeMaximum(before, first, up),
                       landing + BridgeMaximum(after, second, random.Exponential()));
  move.low = std::min(BridgeMinimum(before, first, down),
                      landing + BridgeMinimum(after, second, random.Exponential()));
}

// The logarithm of the bar's volume relative to the mean.
double Symbol::DrawLogVolume(const MarketBar& market, double relative, const Move& move) {
  log_volume_.Step(noise_.Normal());
  const double noise = kVolumeNoise * noise_.Normal();
  const double normal_mean = 0.5 * (log_volume_.variance() + SquareOf(kVolumeNoise));
  double log_volume = kVolumeOnVolatility * std::log(relative * market.regime_scale) +
                      kVolumeOnMove * (std::abs(move.shock) - kMeanAbsNormal) +
                      log_volume_.value() + noise - normal_mean + std::log(market.volume_season);
  if (move.jump != 0.0) log_volume += std::log1p(std::abs(move.jump));
  return log_volume;
}

// Moves the symbol's own volatility on to the next bar; its fast part answers to the return.
void Symbol::Advance(double own_shock) {
  const double leverage = options_.leverage;
  const double fast = noise_.Normal();
  log_volatility_[0].Step(std::sqrt(1.0 - leverage * leverage) * fast - leverage * own_shock);
  log_volatility_[1].Step(noise_.Normal());
}

}  // namespace almanac::simulator
