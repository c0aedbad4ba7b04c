#include "almanac/source/simulator_market.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace almanac::simulator {
namespace {

struct Component {
  double share;  // of the variance of the logarithm of volatility
  double hours;  // relaxation time
};
constexpr std::array<Component, 4> kComponents = {{{0.15, 1}, {0.25, 8}, {0.3, 72}, {0.3, 720}}};
// Components at least this fast react to returns (leverage).
constexpr double kFastHours = 8;

struct RegimeSpec {
  double volatility;
  double mean_days;
  std::array<double, 3> next;  // probabilities of the regime after it
};
constexpr std::array<RegimeSpec, 3> kSpecs = {
    {{0.7, 6.0, {0.0, 0.7, 0.3}}, {1.0, 3.0, {0.8, 0.0, 0.2}}, {1.8, 1.0, {0.6, 0.4, 0.0}}}};

// The cycle of the logarithm of volatility: a wave a day with its height at 15:00 UTC, one a half
// day, and quiet weekends. Volume follows it with another power.
constexpr double kDailyWave = 0.35, kDailyPeakHour = 15.0;
constexpr double kHalfDayWave = 0.12, kHalfDayPeakHour = 2.0;
constexpr double kWeekend = -0.35;
constexpr double kVolumePower = 1.4;

double SeasonLogVolatility(int minute_of_week) {
  const double hour = minute_of_week % 1440 / 60.0;
  const double turn = 2.0 * std::numbers::pi / 24.0;
  const double weekend = minute_of_week / 1440 >= 5 ? kWeekend : 0.0;
  return kDailyWave * std::cos(turn * (hour - kDailyPeakHour)) +
         kHalfDayWave * std::cos(2.0 * turn * (hour - kHalfDayPeakHour)) + weekend;
}

double Mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

OrnsteinUhlenbeck::OrnsteinUhlenbeck(double variance, double relaxation, double step)
    : keep_(std::exp(-step / relaxation)) {
  // The variance of the average of the process over an interval of x relaxation times.
  const double x = step / relaxation;
  const double averaged = 2.0 * (x + std::expm1(-x)) / (x * x);
  deviation_ = std::sqrt(variance * averaged);
  shock_ = deviation_ * std::sqrt(1.0 - keep_ * keep_);
}

JumpClock::JumpClock(uint64_t seed, std::string_view stream, double rate)
    : random_(seed, stream), rate_(rate) {
  wait_ = rate > 0.0 ? random_.Exponential() / rate : std::numeric_limits<double>::infinity();
}

double JumpClock::Step(int& count) {
  constexpr double kDegrees = 4.0, kCutOff = 12.0;
  double sum = 0.0;
  for (count = 0; wait_ < 1.0; ++count) {
    const double shock = random_.StudentT(kDegrees) / std::sqrt(kDegrees / (kDegrees - 2.0));
    sum += std::clamp(shock, -kCutOff, kCutOff);
    wait_ += random_.Exponential() / rate_;
  }
  wait_ -= 1.0;
  return sum;
}

Scales::Scales(const SimulatorOptions& options) {
  const double duration = static_cast<double>(options.timeframe.duration());
  bars_per_year = kMsPerYear / duration;
  bar_hours = duration / static_cast<double>(kMsPerHour);
  jumps_per_bar = options.jumps_per_year / bars_per_year;
  jump_share = options.jumps_per_year > 0.0 ? options.jump_variance_share : 0.0;
  diffusion_share = 1.0 - jump_share;
}

Market::Market(const SimulatorOptions& options, TimeMs first_open)
    : options_(options),
      scales_(options),
      price_(options.seed, "market/price"),
      volatility_(options.seed, "market/volatility"),
      regime_random_(options.seed, "market/regime"),
      jumps_(options.seed, "market/jumps", options.correlation * scales_.jumps_per_bar) {
  const double variance = options.volatility_of_volatility * options.volatility_of_volatility;
  for (const Component& component : kComponents) {
    log_volatility_.emplace_back(variance * component.share, component.hours, scales_.bar_hours);
    log_volatility_.back().Start(volatility_);
  }
  BuildSeason(options.seasonality);
  const TimeMs week = Timeframe::Parse("1w").Floor(first_open);
  slot_ = static_cast<size_t>((first_open - week) / options.timeframe.duration());
  BuildRegimes();
}

double Market::log_variance() const {
  double variance = 0.0;
  for (const OrnsteinUhlenbeck& component : log_volatility_) variance += component.variance();
  return variance;
}

void Market::BuildSeason(double strength) {
  const size_t minutes = static_cast<size_t>(options_.timeframe.duration() / kMsPerMinute);
  constexpr size_t kWeek = size_t{7} * 1440;
  for (size_t first = 0; first < kWeek; first += minutes) {
    double square = 0.0, volume = 0.0;
    for (size_t minute = first; minute < first + minutes; ++minute) {
      const double level = strength * SeasonLogVolatility(static_cast<int>(minute));
      square += std::exp(2.0 * level);
      volume += std::exp(kVolumePower * level);
    }
    season_volatility_.push_back(square / static_cast<double>(minutes));
    season_volume_.push_back(volume / static_cast<double>(minutes));
  }
  const double mean_square = Mean(season_volatility_), mean_volume = Mean(season_volume_);
  for (double& value : season_volatility_) value = std::sqrt(value / mean_square);
  for (double& value : season_volume_) value /= mean_volume;
}

void Market::BuildRegimes() {
  if (!options_.regimes) {
    regime_scale_.fill(1.0);
    regime_wait_ = std::numeric_limits<double>::infinity();
    return;
  }
  // The stationary distribution of the regimes entered, by iteration of the transition matrix,
  // halfway mixed so that it converges for a periodic chain too.
  std::array<double, kRegimes> entered = {1.0 / 3, 1.0 / 3, 1.0 / 3};
  for (int round = 0; round < 200; ++round) {
    std::array<double, kRegimes> after{};
    for (size_t from = 0; from < kRegimes; ++from) {
      after[from] += 0.5 * entered[from];
      for (size_t to = 0; to < kRegimes; ++to)
        after[to] += 0.5 * entered[from] * kSpecs[from].next[to];
    }
    entered = after;
  }
  double time = 0.0, square = 0.0;
  for (size_t k = 0; k < kRegimes; ++k) {
    occupancy_[k] = entered[k] * kSpecs[k].mean_days;
    time += occupancy_[k];
  }
  for (size_t k = 0; k < kRegimes; ++k) {
    occupancy_[k] /= time;
    square += occupancy_[k] * kSpecs[k].volatility * kSpecs[k].volatility;
  }
  for (size_t k = 0; k < kRegimes; ++k) regime_scale_[k] = kSpecs[k].volatility / std::sqrt(square);
  const double draw = regime_random_.Uniform();
  EnterRegime(draw < occupancy_[kCalm]                        ? kCalm
              : draw < occupancy_[kCalm] + occupancy_[kTrend] ? kTrend
                                                              : kStress);
}

void Market::EnterRegime(int regime) {
  regime_ = regime;
  const double mean_bars = kSpecs[static_cast<size_t>(regime)].mean_days * 24.0 / scales_.bar_hours;
  regime_wait_ = regime_random_.Exponential() * mean_bars;
  const bool up = regime_random_.Uniform() < 0.5;
  direction_ = regime == kTrend ? (up ? 1.0 : -1.0) : 0.0;
}

void Market::StepRegime() {
  regime_wait_ -= 1.0;
  while (regime_wait_ <= 0.0) {
    const double late = regime_wait_;
    const auto& next = kSpecs[static_cast<size_t>(regime_)].next;
    const double draw = regime_random_.Uniform();
    EnterRegime(draw < next[kCalm] ? kCalm : draw < next[kCalm] + next[kTrend] ? kTrend : kStress);
    regime_wait_ += late;
  }
}

void Market::Next(size_t count, std::vector<MarketBar>& bars) {
  const double log_mean = log_variance();  // makes the mean square of exp(log - log_mean) 1
  const double leverage = options_.leverage;
  const double rest = std::sqrt(1.0 - leverage * leverage);
  bars.resize(count);
  for (MarketBar& bar : bars) {
    bar.factor = price_.Normal();
    bar.log_volatility = 0.0;
    for (const OrnsteinUhlenbeck& component : log_volatility_) {
      bar.log_volatility += component.value();
    }
    bar.factor_scale = std::exp(bar.log_volatility - log_mean);
    bar.regime_scale = regime_scale_[static_cast<size_t>(regime_)];
    bar.activity = bar.regime_scale * season_volatility_[slot_];
    bar.volume_season = season_volume_[slot_];
    bar.direction = direction_;
    bar.jump = jumps_.Step(bar.jumps);

    for (size_t k = 0; k < kComponents.size(); ++k) {
      double shock = volatility_.Normal();
      if (kComponents[k].hours <= kFastHours) shock = rest * shock - leverage * bar.factor;
      log_volatility_[k].Step(shock);
    }
    StepRegime();
    slot_ = slot_ + 1 == season_volume_.size() ? 0 : slot_ + 1;
  }
}

}  // namespace almanac::simulator
