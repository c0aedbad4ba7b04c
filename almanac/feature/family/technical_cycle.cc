// The dominant cycle of the close: its period, its phase and the trend without it.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "almanac/feature/family/technical_hilbert.h"
#include "almanac/feature/family/technical_moving.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

constexpr size_t kLongestCycle = 50;
// Values that TA-Lib only smooths before its filters begin: for the period and the phasor, and for
// what is measured over whole cycles.
constexpr int64_t kPeriodBefore = 12, kPhaseBefore = 37;

// The last n values as they lie in memory, the newest last.
class RecentValues {
 public:
  explicit RecentValues(size_t longest) : values_(2 * longest, 0.0) {}

  void Push(double value) {
    const size_t half = values_.size() / 2;
    if (++position_ >= half) position_ = 0;
    values_[position_] = values_[position_ + half] = value;
  }
  const double* Last(size_t n) const {
    return values_.data() + position_ + values_.size() / 2 + 1 - n;
  }
  // In four parts, so that an addition need not wait for the one before.
  double Sum(size_t n) const {
    const double* value = Last(n);
    std::array<double, 4> parts{};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
      for (size_t p = 0; p < 4; ++p) parts[p] += value[i + p];
    }
    for (; i < n; ++i) parts[0] += value[i];
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(values_, position_);
  }

 private:
  std::vector<double> values_;  // each twice
  uint64_t position_ = 0;
};

// One turn of a circle in n steps, going back from the last value of an array of n.
struct Turn {
  std::array<double, kLongestCycle> sine, cosine;
};

const std::array<Turn, kLongestCycle + 1>& Turns() {
  static const std::array<Turn, kLongestCycle + 1> kTurns = [] {
    std::array<Turn, kLongestCycle + 1> turns{};
    for (size_t n = 1; n <= kLongestCycle; ++n) {
      for (size_t i = 0; i < n; ++i) {
        const double angle =
            static_cast<double>(i) * (2 * std::numbers::pi) / static_cast<double>(n);
        turns[n].sine[n - 1 - i] = std::sin(angle);
        turns[n].cosine[n - 1 - i] = std::cos(angle);
      }
    }
    return turns;
  }();
  return kTurns;
}

size_t WholeBars(double period) { return static_cast<size_t>(period + 0.5); }

// Where in its cycle the price is, in degrees, by the Fourier component of the cycle's period.
struct PhaseCell {
  static constexpr size_t kInputs = 2, kOutputs = 1;  // smoothed price, period
  RecentValues prices{kLongestCycle};
  double phase = 0;

  void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
    out[0] = kUnknown;
    if (std::isnan(in[0])) return;
    prices.Push(in[0]);
    const size_t n = WholeBars(in[1]);
    const double* price = prices.Last(n);
    const Turn& turn = Turns()[n];
    double real = 0, imaginary = 0;
    for (size_t i = n; i-- > 0;) {
      real += turn.sine[i] * price[i];
      imaginary += turn.cosine[i] * price[i];
    }
    if (imaginary != 0) {
      phase = std::atan(real / imaginary) * (180 / std::numbers::pi);
    } else if (real != 0) {
      phase += real < 0 ? -90 : 90;
    }
    // The smoothing lags by one bar.
    phase = phase + 90 + 360 / in[1];
    if (imaginary < 0) phase += 180;
    if (phase > 315) phase -= 360;
    out[0] = phase;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(prices, phase);
  }
};

// The mean of the price over its cycle, smoothed with weights 4, 3, 2, 1.
struct TrendlineCell {
  static constexpr size_t kInputs = 2, kOutputs = 1;  // price, period
  RecentValues prices{kLongestCycle};
  std::array<double, 3> means{};

  void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
    out[0] = kUnknown;
    if (std::isnan(in[0])) return;
    prices.Push(in[0]);
    if (std::isnan(in[1])) return;
    const size_t n = WholeBars(in[1]);
    const double mean = n > 0 ? prices.Sum(n) / static_cast<double>(n) : 0;
    out[0] = (4 * mean + 3 * means[0] + 2 * means[1] + means[2]) / 10;
    means = {mean, means[0], means[1]};
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(prices, means);
  }
};

// 1 in a trend, 0 in a cycle. A cycle: less than half a period since the sine crossed its lead, or
// a phase that goes on at the cycle's pace; but a trend where the price is 1.5 % off the trendline.
struct TrendModeCell {
  static constexpr size_t kInputs = 6, kOutputs = 1;
  enum Input : size_t { kSmooth, kPeriod, kPhase, kSine, kLead, kTrendline };
  double phase = 0, sine = 0, lead = 0, bars = 0;

  void Step(const std::array<double, 6>& in, std::array<double, 1>& out) {
    out[0] = kUnknown;
    if (std::isnan(in[kPhase])) return;
    const bool crossed =
        (in[kSine] > in[kLead] && sine <= lead) || (in[kSine] < in[kLead] && sine >= lead);
    bars = crossed ? 1 : bars + 1;
    const double turned = in[kPhase] - phase;
    const double pace = 360 / in[kPeriod];
    bool trend = !crossed && bars >= 0.5 * in[kPeriod];
    if (turned > 0.67 * pace && turned < 1.5 * pace) trend = false;
    if (in[kTrendline] != 0 && std::abs((in[kSmooth] - in[kTrendline]) / in[kTrendline]) >= 0.015) {
      trend = true;
    }
    phase = in[kPhase];
    sine = in[kSine];
    lead = in[kLead];
    out[0] = trend ? 1 : 0;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(phase, sine, lead, bars);
  }
};

// The mean of the last p prices, p the cycle's period held between two bounds.
struct VariableMeanCell {
  static constexpr size_t kInputs = 2, kOutputs = 1;  // price, period
  int64_t shortest, longest;
  int64_t seen = 0;  // counted up to longest
  RecentValues prices;

  VariableMeanCell(int64_t low, int64_t high)
      : shortest(low), longest(high), prices(static_cast<size_t>(high)) {}
  void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
    out[0] = kUnknown;
    if (std::isnan(in[0])) return;
    prices.Push(in[0]);
    if (seen < longest) ++seen;
    if (seen < longest || std::isnan(in[1])) return;
    const int64_t bars = std::clamp(static_cast<int64_t>(in[1]), shortest, longest);
    out[0] = prices.Sum(static_cast<size_t>(bars)) / static_cast<double>(bars);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(seen, prices);
  }
};

Cycle PhaseCycle(KernelGraph& graph) { return DominantCycle(graph, Close(graph), kPhaseBefore); }
Cycle PeriodCycle(KernelGraph& graph) { return DominantCycle(graph, Close(graph), kPeriodBefore); }

Signal FromPeriod(KernelGraph& graph, const Signal& signal) {
  return Skip(graph, signal, kCycleLookBack - 1 - kPeriodBefore);
}
Signal FromPhase(KernelGraph& graph, const Signal& signal) {
  return Skip(graph, signal, kPhaseLookBack - 1 - kPhaseBefore);
}

Signal Phase(KernelGraph& graph) {
  const Cycle cycle = PhaseCycle(graph);
  return AddCell(graph, "cycle phase", {cycle.smooth, cycle.period}, {}, PhaseCell{})[0];
}

Signal SineOf(KernelGraph& graph, double lead) {
  return Map<1>(graph, "sine", {Phase(graph)},
                [lead](const std::array<double, 1>& in) {
                  return std::sin((in[0] + lead) * (std::numbers::pi / 180));
                },
                {lead});
}

Signal Trendline(KernelGraph& graph) {
  return AddCell(graph, "trendline", {Close(graph), PhaseCycle(graph).period}, {},
                 TrendlineCell{})[0];
}

Signal TrendMode(KernelGraph& graph) {
  const Cycle cycle = PhaseCycle(graph);
  return AddCell(graph, "trend mode",
                 {cycle.smooth, cycle.period, Phase(graph), SineOf(graph, 0), SineOf(graph, 45),
                  Trendline(graph)},
                 {}, TrendModeCell{})[0];
}

Node AddVariableMean(KernelGraph& graph, Values v) {
  const Signal period = FromPeriod(graph, PeriodCycle(graph).period);
  const Signal mean = AddCell(graph, "variable mean", {Close(graph), period},
                              {static_cast<double>(v[0]), static_cast<double>(v[1])},
                              VariableMeanCell(v[0], v[1]))[0];
  return Distance(graph, mean).node;
}

Family OfCycle(
    FamilyInfo info, Node (*add)(KernelGraph&, Values),
    int64_t (*look_back)(Values) = [](Values) { return kPhaseLookBack; }) {
  Family family;
  family.info = std::move(info);
  family.unbounded_memory = true;
  family.add_all = add;
  family.look_back = look_back;
  return family;
}

std::vector<Family> PeriodFamilies() {
  constexpr auto kPeriodBars = [](Values) { return kCycleLookBack; };
  const std::string look_back = "33 bars, older ones with falling weight";
  const std::string book = "Ehlers 2001, Rocket Science for Traders; TA-Lib: ";
  return {
      OfCycle(
          {"ht_period", "length of the close's dominant cycle (Hilbert transform)", "bars",
           "[6, 50]", look_back, 0, book + "HT_DCPERIOD"},
          [](KernelGraph& graph, Values) {
            return FromPeriod(graph, PeriodCycle(graph).period).node;
          },
          kPeriodBars),
      OfCycle(
          {"ht_in_phase", "in-phase component of the cycle / close[t]", "ratio", "(-inf, inf)",
           look_back, 0, book + "HT_PHASOR / close"},
          [](KernelGraph& graph, Values) {
            return Ratio(graph, FromPeriod(graph, PeriodCycle(graph).in_phase), Close(graph)).node;
          },
          kPeriodBars),
      OfCycle(
          {"ht_quadrature", "quadrature component of the cycle / close[t]", "ratio", "(-inf, inf)",
           look_back, 0, book + "HT_PHASOR / close"},
          [](KernelGraph& graph, Values) {
            return Ratio(graph, FromPeriod(graph, PeriodCycle(graph).quadrature), Close(graph))
                .node;
          },
          kPeriodBars),
      OfCycle(
          {"mama_distance",
           "close[t] / m[t] - 1; m[t] = m[t-1] + w (close[t] - m[t-1]), w = max(fast / d, slow), "
           "d the degrees by which the cycle's phase went back (at least 1); fast and slow in "
           "percent; m begins with 0 at bar 13",
           "ratio",
           "(-1, inf)",
           look_back,
           0,
           book + "MAMA",
           {{"fast", 1, 99}, {"slow", 1, 99}}},
          [](KernelGraph& graph, Values v) {
            return Distance(graph, Mesa(graph, Close(graph), v[0], v[1])[0]).node;
          },
          kPeriodBars),
      OfCycle(
          {"fama_distance",
           "close[t] / f[t] - 1; f[t] = f[t-1] + w / 2 (m[t] - f[t-1]), m and w of "
           "mama_distance; f begins with 0 at bar 13",
           "ratio",
           "(-1, inf)",
           look_back,
           0,
           book + "MAMA's FAMA",
           {{"fast", 1, 99}, {"slow", 1, 99}}},
          [](KernelGraph& graph, Values v) {
            return Distance(graph, Mesa(graph, Close(graph), v[0], v[1])[1]).node;
          },
          kPeriodBars),
      OfCycle({"cycle_mean_distance",
               "close[t] / mean(close) - 1 over as many bars as ht_period says, rounded down and "
               "held in [shortest, longest]",
               "ratio",
               "(-1, inf)",
               "max(longest, 33) bars, older ones with falling weight",
               0,
               "TA-Lib: MAVP with HT_DCPERIOD as its periods",
               {{"shortest", 2, 49}, {.name = "longest", .largest = 50, .above_previous = true}}},
              AddVariableMean, [](Values v) { return std::max(v[1], kCycleLookBack); }),
  };
}

std::vector<Family> PhaseFamilies() {
  const std::string look_back = "64 bars, older ones with falling weight";
  const std::string book = "Ehlers 2001, Rocket Science for Traders; TA-Lib: ";
  return {
      OfCycle({"ht_phase", "phase of the dominant cycle, from its Fourier component", "degrees",
               "[-45, 315]", look_back, 0, book + "HT_DCPHASE"},
              [](KernelGraph& graph, Values) { return FromPhase(graph, Phase(graph)).node; }),
      OfCycle({"ht_sine", "sine of ht_phase", "none", "[-1, 1]", look_back, 0, book + "HT_SINE"},
              [](KernelGraph& graph, Values) { return FromPhase(graph, SineOf(graph, 0)).node; }),
      OfCycle({"ht_lead_sine", "sine of ht_phase + 45 degrees", "none", "[-1, 1]", look_back, 0,
               book + "HT_SINE's lead sine"},
              [](KernelGraph& graph, Values) { return FromPhase(graph, SineOf(graph, 45)).node; }),
      OfCycle(
          {"ht_trendline_distance",
           "close[t] / l[t] - 1, l the mean of the close over its dominant cycle, smoothed over "
           "4 bars with weights 4, 3, 2, 1",
           "ratio", "(-1, inf)", look_back, 0, book + "HT_TRENDLINE"},
          [](KernelGraph& graph, Values) {
            return Distance(graph, FromPhase(graph, Trendline(graph))).node;
          }),
      OfCycle({"ht_trend_mode", "1 in a trend, 0 in a cycle", "none", "0, 1", look_back, 0,
               book + "HT_TRENDMODE"},
              [](KernelGraph& graph, Values) { return FromPhase(graph, TrendMode(graph)).node; }),
  };
}

}  // namespace

std::vector<Family> CycleFamilies() {
  std::vector<Family> all = PeriodFamilies();
  const std::vector<Family> more = PhaseFamilies();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace almanac::technical
