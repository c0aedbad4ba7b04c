// Where the close stands against stops, middles, bands, prices of the bar and Ichimoku's cloud.
#include <algorithm>
#include <cmath>

#include "almanac/feature/family/technical_moving.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

// How a stop moves towards the extreme: by `start` of the way at first, by `step` more with every
// new extreme, at most by `largest`.
struct StopSpeed {
  double start, step, largest;

  static StopSpeed OfPercent(int64_t start, int64_t step, int64_t largest) {
    const double most = static_cast<double>(largest) / 100;
    return {std::min(static_cast<double>(start) / 100, most),
            std::min(static_cast<double>(step) / 100, most), most};
  }
};

// Wilder's stop and reverse. What follows is written for a stop below the price; for one above,
// prices and stop are taken with the other sign.
struct StopCell {
  static constexpr size_t kInputs = 2, kOutputs = 1;  // high, low
  StopSpeed below, above;
  double offset;     // how far, of its price, a new stop begins beyond the old extreme
  int64_t seen = 0;  // counted up to 2
  double side = 1;   // 1: the stop is below, -1: above
  double high = 0, low = 0, extreme = 0, stop = 0, speed = 0;

  void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
    out[0] = kUnknown;
    if (std::isnan(in[0] + in[1])) return;
    if (seen == 1) Begin(in[0], in[1]);
    if (seen > 0) out[0] = Follow(in[0], in[1]);
    if (seen < 2) ++seen;
    high = in[0];
    low = in[1];
  }

  // The side of the larger move of the first two bars, below where neither is.
  void Begin(double new_high, double new_low) {
    const double down = low - new_low;
    side = down > 0 && down > new_high - high ? -1 : 1;
    extreme = side > 0 ? new_high : -new_low;
    stop = side > 0 ? low : -high;
    speed = side > 0 ? below.start : above.start;
    high = new_high;
    low = new_low;
  }

  double Follow(double new_high, double new_low) {
    double near = side > 0 ? new_low : -new_high;
    double far = side > 0 ? new_high : -new_low;
    double given = side * stop;
    if (near <= stop) {
      side = -side;
      std::swap(near, far);
      near = -near;
      far = -far;
      stop = -extreme;
      HoldBehind(near);
      stop -= std::abs(stop) * offset;
      given = side * stop;
      speed = side > 0 ? below.start : above.start;
      extreme = far;
    } else if (far > extreme) {
      extreme = far;
      const StopSpeed& by = side > 0 ? below : above;
      speed = std::min(speed + by.step, by.largest);
    }
    stop += speed * (extreme - stop);
    HoldBehind(near);
    return given;
  }

  // Not beyond the nearest prices of this bar and the one before.
  void HoldBehind(double near) { stop = std::min({stop, side > 0 ? low : -high, near}); }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(seen, side, high, low, extreme, stop, speed);
  }
};

Node AddStop(KernelGraph& graph, Values v) {
  const StopSpeed below = StopSpeed::OfPercent(v[1], v[2], v[3]);
  const StopSpeed above = StopSpeed::OfPercent(v[4], v[5], v[6]);
  return Distance(graph, AddCell(graph, "stop", {High(graph), Low(graph)},
                                 std::vector<double>(v.begin(), v.end()),
                                 StopCell{below, above, static_cast<double>(v[0]) / 100})[0])
      .node;
}

Node AddParabolic(KernelGraph& graph, Values v) {
  const std::array<int64_t, 7> same = {0, v[0], v[0], v[1], v[0], v[0], v[1]};
  return AddStop(graph, same);
}

Signal Middle(KernelGraph& graph, const Signal& highest, const Signal& lowest) {
  return Map<2>(graph, "middle", {highest, lowest},
                [](const std::array<double, 2>& in) { return (in[0] + in[1]) / 2; });
}

Signal MidPrice(KernelGraph& graph, int64_t n) {
  return Middle(graph, RollingMaximum(graph, High(graph), n), RollingMinimum(graph, Low(graph), n));
}

Signal MidPoint(KernelGraph& graph, int64_t n) {
  return Middle(graph, RollingMaximum(graph, Close(graph), n),
                RollingMinimum(graph, Close(graph), n));
}

template <Signal (*kLevel)(KernelGraph&, int64_t)>
Node AddDistance(KernelGraph& graph, int64_t n) {
  return Distance(graph, kLevel(graph, n)).node;
}

// The bar's high (side 1) or low (side -1) moved outwards by 4 (high - low) / (high + low) of it.
Signal AccelerationBand(KernelGraph& graph, double side, int64_t n) {
  const Signal end = Map<2>(graph, "acceleration band", {High(graph), Low(graph)},
                            [side](const std::array<double, 2>& in) {
                              const double width = 4 * Share(in[0] - in[1], in[0] + in[1]);
                              return (side > 0 ? in[0] : in[1]) * (1 + side * width);
                            },
                            {side});
  return SimpleMean(graph, end, n);
}

Node AddBandPosition(KernelGraph& graph, int64_t n) {
  const Signal lower = AccelerationBand(graph, -1, n);
  return Ratio(graph, Difference(graph, Close(graph), lower),
               Difference(graph, AccelerationBand(graph, 1, n), lower))
      .node;
}

Node AddBandWidth(KernelGraph& graph, int64_t n) {
  return Ratio(graph,
               Difference(graph, AccelerationBand(graph, 1, n), AccelerationBand(graph, -1, n)),
               SimpleMean(graph, Close(graph), n))
      .node;
}

Signal AveragePrice(KernelGraph& graph) {
  return Map<4>(
      graph, "average price", {Open(graph), High(graph), Low(graph), Close(graph)},
      [](const std::array<double, 4>& in) { return (in[0] + in[1] + in[2] + in[3]) / 4; });
}

Signal WeightedClose(KernelGraph& graph) {
  return Map<3>(graph, "weighted close", {High(graph), Low(graph), Close(graph)},
                [](const std::array<double, 3>& in) { return (in[0] + in[1] + 2 * in[2]) / 4; });
}

template <Signal (*kPrice)(KernelGraph&)>
Family OfPrice(const std::string& name, const std::string& formula, const std::string& function) {
  return {{name, "close / (" + formula + ") - 1", "ratio", "(-1, inf)", "1 bar", 0,
           "TA-Lib: " + function},
          0,
          false,
          nullptr,
          [](KernelGraph& graph, Values) { return Distance(graph, kPrice(graph)).node; },
          [](Values) -> int64_t { return 1; }};
}

// Ichimoku's leading spans as they are known at the bar, before they are drawn further right.
struct Spans {
  Signal a, b;
};

Spans LeadingSpans(KernelGraph& graph, Values v) {
  return {Middle(graph, MidPrice(graph, v[0]), MidPrice(graph, v[1])), MidPrice(graph, v[2])};
}

// The cloud over the row's bar: the spans of `shift` bars ago.
Spans Cloud(KernelGraph& graph, Values v) {
  const Spans spans = LeadingSpans(graph, v);
  return {Lag(graph, spans.a, v[3]), Lag(graph, spans.b, v[3])};
}

Node AddCloudDistance(KernelGraph& graph, Values v) {
  const Spans cloud = Cloud(graph, v);
  return Map<3>(graph, "cloud distance", {Close(graph), cloud.a, cloud.b},
                [](const std::array<double, 3>& in) {
                  if (std::isnan(in[1] + in[2])) return kUnknown;
                  const double nearest =
                      std::clamp(in[0], std::min(in[1], in[2]), std::max(in[1], in[2]));
                  return Share(in[0] - nearest, nearest);
                })
      .node;
}

Node AddCloudWidth(KernelGraph& graph, Values v) {
  const Spans cloud = Cloud(graph, v);
  return Ratio(graph, Difference(graph, cloud.a, cloud.b), Close(graph)).node;
}

Node AddLeadingWidth(KernelGraph& graph, Values v) {
  const Spans spans = LeadingSpans(graph, v);
  return Ratio(graph, Difference(graph, spans.a, spans.b), Close(graph)).node;
}

Node AddConversionBase(KernelGraph& graph, Values v) {
  return Ratio(graph, Difference(graph, MidPrice(graph, v[0]), MidPrice(graph, v[1])), Close(graph))
      .node;
}

std::vector<Family> IchimokuFamilies() {
  const std::string source = "Hosoda 1969, Ichimoku Kinko Hyo";
  const ParameterInfo base = {.name = "base", .above_previous = true};
  const ParameterInfo span = {.name = "span", .above_previous = true};
  const std::string spans =
      "A = (m(conversion) + m(base)) / 2, B = m(span), m(n) = (highest high + lowest low) / 2 of n "
      "bars";
  return {
      {{"ichimoku_conversion_base",
        "(m(conversion) - m(base)) / close[t], m(n) = (highest high + lowest low) / 2 of n bars",
        "ratio",
        "(-inf, inf)",
        "base bars",
        0,
        source,
        {{"conversion"}, base}},
       0,
       false,
       nullptr,
       AddConversionBase,
       [](Values v) { return v[1]; }},
      {{"ichimoku_lead_width",
        "(A - B) / close[t], the cloud that is drawn further right but known now; " + spans,
        "ratio",
        "(-inf, inf)",
        "span bars",
        0,
        source,
        {{"conversion"}, base, span}},
       0,
       false,
       nullptr,
       AddLeadingWidth,
       [](Values v) { return v[2]; }},
      {{"ichimoku_cloud_distance",
        "close[t] / the nearest of [A[t-shift], B[t-shift]] - 1, 0 within the cloud; " + spans,
        "ratio",
        "(-1, inf)",
        "span + shift bars",
        0,
        source,
        {{"conversion"}, base, span, {"shift"}}},
       0,
       false,
       nullptr,
       AddCloudDistance,
       [](Values v) { return v[2] + v[3]; }},
      {{"ichimoku_cloud_width",
        "(A[t-shift] - B[t-shift]) / close[t]; " + spans,
        "ratio",
        "(-inf, inf)",
        "span + shift bars",
        0,
        source,
        {{"conversion"}, base, span, {"shift"}}},
       0,
       false,
       nullptr,
       AddCloudWidth,
       [](Values v) { return v[2] + v[3]; }},
  };
}

std::vector<Family> StopFamilies() {
  const std::string stop =
      "close[t] / stop[t] - 1; the stop goes towards the extreme since it turned by ";
  return {
      {{"sar_distance",
        stop + "acceleration (percent of the way, as much more with every new extreme, at most "
               "maximum), not beyond the prices of the last two bars; where the price meets it, it "
               "turns and begins at that extreme",
        "ratio",
        "(-1, inf)",
        "2 bars, older ones without end",
        0,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: SAR",
        {{"acceleration", 1, 100}, {"maximum", 1, 100}}},
       0,
       true,
       nullptr,
       AddParabolic,
       [](Values) -> int64_t { return 2; }},
      {{"sar_extended_distance",
        stop +
            "start percent of the way, step more with every new extreme, at most maximum, each for "
            "a stop below (long) and above the price (short); begun offset percent beyond the "
            "extreme where it turns",
        "ratio",
        "(-1, inf)",
        "2 bars, older ones without end",
        0,
        "TA-Lib: SAREXT without a start value; its sign is that of this distance",
        {{"offset", 0, 50},
         {"long_start", 1, 100},
         {"long_step", 1, 100},
         {"long_maximum", 1, 100},
         {"short_start", 1, 100},
         {"short_step", 1, 100},
         {"short_maximum", 1, 100}}},
       0,
       true,
       nullptr,
       AddStop,
       [](Values) -> int64_t { return 2; }},
  };
}

std::vector<Family> WindowFamilies() {
  return {
      {{"midpoint_distance", "close[t] / ((highest close + lowest close) / 2) - 1 of n bars",
        "ratio", "(-1, 1)", "n bars", 1, "TA-Lib: MIDPOINT"},
       0,
       false,
       AddDistance<MidPoint>},
      {{"midprice_distance", "close[t] / ((highest high + lowest low) / 2) - 1 of n bars", "ratio",
        "(-1, 1)", "n bars", 1, "TA-Lib: MIDPRICE; Ichimoku's lines"},
       0,
       false,
       AddDistance<MidPrice>},
      {{"acceleration_band_position",
        "(close[t] - L) / (U - L), U = mean of high (1 + w) and L = mean of low (1 - w) over n "
        "bars, "
        "w = 4 (high - low) / (high + low); NaN where U = L",
        "ratio", "(-inf, inf)", "n bars", 1,
        "Headley 2002, Big Trends in Trading; TA-Lib: ACCBANDS"},
       0,
       false,
       AddBandPosition},
      {{"acceleration_band_width", "(U - L) / mean(close), U and L of acceleration_band_position",
        "ratio", "[0, inf)", "n bars", 1, "Headley 2002, Big Trends in Trading; TA-Lib: ACCBANDS"},
       0,
       false,
       AddBandWidth},
      {{"t3_distance",
        "close[t] / t3 - 1; t3: g(g(g(close))), g(x) = (1 + v) ema(x, n) - v ema(ema(x, n), n), v "
        "= factor / 100",
        "ratio",
        "(-inf, inf)",
        "6n - 5 bars, older ones with falling weight",
        0,
        "Tillson 1998, Stocks and Commodities 16; TA-Lib: T3",
        {{"window"}, {"factor", 0, 100}}},
       0,
       true,
       nullptr,
       [](KernelGraph& graph, Values v) {
         return Distance(graph, T3(graph, Close(graph), v[0], v[1])).node;
       },
       [](Values v) { return 6 * v[0] - 5; }},
      OfPrice<AveragePrice>("average_price_distance", "(open + high + low + close) / 4",
                            "AVGPRICE"),
      OfPrice<MedianPrice>("median_price_distance", "(high + low) / 2", "MEDPRICE"),
      OfPrice<TypicalPrice>("typical_price_distance", "(high + low + close) / 3", "TYPPRICE"),
      OfPrice<WeightedClose>("weighted_close_distance", "(high + low + 2 close) / 4", "WCLPRICE"),
  };
}

}  // namespace

std::vector<Family> LevelFamilies() {
  std::vector<Family> all;
  for (const auto& families : {IchimokuFamilies(), StopFamilies(), WindowFamilies()}) {
    all.insert(all.end(), families.begin(), families.end());
  }
  return all;
}

}  // namespace almanac::technical
