// The page of RenderHtml, from the headline to the recipe.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "almanac/base/error.h"
#include "almanac/report/assets.h"
#include "almanac/report/chart_data.h"
#include "almanac/report/html_calibration.h"
#include "almanac/report/html_networks.h"
#include "almanac/report/html_plots.h"
#include "almanac/report/html_tables.h"
#include "almanac/report/markup.h"
#include "almanac/report/number_text.h"
#include "almanac/report/report.h"

namespace almanac {
namespace {

struct Section {
  std::string_view id, link, title;  // `link`: its short name in the navigation
  std::string html;
};

std::string ListOf(const std::vector<std::string>& entries, std::string_view classes) {
  std::string html = fmt::format("<ul class=\"{}\">\n", classes);
  for (const std::string& entry : entries) html += "<li>" + Escape(entry) + "</li>\n";
  return html + "</ul>\n";
}

// --- Top ----------------------------------------------------------------------------------------

std::string VerdictLine(const ReportVerdict& verdict, std::string_view element) {
  const std::string words = ToneWords(verdict.tone, "");
  return fmt::format(
      "<{0} class=\"{1}\"><i class=\"sign\" aria-hidden=\"true\">{2}</i><span>{3}{4}"
      "</span></{0}>\n",
      element, ToneClass(verdict.tone), ToneSign(verdict.tone),
      words.empty() ? "" : fmt::format("<span class=\"sr\">{}: </span>", words),
      Escape(verdict.text));
}

std::string VerdictHtml(const ReportData& data) {
  if (data.verdict.empty()) return "";
  std::string html = "<section id=\"verdict\" aria-label=\"Verdict\">\n";
  html +=
      VerdictLine(data.verdict.front(), "p").insert(0, "<div class=\"headline\">\n") + "</div>\n";
  if (data.verdict.size() > 1) {
    html += "<ul class=\"findings\">\n";
    for (size_t i = 1; i < data.verdict.size(); ++i) html += VerdictLine(data.verdict[i], "li");
    html += "</ul>\n";
  }
  return html + "</section>\n";
}

std::string WarningsHtml(const std::vector<std::string>& warnings) {
  if (warnings.empty()) return "";
  return "<aside class=\"warnings\" aria-label=\"Warnings\"><h2>Read this with care</h2>\n" +
         ListOf(warnings, "") + "</aside>\n";
}

// An exact zero needs no decimals.
std::string BenchmarkText(const ReportKeyFigure& figure, NumberStyle style) {
  if (figure.benchmark == 0) style.decimals = 0;
  return FormatNumber(figure.benchmark, style);
}

std::string FigureCard(const ReportKeyFigure& figure) {
  const NumberStyle style =
      DistinctStyleFor(figure.format, std::array{figure.value, figure.benchmark});
  std::string html =
      fmt::format("<div class=\"card\"><h3>{}</h3><p class=\"pair\"><span class=\"big\">{}</span>",
                  Escape(figure.label), NumberMarkup(FormatNumber(figure.value, style)));
  if (!figure.benchmark_name.empty()) {
    html += fmt::format("<span class=\"beside\"><b>{}</b> {}</span>",
                        NumberMarkup(BenchmarkText(figure, style)), Escape(figure.benchmark_name));
  }
  html += "</p>";
  const std::string words = ToneWords(figure.tone, figure.benchmark_name);
  if (!words.empty()) {
    html += fmt::format("<p class=\"tone {}\"><i aria-hidden=\"true\">{}</i> {}</p>",
                        ToneClass(figure.tone), ToneSign(figure.tone), Escape(words));
  }
  if (!figure.hint.empty()) html += fmt::format("<p class=\"hint\">{}</p>", Escape(figure.hint));
  return html + "</div>\n";
}

std::string KeyFiguresHtml(const ReportData& data) {
  if (data.key_figures.empty()) return "";
  std::string html = "<div class=\"cards\">\n";
  for (const ReportKeyFigure& figure : data.key_figures) html += FigureCard(figure);
  return html + "</div>\n";
}

// --- Charts -------------------------------------------------------------------------------------

std::string ChartFrame(std::string_view id, std::string_view label) {
  return fmt::format(
      "<div class=\"chart-box\" id=\"{}\"><noscript><p class=\"note\">This chart is drawn by a "
      "script, and scripts are switched off. The tables need none.</p></noscript>"
      "<div class=\"toolbar\"></div><div class=\"readout\" aria-live=\"off\"></div>"
      "<div class=\"chart\" tabindex=\"0\" role=\"group\" aria-label=\"{}\"></div></div>\n",
      id, label);
}

std::string PricesHtml(const ReportData& data, const HtmlOptions& options) {
  if (data.markets.empty()) return "";
  std::string html = ChartFrame(
      "prices-chart", "Chart of prices and forecasts; arrow keys move, plus and minus zoom");
  html +=
      "<p class=\"note\">Candles are grey: hollow where the close is above the open, filled where "
      "it "
      "is below. They stand at their open time, UTC. Each forecast stands at the bar whose close "
      "it "
      "is about, not where it was made. Bars that are missing take no space.</p>\n";
  if (data.markets.size() > options.max_markets) {
    html += fmt::format("<p class=\"note\">The first {} of {} series are drawn.</p>\n",
                        options.max_markets, data.markets.size());
  }
  return html;
}

std::string ForecastsHtml(const ReportData& data) {
  std::string html;
  for (const ReportTable& table : data.forecast_tables) html += MetricTableHtml(table);
  const std::string currency = data.markets.empty() ? "" : data.markets.front().currency;
  const std::string figures = ErrorFigures(data.errors, currency);
  if (!figures.empty()) html += "<h3>Distribution of the errors</h3>\n" + figures;
  html += ErrorSummaryHtml(data.errors);
  html += FanFigures(data.fans) + StepFigures(data.steps) + AttentionFigures(data.attention);
  html += PitFigures(data.pit) + ReliabilityFigures(data.reliability);
  for (const ReportHeatTable& table : data.by_month) html += HeatTableHtml(table);
  return html;
}

std::string MoneyHtml(const ReportData& data, const HtmlOptions& options) {
  std::string html;
  if (!data.equity.curves.empty() && !data.equity.time.empty()) {
    html +=
        ChartFrame("equity-chart",
                   "Chart of account values and drawdowns; arrow keys move, plus and minus zoom");
    html += fmt::format(
        "<p class=\"note\">Above: the account's value, starting at {}. Below: how far it is under "
        "its highest value so far. At the close of each bar, UTC, after costs.</p>\n",
        Escape(FormatNumber(data.equity.capital, NumberFormat::kPrice) +
               (data.equity.currency.empty() ? "" : " " + data.equity.currency)));
  }
  for (const ReportTable& table : data.strategy_tables) html += MetricTableHtml(table);
  std::string months;
  for (const ReportMonthlyReturns& returns : data.monthly_returns) {
    months += MonthlyReturnsHtml(returns);
  }
  if (!months.empty()) html += "<h3>Returns by month</h3>\n" + months;
  return html + TradesHtml(data.trades, options.trades_at_each_end);
}

// --- Origin -------------------------------------------------------------------------------------

std::string OriginHtml(const ReportData& data) {
  std::string html;
  if (!data.target.empty()) {
    html += "<p><b>What is forecast.</b> " + Escape(data.target) + "</p>\n";
  }
  return html + ModelsHtml(data.models) + SplitHtml(data.split) + FeaturesHtml(data.features) +
         AuditHtml(data.audits, data.fill);
}

std::string IdentityHtml(const ReportData& data) {
  std::string html;
  const auto add = [&](std::string_view label, const std::string& value) {
    if (value.empty()) return;
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", Escape(label), Escape(value));
  };
  add("Run", data.run_id);
  add("Recipe", data.recipe_name);
  add("Code version", data.code_version);
  add("Data hash", data.data_hash);
  if (data.data_from != data.data_to) {
    add("Data", FormatMinute(data.data_from) + " to " + FormatMinute(data.data_to) + " UTC");
  }
  if (data.created) add("Created", FormatMinute(*data.created) + " UTC");
  for (const ReportFact& fact : data.facts) add(fact.label, fact.value);
  return html.empty() ? "" : "<dl class=\"identity\">\n" + html + "</dl>\n";
}

std::string RecipeHtml(const ReportData& data) {
  if (data.recipe_yaml.empty()) return "";
  return fmt::format(
      "<pre class=\"recipe\" tabindex=\"0\" aria-label=\"Recipe\"><code>{}</code>"
      "</pre>\n",
      YamlMarkup(data.recipe_yaml));
}

std::vector<Section> SectionsOf(const ReportData& data, const HtmlOptions& options) {
  std::vector<Section> sections = {
      {"figures", "Key figures", "Key figures", KeyFiguresHtml(data)},
      {"prices", "Prices", "Prices and forecasts", PricesHtml(data, options)},
      {"forecasts", "Forecasts", "How good the forecasts are", ForecastsHtml(data)},
      {"money", "Trading", "What trading on them would have brought", MoneyHtml(data, options)},
      {"origin", "Data and models", "What it rests on", OriginHtml(data)},
      {"assumptions", "Assumptions", "Assumptions",
       data.assumptions.empty() ? "" : ListOf(data.assumptions, "assumptions")},
      {"recipe", "Recipe", "Recipe", RecipeHtml(data)},
      {"run", "Run", "This run", IdentityHtml(data) + StagesHtml(data.stages)}};
  std::erase_if(sections, [](const Section& section) { return section.html.empty(); });
  return sections;
}

// --- Page ---------------------------------------------------------------------------------------

std::string HeadHtml(const ReportData& data) {
  // The policy forbids the page every request, whatever a text in it might smuggle in.
  return fmt::format(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Almanac">
<title>{}</title>
<style>
{}</style>
</head>
)",
                     Escape(data.title), ReportStyle());
}

std::string HeaderHtml(const ReportData& data) {
  std::string about = "Almanac report";
  if (!data.recipe_name.empty()) about += " · recipe " + Escape(data.recipe_name);
  if (data.data_from != data.data_to) {
    about += fmt::format(" · <span class=\"nowrap\">{} to {}</span>", FormatDate(data.data_from),
                         FormatDate(data.data_to - 1));
  }
  std::string html = fmt::format(
      "<header>\n<p class=\"about\"><span>{} · all times UTC</span><button type=\"button\" "
      "id=\"theme\" hidden>Dark</button></p>\n<h1>{}</h1>\n",
      about, Escape(data.title));
  if (!data.subtitle.empty()) {
    html += fmt::format("<p class=\"subtitle\">{}</p>\n", Escape(data.subtitle));
  }
  return html + "</header>\n";
}

std::string NavigationHtml(const std::vector<Section>& sections) {
  std::string html = "<nav aria-label=\"Sections\"><ul>\n";
  for (const Section& section : sections) {
    html += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id, section.link);
  }
  return html + "</ul></nav>\n";
}

// The notice that the chart library's licence asks for.
std::string FooterHtml() {
  return "<footer><p>Made by Almanac. Forecasts are not advice. Charts: TradingView Lightweight "
         "Charts™, Copyright © TradingView, Inc., <a rel=\"noreferrer\" "
         "href=\"https://www.tradingview.com/\">https://www.tradingview.com/</a>, Apache License "
         "2.0.</p></footer>\n";
}

}  // namespace

std::string RenderHtml(const ReportData& data, const HtmlOptions& options) {
  CheckReport(data);
  if (options.max_bars < 2) {
    throw Error(ErrorCode::kUsage, "report", fmt::format("max_bars is {}", options.max_bars),
                "at least 2 bars must be drawn");
  }
  const std::vector<Section> sections = SectionsOf(data, options);
  std::string html = HeadHtml(data) +
                     "<body>\n<a class=\"skip\" href=\"#main\">To the report</a>\n" +
                     HeaderHtml(data) + "<main id=\"main\">\n" + VerdictHtml(data) +
                     WarningsHtml(data.warnings) + NavigationHtml(sections);
  for (const Section& section : sections) {
    html += fmt::format(
        "<section id=\"{0}\" aria-labelledby=\"{0}-title\">\n<h2 id=\"{0}-title\">{1}"
        "</h2>\n{2}</section>\n",
        section.id, section.title, section.html);
  }
  html += "</main>\n" + FooterHtml();
  html += "<script type=\"application/json\" id=\"data\">" + ChartData(data, options) +
          "</script>\n<script>\n";
  html.append(ChartLibrary()).append("\n</script>\n<script>\n").append(ReportScript());
  return html + "</script>\n</body>\n</html>\n";
}

}  // namespace almanac
