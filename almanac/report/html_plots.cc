#include "almanac/report/html_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "almanac/base/text.h"
#include "almanac/evaluate/statistics.h"
#include "almanac/report/drawing.h"
#include "almanac/report/markup.h"
#include "almanac/report/number_text.h"

namespace almanac {
namespace {

// The coordinates of the drawing; the page scales it to its width.
constexpr double kWidth = 560, kHeight = 300;
constexpr double kLeft = 46, kRight = 12, kTop = 26, kBottom = 48;

// The axes shared by the figures: errors from -reach to reach, shares of the forecasts per bar from
// 0 to `top`.
struct Axes {
  double reach = 1;
  double top = 1;
  double width = 1;  // of one bar, in units of the error

  double X(double error) const {
    return kLeft + (error + reach) / (2 * reach) * (kWidth - kLeft - kRight);
  }
  double Y(double share) const {
    return kHeight - kBottom - share / top * (kHeight - kTop - kBottom);
  }
};

std::string AxisMarkup(const Axes& axes, NumberFormat format, std::string_view unit) {
  std::string svg;
  const double base = kHeight - kBottom;
  for (const double share : Ticks(0, axes.top, 4)) {
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)"
                   R"(<text class="y" x="{}" y="{:.1f}">{}</text>)",
                   kLeft, kWidth - kRight, axes.Y(share), axes.Y(share), kLeft - 6,
                   axes.Y(share) + 4, fmt::format("{:.3g}%", share * 100));
  }
  const std::vector<double> ticks = Ticks(-axes.reach, axes.reach, 5);
  const double scale = format == NumberFormat::kPercent ? 100 : 1;
  for (const double tick : ticks) {
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)"
                   R"(<text class="x" x="{0:.1f}" y="{3}">{4}</text>)",
                   axes.X(tick), base, base + 4, base + 18,
                   NumberMarkup(fmt::format("{:.3g}", tick * scale)));
  }
  fmt::format_to(std::back_inserter(svg),
                 R"(<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>)"
                 R"(<text class="title" x="{}" y="{}">error: actual − forecast, {}</text>)",
                 kLeft, kWidth - kRight, base, base, (kLeft + kWidth - kRight) / 2, kHeight - 8,
                 Escape(unit));
  return svg;
}

std::string BarsMarkup(const Histogram& histogram, const Axes& axes) {
  std::string path;
  for (size_t i = 0; i < histogram.density.size(); ++i) {
    const double share = histogram.density[i] * axes.width;
    if (share <= 0) continue;
    const double left = axes.X(histogram.low + static_cast<double>(i) * axes.width);
    const double right = axes.X(histogram.low + static_cast<double>(i + 1) * axes.width);
    fmt::format_to(std::back_inserter(path), "M{:.1f} {:.1f}V{:.1f}H{:.1f}V{:.1f}Z", left + 0.4,
                   kHeight - kBottom, axes.Y(share), right - 0.4, kHeight - kBottom);
  }
  return fmt::format(R"(<path class="bars" d="{}"/>)", path);
}

std::string OutlineMarkup(const Histogram& histogram, const Axes& axes) {
  std::string path = fmt::format("M{:.1f} {:.1f}", axes.X(histogram.low), kHeight - kBottom);
  for (size_t i = 0; i < histogram.density.size(); ++i) {
    fmt::format_to(std::back_inserter(path), "V{:.1f}H{:.1f}",
                   axes.Y(histogram.density[i] * axes.width),
                   axes.X(histogram.low + static_cast<double>(i + 1) * axes.width));
  }
  return fmt::format(R"(<path class="outline" d="{}V{:.1f}"/>)", path, kHeight - kBottom);
}

std::string NormalMarkup(const ErrorSummary& summary, const Axes& axes) {
  if (!(summary.deviation > 0)) return "";
  constexpr int kPoints = 120;
  std::string path;
  for (int i = 0; i <= kPoints; ++i) {
    const double error = axes.reach * (2.0 * i / kPoints - 1);
    const double share =
        NormalDensity((error - summary.mean) / summary.deviation) / summary.deviation * axes.width;
    fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", i == 0 ? "M" : "L", axes.X(error),
                   axes.Y(share));
  }
  return fmt::format(R"(<path class="normal" d="{}"/>)", path);
}

std::string QuantileMarkup(const ErrorSummary& summary, const Axes& axes) {
  std::string svg;
  const auto mark = [&](double value, std::string_view label) {
    if (!(std::fabs(value) <= axes.reach)) return;
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="quantile" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)"
                   R"(<text class="x" x="{0:.1f}" y="{3}">{4}</text>)",
                   axes.X(value), kTop - 4, kHeight - kBottom, kTop - 9, label);
  };
  mark(summary.q05, "5%");
  mark(summary.median, "50%");
  mark(summary.q95, "95%");
  return svg;
}

// The words below a figure: what is outside the axes, and how the tails compare with a normal's.
std::string Caption(const ReportErrors& model, const Histogram& histogram) {
  const size_t outside = histogram.below + histogram.above;
  std::string text = Escape(model.model);
  if (outside > 0) {
    text += fmt::format("<span class=\"quiet\"> · {} of {} errors lie outside the axes</span>",
                        FormatCount(static_cast<int64_t>(outside)),
                        FormatCount(static_cast<int64_t>(model.errors.size())));
  }
  return text;
}

struct Drawing {
  const ReportErrors* model = nullptr;
  ErrorSummary summary;
  Histogram histogram;
};

std::string Figure(const Drawing& drawing, const Drawing* naive, const Axes& axes,
                   std::string_view unit) {
  const std::string label =
      fmt::format("Histogram of the forecast errors of {}", drawing.model->model);
  std::string svg =
      fmt::format(R"(<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">)", kWidth,
                  kHeight, Escape(label));
  svg += AxisMarkup(axes, drawing.model->format, unit) + BarsMarkup(drawing.histogram, axes);
  if (naive && naive->model != drawing.model) svg += OutlineMarkup(naive->histogram, axes);
  svg += NormalMarkup(drawing.summary, axes) + QuantileMarkup(drawing.summary, axes) + "</svg>";
  return fmt::format("<figure><figcaption>{}</figcaption>\n{}</figure>\n",
                     Caption(*drawing.model, drawing.histogram), svg);
}

// The figures of the models whose errors have one format, and so one axis.
std::string FiguresOf(std::span<const ReportErrors> errors, std::string_view unit) {
  if (errors.empty()) return "";
  size_t most = 0;
  for (const ReportErrors& model : errors) most = std::max(most, model.errors.size());
  Axes axes;
  axes.reach = HistogramReach(errors);
  axes.top = 0;
  std::vector<Drawing> drawings;
  for (const ReportErrors& model : errors) {
    drawings.push_back({&model, SummarizeErrors(model.errors),
                        MakeHistogram(model.errors, axes.reach, HistogramBins(most))});
    const std::vector<double>& density = drawings.back().histogram.density;
    axes.width = drawings.back().histogram.Width();
    axes.top = std::max(axes.top, *std::max_element(density.begin(), density.end()) * axes.width);
  }
  axes.top = axes.top > 0 ? axes.top * 1.04 : 1;
  const auto naive = std::find_if(drawings.begin(), drawings.end(),
                                  [](const Drawing& drawing) { return drawing.model->naive; });
  std::string html;
  for (const Drawing& drawing : drawings) {
    html += Figure(drawing, naive == drawings.end() ? nullptr : &*naive, axes, unit);
  }
  return html;
}

}  // namespace

std::vector<double> Ticks(double low, double high, int count) {
  const double rough = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough * 0.999) step = factor * power;
  }
  std::vector<double> ticks;
  constexpr double kRounding = 1e-9;
  const double end = std::floor(high / step + kRounding);
  for (double i = std::ceil(low / step - kRounding); i <= end; ++i) {
    ticks.push_back(i == 0 ? 0.0 : i * step);
  }
  return ticks;
}

std::string ErrorFigures(std::span<const ReportErrors> errors, std::string_view currency) {
  std::vector<ReportErrors> returns, prices;
  for (const ReportErrors& model : errors) {
    if (model.errors.empty()) continue;
    (model.format == NumberFormat::kPercent ? returns : prices).push_back(model);
  }
  const std::string figures =
      FiguresOf(returns, "%") + FiguresOf(prices, currency.empty() ? "price" : currency);
  if (figures.empty()) return "";
  return "<div class=\"figures\">\n" + figures +
         "</div>\n<p class=\"legend\"><span><i class=\"swatch bars\"></i> share of the forecasts "
         "per bar</span><span><i class=\"stroke normal\"></i> normal distribution of the same mean "
         "and deviation</span><span><i class=\"stroke outline\"></i> naive forecast</span><span>"
         "<i class=\"stroke quantile\"></i> 5%, 50% and 95% quantiles</span></p>\n";
}

}  // namespace almanac
