#include "almanac/report/html_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "almanac/base/text.h"
#include "almanac/report/drawing.h"
#include "almanac/report/html_table.h"
#include "almanac/report/markup.h"
#include "almanac/report/number_text.h"

namespace almanac {
namespace {

using Better = ReportColumn::Better;

// --- Metrics ------------------------------------------------------------------------------------

struct StandingMark {
  std::string_view css, sign, words;
};
StandingMark MarkOf(Standing standing) {
  switch (standing) {
    case Standing::kBetter:
      return {"good", "▲", "better, beyond chance"};
    case Standing::kWorse:
      return {"bad", "▼", "worse, beyond chance"};
    case Standing::kSame:
      return {"caution", "≈", "no difference beyond chance"};
    case Standing::kNotCompared:
      break;
  }
  return {"", "", ""};
}

// What one column needs for all of its cells.
struct MetricColumn {
  NumberStyle style;
  std::optional<double> best;
  std::optional<double> naive;
  double low = 0, high = 0;  // of the little interval plots
  bool has_intervals = false;
};

MetricColumn SurveyColumn(const ReportTable& table, size_t c) {
  const Better better = table.columns[c].better;
  MetricColumn column;
  std::vector<double> values, all;
  for (const ReportRow& row : table.rows) {
    const ReportCell& cell = row.cells[c];
    if (std::isfinite(cell.value)) values.push_back(cell.value);
    if (row.naive && std::isfinite(cell.value)) column.naive = cell.value;
    column.has_intervals |= std::isfinite(cell.low) && std::isfinite(cell.high);
    for (const double value : {cell.value, cell.low, cell.high}) {
      if (std::isfinite(value)) all.push_back(value);
    }
  }
  column.style = DistinctStyleFor(table.columns[c].format, values);
  if (all.empty()) return column;
  column.low = *std::min_element(all.begin(), all.end());
  column.high = *std::max_element(all.begin(), all.end());
  if (better == Better::kSmaller) column.best = *std::min_element(values.begin(), values.end());
  if (better == Better::kLarger) column.best = *std::max_element(values.begin(), values.end());
  return column;
}

// The interval as a line with its value as a dot, on the scale of the column; a tick for naive.
std::string IntervalPlot(const ReportCell& cell, const MetricColumn& column) {
  constexpr double kMargin = 5.0;  // percent of the width, so that dots are not cut
  const double range = column.high > column.low ? column.high - column.low : 1.0;
  const auto place = [&](double value) {
    return kMargin + (100.0 - 2 * kMargin) * (value - column.low) / range;
  };
  std::string svg = "<svg class=\"interval\" aria-hidden=\"true\">";
  if (column.naive) {
    svg += fmt::format(R"(<line class="tick" x1="{0:.1f}%" x2="{0:.1f}%" y1="0" y2="10"/>)",
                       place(*column.naive));
  }
  svg += fmt::format(R"(<line class="span" x1="{:.1f}%" x2="{:.1f}%" y1="5" y2="5"/>)",
                     place(cell.low), place(cell.high));
  return svg + fmt::format(R"(<circle cx="{:.1f}%" cy="5" r="2.5"/></svg>)", place(cell.value));
}

std::string MetricCell(const ReportCell& cell, const MetricColumn& column, bool marked) {
  const StandingMark mark = MarkOf(cell.standing);
  std::string html = fmt::format("<span class=\"value\">{}</span>",
                                 NumberMarkup(FormatNumber(cell.value, column.style)));
  if (marked) {
    html += fmt::format("<span class=\"mark {}\" title=\"{}\">{}</span>", mark.css, mark.words,
                        mark.sign);
  }
  if (!mark.words.empty()) html += fmt::format("<span class=\"sr\"> {}</span>", mark.words);
  if (std::isfinite(cell.low) && std::isfinite(cell.high)) {
    html += fmt::format("<span class=\"ci\">{} to {}</span>",
                        NumberMarkup(FormatNumber(cell.low, column.style)),
                        NumberMarkup(FormatNumber(cell.high, column.style)));
    html += IntervalPlot(cell, column);
  }
  return html;
}

std::string MetricLegend(const ReportTable& table) {
  bool best = false, marks = false, intervals = false;
  std::string_view naive;
  for (const ReportColumn& column : table.columns) best |= column.better != Better::kNeither;
  for (const ReportRow& row : table.rows) {
    for (const ReportCell& cell : row.cells) {
      marks |= cell.standing != Standing::kNotCompared;
      intervals |= std::isfinite(cell.low);
      if (row.naive) naive = row.label;
    }
  }
  std::string html;
  const auto item = [&](const std::string& text) { html += fmt::format("<span>{}</span>", text); };
  if (best && table.rows.size() > 1) item("<b>bold</b> best of its column");
  if (marks) {
    item("<i class=\"mark good\">▲</i> better");
    item("<i class=\"mark bad\">▼</i> worse");
    item("<i class=\"mark caution\">≈</i> no difference beyond chance");
  }
  if (intervals) {
    item("small: confidence interval" +
         (naive.empty() ? "" : "; upright stroke: " + Escape(naive)));
  }
  return html.empty() ? "" : "<p class=\"legend\">" + html + "</p>\n";
}

std::string ColumnTerms(const ReportTable& table) {
  std::string terms;
  for (const ReportColumn& column : table.columns) {
    if (column.hint.empty()) continue;
    terms += fmt::format("<dt>{}</dt><dd>{}</dd>", Escape(column.title), Escape(column.hint));
  }
  if (terms.empty()) return "";
  return "<details class=\"terms\"><summary>What the columns mean</summary><dl>" + terms +
         "</dl></details>\n";
}

// --- Heat ---------------------------------------------------------------------------------------

// A cell coloured by `score`, positive is good; `largest` gets the strongest colour.
std::string HeatAttributes(double score, double largest) {
  constexpr double kStrongest = 0.62;
  if (!std::isfinite(score) || largest <= 0 || score == 0) return "class=\"num\"";
  return fmt::format("class=\"num {}\" style=\"--heat:{:.2f}\"", score > 0 ? "hot-good" : "hot-bad",
                     kStrongest * std::min(1.0, std::fabs(score) / largest));
}

double HeatScore(const ReportHeatTable& table, const ReportHeatTable::Row& row, size_t column) {
  const double value = row.values[column];
  const double sign = table.smaller_is_better ? -1 : 1;
  if (!table.baseline) return sign * value;
  const double baseline = row.values[*table.baseline];
  return baseline == 0 ? kNotANumber : sign * (value - baseline) / std::fabs(baseline);
}

constexpr std::array<std::string_view, 12> kMonthNames = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// --- Trades -------------------------------------------------------------------------------------

struct TradeStyles {
  NumberStyle price, units, money, part;
  bool symbols = false;
};

TradeStyles StylesOf(std::span<const ReportTrade> trades) {
  std::vector<double> prices, units, money, parts;
  TradeStyles styles;
  for (const ReportTrade& trade : trades) {
    prices.insert(prices.end(), {trade.entry_price, trade.exit_price});
    units.push_back(trade.units);
    money.insert(money.end(), {trade.pnl, trade.costs});
    parts.push_back(trade.return_on_entry);
    styles.symbols |= trade.symbol != trades.front().symbol;
  }
  styles.price = StyleFor(NumberFormat::kPrice, prices);
  styles.units = StyleFor(NumberFormat::kPlain, units);
  styles.money = {NumberFormat::kPrice, 2};
  styles.part = StyleFor(NumberFormat::kSignedPercent, parts);
  return styles;
}

void AddTrade(HtmlTable& table, const ReportTrade& trade, size_t number,
              const TradeStyles& styles) {
  const auto money = [](double value, NumberStyle style) {
    return NumberMarkup(FormatNumber(value, style));
  };
  table.Row().RowHead(fmt::format("{}", number));
  if (styles.symbols) table.Text(Escape(trade.symbol));
  table.Text(trade.is_short ? "short" : "long")
      .Cell("class=\"time\"", FormatMinute(trade.entry_time))
      .Number(money(trade.entry_price, styles.price))
      .Cell("class=\"time\"", FormatMinute(trade.exit_time) + (trade.closed_at_end ? " end" : ""))
      .Number(money(trade.exit_price, styles.price))
      .Number(money(trade.units, styles.units))
      .Number(money(trade.costs, styles.money))
      .Cell(trade.pnl < 0 ? "class=\"num loss\"" : "class=\"num gain\"",
            money(trade.pnl, styles.money))
      .Number(money(trade.return_on_entry, styles.part));
}

}  // namespace

std::string MetricTableHtml(const ReportTable& table) {
  if (table.columns.empty() || table.rows.empty()) return "";
  const bool marked = std::any_of(table.rows.begin(), table.rows.end(), [](const ReportRow& row) {
    return std::any_of(row.cells.begin(), row.cells.end(), [](const ReportCell& cell) {
      return cell.standing != Standing::kNotCompared;
    });
  });
  HtmlTable html(table.title, marked ? "metrics marked" : "metrics");
  html.Head("");
  std::vector<MetricColumn> columns;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    columns.push_back(SurveyColumn(table, c));
    const Better better = table.columns[c].better;
    const std::string_view arrow = better == Better::kSmaller  ? "smaller is better"
                                   : better == Better::kLarger ? "larger is better"
                                                               : "";
    html.Head(
        fmt::format("{}<span class=\"sense\">{}</span>", Escape(table.columns[c].title), arrow),
        true);
  }
  for (const ReportRow& row : table.rows) {
    html.Row(row.naive ? "naive" : "").RowHead(Escape(row.label));
    for (size_t c = 0; c < row.cells.size(); ++c) {
      const bool best =
          table.rows.size() > 1 && columns[c].best && row.cells[c].value == *columns[c].best;
      html.Cell(best ? "class=\"num best\"" : "class=\"num\"",
                MetricCell(row.cells[c], columns[c], marked));
    }
  }
  return TableHeading(table.title, table.note) + html.Finish() + MetricLegend(table) +
         ColumnTerms(table);
}

std::string HeatTableHtml(const ReportHeatTable& table) {
  if (table.rows.empty() || table.columns.empty()) return "";
  std::vector<double> values;
  double largest = 0;
  for (const ReportHeatTable::Row& row : table.rows) {
    values.insert(values.end(), row.values.begin(), row.values.end());
    for (size_t c = 0; c < row.values.size(); ++c) {
      const double score = HeatScore(table, row, c);
      if (std::isfinite(score)) largest = std::max(largest, std::fabs(score));
    }
  }
  const NumberStyle style = StyleFor(table.format, values);
  HtmlTable html(table.title, "heat");
  html.Head("");
  for (const std::string& column : table.columns) html.Head(Escape(column), true);
  for (const ReportHeatTable::Row& row : table.rows) {
    html.Row().RowHead(Escape(row.label));
    for (size_t c = 0; c < row.values.size(); ++c) {
      html.Cell(HeatAttributes(HeatScore(table, row, c), largest),
                NumberMarkup(FormatNumber(row.values[c], style)));
    }
  }
  const std::string yardstick =
      table.baseline ? Escape(table.columns[*table.baseline]) : std::string("zero");
  return TableHeading(table.title, table.note) + html.Finish() +
         fmt::format(
             "<p class=\"legend\"><span><i class=\"swatch hot-good\"></i> better than {0}"
             "</span><span><i class=\"swatch hot-bad\"></i> worse than {0}</span></p>\n",
             yardstick);
}

std::string MonthlyReturnsHtml(const ReportMonthlyReturns& returns) {
  if (returns.months.empty()) return "";
  std::map<int, std::array<double, 12>> years;
  double largest = 0;
  for (const ReportMonthReturn& month : returns.months) {
    const auto [year, is_new] = years.try_emplace(month.year);
    if (is_new) year->second.fill(kNotANumber);
    year->second[static_cast<size_t>(month.month - 1)] = month.value;
    largest = std::max(largest, std::fabs(month.value));
  }
  HtmlTable html("Monthly returns of " + returns.name, "heat months");
  html.Head("");
  for (const std::string_view name : kMonthNames) html.Head(name, true);
  html.Head("Year", true);
  for (const auto& [year, months] : years) {
    html.Row().RowHead(fmt::format("{}", year));
    double growth = 1;
    for (const double value : months) {
      html.Cell(HeatAttributes(value, largest),
                std::isfinite(value)
                    ? NumberMarkup(FormatNumber(value, {NumberFormat::kSignedPercent, 1}))
                    : "");
      if (std::isfinite(value)) growth *= 1 + value;
    }
    html.Cell("class=\"num total\"",
              NumberMarkup(FormatNumber(growth - 1, {NumberFormat::kSignedPercent, 1})));
  }
  return fmt::format("<h4>{}</h4>\n", Escape(returns.name)) + html.Finish();
}

std::string TradesHtml(std::span<const ReportTrade> trades, size_t at_each_end) {
  if (trades.empty()) return "";
  const TradeStyles styles = StylesOf(trades);
  HtmlTable html("Trades", "trades");
  html.Head("No.");
  if (styles.symbols) html.Head("Symbol");
  html.Head("Side").Head("Entry").Head("Price", true).Head("Exit").Head("Price", true);
  html.Head("Units", true).Head("Costs", true).Head("Result", true).Head("Return", true);
  const bool all = trades.size() <= 2 * at_each_end;
  for (size_t i = 0; i < trades.size(); ++i) {
    if (!all && i == at_each_end) {
      const size_t left_out = trades.size() - 2 * at_each_end;
      html.Note(
          fmt::format("{} more trades are not shown", FormatCount(static_cast<int64_t>(left_out))));
      i += left_out;
    }
    AddTrade(html, trades[i], i + 1, styles);
  }
  const std::string count = FormatCount(static_cast<int64_t>(trades.size()));
  std::string note =
      all ? fmt::format("All {} trades, in order of exit; results after costs.", count)
          : fmt::format(
                "The first and the last {} of {} trades, in order of exit; results after "
                "costs.",
                at_each_end, count);
  if (std::any_of(trades.begin(), trades.end(), [](const auto& t) { return t.closed_at_end; })) {
    note += " “end”: closed because the simulation ended, not by a decision.";
  }
  return TableHeading("Trades", note) + html.Finish();
}

std::string ErrorSummaryHtml(std::span<const ReportErrors> errors) {
  if (errors.empty()) return "";
  HtmlTable html("Quantiles of the errors", "quantiles");
  html.Head("");
  for (const std::string_view head : {"Count", "Mean", "Std. dev.", "1%", "5%", "25%", "Median",
                                      "75%", "95%", "99%", "Skewness", "Kurtosis"}) {
    html.Head(head, true);
  }
  for (const ReportErrors& model : errors) {
    const ErrorSummary s = SummarizeErrors(model.errors);
    const std::array values = {s.mean,   s.deviation, s.q01, s.q05, s.q25,
                               s.median, s.q75,       s.q95, s.q99};
    html.Row(model.naive ? "naive" : "").RowHead(Escape(model.model));
    html.Number(FormatCount(static_cast<int64_t>(s.count)));
    for (const std::string& text : ColumnTexts(model.format, values)) html.Number(text);
    html.Number(NumberMarkup(FormatNumber(s.skewness, NumberFormat::kRatio)));
    html.Number(NumberMarkup(FormatNumber(s.kurtosis, NumberFormat::kRatio)));
  }
  return TableHeading("Quantiles of the errors",
                      "An error is actual minus forecast: positive where the forecast was too low. "
                      "A normal distribution has skewness 0 and kurtosis 3.") +
         html.Finish();
}

}  // namespace almanac
