#include "almanac/backtest/panel_strategy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr std::string_view kWeightings[] = {"equal", "forecast", "inverse_volatility"};
constexpr size_t kNotHeld = static_cast<size_t>(-1);

void Require(bool allowed, const char* option, double found, const char* range) {
  if (allowed) return;
  throw Error(ErrorCode::kUsage, fmt::format("strategy.{}", option),
              fmt::format("{} is not possible", found), range);
}

int64_t WeekOf(TimeMs time) {
  constexpr int64_t kThursdayToMonday = 3;  // the epoch was a Thursday
  return (time / kMsPerDay + kThursdayToMonday) / 7;
}

// Chooses the symbols of one side. `sign` is 1 for longs and -1 for shorts: a higher sign *
// forecast is better.
class SideChooser {
 public:
  SideChooser(const PanelStrategy& strategy, size_t symbols, double sign, size_t places)
      : strategy_(strategy), sign_(sign), places_(places), held_since_(symbols, kNotHeld) {}

  // The symbols to hold from this instant (at bar `bar`) on, none of them in `taken`.
  const std::vector<size_t>& Choose(std::span<const double> forecast, size_t bar,
                                    const std::vector<char>& taken);
  size_t places() const { return places_; }
  double sign() const { return sign_; }
  // Whether it was chosen by the decision before, too.
  bool WasHeld(size_t symbol) const { return was_held_[symbol] != 0; }

 private:
  static constexpr size_t kBlock = 16;

  double Reached(std::span<const double> forecast, const std::vector<char>& taken);
  void Rank(std::span<const double> forecast, const std::vector<char>& taken);
  void DropByRank(std::span<const double> forecast, size_t bar);

  const PanelStrategy& strategy_;
  double sign_;
  size_t places_;
  std::vector<size_t> held_since_;  // bar, or kNotHeld
  std::vector<char> was_held_;
  std::vector<size_t> holdings_, ranked_, droppable_;
  std::vector<char> wanted_;
  std::vector<double> goodness_, best_of_block_, best_in_order_, ranked_values_;
};

// Fills `goodness_` with sign * forecast (-infinity for who is taken) and `best_of_block_`, and
// returns a value that at least `places_` symbols reach, as far as the best of each block tell;
// -infinity where they do not.
double SideChooser::Reached(std::span<const double> forecast, const std::vector<char>& taken) {
  constexpr double kNothing = -std::numeric_limits<double>::infinity();
  const size_t blocks = (forecast.size() + kBlock - 1) / kBlock;
  goodness_.assign(blocks * kBlock, kNothing);
  const double sign = sign_;
  double* goodness = goodness_.data();
  for (size_t s = 0; s < forecast.size(); ++s) goodness[s] = sign * forecast[s];
  if (std::find(taken.begin(), taken.end(), 1) != taken.end()) {
    for (size_t s = 0; s < forecast.size(); ++s) {
      if (taken[s] != 0) goodness_[s] = kNothing;
    }
  }
  best_of_block_.resize(blocks);
  constexpr size_t kLanes = 4;
  for (size_t block = 0; block < blocks; ++block) {
    const double* value = &goodness_[block * kBlock];
    double best[kLanes] = {kNothing, kNothing, kNothing, kNothing};
    for (size_t i = 0; i < kBlock; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        best[lane] = value[i + lane] > best[lane] ? value[i + lane] : best[lane];
      }
    }
    best_of_block_[block] = *std::max_element(best, best + kLanes);
  }
  if (places_ == 0 || blocks < places_) return kNothing;
  best_in_order_ = best_of_block_;
  const auto place = best_in_order_.begin() + static_cast<std::ptrdiff_t>(places_ - 1);
  std::nth_element(best_in_order_.begin(), place, best_in_order_.end(), std::greater<>());
  return *place;
}

void SideChooser::Rank(std::span<const double> forecast, const std::vector<char>& taken) {
  // The best so far, in order; what does not exceed the last of them is turned away, most of it a
  // block at a time.
  ranked_.clear();
  ranked_values_.clear();
  const double reached = Reached(forecast, taken);
  double to_exceed = strategy_.min_forecast;
  for (size_t block = 0; block < best_of_block_.size() && places_ > 0; ++block) {
    if (!(best_of_block_[block] > to_exceed) || best_of_block_[block] < reached) continue;
    for (size_t s = block * kBlock; s < (block + 1) * kBlock; ++s) {
      const double value = goodness_[s];
      if (!(value > to_exceed) || value < reached) continue;
      if (ranked_.size() == places_) {
        ranked_.pop_back();
        ranked_values_.pop_back();
      }
      size_t at = ranked_.size();
      // After its equals: they come by name.
      while (at > 0 && value > ranked_values_[at - 1]) --at;
      ranked_.insert(ranked_.begin() + static_cast<std::ptrdiff_t>(at), s);
      ranked_values_.insert(ranked_values_.begin() + static_cast<std::ptrdiff_t>(at), value);
      if (ranked_.size() == places_) to_exceed = ranked_values_.back();
    }
  }
  wanted_.assign(forecast.size(), 0);
  for (const size_t s : ranked_) wanted_[s] = 1;
}

void SideChooser::DropByRank(std::span<const double> forecast, size_t bar) {
  droppable_.clear();
  for (const size_t s : holdings_) {
    if (wanted_[s] == 0 && bar - held_since_[s] >= strategy_.min_hold) droppable_.push_back(s);
  }
  // Worst first; one without a forecast is the worst.
  const auto goodness = [&](size_t s) {
    return std::isnan(forecast[s]) ? -std::numeric_limits<double>::infinity() : sign_ * forecast[s];
  };
  std::sort(droppable_.begin(), droppable_.end(), [&](size_t a, size_t b) {
    const double x = goodness(a), y = goodness(b);
    return x < y || (x == y && a > b);
  });
  if (strategy_.k_drop > 0 && droppable_.size() > strategy_.k_drop) {
    droppable_.resize(strategy_.k_drop);
  }
  for (const size_t s : droppable_) held_since_[s] = kNotHeld;
}

const std::vector<size_t>& SideChooser::Choose(std::span<const double> forecast, size_t bar,
                                               const std::vector<char>& taken) {
  was_held_.assign(forecast.size(), 0);
  for (const size_t s : holdings_) was_held_[s] = 1;
  Rank(forecast, taken);
  for (const size_t s : holdings_) {
    const bool expired = strategy_.max_hold > 0 && bar - held_since_[s] >= strategy_.max_hold;
    if (!expired && taken[s] == 0) continue;
    held_since_[s] = kNotHeld;
    was_held_[s] = 0;
  }
  const auto is_dropped = [&](size_t s) { return held_since_[s] == kNotHeld; };
  std::erase_if(holdings_, is_dropped);
  DropByRank(forecast, bar);
  std::erase_if(holdings_, is_dropped);
  for (const size_t s : ranked_) {
    if (holdings_.size() >= places_) break;
    if (held_since_[s] != kNotHeld) continue;
    held_since_[s] = bar;
    holdings_.push_back(s);
  }
  std::sort(holdings_.begin(), holdings_.end());
  return holdings_;
}

// 1 / standard deviation of the last log returns of the closes up to `bar`; 0 where it is not
// known.
double InverseVolatility(const PanelBars& bars, size_t symbol, size_t bar, size_t window) {
  double sum = 0, squares = 0;
  size_t count = 0;
  double later = std::numeric_limits<double>::quiet_NaN();
  for (size_t b = bar + 1; b-- > 0 && count < window;) {
    const double close = bars.close.At(b, symbol);
    if (std::isnan(close)) continue;
    if (!std::isnan(later)) {
      const double r = std::log(later / close);
      sum += r;
      squares += r * r;
      ++count;
    }
    later = close;
  }
  if (count < window) return 0;
  const auto n = static_cast<double>(count);
  const double variance = (squares - sum * sum / n) / (n - 1);
  return variance > 0 ? 1 / std::sqrt(variance) : 0;
}

double MedianOf(std::span<const double> row, std::vector<double>& scratch) {
  scratch.clear();
  for (const double value : row) {
    if (!std::isnan(value)) scratch.push_back(value);
  }
  if (scratch.empty()) return 0;
  const size_t half = scratch.size() / 2;
  std::nth_element(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(half),
                   scratch.end());
  const double upper = scratch[half];
  if (scratch.size() % 2 == 1) return upper;
  return (upper +
          *std::max_element(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(half))) /
         2;
}

class PanelDecider {
 public:
  PanelDecider(const PanelStrategy& strategy, const PanelBars& bars,
               const PanelForecasts& forecasts)
      : strategy_(strategy),
        bars_(bars),
        forecasts_(forecasts),
        longs_(strategy, bars.symbols.size(), 1, strategy.top_k),
        shorts_(strategy, bars.symbols.size(), -1, strategy.bottom_k) {}

  std::vector<PanelTarget> Decide() {
    std::vector<PanelTarget> targets;
    int64_t period = -1;
    for (size_t i = 0; i < forecasts_.made_at.size(); ++i) {
      const TimeMs made_at = forecasts_.made_at[i];
      if (strategy_.rebalance == Rebalance::kBars) {
        if (i % strategy_.every != 0) continue;
      } else {
        const int64_t now = PeriodAt(made_at);
        if (now == period) continue;
        period = now;
      }
      targets.push_back(DecideAt(i));
    }
    return targets;
  }

 private:
  // The week or month in which a decision would be filled.
  int64_t PeriodAt(TimeMs made_at) const {
    const size_t bar = bars_.FirstBarAt(made_at);
    const TimeMs time = bar < bars_.size() ? bars_.time[bar] : made_at;
    if (strategy_.rebalance == Rebalance::kWeek) return WeekOf(time);
    const CivilDate date = DateOf(time);
    return int64_t{12} * date.year + date.month;
  }

  PanelTarget DecideAt(size_t instant) {
    const std::span<const double> forecast = forecasts_.value.Row(instant);
    const size_t bar = bars_.FirstBarAt(forecasts_.made_at[instant]);
    PanelTarget target;
    target.decided_at = forecasts_.made_at[instant];
    target.weights.reserve(strategy_.top_k + strategy_.bottom_k);
    taken_.assign(forecast.size(), 0);
    AddSide(longs_, forecast, bar, strategy_.long_weight, taken_, target);
    AddSide(shorts_, forecast, bar, -strategy_.short_weight, taken_, target);
    std::sort(target.weights.begin(), target.weights.end(),
              [](const PanelWeight& a, const PanelWeight& b) { return a.symbol < b.symbol; });
    return target;
  }

  void AddSide(SideChooser& side, std::span<const double> forecast, size_t bar, double side_weight,
               std::vector<char>& taken, PanelTarget& target) {
    if (side.places() == 0) return;
    const std::vector<size_t>& chosen = side.Choose(forecast, bar, taken);
    shares_.assign(chosen.size(), 1);
    const double median =
        strategy_.weighting == Weighting::kForecast ? MedianOf(forecast, scratch_) : 0;
    double sum = 0;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const double value = forecast[chosen[i]];
      if (strategy_.weighting == Weighting::kForecast) {
        shares_[i] = std::isnan(value) ? 0 : std::max(0.0, side.sign() * (value - median));
      } else if (strategy_.weighting == Weighting::kInverseVolatility) {
        shares_[i] =
            bar == 0 ? 0
                     : InverseVolatility(bars_, chosen[i], bar - 1, strategy_.volatility_window);
      }
      sum += shares_[i];
    }
    const double filled = static_cast<double>(chosen.size()) / static_cast<double>(side.places());
    for (size_t i = 0; i < chosen.size(); ++i) {
      const double share = sum > 0 ? shares_[i] / sum : 1 / static_cast<double>(chosen.size());
      taken[chosen[i]] = 1;
      const bool keep = strategy_.k_drop > 0 && side.WasHeld(chosen[i]);
      target.weights.push_back({chosen[i], side_weight * filled * share, keep});
    }
  }

  const PanelStrategy& strategy_;
  const PanelBars& bars_;
  const PanelForecasts& forecasts_;
  SideChooser longs_, shorts_;
  std::vector<double> shares_, scratch_;
  std::vector<char> taken_;
};

}  // namespace

std::string_view Name(Weighting weighting) { return kWeightings[static_cast<size_t>(weighting)]; }
std::vector<std::string> WeightingNames() {
  return {std::begin(kWeightings), std::end(kWeightings)};
}
Weighting ParseWeighting(std::string_view name) {
  const auto* found = std::find(std::begin(kWeightings), std::end(kWeightings), name);
  if (found == std::end(kWeightings)) {
    throw Error(ErrorCode::kUsage, "strategy.weighting", fmt::format("\"{}\" is none", name),
                fmt::format("{}", fmt::join(kWeightings, ", ")));
  }
  return static_cast<Weighting>(found - std::begin(kWeightings));
}

void CheckStrategy(const PanelStrategy& strategy) {
  Require(strategy.top_k + strategy.bottom_k > 0, "top_k", 0, "top_k or bottom_k above 0");
  const auto side = [](size_t places, double weight, const char* option) {
    const bool fine = places == 0 ? weight == 0 : weight > 0 && weight <= 10;
    Require(fine, option, weight, "above 0 and at most 10 for a side with places, else 0");
  };
  side(strategy.top_k, strategy.long_weight, "long_weight");
  side(strategy.bottom_k, strategy.short_weight, "short_weight");
  Require(strategy.every > 0, "rebalance", 0, "at least 1");
  Require(strategy.volatility_window >= 2, "volatility_window",
          static_cast<double>(strategy.volatility_window), "at least 2");
  Require(!std::isnan(strategy.min_forecast), "min_forecast", strategy.min_forecast, "a number");
  Require(strategy.max_hold == 0 || strategy.max_hold > strategy.min_hold, "max_hold",
          static_cast<double>(strategy.max_hold), "0 (none) or above min_hold");
}

std::vector<PanelTarget> DecidePanel(const PanelStrategy& strategy, const PanelBars& bars,
                                     const PanelForecasts& forecasts) {
  CheckStrategy(strategy);
  return PanelDecider(strategy, bars, forecasts).Decide();
}

std::vector<std::string> Describe(const PanelStrategy& s) {
  std::vector<std::string> lines;
  const auto side = [&](size_t places, const char* which, const char* what, double weight) {
    if (places == 0) return;
    lines.push_back(
        fmt::format("The {} symbols with the {} forecasts are {}, together {:.6g} % of "
                    "the equity.",
                    places, which, what, 100 * weight));
  };
  side(s.top_k, "highest", "bought", s.long_weight);
  side(s.bottom_k, "lowest", "sold short", s.short_weight);
  if (std::isfinite(s.min_forecast)) {
    lines.push_back(
        fmt::format("A long needs a forecast above {:.6g}, a short one below {:.6g}; "
                    "places that stay empty are cash.",
                    s.min_forecast, -s.min_forecast));
  }
  const char* by = s.weighting == Weighting::kEqual ? "equal parts"
                   : s.weighting == Weighting::kForecast
                       ? "in proportion to the forecast's distance from the median"
                       : "in proportion to 1 / volatility";
  const std::string when = s.rebalance == Rebalance::kWeek    ? "every week"
                           : s.rebalance == Rebalance::kMonth ? "every month"
                           : s.every == 1                     ? "at every forecast"
                                          : fmt::format("at every {}th forecast", s.every);
  lines.push_back(fmt::format("Weights: {}; rebalanced {}.", by, when));
  if (s.k_drop > 0) {
    lines.push_back(
        fmt::format("At most {} holdings a side are replaced at a time; the others keep "
                    "their units.",
                    s.k_drop));
  }
  if (s.min_hold > 0) lines.push_back(fmt::format("Held for at least {} bars.", s.min_hold));
  if (s.max_hold > 0) lines.push_back(fmt::format("Held for at most {} bars.", s.max_hold));
  return lines;
}

}  // namespace almanac
