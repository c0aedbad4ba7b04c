// The tables that say where a result comes from: split, features, models, data audit, stages.
#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/text.h"
#include "almanac/report/html_table.h"
#include "almanac/report/html_tables.h"
#include "almanac/report/markup.h"

namespace almanac {
namespace {

constexpr size_t kRowsShownOpen = 30;
constexpr size_t kGapsListed = 200;

// Long lists are folded, so that what follows them is not lost.
std::string Folded(const std::string& html, size_t rows, std::string_view what) {
  if (rows <= kRowsShownOpen) return html;
  return fmt::format("<details><summary>{} {}</summary>\n{}</details>\n",
                     FormatCount(static_cast<int64_t>(rows)), what, html);
}

// A bar whose pieces are as long as the parts of the data are in time.
std::string SplitBar(std::span<const ReportSplit> split) {
  DurationMs whole = 0;
  for (const ReportSplit& part : split) whole += std::max<DurationMs>(part.to - part.from, 0);
  if (whole == 0) return "";
  std::string html = "<div class=\"split\" aria-hidden=\"true\">";
  for (size_t i = 0; i < split.size(); ++i) {
    const double share = static_cast<double>(std::max<DurationMs>(split[i].to - split[i].from, 0)) /
                         static_cast<double>(whole);
    html += fmt::format("<div class=\"part{}\" style=\"flex-grow:{:.4f}\"><b>{}</b> {:.1f}%</div>",
                        std::min<size_t>(i, 3), share, Escape(split[i].name), share * 100);
  }
  return html + "</div>\n";
}

std::string CountCell(int64_t count) { return FormatCount(count); }

// A count that should be 0: marked where it is not.
void AddFlaw(HtmlTable& table, int64_t count) {
  table.Cell(count > 0 ? "class=\"num flaw\"" : "class=\"num\"", CountCell(count));
}

std::string GapList(const SeriesAudit& audit) {
  if (audit.gaps.empty()) return "";
  std::string items;
  const size_t shown = std::min(audit.gaps.size(), kGapsListed);
  for (size_t i = 0; i < shown; ++i) {
    const Gap& gap = audit.gaps[i];
    items += fmt::format("<li>{} to {}: {} {}</li>\n", FormatMinute(gap.from), FormatMinute(gap.to),
                         FormatCount(gap.bars), gap.bars == 1 ? "bar" : "bars");
  }
  if (shown < audit.gaps.size()) {
    items += fmt::format("<li>and {} more</li>\n",
                         FormatCount(static_cast<int64_t>(audit.gaps.size() - shown)));
  }
  return fmt::format(
      "<details><summary>Gaps of {}: {}</summary>\n<ol class=\"gaps\">{}</ol>"
      "</details>\n",
      Escape(ToString(audit.key)), FormatCount(static_cast<int64_t>(audit.gaps.size())), items);
}

}  // namespace

std::string SplitHtml(std::span<const ReportSplit> split) {
  if (split.empty()) return "";
  HtmlTable html("Split of the data");
  html.Head("").Head("From").Head("To (not included)").Head("Rows", true).Head("Purged", true);
  for (const ReportSplit& part : split) {
    html.Row()
        .RowHead(Escape(part.name))
        .Cell("class=\"time\"", FormatMinute(part.from))
        .Cell("class=\"time\"", FormatMinute(part.to));
    html.Number(CountCell(part.rows)).Number(CountCell(part.purged));
  }
  return TableHeading("Split of the data",
                      "In order of time. Purged rows were left out because what they should "
                      "forecast was only known in the next part.") +
         SplitBar(split) + html.Finish();
}

std::string FeaturesHtml(std::span<const ReportFeature> features) {
  if (features.empty()) return "";
  const bool importance = std::any_of(features.begin(), features.end(), [](const auto& feature) {
    return !feature.importance.empty();
  });
  HtmlTable html("Features");
  html.Head("Name").Head("What it is").Head("Unit");
  if (importance) html.Head("Importance", true);
  for (const ReportFeature& feature : features) {
    html.Row().RowHead("<code>" + Escape(feature.name) + "</code>");
    html.Text(Escape(feature.description)).Text(Escape(feature.unit));
    if (importance) html.Number(NumberMarkup(feature.importance));
  }
  return TableHeading("Features", "") + Folded(html.Finish(), features.size(), "features");
}

std::string ModelsHtml(std::span<const ReportModel> models) {
  if (models.empty()) return "";
  HtmlTable html("Models");
  html.Head("Name").Head("What it is").Head("Parameters");
  for (const ReportModel& model : models) {
    html.Row().RowHead(Escape(model.name));
    html.Text(Escape(model.description)).Text(Escape(model.parameters));
  }
  return TableHeading("Models", "") + Folded(html.Finish(), models.size(), "models");
}

std::string AuditHtml(std::span<const SeriesAudit> audits, const std::string& fill) {
  if (audits.empty()) return "";
  HtmlTable html("Data audit", "audit");
  html.Head("Series").Head("First bar").Head("Last bar");
  for (const std::string_view head : {"Bars", "Gaps", "Missing", "No volume", "Jumps", "Duplicates",
                                      "Out of order", "OHLC", "Bad"}) {
    html.Head(head, true);
  }
  std::string gaps;
  for (const SeriesAudit& audit : audits) {
    html.Row().RowHead(Escape(ToString(audit.key)));
    html.Cell("class=\"time\"", FormatMinute(audit.from))
        .Cell("class=\"time\"", FormatMinute(audit.to))
        .Number(CountCell(audit.bars));
    html.Number(CountCell(static_cast<int64_t>(audit.gaps.size())));
    html.Number(CountCell(audit.missing_bars)).Number(CountCell(audit.zero_volume.count));
    html.Number(CountCell(audit.jumps.count));
    AddFlaw(html, audit.duplicates.count);
    AddFlaw(html, audit.out_of_order.count);
    AddFlaw(html, audit.ohlc_violations.count);
    AddFlaw(html, audit.non_finite.count + audit.negative.count + audit.zero_price.count);
    gaps += GapList(audit);
  }
  std::string note =
      "Nothing was repaired silently. OHLC: bars whose prices contradict each other. Bad: values "
      "that are not finite, negative or zero prices.";
  if (!fill.empty()) note += " Filling of gaps: " + fill + ".";
  return TableHeading("Data audit", note) + Folded(html.Finish(), audits.size(), "series") + gaps;
}

std::string StagesHtml(std::span<const ReportStage> stages) {
  if (stages.empty()) return "";
  const bool timed = std::any_of(stages.begin(), stages.end(), [](const ReportStage& stage) {
    return stage.duration.has_value();
  });
  HtmlTable html("Stages");
  html.Head("Stage").Head("Artifact").Head("");
  if (timed) html.Head("Time", true);
  for (const ReportStage& stage : stages) {
    html.Row().RowHead(Escape(stage.name)).Text("<code>" + Escape(stage.artifact) + "</code>");
    html.Text(Escape(stage.status));
    if (timed) html.Number(stage.duration ? FormatDuration(*stage.duration) : "");
  }
  return TableHeading("Stages", "") + html.Finish();
}

}  // namespace almanac
