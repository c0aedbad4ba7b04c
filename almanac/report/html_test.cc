#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/json.h"
#include "almanac/report/assets.h"
#include "almanac/report/report.h"
#include "almanac/report/sample_report.h"

namespace almanac {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// The page without the chart library, which is not ours to check.
std::string OwnPart(std::string html) {
  const size_t at = html.find(ChartLibrary());
  EXPECT_NE(at, std::string::npos);
  return at == std::string::npos ? html : html.erase(at, ChartLibrary().size());
}

// Fails unless every element that is opened is closed, in order.
void ExpectBalanced(const std::string& html) {
  const std::regex tag(R"(<(/?)([a-z][a-z0-9]*)((?:[^<>"]|"[^"]*")*?)(/?)>)");
  const std::array<std::string, 3> kVoid = {"meta", "br", "link"};
  std::vector<std::string> open;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), tag); it != std::sregex_iterator();
       ++it) {
    const std::string name = (*it)[2];
    if ((*it)[4] == "/" || std::find(kVoid.begin(), kVoid.end(), name) != kVoid.end()) continue;
    if ((*it)[1] != "/") {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << "</" << name << "> closes nothing";
      ASSERT_EQ(open.back(), name) << "at byte " << it->position();
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty()) << open.size() << " elements stay open, the last is " << open.back();
}

// The body's markup, without scripts.
std::string Markup(const std::string& html) {
  const size_t from = html.find("<body>"), to = html.find("<script type=\"application/json\"");
  return html.substr(from, to - from) + "</body>";
}

TEST(HtmlTest, HasEveryPart) {
  const std::string html = RenderHtml(MakeSampleReport());
  for (const std::string part : {"<title>BTCUSDT 30m: the next bar&#39;s return</title>",
                                 "id=\"verdict\"",
                                 "Read this with care",
                                 "id=\"figures\"",
                                 "id=\"prices-chart\"",
                                 "id=\"equity-chart\"",
                                 "Metrics of the forecast return",
                                 "Histogram of the forecast errors of ridge",
                                 "Quantiles of the errors",
                                 "by month",
                                 "The accounts beside each other",
                                 "Returns by month",
                                 "Trades",
                                 "Split of the data",
                                 "return_50",
                                 "Data audit",
                                 "Gaps of binance-spot BTCUSDT 30m: 2",
                                 "id=\"assumptions\"",
                                 "id=\"recipe\"",
                                 "first-run-3f9c2a71",
                                 "all times UTC",
                                 "TradingView Lightweight Charts"}) {
    EXPECT_THAT(html, HasSubstr(part));
  }
}

TEST(HtmlTest, IsWellFormed) {
  ExpectBalanced(Markup(RenderHtml(MakeSampleReport())));
  ExpectBalanced(Markup(RenderHtml({})));
}

TEST(HtmlTest, NavigationLeadsToSectionsThatExist) {
  ReportData data = MakeSampleReport(400);
  data.assumptions.clear();
  const std::string html = RenderHtml(data);
  const std::regex link("href=\"#([a-z]+)\"");
  size_t links = 0;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), link); it != std::sregex_iterator();
       ++it) {
    EXPECT_EQ(CountOf(html, " id=\"" + (*it)[1].str() + "\""), 1U) << (*it)[1];
    ++links;
  }
  EXPECT_GT(links, 5U);
  EXPECT_THAT(html, Not(HasSubstr("#assumptions")));
}

TEST(HtmlTest, RequestsNothing) {
  const std::string html = RenderHtml(MakeSampleReport());
  const std::string own = OwnPart(html);
  EXPECT_THAT(html, HasSubstr("Content-Security-Policy\" content=\"default-src 'none'"));
  for (const std::string part : {"<link", "<img", "<iframe", "@import", "url(", " src=", "fetch(",
                                 "XMLHttpRequest", "import("}) {
    EXPECT_THAT(own, Not(HasSubstr(part)));
  }
  // The one address is the link that the chart library's licence asks for.
  EXPECT_EQ(CountOf(own, "http://") + CountOf(own, "https://"), 2U);
  EXPECT_EQ(CountOf(own, "https://www.tradingview.com/"), 2U);
}

TEST(HtmlTest, TheSameDataGivesTheSameBytes) {
  EXPECT_EQ(RenderHtml(MakeSampleReport()), RenderHtml(MakeSampleReport()));
  EXPECT_NE(RenderHtml(MakeSampleReport(2400, 1)), RenderHtml(MakeSampleReport(2400, 2)));
}

// Puts `text` wherever a report takes text.
ReportData Poisoned(const std::string& text) {
  ReportData data = MakeSampleReport(400);
  for (std::string* field : {&data.title,
                             &data.subtitle,
                             &data.recipe_name,
                             &data.recipe_yaml,
                             &data.run_id,
                             &data.code_version,
                             &data.data_hash,
                             &data.target,
                             &data.fill,
                             &data.equity.currency,
                             &data.markets[0].currency,
                             &data.markets[0].bars.key.symbol,
                             &data.markets[0].bars.key.market,
                             &data.audits[0].key.symbol,
                             &data.forecast_tables[0].title,
                             &data.forecast_tables[0].note,
                             &data.by_month[0].title,
                             &data.by_month[0].note,
                             &data.by_month[0].rows[0].label,
                             &data.monthly_returns[0].name}) {
    *field = text;
  }
  data.facts = {{text, text}};
  data.verdict = {{Tone::kGood, text}, {Tone::kBad, text}};
  data.warnings = data.assumptions = {text};
  data.key_figures = {{text, 1, 2, text, NumberFormat::kPlain, Tone::kGood, text}};
  for (ReportForecast& forecast : data.markets[0].forecasts) forecast.model = text;
  for (ReportErrors& errors : data.errors) errors.model = text;
  for (ReportColumn& column : data.forecast_tables[0].columns) column.title = column.hint = text;
  for (ReportRow& row : data.forecast_tables[0].rows) row.label = text;
  for (std::string& column : data.by_month[0].columns) column = text;
  for (ReportCurve& curve : data.equity.curves) curve.name = text;
  for (ReportTrade& trade : data.trades) trade.symbol = text;
  data.trades.front().symbol = "other";  // so that symbols are shown
  for (ReportSplit& part : data.split) part.name = text;
  data.features = {{text, text, text, text}};
  data.models = {{text, text, text}};
  data.stages = {{text, text, text, kMsPerSecond}};
  return data;
}

TEST(HtmlTest, EscapesTextEverywhere) {
  const std::string clean = RenderHtml(Poisoned("harmless"));
  for (const std::string text :
       {"</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><b onclick='x'>",
        "' onmouseover='x", "<!--", "</style>", "</pre></code>", "&lt;script&gt;"}) {
    const std::string html = RenderHtml(Poisoned(text));
    ExpectBalanced(Markup(html));
    EXPECT_EQ(CountOf(html, "<script"), CountOf(clean, "<script")) << text;
    EXPECT_EQ(CountOf(html, "</script"), CountOf(clean, "</script")) << text;
    EXPECT_EQ(CountOf(html, "<"), CountOf(clean, "<")) << "a tag or comment came in: " << text;
    EXPECT_EQ(CountOf(Markup(html), "\""), CountOf(Markup(clean), "\"")) << text;
  }
}

TEST(HtmlTest, ChartDataIsJsonWhateverTheNames) {
  const std::string name = "</script>\"\\\n<!--";
  const std::string html = RenderHtml(Poisoned(name));
  const std::string start = "id=\"data\">";
  const size_t from = html.find(start) + start.size();
  const Json data = Json::parse(html.substr(from, html.find("</script>", from) - from));
  EXPECT_EQ(data["markets"][0]["symbol"], name);
  EXPECT_EQ(data["equity"]["curves"][0]["name"], name);
}

TEST(HtmlTest, ShowsTheYardstickBesideEachFigure) {
  ReportData data;
  data.key_figures = {{"MAE", 0.0018123, 0.0018151, "naive", NumberFormat::kPercent, Tone::kCaution,
                       "mean absolute error"}};
  const std::string html = RenderHtml(data);
  EXPECT_THAT(html, HasSubstr("<span class=\"big\">0.181%</span><span class=\"beside\"><b>0.182%"
                              "</b> naive</span>"));
  EXPECT_THAT(html, HasSubstr("no clear difference from naive"));
}

TEST(HtmlTest, MarksTheBestOfAColumn) {
  ReportData data;
  data.forecast_tables = {
      {"T",
       "",
       {{"MAE", NumberFormat::kRatio, ReportColumn::Better::kSmaller, ""},
        {"IC", NumberFormat::kRatio, ReportColumn::Better::kLarger, ""}},
       {{"a",
         false,
         {{1, 0.5, 1.5, Standing::kBetter}, {kNotANumber, kNotANumber, kNotANumber, {}}}},
        {"b", true, {{2, kNotANumber, kNotANumber, {}}, {0.5, kNotANumber, kNotANumber, {}}}}}}};
  const std::string html = RenderHtml(data);
  EXPECT_THAT(html, HasSubstr("<td class=\"num best\"><span class=\"value\">1.00</span>"));
  EXPECT_THAT(html, HasSubstr("<span class=\"ci\">0.50 to 1.50</span>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"num\"><span class=\"value\">2.00</span>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"num\"><span class=\"value\">–</span>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"num best\"><span class=\"value\">0.50</span>"));
}

TEST(HtmlTest, ListsTheFirstAndLastTrades) {
  ReportData data;
  for (int i = 0; i < 100; ++i) {
    data.trades.push_back(
        {"X", false, i * kMsPerDay, (i + 1) * kMsPerDay, 1, 1, 1, 0, 0, 0, false});
  }
  HtmlOptions options;
  options.trades_at_each_end = 3;
  const std::string html = RenderHtml(data, options);
  EXPECT_THAT(html, HasSubstr("94 more trades are not shown"));
  for (const int shown : {1, 3, 98, 100}) {
    EXPECT_THAT(html, HasSubstr("<th scope=\"row\">" + std::to_string(shown) + "</th>"));
  }
  for (const int hidden : {4, 97}) {
    EXPECT_THAT(html, Not(HasSubstr("<th scope=\"row\">" + std::to_string(hidden) + "</th>")));
  }
  options.trades_at_each_end = 50;
  EXPECT_THAT(RenderHtml(data, options), Not(HasSubstr("not shown")));
}

TEST(HtmlTest, YearsOfMonthlyReturnsCompound) {
  ReportData data;
  data.monthly_returns = {{"m", {{2023, 11, 0.10}, {2023, 12, 0.0}, {2024, 1, -0.5}}}};
  const std::string html = RenderHtml(data);
  EXPECT_THAT(html, HasSubstr("class=\"num total\">+10.0%"));
  EXPECT_THAT(html, HasSubstr("class=\"num total\">−50.0%"));
  EXPECT_EQ(CountOf(html, "<td class=\"num\">0.0%</td>"), 1U)
      << "a flat month is not a missing one";
  EXPECT_EQ(CountOf(html, "<td class=\"num\"></td>"), 21U);
}

TEST(HtmlTest, FoldsLongGapLists) {
  ReportData data = MakeSampleReport(400);
  data.audits[0].gaps.assign(250, {0, kMsPerHour, 2});
  const std::string html = RenderHtml(data);
  EXPECT_THAT(html, HasSubstr("<details><summary>Gaps of binance-spot BTCUSDT 30m: 250</summary>"));
  EXPECT_THAT(html, HasSubstr("<li>and 50 more</li>"));
}

TEST(HtmlTest, RefusesToDrawNothing) {
  HtmlOptions options;
  options.max_bars = 0;
  EXPECT_THROW(RenderHtml({}, options), Error);
}

TEST(HtmlTest, EmbedsTheLibraryWithItsLicence) {
  EXPECT_THAT(std::string(ChartLibrary().substr(0, 300)), HasSubstr("Apache License 2.0"));
  EXPECT_THAT(ReportStyle(), HasSubstr("prefers-color-scheme"));
  EXPECT_THAT(ReportStyle(), HasSubstr("@media print"));
  EXPECT_EQ(CountOf(ReportScript(), "</script"), 0U);
  EXPECT_EQ(CountOf(ChartLibrary(), "</script"), 0U);
}

}  // namespace
}  // namespace almanac
