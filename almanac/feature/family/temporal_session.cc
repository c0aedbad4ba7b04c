// Which markets trade at the row's time, and how long ago or until they open.
//
// The instant described is the row's time, at which its bar is known. Sessions are half open: at
// the minute of the opening they have begun, at that of the close they are over.
#include "almanac/feature/family/technical.h"
#include "almanac/market/calendar.h"
#include "almanac/market/london.h"

namespace almanac::temporal {
namespace {

using technical::AddCell;
using technical::Map;
using technical::Signal;
using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

constexpr int kFirstDayOfWeekend = 5;                // Saturday, Monday being 0
constexpr DurationMs kTokyoOffset = 9 * kMsPerHour;  // since 1952 without daylight saving

DurationMs TokyoOffset(TimeMs) { return kTokyoOffset; }

// Whole hours by the clocks of a place, from Monday to Friday.
struct Office {
  const char* name;
  DurationMs (*offset)(TimeMs);
  int opens, closes;

  bool IsOpen(TimeMs time) const {
    const TimeMs local = time + offset(time);
    if (Weekday(local) >= kFirstDayOfWeekend) return false;
    const DurationMs since_midnight = local - StartOfDate(DateOf(local));
    return since_midnight >= opens * kMsPerHour && since_midnight < closes * kMsPerHour;
  }
};
constexpr Office kAsia = {"asia open", TokyoOffset, 9, 18};
constexpr Office kLondon = {"london open", LondonOffset, 8, 17};
constexpr Office kNewYork = {"new york open", NewYorkOffset, 8, 17};

Signal KnownAt(const KernelGraph& graph) { return {"known at", graph.Field(BarField::kKnownAt)}; }

// Offices open and close, and clocks change, at full hours UTC only: asked once an hour.
template <const Office& kOffice>
struct OfficeCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  TimeMs hour = kMinTime;
  double is_open = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const auto time = static_cast<TimeMs>(in[0]);
    const TimeMs now = time - (time % kMsPerHour + kMsPerHour) % kMsPerHour;
    if (now != hour) is_open = kOffice.IsOpen(now) ? 1 : 0;
    hour = now;
    out[0] = is_open;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(hour, is_open);
  }
};

template <const Office& kOffice>
Signal IsOpen(KernelGraph& graph) {
  return AddCell(graph, kOffice.name, {KnownAt(graph)}, {}, OfficeCell<kOffice>{})[0];
}

template <const Office& kOffice>
Node AddOffice(KernelGraph& graph, Values) {
  return IsOpen<kOffice>(graph).node;
}

Node AddOverlap(KernelGraph& graph, Values) {
  return Map<2>(graph, "both open", {IsOpen<kLondon>(graph), IsOpen<kNewYork>(graph)},
                [](const std::array<double, 2>& in) { return in[0] * in[1]; })
      .node;
}

// The sessions of the New York Stock Exchange around an instant.
struct UsSessions {
  int64_t date = 0;  // days since 1970, in New York
  bool weekday = false, session = false, half_day = false;
  TimeMs open = 0, close = 0;                // of the date, if it has a session
  TimeMs open_before = 0, close_before = 0;  // of the last session of an earlier date
  TimeMs open_after = 0;                     // of the first one of a later date

  static UsSessions Of(int64_t date) {
    const Calendar& calendar = UsEquitiesCalendar();
    UsSessions result;
    result.date = date;
    result.weekday = Weekday(date * kMsPerDay) < kFirstDayOfWeekend;
    if (const auto today = calendar.SessionOn(CivilFromDays(date))) {
      result.session = true;
      result.half_day = today->half_day;
      result.open = today->open;
      result.close = today->close;
    }
    std::optional<Session> other;
    for (int64_t day = date - 1; !other; --day) other = calendar.SessionOn(CivilFromDays(day));
    result.open_before = other->open;
    result.close_before = other->close;
    other.reset();
    for (int64_t day = date + 1; !other; ++day) other = calendar.SessionOn(CivilFromDays(day));
    result.open_after = other->open;
    return result;
  }
};

enum UsOutput { kInSession, kHoliday, kHalfDay, kSinceOpen, kUntilOpen, kSinceClose, kUsOutputs };

struct UsSessionsCell {
  static constexpr size_t kInputs = 1, kOutputs = kUsOutputs;
  TimeMs hour = kMinTime;  // New York's dates begin and its clocks change at full hours UTC
  UsSessions now;

  void Step(const std::array<double, 1>& in, std::array<double, kUsOutputs>& out) {
    const auto time = static_cast<TimeMs>(in[0]);
    Refresh(time);
    const bool begun = now.session && time >= now.open;
    const bool over = now.session && time >= now.close;
    out[kInSession] = begun && !over ? 1 : 0;
    out[kHoliday] = now.weekday && !now.session ? 1 : 0;
    out[kHalfDay] = now.half_day ? 1 : 0;
    out[kSinceOpen] = Hours(time - (begun ? now.open : now.open_before));
    out[kUntilOpen] = Hours((now.session && !begun ? now.open : now.open_after) - time);
    out[kSinceClose] = Hours(time - (over ? now.close : now.close_before));
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    // Field by field: the bytes between them have no value.
    archive(hour, now.date, now.weekday, now.session, now.half_day, now.open, now.close,
            now.open_before, now.close_before, now.open_after);
  }

 private:
  static double Hours(DurationMs duration) {
    return static_cast<double>(duration) / static_cast<double>(kMsPerHour);
  }
  void Refresh(TimeMs time) {
    const TimeMs full = time - (time % kMsPerHour + kMsPerHour) % kMsPerHour;
    if (full == hour) return;
    const int64_t date = DaysFromCivil(DateOf(full + NewYorkOffset(full)));
    if (hour == kMinTime || date != now.date) now = UsSessions::Of(date);
    hour = full;
  }
};

template <UsOutput kOutput>
Node AddUs(KernelGraph& graph, Values) {
  return AddCell(graph, "us sessions", {KnownAt(graph)}, {}, UsSessionsCell{})[kOutput].node;
}

Family SessionFamily(const char* name, const char* formula, const char* unit, const char* range,
                     const char* source, Node (*add)(KernelGraph&, Values)) {
  return {.info = {name, formula, unit, range, "1 bar", 0, source},
          .add_all = add,
          .look_back = [](Values) { return int64_t{1}; }};
}

constexpr char kHours[] = "usual office hours of currency dealers";
constexpr char kExchange[] = "New York Stock Exchange (docs/market.md)";

}  // namespace

std::vector<Family> SessionFamilies() {
  return {
      SessionFamily("asia_session", "1 from 09:00 to 18:00 in Tokyo, Monday to Friday, else 0",
                    "indicator", "0 or 1", kHours, AddOffice<kAsia>),
      SessionFamily("london_session", "1 from 08:00 to 17:00 in London, Monday to Friday, else 0",
                    "indicator", "0 or 1", kHours, AddOffice<kLondon>),
      SessionFamily("new_york_session",
                    "1 from 08:00 to 17:00 in New York, Monday to Friday, else 0", "indicator",
                    "0 or 1", kHours, AddOffice<kNewYork>),
      SessionFamily("london_new_york_overlap", "1 in both of these sessions, else 0", "indicator",
                    "0 or 1", kHours, AddOverlap),
      SessionFamily("us_session",
                    "1 in a regular session of the US exchanges (half days end at 13:00), else 0",
                    "indicator", "0 or 1", kExchange, AddUs<kInSession>),
      SessionFamily("us_holiday",
                    "1 where it is Monday to Friday in New York and the exchanges have no session "
                    "on that date, else 0",
                    "indicator", "0 or 1", kExchange, AddUs<kHoliday>),
      SessionFamily("us_half_day", "1 on dates in New York with a shortened session, else 0",
                    "indicator", "0 or 1", kExchange, AddUs<kHalfDay>),
      SessionFamily("hours_since_us_open", "time since the last regular session opened", "hours",
                    "[0, inf)", kExchange, AddUs<kSinceOpen>),
      SessionFamily("hours_until_us_open", "time until the next regular session opens", "hours",
                    "(0, inf)", kExchange, AddUs<kUntilOpen>),
      SessionFamily("hours_since_us_close", "time since the last regular session closed", "hours",
                    "[0, inf)", kExchange, AddUs<kSinceClose>),
  };
}

}  // namespace almanac::temporal
