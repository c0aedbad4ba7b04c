#include "almanac/report/pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/report/drawing.h"
#include "almanac/report/gnuplot.h"
#include "almanac/report/number_text.h"
#include "almanac/report/picture_script.h"
#include "almanac/report/picture_steps.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

// The colour of each forecast: grey for naive, the others in order.
std::vector<std::string_view> ColorsOf(const std::vector<ReportForecast>& forecasts) {
  std::vector<std::string_view> colors;
  colors.reserve(forecasts.size());
  size_t next = 0;
  for (const ReportForecast& forecast : forecasts) {
    colors.push_back(forecast.naive ? kNaiveColor : kModelColors[next++ % kModelColors.size()]);
  }
  return colors;
}

// Indices with naive first, so that it is drawn below the others, and the first model last.
std::vector<size_t> DrawingOrder(const std::vector<ReportForecast>& forecasts) {
  std::vector<size_t> order;
  for (size_t i = forecasts.size(); i-- > 0;) {
    if (forecasts[i].naive) order.push_back(i);
  }
  for (size_t i = forecasts.size(); i-- > 0;) {
    if (!forecasts[i].naive) order.push_back(i);
  }
  return order;
}

std::string PriceUnit(const ReportMarket& market) {
  return market.currency.empty() ? "price" : "price, " + market.currency;
}

// --- Forecast against actual --------------------------------------------------------------------

// Lines of "time error", error as a percentage of the actual close, for points whose bar exists.
std::string ErrorBlock(Script& script, const ReportForecast& forecast, const MarketView& view,
                       const DrawnForecast& drawn) {
  std::vector<std::string> rows;
  const std::vector<TimeMs>& times = view.bars.open_time;
  for (const DrawnPoint& point : drawn.points) {
    const auto bar = std::lower_bound(times.begin(), times.end(), point.bar_time);
    if (bar == times.end() || *bar != point.bar_time) continue;
    const double actual = view.bars.close[static_cast<size_t>(bar - times.begin())];
    const double error = 100 * (actual - forecast.price[point.row]) / actual;
    rows.push_back(Seconds(point.bar_time) + " " + Number(error));
  }
  return script.Block(rows.size(), [&](size_t i) { return rows[i]; });
}

// Lines of "time sum": the absolute errors so far of all forecasts, drawn or not, in price units.
std::string CumulativeErrorBlock(Script& script, const ReportForecast& forecast,
                                 const CandleSeries& bars) {
  constexpr size_t kMostPoints = 4000;
  std::vector<std::string> rows;
  const size_t every = forecast.price.size() / kMostPoints + 1;
  double sum = 0;
  for (size_t i = 0; i < forecast.price.size(); ++i) {
    const TimeMs time = forecast.target_time[i] - bars.key.timeframe.duration();
    const auto bar = std::lower_bound(bars.open_time.begin(), bars.open_time.end(), time);
    if (bar == bars.open_time.end() || *bar != time || !std::isfinite(forecast.price[i])) continue;
    const double actual = bars.close[static_cast<size_t>(bar - bars.open_time.begin())];
    sum += std::abs(actual - forecast.price[i]);
    if (i % every == 0 || i + 1 == forecast.price.size()) {
      rows.push_back(Seconds(time) + " " + Number(sum));
    }
  }
  if (rows.empty()) rows.push_back(Seconds(bars.open_time.front()) + " NaN");
  return script.Block(rows.size(), [&](size_t i) { return rows[i]; });
}

// The band between the ends of a forecast's interval.
std::string IntervalPart(Script& script, const ReportForecast& forecast,
                         const std::vector<DrawnPoint>& points, std::string_view color) {
  const std::string block = script.Block(points.size(), [&](size_t k) {
    return fmt::format("{} {} {}", Seconds(points[k].bar_time), Number(forecast.low[points[k].row]),
                       Number(forecast.high[points[k].row]));
  });
  return fmt::format(
      "{} using 1:2:3 with filledcurves fillstyle transparent solid 0.15 noborder linecolor rgb "
      "'{}' title {}",
      block, color, GnuplotString(forecast.model + ", interval"));
}

void AddForecastPicture(Script& script, const ReportMarket& market, const MarketView& view,
                        const std::string& file, size_t width) {
  const CandleSeries& bars = view.bars;
  const std::vector<std::string_view> colors = ColorsOf(market.forecasts);
  script.Begin(file, width, 1080);
  script.Add("set multiplot");
  script.Panel(0.49, 0.945);
  script.TimeAxis(bars.open_time.front(), bars.open_time.back(), false);
  const std::string every =
      view.merged > 1 ? fmt::format(", every {}th bar", view.merged) : std::string();
  script.Heading(fmt::format("{} {}: forecast and actual close{}", bars.key.symbol,
                             bars.key.timeframe.name(), every));
  script.Add("set ylabel {}", GnuplotString(PriceUnit(market)));
  const std::string closes = script.Block(bars.size(), [&](size_t i) {
    return Seconds(bars.open_time[i]) + " " + Number(bars.close[i]);
  });
  std::vector<std::string> lines = {LinePart(closes, kInk, 1.6, "actual")};
  std::vector<std::string> errors, sums;
  const bool only_naive = std::all_of(market.forecasts.begin(), market.forecasts.end(),
                                      [](const ReportForecast& f) { return f.naive; });
  for (const size_t i : DrawingOrder(market.forecasts)) {
    const ReportForecast& forecast = market.forecasts[i];
    const std::vector<DrawnPoint>& points = view.forecasts[i].points;
    if (points.empty()) continue;
    if (!forecast.naive || only_naive) {
      const std::string block = script.Block(points.size(), [&](size_t k) {
        return Seconds(points[k].bar_time) + " " + Number(forecast.price[points[k].row]);
      });
      lines.push_back(LinePart(block, colors[i], 1, forecast.model));
      if (!forecast.low.empty()) {
        lines.insert(lines.begin(), IntervalPart(script, forecast, points, colors[i]));
      }
    }
    errors.push_back(LinePart(ErrorBlock(script, forecast, view, view.forecasts[i]), colors[i], 1,
                              forecast.model));
    sums.push_back(LinePart(CumulativeErrorBlock(script, forecast, market.bars), colors[i], 1.4,
                            forecast.model));
  }
  script.Plot(lines);
  script.Panel(0.28, 0.435);
  script.TimeAxis(bars.open_time.front(), bars.open_time.back(), false);
  script.Heading("Error: actual − forecast, as a share of the actual close");
  script.Add("set ylabel 'error, %'");
  script.Plot(errors);
  script.Panel(0.075, 0.225);
  script.TimeAxis(bars.open_time.front(), bars.open_time.back(), true);
  script.Heading("Absolute errors so far, added up");
  script.Add("set ylabel {}", GnuplotString(PriceUnit(market)));
  script.Plot(sums);
  script.Add("unset multiplot\nset output");
}

// --- Candles ------------------------------------------------------------------------------------

// Bars that rose (or stayed) or fell, as "time open low high close".
std::string CandleBlock(Script& script, const CandleSeries& bars, bool rising) {
  std::vector<std::string> rows;
  for (size_t i = 0; i < bars.size(); ++i) {
    if ((bars.close[i] >= bars.open[i]) != rising) continue;
    rows.push_back(fmt::format("{} {} {} {} {}", Seconds(bars.open_time[i]), Number(bars.open[i]),
                               Number(bars.low[i]), Number(bars.high[i]), Number(bars.close[i])));
  }
  // A block without lines is an error in gnuplot; a missing value is not.
  if (rows.empty()) rows.push_back(Seconds(bars.open_time.front()) + " NaN NaN NaN NaN");
  return script.Block(rows.size(), [&](size_t i) { return rows[i]; });
}

void AddCandlePicture(Script& script, const ReportMarket& market, const CandleSeries& all,
                      const std::string& file, const PictureOptions& options) {
  constexpr double kBody = 0.65;  // of a bar's time
  const CandleSeries bars =
      all.Slice(all.size() - std::min(all.size(), options.candles), all.size());
  const MarketView view = DetailView(market, bars);
  const std::vector<std::string_view> colors = ColorsOf(market.forecasts);
  const DurationMs step = bars.key.timeframe.duration();
  script.Begin(file, options.width, 640);
  script.Panel(0.12, 0.915);
  script.TimeAxis(bars.open_time.front() - step, bars.open_time.back() + step, true);
  script.Heading(fmt::format("{} {}: the last {} bars, each forecast at the bar it is about",
                             bars.key.symbol, bars.key.timeframe.name(), bars.size()));
  script.Add("set ylabel {}", GnuplotString(PriceUnit(market)));
  script.Add("set boxwidth {} absolute", Number(kBody * static_cast<double>(step) / kMsPerSecond));
  const auto candles = [&](bool rising) {
    return fmt::format(
        "{} using 1:2:3:4:5 with candlesticks linecolor rgb '#6c757d' fillstyle {} "
        "border linecolor rgb '#6c757d' notitle",
        CandleBlock(script, bars, rising), rising ? "empty" : "solid 0.55");
  };
  std::vector<std::string> parts = {candles(true), candles(false)};
  for (const size_t i : DrawingOrder(market.forecasts)) {
    const ReportForecast& forecast = market.forecasts[i];
    const std::vector<DrawnPoint>& points = view.forecasts[i].points;
    if (points.empty()) continue;
    const std::string block = script.Block(points.size(), [&](size_t k) {
      return Seconds(points[k].bar_time) + " " + Number(forecast.price[points[k].row]);
    });
    parts.push_back(fmt::format(
        "{} using 1:2 with {} linecolor rgb '{}' title {}", block,
        forecast.naive ? "lines dashtype 3 linewidth 1.3" : "linespoints pointtype 7 pointsize 0.5",
        colors[i], GnuplotString(forecast.model)));
  }
  script.Plot(parts);
  script.Add("set output");
}

// --- Errors -------------------------------------------------------------------------------------

// The models of one panel each, with the same axes.
struct ErrorPanels {
  std::vector<const ReportErrors*> models;
  double reach = 1;
  size_t bins = 1;
  double scale = 1;  // from an error to the axis: 100 for percentages
  std::string unit;
};

constexpr size_t kMostErrorPanels = 6;

ErrorPanels PanelsOf(const ReportData& data) {
  ErrorPanels panels;
  // One picture has one axis: the format of the first model with errors counts.
  std::vector<ReportErrors> alike;
  for (const ReportErrors& model : data.errors) {
    const bool fits = panels.models.empty() || model.format == panels.models.front()->format;
    if (model.errors.empty() || !fits || panels.models.size() == kMostErrorPanels) continue;
    panels.models.push_back(&model);
    alike.push_back(model);
  }
  if (panels.models.empty()) return panels;
  panels.reach = HistogramReach(alike);
  for (const ReportErrors& model : alike) {
    panels.bins = std::max(panels.bins, HistogramBins(model.errors.size()));
  }
  const bool percent = panels.models.front()->format == NumberFormat::kPercent;
  panels.scale = percent ? 100 : 1;
  panels.unit = percent                                 ? "%"
                : data.markets.empty()                  ? "price"
                : data.markets.front().currency.empty() ? "price"
                                                        : data.markets.front().currency;
  return panels;
}

std::string HistogramBlock(Script& script, const Histogram& histogram, double scale) {
  return script.Block(histogram.density.size(), [&](size_t i) {
    const double center = histogram.low + (static_cast<double>(i) + 0.5) * histogram.Width();
    return Number(center * scale) + " " + Number(100 * histogram.density[i] * histogram.Width());
  });
}

void AddErrorPanel(Script& script, const ErrorPanels& panels, const ReportErrors& model,
                   const ReportErrors* naive) {
  const ErrorSummary summary = SummarizeErrors(model.errors);
  const Histogram histogram = MakeHistogram(model.errors, panels.reach, panels.bins);
  script.Heading(model.model);
  script.Add("unset arrow\nset boxwidth {} absolute", Number(histogram.Width() * panels.scale));
  for (const double quantile : {summary.q05, summary.median, summary.q95}) {
    script.Add(
        "set arrow from {0}, graph 0 to {0}, graph 1 nohead dashtype 2 linecolor rgb "
        "'#5d666f'",
        Number(quantile * panels.scale));
  }
  std::vector<std::string> parts = {
      HistogramBlock(script, histogram, panels.scale) +
      " using 1:2 with boxes fillstyle solid 0.55 noborder linecolor rgb '#0b6bb5' notitle"};
  if (naive && naive != &model) {
    const Histogram outline = MakeHistogram(naive->errors, panels.reach, panels.bins);
    parts.push_back(HistogramBlock(script, outline, panels.scale) +
                    fmt::format(" using 1:2 with histeps linecolor rgb '{}' title {}", kNaiveColor,
                                GnuplotString(naive->model)));
  }
  if (summary.deviation > 0) {
    const double deviation = summary.deviation * panels.scale;
    parts.push_back(fmt::format(
        "{} * exp(-0.5 * ((x - ({})) / {})**2) with lines linewidth 1.8 linecolor rgb '#c8640a' "
        "title 'normal'",
        Number(100 * histogram.Width() * panels.scale / (deviation * std::sqrt(2 * M_PI))),
        Number(summary.mean * panels.scale), Number(deviation)));
  }
  script.Plot(parts);
}

void AddErrorPicture(Script& script, const ErrorPanels& panels, const std::string& file,
                     size_t width) {
  constexpr size_t kPanelHeight = 460;
  const size_t columns = std::min<size_t>(panels.models.size(), 2);
  const size_t rows = (panels.models.size() + columns - 1) / columns;
  const auto naive = std::find_if(panels.models.begin(), panels.models.end(),
                                  [](const ReportErrors* model) { return model->naive; });
  script.Begin(file, width, kPanelHeight * rows);
  script.Add("set samples 400\nset style fill solid 0.55\nset xrange [{}:{}]\nset yrange [0:*]",
             Number(-panels.reach * panels.scale), Number(panels.reach * panels.scale));
  script.Add("set xlabel {}\nset ylabel 'share of the forecasts, %'",
             GnuplotString("error: actual − forecast, " + panels.unit +
                           "; dashed: 5%, 50%, 95% quantiles"));
  script.Add(
      "unset lmargin\nunset rmargin\nset multiplot layout {},{} margins 0.06,0.985,{:.3f},"
      "{:.3f} spacing 0.075,{:.3f}",
      rows, columns, 0.15 / static_cast<double>(rows), 1 - 0.12 / static_cast<double>(rows),
      0.30 / static_cast<double>(rows));
  for (const ReportErrors* model : panels.models) {
    AddErrorPanel(script, panels, *model, naive == panels.models.end() ? nullptr : *naive);
  }
  script.Add("unset multiplot\nset output");
}

// --- Equity -------------------------------------------------------------------------------------

struct CurveLook {
  std::string_view color;
  std::string_view dash;
  double width;
};

std::vector<CurveLook> LooksOf(const std::vector<ReportCurve>& curves) {
  std::vector<CurveLook> looks;
  size_t strategies = 0;
  for (const ReportCurve& curve : curves) {
    if (curve.role == CurveRole::kBenchmark) {
      looks.push_back({kNaiveColor, "", 1.4});
    } else if (curve.role == CurveRole::kPessimistic) {
      const size_t of = strategies == 0 ? 0 : strategies - 1;
      looks.push_back({kModelColors[of % kModelColors.size()], "dashtype 2", 1.2});
    } else {
      looks.push_back({kModelColors[strategies++ % kModelColors.size()], "", 2});
    }
  }
  return looks;
}

void AddEquityPicture(Script& script, const ReportEquity& equity, const std::string& file,
                      size_t width) {
  constexpr size_t kMostPoints = 4000;
  const EquityView view = ViewEquity(equity, kMostPoints);
  const std::vector<CurveLook> looks = LooksOf(equity.curves);
  const auto plot = [&](bool drawdown) {
    std::vector<std::string> parts;
    for (size_t c = equity.curves.size(); c-- > 0;) {
      const std::vector<double>& values =
          drawdown ? view.curves[c].drawdown : view.curves[c].equity;
      const std::string block = script.Block(view.time.size(), [&](size_t i) {
        return Seconds(view.time[i]) + " " + Number(values[i] * (drawdown ? 100 : 1));
      });
      parts.push_back(LinePart(block, looks[c].color, looks[c].width,
                               drawdown ? "" : equity.curves[c].name, looks[c].dash));
    }
    script.Plot(parts);
  };
  script.Begin(file, width, 800);
  script.Add("set multiplot");
  script.Panel(0.38, 0.93);
  script.TimeAxis(view.time.front(), view.time.back(), false);
  script.Heading("Account value after costs");
  script.Add("set ylabel {}",
             GnuplotString(equity.currency.empty() ? "value" : "value, " + equity.currency));
  plot(false);
  script.Panel(0.11, 0.31);
  script.TimeAxis(view.time.front(), view.time.back(), true);
  script.Heading("Drawdown: below the highest value so far");
  script.Add("set ylabel 'drawdown, %'\nset yrange [*:0]");
  plot(true);
  script.Add("unset multiplot\nset output");
}

// --- All ----------------------------------------------------------------------------------------

// Part of a file's name: letters, digits, '-', '.' and '_' of the symbol.
std::string FilePart(const std::string& symbol) {
  std::string part;
  for (const char c : symbol) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.';
    part += plain ? c : '_';
  }
  return part;
}

struct Drawn {
  std::string script;
  std::vector<std::string> files;
};

Drawn DrawAll(const ReportData& data, const PictureOptions& options) {
  Script script;
  Drawn drawn;
  const auto next = [&](std::string name) {
    // Two series of one symbol (spot and perpetual) must not share a file.
    for (int copy = 2; std::count(drawn.files.begin(), drawn.files.end(), name + ".png"); ++copy) {
      name += fmt::format("_{}", copy);
    }
    drawn.files.push_back(name + ".png");
    return drawn.files.back();
  };
  const size_t markets = std::min(data.markets.size(), options.max_markets);
  for (size_t m = 0; m < markets; ++m) {
    const ReportMarket& market = data.markets[m];
    const CandleSeries bars = DrawnBars(market);
    if (bars.empty()) continue;
    const std::string suffix =
        data.markets.size() > 1 ? "_" + FilePart(bars.key.symbol) : std::string();
    const MarketView view = OverView(market, bars, 2 * options.width);
    const bool any = std::any_of(view.forecasts.begin(), view.forecasts.end(),
                                 [](const DrawnForecast& f) { return !f.points.empty(); });
    if (any) {
      AddForecastPicture(script, market, view, next("forecast_vs_actual" + suffix), options.width);
    }
    AddCandlePicture(script, market, bars, next("candles" + suffix), options);
  }
  for (size_t i = 0; i < std::min(data.fans.size(), options.max_markets); ++i) {
    const ReportFan& fan = data.fans[i];
    const auto steps = std::find_if(data.steps.begin(), data.steps.end(),
                                    [&](const ReportSteps& s) { return s.model == fan.model; });
    std::string name = "forecast_steps";
    if (data.fans.size() > 1) name += "_" + FilePart(fan.model) + "_" + FilePart(fan.symbol);
    AddStepsPicture(script, fan, steps == data.steps.end() ? ReportSteps() : *steps, next(name),
                    options.width);
  }
  const ErrorPanels panels = PanelsOf(data);
  if (!panels.models.empty()) {
    AddErrorPicture(script, panels, next("error_distribution"), options.width);
  }
  if (!data.equity.curves.empty() && !data.equity.time.empty()) {
    AddEquityPicture(script, data.equity, next("equity"), options.width);
  }
  drawn.script = script.text();
  return drawn;
}

// A folder beside the pictures that is gone afterwards, whatever happens.
class WorkFolder {
 public:
  explicit WorkFolder(const fs::path& beside) : path_(TemporaryBeside(beside)) {
    fs::create_directories(path_);
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

std::vector<fs::path> WritePictures(const ReportData& data, const fs::path& folder,
                                    const PictureOptions& options) {
  CheckReport(data);
  const Drawn drawn = DrawAll(data, options);
  std::vector<fs::path> paths;
  if (drawn.files.empty()) return paths;
  const WorkFolder work(folder / "pictures");
  RunGnuplot(options.gnuplot, work.path(), drawn.script, options.time_limit);
  for (const std::string& file : drawn.files) {
    if (!fs::is_regular_file(work.path() / file) || fs::file_size(work.path() / file) == 0) {
      throw Error(ErrorCode::kFailed, "gnuplot", fmt::format("it did not draw {}", file),
                  "a gnuplot with the terminal 'pngcairo' or 'png' is needed");
    }
  }
  for (const std::string& file : drawn.files) {
    CommitRename(work.path() / file, folder / file);
    paths.push_back(folder / file);
  }
  return paths;
}

bool HasGnuplot(const PictureOptions& options) { return FindProgram(options.gnuplot).has_value(); }

}  // namespace almanac
