// The report of a run: what it found, as one HTML file that works offline, as pictures and as plain
// text for the terminal.
//
// ReportData is plain data that the caller fills; what is empty is left out of the report. Nothing
// here reads a clock, so the same data gives the same bytes. Times are UTC. A number that is not
// given or not defined is NaN and shown as a dash. Fractions stay fractions here (0.0123) and are
// shown as percentages where their format says so. All text is plain text, escaped when rendered.
#ifndef ALMANAC_REPORT_REPORT_H_
#define ALMANAC_REPORT_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/audit.h"
#include "almanac/market/candle.h"

namespace almanac {

inline constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// How a number is shown.
enum class NumberFormat {
  kPlain,          // four significant digits
  kRatio,          // two decimals: Sharpe ratios, factors
  kPercent,        // a fraction times 100, two decimals and a percent sign
  kSignedPercent,  // the same with a plus sign for gains
  kPrice,          // decimals by magnitude: 64,312.50, 0.4213
  kCount,          // a whole number with thousands separators
  kProbability     // three decimals, "<0.001" below that: p-values
};

// What a finding means for the reader. Shown by colour and by a word or sign, never colour alone.
enum class Tone { kNeutral, kGood, kBad, kCaution };

struct ReportVerdict {
  Tone tone = Tone::kNeutral;
  std::string text;  // one sentence in plain words
};

struct ReportFact {
  std::string label;  // "code version"
  std::string value;
};

// A figure with what it must be compared with beside it.
struct ReportKeyFigure {
  std::string label;  // "MAE of the forecast"
  double value = kNotANumber;
  double benchmark = kNotANumber;  // NaN: there is none
  std::string benchmark_name;      // "naive", "buy and hold"
  NumberFormat format = NumberFormat::kPlain;
  Tone tone = Tone::kNeutral;
  std::string hint;  // "mean absolute error of the 1-bar return; smaller is better"
};

// Forecasts of one model for one symbol. Equally long vectors, a row each; target_time increasing.
struct ReportForecast {
  std::string model;
  bool naive = false;  // the yardstick: drawn in the background
  std::vector<TimeMs> made_at;
  // The instant at which the outcome is known: the end (close_time + 1 ms) of the bar whose close
  // is forecast. The forecast is drawn at that bar.
  std::vector<TimeMs> target_time;
  std::vector<double> price;
  std::vector<double> low, high;  // an interval, or both empty
};

// The forecasts of every step that one model made for one symbol, origin by origin.
struct ReportFan {
  std::string model, symbol;
  std::string currency;
  std::vector<TimeMs> time;  // when the closes were known, increasing
  std::vector<double> close;
  struct Origin {
    TimeMs made_at = 0;
    double price = kNotANumber;  // the last close then
    // The steps, in order of time: when each is due, and equally many prices.
    std::vector<TimeMs> target_time;
    std::vector<double> forecast;
    std::vector<double> low, high;  // an interval, or both empty
  };
  std::vector<Origin> origins;  // in order of made_at
};

// How good the forecasts of each step are.
struct ReportSteps {
  std::string model;
  std::string currency;
  double nominal = kNotANumber;  // coverage that the interval promises; NaN: there is none
  struct Step {
    int64_t horizon = 1;                           // bars ahead
    double mae = kNotANumber, rmse = kNotANumber;  // in prices
    double mape = kNotANumber;                     // a fraction
    double naive_mae = kNotANumber, naive_rmse = kNotANumber, naive_mape = kNotANumber;
    double coverage = kNotANumber;  // share of the outcomes inside the interval
  };
  std::vector<Step> steps;  // in order of horizon
};

// What a network with attention looked at, means over some windows; shares of one kind add up to 1.
struct ReportAttention {
  std::string model;
  using Shares = std::vector<std::pair<std::string, double>>;
  Shares past, future;  // inputs of the window, and those known ahead
  // Of each horizon: the share of every step that it sees, the oldest first; the last ones are the
  // horizons themselves.
  std::vector<std::vector<double>> attention;
};

// One symbol's bars with the forecasts of its closes. The bars may be the whole history: what is
// drawn is the time the forecasts span and a little before it; without forecasts, everything.
struct ReportMarket {
  CandleSeries bars;
  std::string currency;  // of the prices, "USDT"
  std::vector<ReportForecast> forecasts;
};

// The errors of one model over the test rows, actual - forecast, any order, finite.
struct ReportErrors {
  std::string model;
  bool naive = false;
  std::vector<double> errors;
  NumberFormat format = NumberFormat::kPercent;  // of an error: kPercent for returns, or kPrice
};

enum class CurveRole { kStrategy, kPessimistic, kBenchmark };

struct ReportCurve {
  std::string name;  // "ridge", "ridge, pessimistic", "buy and hold"
  CurveRole role = CurveRole::kStrategy;
  std::vector<double> equity;  // account value at the close of each bar
};

// Accounts over the same bars. Drawdowns are derived.
struct ReportEquity {
  double capital = kNotANumber;  // at the start, > 0
  std::string currency;
  std::vector<TimeMs> time;  // open times of the bars, increasing
  std::vector<ReportCurve> curves;
};

// How a value compares with its yardstick when chance is taken into account.
enum class Standing { kNotCompared, kSame, kBetter, kWorse };

struct ReportCell {
  double value = kNotANumber;
  double low = kNotANumber;  // confidence interval, or NaN
  double high = kNotANumber;
  Standing standing = Standing::kNotCompared;
};

struct ReportColumn {
  std::string title;  // "MAE"
  NumberFormat format = NumberFormat::kPlain;
  enum class Better { kNeither, kSmaller, kLarger } better = Better::kNeither;
  std::string hint;  // what it is, one sentence
};

struct ReportRow {
  std::string label;  // the model
  bool naive = false;
  std::vector<ReportCell> cells;  // one per column
};

// Rows are models or accounts, columns are metrics. The best value of a column that has a `better`
// is marked.
struct ReportTable {
  std::string title;
  std::string note;  // below the title: how intervals and marks are to be read
  std::vector<ReportColumn> columns;
  std::vector<ReportRow> rows;
};

// One metric over months (or other groups): rows are months, columns are models. A cell is coloured
// by how much better or worse it is than the baseline column of its row.
struct ReportHeatTable {
  std::string title;
  std::string note;
  NumberFormat format = NumberFormat::kPlain;
  bool smaller_is_better = true;
  std::vector<std::string> columns;
  std::optional<size_t> baseline;  // a column; none: colours compare with 0
  struct Row {
    std::string label;  // "2024-03"
    std::vector<double> values;
  };
  std::vector<Row> rows;
};

// What a class forecast said beside how often the class happened: one point a part of [0, 1] that
// has forecasts.
struct ReportReliability {
  std::string model;       // "gbdt"
  std::string class_name;  // "up"
  struct Point {
    double probability = 0;  // mean forecast
    double frequency = 0;
    double low = kNotANumber;  // confidence interval of the frequency, or NaN
    double high = kNotANumber;
    size_t rows = 0;
  };
  std::vector<Point> points;
};

// Where what happened fell among the forecast quantiles. Cells from 0 to 1 without gaps.
struct ReportPit {
  std::string model;
  struct Cell {
    double from = 0, to = 1;  // levels; a calibrated forecast has the share to - from here
    double share = 0;
    double low = kNotANumber;  // confidence interval of the share, or NaN
    double high = kNotANumber;
    double naive_share = kNotANumber;
  };
  std::vector<Cell> cells;
};

struct ReportMonthReturn {
  int year = 0;
  int month = 0;     // 1..12
  double value = 0;  // a fraction
};
struct ReportMonthlyReturns {
  std::string name;  // "ridge"
  std::vector<ReportMonthReturn> months;
};

struct ReportTrade {
  std::string symbol;
  bool is_short = false;
  TimeMs entry_time = 0;
  TimeMs exit_time = 0;
  double entry_price = kNotANumber;
  double exit_price = kNotANumber;
  double units = kNotANumber;
  double costs = kNotANumber;
  double pnl = kNotANumber;              // after costs, quote currency
  double return_on_entry = kNotANumber;  // a fraction
  bool closed_at_end = false;
};

// One part of the data, [from, to).
struct ReportSplit {
  std::string name;  // "training", "validation", "test"
  TimeMs from = 0;
  TimeMs to = 0;
  int64_t rows = 0;
  int64_t purged = 0;  // rows left out because their label reaches into the next part
};

struct ReportFeature {
  std::string name;
  std::string description;
  std::string unit;
  std::string importance;  // such as a coefficient, with its sign; may be empty
};

struct ReportModel {
  std::string name;
  std::string description;
  std::string parameters;  // "lambda 0.1, chosen of 5 on validation"
};

struct ReportStage {
  std::string name;
  std::string artifact;                // the folder's name (a hash)
  std::string status;                  // "made", "kept"
  std::optional<DurationMs> duration;  // leave out where the bytes must be reproducible
};

struct ReportData {
  std::string title;        // "BTCUSDT 30m: next-bar return"
  std::string subtitle;     // one sentence on what was forecast, from what
  std::string recipe_name;  // "first-run"
  std::string recipe_yaml;  // as it was run, overlays and --set included
  std::string run_id;
  std::string code_version;
  std::string data_hash;
  TimeMs data_from = 0;  // [data_from, data_to) of the data that was used; equal: not given
  TimeMs data_to = 0;
  std::optional<TimeMs> created;  // wall clock, only if the caller wants it in the bytes
  std::vector<ReportFact> facts;  // further lines of the run's identity

  std::vector<ReportVerdict> verdict;  // the first is the headline
  std::vector<std::string> warnings;   // "survivorship bias: ..."
  std::vector<ReportKeyFigure> key_figures;

  std::vector<ReportMarket> markets;
  std::vector<ReportErrors> errors;
  std::vector<ReportTable> forecast_tables;  // metrics of the forecasts
  std::vector<ReportFan> fans;
  std::vector<ReportSteps> steps;
  std::vector<ReportAttention> attention;
  std::vector<ReportPit> pit;
  std::vector<ReportReliability> reliability;
  std::vector<ReportHeatTable> by_month;  // and by symbol, volatility, horizon

  ReportEquity equity;
  std::vector<ReportTable> strategy_tables;  // statistics of the accounts
  std::vector<ReportMonthlyReturns> monthly_returns;
  std::vector<ReportTrade> trades;  // all of them; the report shows the first and the last

  std::string target;  // what is forecast, one sentence
  std::vector<ReportModel> models;
  std::vector<ReportSplit> split;
  std::vector<ReportFeature> features;
  std::vector<SeriesAudit> audits;
  std::string fill;  // what was done about gaps: "none", "forward"
  std::vector<std::string> assumptions;
  std::vector<ReportStage> stages;
};

// Throws Error(kBadData) naming the part whose vectors have different lengths, whose times are out
// of order, or whose cells do not match their columns. Called by all the functions below.
void CheckReport(const ReportData& data);

struct HtmlOptions {
  // A market with more bars is drawn twice: merged into at most this many for the whole time, and
  // its last bars as they are.
  size_t max_bars = 3000;
  size_t max_markets = 12;  // with charts; the report says how many it left out
  size_t trades_at_each_end = 15;
};
// One HTML file that needs nothing else: styles, scripts and data are inside it, and it requests
// nothing. Deterministic.
std::string RenderHtml(const ReportData& data, const HtmlOptions& options = {});

struct TextOptions {
  bool color = false;  // ANSI colours
  size_t width = 80;   // columns; long sentences are wrapped
};
// The headline, key figures and metric tables, aligned, ending with a line end.
std::string RenderText(const ReportData& data, const TextOptions& options = {});

}  // namespace almanac

#endif  // ALMANAC_REPORT_REPORT_H_
