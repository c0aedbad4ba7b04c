#include "almanac/report/chart_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "almanac/report/drawing.h"
#include "almanac/report/markup.h"
#include "almanac/report/number_text.h"

namespace almanac {
namespace {

// Times as seconds, the first absolute and the rest as differences: short, and exact.
template <typename Times, typename TimeOf>
std::string TimesJson(const Times& times, TimeOf time_of) {
  std::string text = "[";
  int64_t previous = 0;
  for (const auto& entry : times) {
    const int64_t seconds = time_of(entry) / kMsPerSecond;
    fmt::format_to(std::back_inserter(text), "{}{}", text.size() > 1 ? "," : "",
                   seconds - previous);
    previous = seconds;
  }
  return text + "]";
}

std::string TimesJson(const std::vector<TimeMs>& times) {
  return TimesJson(times, [](TimeMs time) { return time; });
}

template <typename Rows, typename ValueOf>
std::string NumbersJson(const Rows& rows, ValueOf value_of) {
  std::string text = "[";
  for (const auto& row : rows) {
    if (text.size() > 1) text += ',';
    text += JsonNumber(value_of(row));
  }
  return text + "]";
}

std::string NumbersJson(const std::vector<double>& values) {
  return NumbersJson(values, [](double value) { return value; });
}

std::string MadeJson(const ReportForecast& forecast, const std::vector<DrawnPoint>& points) {
  const auto lead = [&](const DrawnPoint& point) {
    return (forecast.target_time[point.row] - forecast.made_at[point.row]) / kMsPerSecond;
  };
  const bool same = std::all_of(points.begin(), points.end(), [&](const DrawnPoint& point) {
    return lead(point) == lead(points.front());
  });
  if (same) return points.empty() ? "0" : fmt::format("{}", lead(points.front()));
  std::string text = "[";
  for (const DrawnPoint& point : points) {
    fmt::format_to(std::back_inserter(text), "{}{}", text.size() > 1 ? "," : "", lead(point));
  }
  return text + "]";
}

std::string ForecastJson(const ReportForecast& forecast, const DrawnForecast& drawn) {
  const std::vector<DrawnPoint>& points = drawn.points;
  std::string text = fmt::format(
      R"({{"model":{},"naive":{},"t":{},"p":{},"made":{})", JsonString(forecast.model),
      forecast.naive, TimesJson(points, [](const DrawnPoint& point) { return point.bar_time; }),
      NumbersJson(points, [&](const DrawnPoint& point) { return forecast.price[point.row]; }),
      MadeJson(forecast, points));
  if (!forecast.low.empty()) {
    text += fmt::format(
        R"(,"lo":{},"hi":{})",
        NumbersJson(points, [&](const DrawnPoint& point) { return forecast.low[point.row]; }),
        NumbersJson(points, [&](const DrawnPoint& point) { return forecast.high[point.row]; }));
  }
  return text + "}";
}

std::string ViewJson(const ReportMarket& market, const MarketView& view) {
  std::string text = fmt::format(R"({{"merged":{},"t":{},"o":{},"h":{},"l":{},"c":{},"f":[)",
                                 view.merged, TimesJson(view.bars.open_time),
                                 NumbersJson(view.bars.open), NumbersJson(view.bars.high),
                                 NumbersJson(view.bars.low), NumbersJson(view.bars.close));
  for (size_t i = 0; i < view.forecasts.size(); ++i) {
    if (i > 0) text += ',';
    text += ForecastJson(market.forecasts[view.forecasts[i].forecast], view.forecasts[i]);
  }
  return text + "]}";
}

std::string MarketJson(const ReportMarket& market, size_t max_bars) {
  const CandleSeries bars = DrawnBars(market);
  std::string views;
  if (bars.size() > max_bars) {
    const CandleSeries last = bars.Slice(bars.size() - max_bars, bars.size());
    views = ViewJson(market, DetailView(market, last)) + "," +
            ViewJson(market, OverView(market, bars, max_bars));
  } else {
    views = ViewJson(market, DetailView(market, bars));
  }
  return fmt::format(
      R"({{"symbol":{},"timeframe":{},"seconds":{},"currency":{},"decimals":{},"views":[{}]}})",
      JsonString(bars.key.symbol), JsonString(bars.key.timeframe.name()),
      bars.key.timeframe.duration() / kMsPerSecond, JsonString(market.currency),
      StyleFor(NumberFormat::kPrice, bars.close).decimals, views);
}

std::string_view RoleName(CurveRole role) {
  switch (role) {
    case CurveRole::kPessimistic:
      return "pessimistic";
    case CurveRole::kBenchmark:
      return "benchmark";
    case CurveRole::kStrategy:
      break;
  }
  return "strategy";
}

std::string EquityJson(const ReportEquity& equity, size_t max_points) {
  const EquityView view = ViewEquity(equity, max_points);
  std::string curves;
  for (size_t i = 0; i < view.curves.size(); ++i) {
    if (i > 0) curves += ',';
    curves += fmt::format(R"({{"name":{},"role":"{}","e":{},"d":{}}})",
                          JsonString(equity.curves[i].name), RoleName(equity.curves[i].role),
                          NumbersJson(view.curves[i].equity), NumbersJson(view.curves[i].drawdown));
  }
  return fmt::format(R"({{"currency":{},"merged":{},"t":{},"curves":[{}]}})",
                     JsonString(equity.currency), view.merged, TimesJson(view.time), curves);
}

}  // namespace

std::string ChartData(const ReportData& data, const HtmlOptions& options) {
  std::string markets;
  const size_t count = std::min(data.markets.size(), options.max_markets);
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) markets += ',';
    markets += MarketJson(data.markets[i], options.max_bars);
  }
  return fmt::format(R"({{"markets":[{}],"equity":{}}})", markets,
                     EquityJson(data.equity, options.max_bars));
}

}  // namespace almanac
