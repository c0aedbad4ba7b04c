#include "almanac/report/html_calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "almanac/base/text.h"
#include "almanac/report/html_plots.h"
#include "almanac/report/markup.h"
#include "almanac/report/number_text.h"

namespace almanac {
namespace {

constexpr double kWidth = 560, kHeight = 300;
constexpr double kLeft = 46, kRight = 20, kTop = 14, kBottom = 48;

double X(double share) { return kLeft + share * (kWidth - kLeft - kRight); }
double Y(double value, double top) {
  return kHeight - kBottom - value / top * (kHeight - kTop - kBottom);
}

std::string Begin(const std::string& label) {
  return fmt::format(R"(<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">)", kWidth,
                     kHeight, Escape(label));
}

// The horizontal axis from 0 to 1 in per cent, and the vertical one from 0 to `top`.
std::string AxisMarkup(double top, bool percent, std::string_view title) {
  std::string svg;
  for (const double tick : Ticks(0, top, 4)) {
    const std::string text =
        percent ? fmt::format("{:.3g}%", tick * 100) : fmt::format("{:.3g}", tick);
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)"
                   R"(<text class="y" x="{3}" y="{4:.1f}">{5}</text>)",
                   kLeft, kWidth - kRight, Y(tick, top), kLeft - 6, Y(tick, top) + 4, text);
  }
  const double base = kHeight - kBottom;
  for (const double tick : Ticks(0, 1, 5)) {
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)"
                   R"(<text class="x" x="{0:.1f}" y="{3}">{4:.3g}%</text>)",
                   X(tick), base, base + 4, base + 18, tick * 100);
  }
  fmt::format_to(std::back_inserter(svg),
                 R"(<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>)"
                 R"(<text class="title" x="{}" y="{}">{}</text>)",
                 kLeft, kWidth - kRight, base, base, (kLeft + kWidth - kRight) / 2, kHeight - 8,
                 title);
  return svg;
}

std::string Whisker(double x, double low, double high, double top) {
  if (!std::isfinite(low) || !std::isfinite(high)) return "";
  return fmt::format(
      R"(<line class="whisker" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)", x,
      Y(low, top), Y(std::min(high, top), top));
}

double DensityOf(double share, const ReportPit::Cell& cell) {
  return share / (cell.to - cell.from);
}

double PitTop(std::span<const ReportPit> models) {
  double top = 1.5;
  for (const ReportPit& model : models) {
    for (const ReportPit::Cell& cell : model.cells) {
      for (const double share : {cell.share, cell.high, cell.naive_share}) {
        if (std::isfinite(share)) top = std::max(top, DensityOf(share, cell));
      }
    }
  }
  return top * 1.04;
}

std::string PitFigure(const ReportPit& model, double top) {
  std::string bars;
  std::string whiskers;
  std::string outline = fmt::format("M{:.1f} {:.1f}", X(0), Y(0, top));
  bool has_naive = !model.cells.empty();
  for (const ReportPit::Cell& cell : model.cells) {
    fmt::format_to(std::back_inserter(bars), "M{:.1f} {:.1f}V{:.1f}H{:.1f}V{:.1f}Z",
                   X(cell.from) + 0.4, Y(0, top), Y(DensityOf(cell.share, cell), top),
                   X(cell.to) - 0.4, Y(0, top));
    whiskers += Whisker(X((cell.from + cell.to) / 2), DensityOf(cell.low, cell),
                        DensityOf(cell.high, cell), top);
    has_naive = has_naive && std::isfinite(cell.naive_share);
    if (!has_naive) continue;
    fmt::format_to(std::back_inserter(outline), "V{:.1f}H{:.1f}",
                   Y(DensityOf(cell.naive_share, cell), top), X(cell.to));
  }
  std::string svg =
      Begin("PIT histogram of " + model.model) +
      AxisMarkup(top, false, "probability that the forecast gave to less than what happened");
  svg += fmt::format(R"(<path class="bars" d="{}"/>)", bars);
  if (has_naive) svg += fmt::format(R"(<path class="outline" d="{}V{:.1f}"/>)", outline, Y(0, top));
  svg += fmt::format(R"(<line class="ideal" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)", X(0),
                     X(1), Y(1, top));
  return fmt::format("<figure><figcaption>{}</figcaption>\n{}{}</svg></figure>\n",
                     Escape(model.model), svg, whiskers);
}

std::string ReliabilityFigure(const ReportReliability& diagram) {
  constexpr double kTopOfAxis = 1;
  size_t most = 1;
  for (const auto& point : diagram.points) most = std::max(most, point.rows);
  std::string svg = Begin("reliability of " + diagram.model + ", " + diagram.class_name) +
                    AxisMarkup(kTopOfAxis, true, "forecast probability");
  svg += fmt::format(R"(<line class="ideal" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", X(0), X(1),
                     Y(0, kTopOfAxis), Y(1, kTopOfAxis));
  std::string path;
  std::string points;
  for (const auto& point : diagram.points) {
    fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", path.empty() ? "M" : "L",
                   X(point.probability), Y(point.frequency, kTopOfAxis));
    points += Whisker(X(point.probability), point.low, point.high, kTopOfAxis);
    // The area says how many forecasts the point stands for.
    const double radius =
        2.5 + 5.5 * std::sqrt(static_cast<double>(point.rows) / static_cast<double>(most));
    fmt::format_to(std::back_inserter(points),
                   R"(<circle class="point" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{} forecasts)"
                   R"( of {:.1f}% on average; it happened in {:.1f}%</title></circle>)",
                   X(point.probability), Y(point.frequency, kTopOfAxis), radius,
                   FormatCount(static_cast<int64_t>(point.rows)), 100 * point.probability,
                   100 * point.frequency);
  }
  svg += fmt::format(R"(<path class="normal" d="{}"/>)", path);
  return fmt::format(
      "<figure><figcaption>{}<span class=\"quiet\"> · {}</span></figcaption>\n{}{}"
      "</svg></figure>\n",
      Escape(diagram.model), Escape(diagram.class_name), svg, points);
}

}  // namespace

std::string PitFigures(std::span<const ReportPit> models) {
  if (models.empty()) return "";
  const double top = PitTop(models);
  std::string html = "<h3>Do the quantiles mean what they say?</h3>\n<div class=\"figures\">\n";
  for (const ReportPit& model : models) html += PitFigure(model, top);
  return html +
         "</div>\n<p class=\"legend\"><span><i class=\"swatch bars\"></i> what happened there, "
         "relative to what was forecast, with its interval; 1 is calibrated, a U is too narrow, a "
         "hump too wide</span><span><i class=\"stroke outline\"></i> past returns</span></p>\n";
}

std::string ReliabilityFigures(std::span<const ReportReliability> diagrams) {
  if (diagrams.empty()) return "";
  std::string html = "<h3>Do the probabilities mean what they say?</h3>\n<div class=\"figures\">\n";
  for (const ReportReliability& diagram : diagrams) html += ReliabilityFigure(diagram);
  return html +
         "</div>\n<p class=\"legend\"><span>Up: how often the class happened, with its interval. "
         "The dashed diagonal is a forecast that means what it says; the area of a point is its "
         "number of forecasts.</span></p>\n";
}

}  // namespace almanac
