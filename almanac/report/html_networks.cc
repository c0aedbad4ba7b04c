#include "almanac/report/html_networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "almanac/report/drawing.h"
#include "almanac/report/html_plots.h"
#include "almanac/report/markup.h"
#include "almanac/report/number_text.h"

namespace almanac {
namespace {

constexpr double kWidth = 560, kHeight = 300, kWideWidth = 1120, kWideHeight = 380;
constexpr double kLeft = 64, kRight = 14, kTop = 14, kBottom = 48;

// A rectangle of the drawing with the numbers that its sides stand for.
struct Axes {
  double width = kWidth, height = kHeight;
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;

  double X(double x) const {
    return kLeft + (x - x_low) / (x_high - x_low) * (width - kLeft - kRight);
  }
  double Y(double y) const {
    return height - kBottom - (y - y_low) / (y_high - y_low) * (height - kTop - kBottom);
  }
  double Base() const { return height - kBottom; }
};

std::string Begin(const Axes& axes, const std::string& label) {
  return fmt::format(R"(<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">)",
                     axes.width, axes.height, Escape(label));
}

template <typename TextOf>
std::string VerticalAxis(const Axes& axes, const TextOf& text_of) {
  std::string svg;
  for (const double tick : Ticks(axes.y_low, axes.y_high, 4)) {
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)"
                   R"(<text class="y" x="{3}" y="{4:.1f}">{5}</text>)",
                   kLeft, axes.width - kRight, axes.Y(tick), kLeft - 6, axes.Y(tick) + 4,
                   NumberMarkup(text_of(tick)));
  }
  return svg;
}

std::string TickMark(const Axes& axes, double x, const std::string& text) {
  return fmt::format(R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)"
                     R"(<text class="x" x="{0:.1f}" y="{3}">{4}</text>)",
                     axes.X(x), axes.Base(), axes.Base() + 4, axes.Base() + 18, text);
}

std::string BaseLine(const Axes& axes, std::string_view title) {
  return fmt::format(R"(<line class="axis" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>)"
                     R"(<text class="title" x="{3}" y="{4}">{5}</text>)",
                     kLeft, axes.width - kRight, axes.Base(), (kLeft + axes.width - kRight) / 2,
                     axes.height - 8, title);
}

using Point = std::pair<double, double>;

std::string PathOf(const Axes& axes, const std::vector<Point>& points, std::string_view classes) {
  std::string path;
  for (const auto& [x, y] : points) {
    if (!std::isfinite(y)) continue;
    fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", path.empty() ? "M" : "L", axes.X(x),
                   axes.Y(y));
  }
  return path.empty() ? "" : fmt::format(R"(<path class="{}" d="{}"/>)", classes, path);
}

std::string FigureOf(const std::string& caption, const std::string& svg) {
  return fmt::format("<figure><figcaption>{}</figcaption>\n{}</svg></figure>\n", caption, svg);
}

// --- Fans ---------------------------------------------------------------------------------------

// The closes that are drawn, and the origins between them.
struct FanView {
  std::vector<Point> closes;
  std::vector<const ReportFan::Origin*> origins;
  Axes axes;
};

FanView ViewOf(const ReportFan& fan, size_t most_bars) {
  FanView view;
  const size_t first = fan.time.size() - std::min(most_bars, fan.time.size());
  double low = fan.close[first], high = low;
  const auto include = [&](double price) {
    if (std::isfinite(price)) low = std::min(low, price), high = std::max(high, price);
  };
  for (size_t i = first; i < fan.time.size(); ++i) {
    view.closes.emplace_back(static_cast<double>(fan.time[i]), fan.close[i]);
    include(fan.close[i]);
  }
  const TimeMs begin = fan.time[first];
  TimeMs end = fan.time.back();
  for (const ReportFan::Origin& origin : fan.origins) {
    if (origin.made_at < begin || origin.target_time.empty()) continue;
    view.origins.push_back(&origin);
    end = std::max(end, origin.target_time.back());
    for (const double price : origin.forecast) include(price);
    for (const double price : origin.low) include(price);
    for (const double price : origin.high) include(price);
  }
  const double margin = std::max(0.03 * (high - low), 1e-9 * std::fabs(high));
  view.axes = {kWideWidth,   kWideHeight,  static_cast<double>(begin), static_cast<double>(end),
               low - margin, high + margin};
  return view;
}

// From the price when it was made through all steps.
std::vector<Point> PathPoints(const ReportFan::Origin& origin, const std::vector<double>& prices) {
  std::vector<Point> points = {{static_cast<double>(origin.made_at), origin.price}};
  for (size_t k = 0; k < prices.size(); ++k) {
    points.emplace_back(static_cast<double>(origin.target_time[k]), prices[k]);
  }
  return points;
}

std::string BandOf(const Axes& axes, const ReportFan::Origin& origin) {
  std::vector<Point> around = PathPoints(origin, origin.high);
  const std::vector<Point> below = PathPoints(origin, origin.low);
  around.insert(around.end(), below.rbegin(), below.rend());
  return PathOf(axes, around, "band");
}

std::string FanFigure(const ReportFan& fan, size_t most_bars) {
  const FanView view = ViewOf(fan, most_bars);
  const Axes& axes = view.axes;
  std::string svg = Begin(axes, fmt::format("Forecasts of every step by {}", fan.model));
  svg += VerticalAxis(axes, [](double price) { return FormatNumber(price, NumberFormat::kPrice); });
  constexpr size_t kTicks = 6;
  for (size_t i = 0; i < kTicks; ++i) {
    const auto& [x, close] = view.closes[i * (view.closes.size() - 1) / (kTicks - 1)];
    const auto time = static_cast<TimeMs>(x);
    svg += TickMark(axes, x, Escape(FormatMinute(time)));
  }
  std::string bands, paths;
  // Intervals of origins that do not overlap: one band each time the one before is over.
  TimeMs free = kMinTime;
  for (const ReportFan::Origin* origin : view.origins) {
    paths += PathOf(axes, PathPoints(*origin, origin->forecast), "path");
    if (origin->low.empty() || origin->made_at < free) continue;
    bands += BandOf(axes, *origin);
    free = origin->target_time.back();
  }
  svg += bands + paths + PathOf(axes, view.closes, "close") + BaseLine(axes, "time, UTC");
  return FigureOf(
      fmt::format("{}<span class=\"quiet\"> · {}, the last {} bars, {} origins</span>",
                  Escape(fan.model), Escape(fan.symbol), view.closes.size(), view.origins.size()),
      svg);
}

// --- Steps --------------------------------------------------------------------------------------

Axes StepAxes(const ReportSteps& model, double top) {
  Axes axes;
  axes.x_low = static_cast<double>(model.steps.front().horizon) - 0.5;
  axes.x_high = static_cast<double>(model.steps.back().horizon) + 0.5;
  axes.y_high = top;
  return axes;
}

std::string StepTicks(const Axes& axes, const ReportSteps& model) {
  const size_t every = model.steps.size() / 12 + 1;
  std::string svg;
  for (size_t i = 0; i < model.steps.size(); i += every) {
    const auto horizon = model.steps[i].horizon;
    svg += TickMark(axes, static_cast<double>(horizon), std::to_string(horizon));
  }
  return svg;
}

std::vector<Point> Curve(const ReportSteps& model, double ReportSteps::Step::*value) {
  std::vector<Point> points;
  for (const ReportSteps::Step& step : model.steps) {
    points.emplace_back(static_cast<double>(step.horizon), step.*value);
  }
  return points;
}

std::string ErrorByStep(const ReportSteps& model) {
  double top = 0;
  for (const ReportSteps::Step& step : model.steps) top = std::max({top, step.mae, step.naive_mae});
  const Axes axes = StepAxes(model, top > 0 ? top * 1.08 : 1);
  std::string svg = Begin(axes, "Mean absolute error by step of " + model.model);
  svg += VerticalAxis(axes, [](double error) { return fmt::format("{:.4g}", error); });
  svg += StepTicks(axes, model) + BaseLine(axes, "bars ahead");
  svg += PathOf(axes, Curve(model, &ReportSteps::Step::naive_mae), "outline") +
         PathOf(axes, Curve(model, &ReportSteps::Step::mae), "close");
  const std::string unit = model.currency.empty() ? "" : ", " + model.currency;
  return FigureOf(fmt::format("{}<span class=\"quiet\"> · mean absolute error of the price{}; "
                              "grey: naive</span>",
                              Escape(model.model), Escape(unit)),
                  svg);
}

std::string CoverageByStep(const ReportSteps& model) {
  const Axes axes = StepAxes(model, 1);
  std::string svg = Begin(axes, "Coverage by step of " + model.model);
  svg += VerticalAxis(axes, [](double share) { return fmt::format("{:.3g}%", 100 * share); });
  svg += StepTicks(axes, model) + BaseLine(axes, "bars ahead");
  svg += fmt::format(R"(<line class="ideal" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)", kLeft,
                     axes.width - kRight, axes.Y(model.nominal));
  svg += PathOf(axes, Curve(model, &ReportSteps::Step::coverage), "close");
  return FigureOf(fmt::format("{}<span class=\"quiet\"> · share of the outcomes inside the {:.3g}% "
                              "interval; dashed: what it promises</span>",
                              Escape(model.model), 100 * model.nominal),
                  svg);
}

// --- Attention ----------------------------------------------------------------------------------

std::string ShareBars(const std::string& caption, ReportAttention::Shares shares) {
  constexpr size_t kMostBars = 24;
  constexpr double kBarHeight = 20, kNames = 210, kShareWidth = 60;
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string more;
  if (shares.size() > kMostBars) {
    more = fmt::format(", the largest {} of {}", kMostBars, shares.size());
    shares.resize(kMostBars);
  }
  Axes axes;
  axes.height = kBarHeight * static_cast<double>(shares.size()) + 8;
  std::string svg = Begin(axes, caption);
  const double most = shares.empty() ? 1 : std::max(shares.front().second, 1e-12);
  for (size_t i = 0; i < shares.size(); ++i) {
    const double y = kBarHeight * static_cast<double>(i) + 4;
    fmt::format_to(std::back_inserter(svg),
                   R"(<text class="y" x="{:.1f}" y="{:.1f}">{}</text>)"
                   R"(<rect class="bars" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)"
                   R"(<text x="{:.1f}" y="{:.1f}">{:.1f}%</text>)",
                   kNames - 8, y + 13, Escape(shares[i].first), kNames, y + 2,
                   shares[i].second / most * (kWidth - kNames - kShareWidth), kBarHeight - 4,
                   kNames + shares[i].second / most * (kWidth - kNames - kShareWidth) + 6, y + 13,
                   100 * shares[i].second);
  }
  return FigureOf(Escape(caption) + "<span class=\"quiet\">" + more + "</span>", svg);
}

std::string AttentionCurves(const ReportAttention& model) {
  const size_t steps = model.attention.front().size(), horizons = model.attention.size();
  const double past = static_cast<double>(steps) - static_cast<double>(horizons);
  double top = 0;
  for (const std::vector<double>& horizon : model.attention) {
    top = std::max(top, *std::max_element(horizon.begin(), horizon.end()));
  }
  Axes axes;
  // The last row that is known is at 0, the first horizon at 1.
  axes.x_low = 1 - past - 0.5;
  axes.x_high = static_cast<double>(horizons) + 0.5;
  axes.y_high = top > 0 ? top * 1.06 : 1;
  std::string svg = Begin(axes, "Attention of " + model.model);
  svg += VerticalAxis(axes, [](double share) { return fmt::format("{:.3g}%", 100 * share); });
  for (const double tick : Ticks(axes.x_low, axes.x_high, 6)) {
    svg += TickMark(axes, tick, NumberMarkup(fmt::format("{:g}", tick)));
  }
  svg += BaseLine(axes, "step of the window: 0 is the last that is known, above it what is ahead");
  svg += fmt::format(R"(<line class="ideal" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)",
                     axes.X(0.5), kTop, axes.Base());
  for (size_t h = 0; h < horizons; ++h) {
    std::vector<Point> points;
    for (size_t t = 0; t < steps - horizons + h + 1; ++t) {
      points.emplace_back(static_cast<double>(t) + 1 - past, model.attention[h][t]);
    }
    svg += PathOf(axes, points, h + 1 == horizons ? "close" : "path");
  }
  const std::string which = horizons > 1 ? "; the strong line is the last horizon's" : "";
  return FigureOf(fmt::format("{}<span class=\"quiet\"> · attention over the steps{}</span>",
                              Escape(model.model), which),
                  svg);
}

}  // namespace

std::string FanFigures(std::span<const ReportFan> fans, size_t most_bars) {
  std::string html;
  for (const ReportFan& fan : fans) {
    if (fan.time.size() > 1 && !fan.origins.empty()) html += FanFigure(fan, most_bars);
  }
  if (html.empty()) return "";
  return "<h3>Every origin's forecasts</h3>\n<div class=\"wide\">\n" + html +
         "</div>\n<p class=\"legend\"><span><i class=\"stroke close\"></i> closes</span><span><i "
         "class=\"stroke normal\"></i> forecasts of all steps from each origin</span><span><i "
         "class=\"swatch band\"></i> their interval, of origins that do not overlap</span></p>\n";
}

std::string StepFigures(std::span<const ReportSteps> models) {
  std::string figures;
  for (const ReportSteps& model : models) {
    if (model.steps.empty()) continue;
    figures += ErrorByStep(model);
    if (std::isfinite(model.nominal)) figures += CoverageByStep(model);
  }
  if (figures.empty()) return "";
  return "<h3>Step by step</h3>\n<div class=\"figures\">\n" + figures + "</div>\n";
}

std::string AttentionFigures(std::span<const ReportAttention> models) {
  std::string html;
  for (const ReportAttention& model : models) {
    if (!model.past.empty()) html += ShareBars(model.model + ": inputs of the past", model.past);
    if (!model.future.empty())
      html += ShareBars(model.model + ": inputs known ahead", model.future);
    if (!model.attention.empty()) html += AttentionCurves(model);
  }
  if (html.empty()) return "";
  return "<h3>What the network looked at</h3>\n<div class=\"figures\">\n" + html +
         "</div>\n<p class=\"note\">Shares are weights of the network's own selection and "
         "attention, means over windows of the validation part. They say where it looked, not why: "
         "inputs that say the same share their weight by chance.</p>\n";
}

}  // namespace almanac
