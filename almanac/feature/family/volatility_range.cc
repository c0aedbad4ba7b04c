// Volatility per bar beyond the three basic ones: other estimators, its two sides, its jumps, its
// memory and its own volatility.
#include <cmath>
#include <numbers>

#include "almanac/feature/family/technical.h"

namespace almanac::volatility {
namespace {

using technical::AddCell;
using technical::Close;
using technical::Gain;
using technical::High;
using technical::Lag;
using technical::LogReturn;
using technical::Loss;
using technical::Low;
using technical::Map;
using technical::MeanAndDeviation;
using technical::Open;
using technical::Product;
using technical::RollingSum;
using technical::SampleDeviation;
using technical::Scaled;
using technical::Share;
using technical::Signal;
using technical::Size;
using technical::Square;
using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

constexpr double kPercent = 0.01;

// sqrt(sum of n / n)
Signal RootOfMean(KernelGraph& graph, const Signal& variance, int64_t n) {
  const auto length = static_cast<double>(n);
  return Map<1>(graph, "root of mean", {RollingSum(graph, variance, n)},
                [length](const std::array<double, 1>& in) { return std::sqrt(in[0] / length); },
                {length});
}

Signal SquaredReturn(KernelGraph& graph) { return Square(graph, LogReturn(graph, 1)); }

Signal Realised(KernelGraph& graph, int64_t n) {
  return RootOfMean(graph, SquaredReturn(graph), n);
}

Node AddCloseClose(KernelGraph& graph, int64_t n) {
  return SampleDeviation(graph, LogReturn(graph, 1), n).node;
}

Signal RogersSatchellVariance(KernelGraph& graph) {
  return Map<4>(graph, "rogers satchell variance",
                {Open(graph), High(graph), Low(graph), Close(graph)},
                [](const std::array<double, 4>& in) {
                  const double up = std::log1p((in[1] - in[0]) / in[0]);
                  const double down = std::log1p((in[2] - in[0]) / in[0]);
                  const double body = std::log1p((in[3] - in[0]) / in[0]);
                  return up * (up - body) + down * (down - body);
                });
}

Node AddRogersSatchell(KernelGraph& graph, int64_t n) {
  return RootOfMean(graph, RogersSatchellVariance(graph), n).node;
}

// ln(to / from)
Signal LogRatio(KernelGraph& graph, const Signal& to, const Signal& from) {
  return Map<2>(graph, "log ratio", {to, from}, [](const std::array<double, 2>& in) {
    return std::log1p((in[0] - in[1]) / in[1]);
  });
}

Node AddYangZhang(KernelGraph& graph, int64_t n) {
  const auto length = static_cast<double>(n);
  const double weight = 0.34 / (1.34 + (length + 1) / (length - 1));
  const Signal overnight = LogRatio(graph, Open(graph), Lag(graph, Close(graph), 1));
  const Signal body = LogRatio(graph, Close(graph), Open(graph));
  return Map<3>(graph, "yang zhang",
                {SampleDeviation(graph, overnight, n), SampleDeviation(graph, body, n),
                 RootOfMean(graph, RogersSatchellVariance(graph), n)},
                [weight](const std::array<double, 3>& in) {
                  return std::sqrt(in[0] * in[0] + weight * in[1] * in[1] +
                                   (1 - weight) * in[2] * in[2]);
                },
                {weight})
      .node;
}

Signal UpVariance(KernelGraph& graph) { return Square(graph, Gain(graph, LogReturn(graph, 1))); }
Signal DownVariance(KernelGraph& graph) { return Square(graph, Loss(graph, LogReturn(graph, 1))); }

Node AddUpside(KernelGraph& graph, int64_t n) {
  return RootOfMean(graph, UpVariance(graph), n).node;
}
Node AddDownside(KernelGraph& graph, int64_t n) {
  return RootOfMean(graph, DownVariance(graph), n).node;
}
Node AddDownsideShare(KernelGraph& graph, int64_t n) {
  return technical::Ratio(graph, RollingSum(graph, DownVariance(graph), n),
                          RollingSum(graph, SquaredReturn(graph), n))
      .node;
}

// Realised variance that jumps do not enter: pi / 2 times the mean of the n - 1 products of the
// sizes of neighbouring returns.
Signal BipowerVariance(KernelGraph& graph, int64_t n) {
  const Signal size = Size(graph, LogReturn(graph, 1));
  const Signal products = RollingSum(graph, Product(graph, size, Lag(graph, size, 1)), n - 1);
  return Scaled(graph, products, std::numbers::pi / 2 / static_cast<double>(n - 1));
}

Node AddBipower(KernelGraph& graph, int64_t n) {
  return Map<1>(graph, "root", {BipowerVariance(graph, n)},
                [](const std::array<double, 1>& in) { return std::sqrt(in[0]); })
      .node;
}

Node AddJumpShare(KernelGraph& graph, int64_t n) {
  const auto length = static_cast<double>(n);
  return Map<2>(graph, "jump share",
                {BipowerVariance(graph, n), RollingSum(graph, SquaredReturn(graph), n)},
                [length](const std::array<double, 2>& in) {
                  const double smooth = Share(in[0], in[1] / length);
                  return smooth > 1 ? 0 : 1 - smooth;
                },
                {length})
      .node;
}

// RiskMetrics: v = decay * v + (1 - decay) * r^2, begun with the first r^2.
struct DecayingVarianceCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  double decay;
  double variance = kUnknown;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double square = in[0] * in[0];
    variance = std::isnan(variance) ? square : decay * variance + (1 - decay) * square;
    out[0] = std::sqrt(variance);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(variance);
  }
};

Node AddEwma(KernelGraph& graph, Values v) {
  const double decay = kPercent * static_cast<double>(v[0]);
  return AddCell(graph, "ewma volatility", {LogReturn(graph, 1)}, {decay},
                 DecayingVarianceCell{decay})[0]
      .node;
}

Node AddHar(KernelGraph& graph, Values v) {
  const auto days = static_cast<double>(v[1]);
  return Map<1>(graph, "log of mean of days",
                {RollingSum(graph, SquaredReturn(graph), v[0] * v[1])},
                [days](const std::array<double, 1>& in) {
                  return in[0] > 0 ? std::log(in[0] / days) : kUnknown;
                },
                {days})
      .node;
}

Node AddOfVolatility(KernelGraph& graph, Values v) {
  const Signal of = Realised(graph, v[0]);
  return technical::Ratio(graph, SampleDeviation(graph, of, v[1]),
                          MeanAndDeviation(graph, of, v[1])[0])
      .node;
}

Node AddVolatilityRatio(KernelGraph& graph, Values v) {
  return technical::Ratio(graph, Realised(graph, v[0]), Realised(graph, v[1])).node;
}

constexpr char kUnit[] = "log ratio per sqrt(bar)";
constexpr char kNotNegative[] = "[0, inf)";
constexpr char kShare[] = "[0, 1]";
constexpr int64_t kLongestDay = 10'000;
constexpr int64_t kMostDays = 100;

Family OfWindow(FamilyInfo info, int64_t bars_before, Node (*add)(KernelGraph&, int64_t)) {
  info.look_back = bars_before == 0 ? "n bars" : "n + 1 bars";
  return {.info = std::move(info), .bars_before = bars_before, .add = add};
}

std::vector<Family> OneWindowFamilies() {
  const std::string semivariance =
      "Barndorff-Nielsen, Kinnebrock and Shephard 2010, in Volatility and Time Series Econometrics";
  const std::string bipower = "Barndorff-Nielsen and Shephard 2004, J. of Financial Econometrics 2";
  return {
      OfWindow({"close_close_volatility", "std(r), divisor n - 1", kUnit, kNotNegative, "", 2,
                "standard deviation of log returns"},
               1, AddCloseClose),
      OfWindow(
          {"rogers_satchell_volatility",
           "sqrt(mean(ln(high / open) ln(high / close) + ln(low / open) ln(low / close)))", kUnit,
           kNotNegative, "", 1, "Rogers and Satchell 1991, Annals of Applied Probability 1"},
          0, AddRogersSatchell),
      OfWindow({"yang_zhang_volatility",
                "sqrt(var(ln(open / close[t-1])) + k var(ln(close / open)) + (1 - k) s), s as "
                "rogers_satchell_volatility squared, k = 0.34 / (1.34 + (n + 1) / (n - 1)), var "
                "with divisor n - 1",
                kUnit, kNotNegative, "", 2, "Yang and Zhang 2000, Journal of Business 73"},
               1, AddYangZhang),
      OfWindow({"upside_volatility", "sqrt(mean(max(r, 0)^2))", kUnit, kNotNegative, "", 1,
                semivariance},
               1, AddUpside),
      OfWindow({"downside_volatility", "sqrt(mean(min(r, 0)^2))", kUnit, kNotNegative, "", 1,
                semivariance},
               1, AddDownside),
      OfWindow({"downside_share", "sum(min(r, 0)^2) / sum(r^2); NaN where nothing moved", "ratio",
                kShare, "", 1, semivariance},
               1, AddDownsideShare),
      OfWindow({"bipower_volatility",
                "sqrt(pi / 2 * mean of |r[i]| |r[i-1]|, i = t-n+2..t): jumps do not enter", kUnit,
                kNotNegative, "", 2, bipower},
               1, AddBipower),
      OfWindow({"jump_share",
                "max(0, 1 - b / mean(r^2)), b as bipower_volatility squared; NaN where nothing "
                "moved",
                "ratio", kShare, "", 2, bipower},
               1, AddJumpShare),
  };
}

}  // namespace

std::vector<Family> RangeFamilies() {
  std::vector<Family> all = OneWindowFamilies();
  all.push_back({.info = {"ewma_volatility",
                          "sqrt(v), v[t] = d v[t-1] + (1 - d) r[t]^2, d = decay / 100, begun with "
                          "the first r^2",
                          kUnit,
                          kNotNegative,
                          "2 bars, older ones with falling weight",
                          0,
                          "RiskMetrics Technical Document 1996 (decay 94 for days)",
                          {{.name = "decay", .smallest = 1, .largest = 99}}},
                 .unbounded_memory = true,
                 .add_all = AddEwma,
                 .look_back = [](Values) { return int64_t{2}; }});
  all.push_back(
      {.info = {"har_component",
                "ln(sum of r^2 over day * days bars / days): the log of the mean daily "
                "variance; days 1, 5 and 22 are the model's; NaN where nothing moved",
                "log variance per day",
                "(-inf, inf)",
                "day * days + 1 bars",
                0,
                "Corsi 2009, Journal of Financial Econometrics 7",
                {{.name = "day", .largest = kLongestDay}, {.name = "days", .largest = kMostDays}}},
       .add_all = AddHar,
       .look_back = [](Values v) { return v[0] * v[1] + 1; }});
  all.push_back({.info = {"volatility_of_volatility",
                          "std(s) / mean(s) over range bars, s[i] = realised_volatility of n bars "
                          "at i, divisor range - 1; NaN where nothing moved",
                          "ratio",
                          kNotNegative,
                          "n + range bars",
                          1,
                          "coefficient of variation of realised volatility",
                          {{.name = "window"}, {.name = "range", .smallest = 2}}},
                 .add_all = AddOfVolatility,
                 .look_back = [](Values v) { return v[0] + v[1]; }});
  all.push_back({.info = {"volatility_ratio",
                          "realised_volatility of fast bars / that of slow bars; NaN where nothing "
                          "moved",
                          "ratio",
                          kNotNegative,
                          "slow + 1 bars",
                          0,
                          "Chande's volatility ratio with realised volatility",
                          {{.name = "fast"}, {.name = "slow", .above_previous = true}}},
                 .add_all = AddVolatilityRatio,
                 .look_back = [](Values v) { return v[1] + 1; }});
  return all;
}

}  // namespace almanac::volatility
