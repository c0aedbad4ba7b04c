#include "almanac/report/picture_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace almanac {
namespace {

constexpr size_t kBars = 288;  // that the fan is drawn over: the last ones

std::vector<const ReportFan::Origin*> OriginsFrom(const ReportFan& fan, TimeMs begin) {
  std::vector<const ReportFan::Origin*> origins;
  for (const ReportFan::Origin& origin : fan.origins) {
    if (origin.made_at >= begin && !origin.target_time.empty()) origins.push_back(&origin);
  }
  return origins;
}

// All paths in one block, an empty line between them: gnuplot lifts its pen there.
std::string PathsBlock(Script& script, const std::vector<const ReportFan::Origin*>& origins) {
  return script.Block(origins.size(), [&](size_t i) {
    const ReportFan::Origin& origin = *origins[i];
    std::string lines = Seconds(origin.made_at) + " " + Number(origin.price) + "\n";
    for (size_t k = 0; k < origin.target_time.size(); ++k) {
      lines += Seconds(origin.target_time[k]) + " " + Number(origin.forecast[k]) + "\n";
    }
    return lines;
  });
}

// The interval of an origin, from a point at the price that was known then.
std::string BandPart(Script& script, const ReportFan::Origin& origin, const std::string& title) {
  const std::string block = script.Block(origin.target_time.size() + 1, [&](size_t i) {
    if (i == 0) {
      return fmt::format("{} {} {}", Seconds(origin.made_at), Number(origin.price),
                         Number(origin.price));
    }
    return fmt::format("{} {} {}", Seconds(origin.target_time[i - 1]), Number(origin.low[i - 1]),
                       Number(origin.high[i - 1]));
  });
  return fmt::format(
      "{} using 1:2:3 with filledcurves fillstyle transparent solid 0.18 noborder linecolor rgb "
      "'{}' {}",
      block, kModelColors[1], title.empty() ? "notitle" : "title " + GnuplotString(title));
}

void AddFan(Script& script, const ReportFan& fan) {
  const size_t first = fan.time.size() - std::min(kBars, fan.time.size());
  const std::vector<const ReportFan::Origin*> origins = OriginsFrom(fan, fan.time[first]);
  TimeMs end = fan.time.back();
  for (const ReportFan::Origin* origin : origins) end = std::max(end, origin->target_time.back());
  script.TimeAxis(fan.time[first], end, true);
  script.Heading(fmt::format("{}: every step as {} forecast it from each of {} origins", fan.symbol,
                             fan.model, origins.size()));
  script.Add("set ylabel {}",
             GnuplotString(fan.currency.empty() ? "price" : "price, " + fan.currency));
  std::vector<std::string> parts;
  TimeMs free = kMinTime;  // bands that overlap could not be told apart
  for (const ReportFan::Origin* origin : origins) {
    if (origin->low.empty() || origin->made_at < free) continue;
    parts.push_back(BandPart(script, *origin, parts.empty() ? "interval" : ""));
    free = origin->target_time.back();
  }
  parts.push_back(LinePart(PathsBlock(script, origins), kModelColors[1], 0.6, fan.model));
  const std::string closes = script.Block(fan.time.size() - first, [&](size_t i) {
    return Seconds(fan.time[first + i]) + " " + Number(fan.close[first + i]);
  });
  parts.push_back(LinePart(closes, kInk, 1.8, "actual"));
  script.Plot(parts);
}

std::string StepBlock(Script& script, const ReportSteps& steps, double ReportSteps::Step::*value,
                      double scale) {
  return script.Block(steps.steps.size(), [&](size_t i) {
    return fmt::format("{} {}", steps.steps[i].horizon, Number(scale * (steps.steps[i].*value)));
  });
}

void BeginStepPanel(Script& script, const ReportSteps& steps, double left, double right) {
  script.Panel(0.09, 0.32);
  script.Add("set lmargin at screen {}\nset rmargin at screen {}", left, right);
  script.Add("set xdata\nset format x '%g'\nset xlabel 'bars ahead'\nset xrange [{}:{}]",
             static_cast<double>(steps.steps.front().horizon) - 0.5,
             static_cast<double>(steps.steps.back().horizon) + 0.5);
}

}  // namespace

void AddStepsPicture(Script& script, const ReportFan& fan, const ReportSteps& steps,
                     const std::string& file, size_t width) {
  script.Begin(file, width, 960);
  script.Add("set multiplot");
  const bool has_steps = !steps.steps.empty(), covers = std::isfinite(steps.nominal);
  script.Panel(has_steps ? 0.46 : 0.1, 0.94);
  AddFan(script, fan);
  if (has_steps) {
    BeginStepPanel(script, steps, 0.075, covers ? 0.5 : 0.972);
    script.Heading("Mean absolute error of the price, by step");
    script.Add("set yrange [0:*]");
    script.Plot({LinePart(StepBlock(script, steps, &ReportSteps::Step::naive_mae, 1), kNaiveColor,
                          1.4, "naive"),
                 LinePart(StepBlock(script, steps, &ReportSteps::Step::mae, 1), kModelColors[0], 2,
                          steps.model)});
  }
  if (has_steps && covers) {
    BeginStepPanel(script, steps, 0.57, 0.972);
    script.Heading(fmt::format("Outcomes inside the {:.3g}% interval", 100 * steps.nominal));
    script.Add("set ylabel '%'\nset yrange [0:100]");
    script.Plot({fmt::format("{} with lines dashtype 2 linecolor rgb '{}' title 'promised'",
                             100 * steps.nominal, kNaiveColor),
                 LinePart(StepBlock(script, steps, &ReportSteps::Step::coverage, 100),
                          kModelColors[0], 2, steps.model)});
  }
  script.Add("unset multiplot\nset output");
}

}  // namespace almanac
