// Where the row stands in the day, the week, the month and the year, in UTC.
//
// The instant described is the row's time: that at which its bar is known, which is when the next
// bar of an unbroken series opens. It is known by construction.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "almanac/feature/cell/calendar.h"
#include "almanac/feature/family/technical.h"

namespace almanac::temporal {
namespace {

using technical::AddCell;
using technical::Map;
using technical::Signal;
using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

constexpr double kHoursInDay = 24;
constexpr int kFirstDayOfWeekend = 5;  // Saturday, Monday being 0

Signal KnownAt(const KernelGraph& graph) { return {"known at", graph.Field(BarField::kKnownAt)}; }

DurationMs SinceMidnight(TimeMs time) { return time - UtcDay(time) * kMsPerDay; }
double SinceMidnightInDays(TimeMs time) {
  return static_cast<double>(SinceMidnight(time)) / static_cast<double>(kMsPerDay);
}

CivilDate FirstOfNextMonth(CivilDate date) {
  return date.month == 12 ? CivilDate{date.year + 1, 1, 1}
                          : CivilDate{date.year, date.month + 1, 1};
}

// Functions of an instant, each with the name of its node and whether the UTC date alone decides.
// The first are turns, from 0 to below 1.
struct TurnOfDay {
  static constexpr bool kOfDate = false;
  static constexpr char kName[] = "turn of day";
  static double Of(TimeMs time) { return SinceMidnightInDays(time); }
};
struct TurnOfWeek {
  static constexpr bool kOfDate = true;
  static constexpr char kName[] = "turn of week";
  static double Of(TimeMs time) { return Weekday(time) / 7.0; }
};
struct TurnOfMonth {
  static constexpr bool kOfDate = true;
  static constexpr char kName[] = "turn of month";
  static double Of(TimeMs time) {
    const CivilDate date = DateOf(time);
    const int64_t first = DaysFromCivil({date.year, date.month, 1});
    const int64_t days = DaysFromCivil(FirstOfNextMonth(date)) - first;
    return (date.day - 1) / static_cast<double>(days);
  }
};
struct TurnOfMonths {
  static constexpr bool kOfDate = true;
  static constexpr char kName[] = "turn of months";
  static double Of(TimeMs time) { return (DateOf(time).month - 1) / 12.0; }
};
struct TurnOfYear {
  static constexpr bool kOfDate = true;
  static constexpr char kName[] = "turn of year";
  static double Of(TimeMs time) {
    const CivilDate date = DateOf(time);
    const int64_t first = DaysFromCivil({date.year, 1, 1});
    const int64_t days = DaysFromCivil({date.year + 1, 1, 1}) - first;
    return static_cast<double>(DaysFromCivil(date) - first) / static_cast<double>(days);
  }
};
struct IsWeekend {
  static constexpr bool kOfDate = true;
  static constexpr char kName[] = "weekend";
  static double Of(TimeMs time) { return Weekday(time) >= kFirstDayOfWeekend ? 1 : 0; }
};
struct HoursSinceWeekOpen {
  static constexpr bool kOfDate = false;
  static constexpr char kName[] = "hours since week open";
  static double Of(TimeMs time) {
    return kHoursInDay * (Weekday(time) + SinceMidnightInDays(time));
  }
};
struct DaysSinceMonthOpen {
  static constexpr bool kOfDate = false;
  static constexpr char kName[] = "days since month open";
  static double Of(TimeMs time) { return DateOf(time).day - 1 + SinceMidnightInDays(time); }
};
struct HourOfDay {
  static constexpr bool kOfDate = false;
  static constexpr char kName[] = "hour of day";
  static double Of(TimeMs time) { return static_cast<double>(SinceMidnight(time) / kMsPerHour); }
};
struct DayOfWeek {
  static constexpr bool kOfDate = true;
  static constexpr char kName[] = "day of week";
  static double Of(TimeMs time) { return Weekday(time); }
};
struct MonthOfYear {
  static constexpr bool kOfDate = true;
  static constexpr char kName[] = "month of year";
  static double Of(TimeMs time) { return DateOf(time).month; }
};

template <typename Function>
Signal OfTime(KernelGraph& graph) {
  if constexpr (Function::kOfDate) {
    return AddCell(graph, Function::kName, {KnownAt(graph)}, {}, OfDateCell<Function>{})[0];
  }
  return Map<1>(graph, Function::kName, {KnownAt(graph)}, [](const std::array<double, 1>& in) {
    return Function::Of(static_cast<TimeMs>(in[0]));
  });
}

// A name for the node of a function of a turn.
template <size_t N>
constexpr std::array<char, N + 4> Prefixed(const char (&prefix)[5], const char (&name)[N]) {
  std::array<char, N + 4> text{};
  std::copy_n(prefix, 4, text.begin());
  std::copy_n(name, N, text.begin() + 4);
  return text;
}
template <typename Turn>
struct SineOf {
  static constexpr bool kOfDate = Turn::kOfDate;
  static constexpr auto kText = Prefixed("sin ", Turn::kName);
  static constexpr const char* kName = kText.data();
  static double Of(TimeMs time) { return std::sin(2 * std::numbers::pi * Turn::Of(time)); }
};
template <typename Turn>
struct CosineOf {
  static constexpr bool kOfDate = Turn::kOfDate;
  static constexpr auto kText = Prefixed("cos ", Turn::kName);
  static constexpr const char* kName = kText.data();
  static double Of(TimeMs time) { return std::cos(2 * std::numbers::pi * Turn::Of(time)); }
};

template <typename Function>
Node AddOfTime(KernelGraph& graph, Values) {
  return OfTime<Function>(graph).node;
}
template <typename Part>
Node AddIs(KernelGraph& graph, Values v) {
  const auto wanted = static_cast<double>(v[0]);
  return Map<1>(graph, "is", {OfTime<Part>(graph)},
                [wanted](const std::array<double, 1>& in) -> double { return in[0] == wanted; },
                {wanted})
      .node;
}

// Bars since bars were missing before one: 0 at the bar after a gap.
struct SinceGapCell {
  static constexpr size_t kInputs = 2, kOutputs = 1;  // open time, known at
  double known_before = kUnknown;
  double bars = kUnknown;

  void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
    bars = in[0] > known_before ? 0 : bars + 1;
    known_before = in[1];
    out[0] = bars;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(known_before, bars);
  }
};

Node AddBarsSinceGap(KernelGraph& graph, Values) {
  const Signal open_time = {"open time", graph.Field(BarField::kOpenTime)};
  return AddCell(graph, "bars since gap", {open_time, KnownAt(graph)}, {}, SinceGapCell{})[0].node;
}

// The number of the day, week or month in which a bar opens.
struct DayNumber {
  static constexpr char kName[] = "return since day open";
  static int64_t Of(TimeMs time) { return UtcDay(time); }
};
struct WeekNumber {
  static constexpr char kName[] = "return since week open";
  static int64_t Of(TimeMs time) { return DayNumber::Of(time) - Weekday(time); }
};
struct MonthNumber {
  static constexpr char kName[] = "return since month open";
  static int64_t Of(TimeMs time) {
    const CivilDate date = DateOf(time);
    return int64_t{12} * date.year + date.month;
  }
};

// The close against the open of the first bar of its day, week or month. The one in which the
// series begins may have begun before it: no value in it.
template <typename Period>
struct PeriodReturnCell {
  static constexpr size_t kInputs = 3, kOutputs = 1;  // open time, open, close
  int64_t period = 0;
  bool begun = false;
  double first_open = kUnknown;

  void Step(const std::array<double, 3>& in, std::array<double, 1>& out) {
    const int64_t now = Period::Of(static_cast<TimeMs>(in[0]));
    if (begun && now != period) first_open = in[1];
    begun = true;
    period = now;
    out[0] = (in[2] - first_open) / first_open;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(period, begun, first_open);
  }
};

template <typename Period>
Node AddPeriodReturn(KernelGraph& graph, Values) {
  const Signal open_time = {"open time", graph.Field(BarField::kOpenTime)};
  return AddCell(graph, Period::kName, {open_time, technical::Open(graph), technical::Close(graph)},
                 {}, PeriodReturnCell<Period>{})[0]
      .node;
}

int64_t OneBar(Values) { return 1; }

constexpr char kIso[] = "ISO 8601, UTC";

Family CalendarFamily(const char* name, const char* formula, const char* unit, const char* range,
                      Node (*add)(KernelGraph&, Values), const char* source = kIso) {
  return {.info = {name, formula, unit, range, "1 bar", 0, source},
          .add_all = add,
          .look_back = OneBar};
}

template <typename Turn>
void AddCycle(std::vector<Family>& families, const std::string& name, const std::string& turn) {
  for (const bool sine : {true, false}) {
    const std::string function = sine ? "sin" : "cos";
    families.push_back(CalendarFamily(
        (name + "_" + function).c_str(), (function + "(2 pi p), p = " + turn).c_str(), "none",
        "[-1, 1]", sine ? AddOfTime<SineOf<Turn>> : AddOfTime<CosineOf<Turn>>));
  }
}

Family Is(const char* name, const char* formula, ParameterInfo parameter,
          Node (*add)(KernelGraph&, Values)) {
  Family family = CalendarFamily(name, formula, "indicator", "0 or 1", add);
  family.info.parameters = {std::move(parameter)};
  return family;
}

Family PeriodReturn(const char* name, const char* formula, Node (*add)(KernelGraph&, Values)) {
  Family family = CalendarFamily(name, formula, "ratio", "(-1, inf)", add);
  family.info.look_back = "the bars of the period";
  family.unbounded_memory = true;
  return family;
}

}  // namespace

std::vector<Family> CalendarFamilies() {
  std::vector<Family> all;
  AddCycle<TurnOfDay>(all, "time_of_day", "time since 00:00 / 24 h");
  AddCycle<TurnOfWeek>(all, "day_of_week", "weekday / 7, Monday 0");
  AddCycle<TurnOfMonth>(all, "day_of_month", "(day - 1) / days of the month");
  AddCycle<TurnOfMonths>(all, "month_of_year", "(month - 1) / 12");
  AddCycle<TurnOfYear>(all, "day_of_year", "days since 1 January / days of the year");
  all.push_back(Is("hour_is", "1 in the hour that begins at hour:00, else 0",
                   {.name = "hour", .smallest = 0, .largest = 23}, AddIs<HourOfDay>));
  all.push_back(Is("weekday_is", "1 on the weekday, Monday 0 to Sunday 6, else 0",
                   {.name = "weekday", .smallest = 0, .largest = 6}, AddIs<DayOfWeek>));
  all.push_back(Is("month_is", "1 in the month, January 1 to December 12, else 0",
                   {.name = "month", .smallest = 1, .largest = 12}, AddIs<MonthOfYear>));
  all.push_back(CalendarFamily("weekend", "1 on Saturday and Sunday, else 0", "indicator", "0 or 1",
                               AddOfTime<IsWeekend>));
  all.push_back(CalendarFamily("hours_since_week_open", "time since Monday 00:00", "hours",
                               "[0, 168)", AddOfTime<HoursSinceWeekOpen>));
  all.push_back(CalendarFamily("days_since_month_open",
                               "time since 00:00 of the first of the month", "days", "[0, 31)",
                               AddOfTime<DaysSinceMonthOpen>));
  all.push_back(
      CalendarFamily("bars_since_gap",
                     "bars since the last one that did not open when the one before closed, 0 at "
                     "that bar; NaN before the first",
                     "bars", "[0, inf)", AddBarsSinceGap, "docs/features-temporal.md"));
  all.back().info.look_back = "the bars since the gap";
  all.back().unbounded_memory = true;
  all.push_back(PeriodReturn("return_since_day_open",
                             "close[t] / open of the first bar that opened on the UTC day of the "
                             "bar's opening - 1; NaN on the day on which the series begins",
                             AddPeriodReturn<DayNumber>));
  all.push_back(PeriodReturn("return_since_week_open",
                             "the same for the week from Monday 00:00 UTC",
                             AddPeriodReturn<WeekNumber>));
  all.push_back(PeriodReturn("return_since_month_open", "the same for the UTC month",
                             AddPeriodReturn<MonthNumber>));
  return all;
}

}  // namespace almanac::temporal
