// Pivot levels of the previous UTC day.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>

#include "almanac/feature/cell/calendar.h"
#include "almanac/feature/family/technical.h"

namespace almanac::structure {
namespace {

using technical::AddCell;
using technical::Close;
using technical::Distance;
using technical::High;
using technical::Low;
using technical::Map;
using technical::Signal;
using technical::Signals;
using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;
using Day = std::array<double, 3>;  // high, low, close

// High, low and close of the last UTC day before the one in which the bar opens that has bars. The
// day in which the series begins counts only if its first bar opens at 00:00.
struct PreviousDayCell {
  static constexpr size_t kInputs = 4, kOutputs = 3;  // open time, high, low, close
  int64_t date = 0;
  bool begun = false, whole = false;
  Day today{}, before = {kUnknown, kUnknown, kUnknown};

  void Step(const std::array<double, 4>& in, Day& out) {
    const auto time = static_cast<TimeMs>(in[0]);
    const int64_t now = UtcDay(time);
    if (!begun || now != date) {
      if (begun && whole) before = today;
      whole = begun || time == now * kMsPerDay;
      begun = true;
      date = now;
      today = {in[1], in[2], in[3]};
    } else {
      today = {std::max(today[0], in[1]), std::min(today[1], in[2]), in[3]};
    }
    out = before;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(date, begun, whole, today, before);
  }
};

// Each level is (weights of high, low and close) / divisor.
struct Pivot {
  const char* name;
  const char* formula;
  double high, low, close, divisor;
};

constexpr std::array<Pivot, 15> kPivots = {{
    {"pivot_distance", "P = (H + L + C) / 3", 1, 1, 1, 3},
    {"pivot_r1_distance", "R1 = 2 P - L", 2, -1, 2, 3},
    {"pivot_r2_distance", "R2 = P + H - L", 4, -2, 1, 3},
    {"pivot_r3_distance", "R3 = H + 2 (P - L)", 5, -4, 2, 3},
    {"pivot_s1_distance", "S1 = 2 P - H", -1, 2, 2, 3},
    {"pivot_s2_distance", "S2 = P - H + L", -2, 4, 1, 3},
    {"pivot_s3_distance", "S3 = L - 2 (H - P)", -4, 5, 2, 3},
    {"camarilla_r1_distance", "R1 = C + 1.1 (H - L) / 12", 11, -11, 120, 120},
    {"camarilla_r2_distance", "R2 = C + 1.1 (H - L) / 6", 11, -11, 60, 60},
    {"camarilla_r3_distance", "R3 = C + 1.1 (H - L) / 4", 11, -11, 40, 40},
    {"camarilla_r4_distance", "R4 = C + 1.1 (H - L) / 2", 11, -11, 20, 20},
    {"camarilla_s1_distance", "S1 = C - 1.1 (H - L) / 12", -11, 11, 120, 120},
    {"camarilla_s2_distance", "S2 = C - 1.1 (H - L) / 6", -11, 11, 60, 60},
    {"camarilla_s3_distance", "S3 = C - 1.1 (H - L) / 4", -11, 11, 40, 40},
    {"camarilla_s4_distance", "S4 = C - 1.1 (H - L) / 2", -11, 11, 20, 20},
}};

template <size_t kPivot>
Node AddPivot(KernelGraph& graph, Values) {
  const Signal open_time = {"open time", graph.Field(BarField::kOpenTime)};
  const Signals<3> day =
      AddCell(graph, "previous day", {open_time, High(graph), Low(graph), Close(graph)}, {},
              PreviousDayCell{});
  const Signal level = Map<3>(graph, kPivots[kPivot].name, day, [](const Day& in) {
    constexpr Pivot kLevel = kPivots[kPivot];
    return (kLevel.high * in[0] + kLevel.low * in[1] + kLevel.close * in[2]) / kLevel.divisor;
  });
  return Distance(graph, level).node;
}

template <size_t kPivot>
Family PivotFamily() {
  const Pivot& pivot = kPivots[kPivot];
  const bool classic = std::string_view(pivot.name).starts_with("pivot");
  return {.info = {pivot.name,
                   fmt::format("close[t] / {} - 1; H, L, C of the last UTC day before the bar's "
                               "that has bars; NaN where the level is not above 0",
                               pivot.formula),
                   "ratio", "(-1, inf)", "the bars since the beginning of the day before", 0,
                   classic ? "floor traders' pivots: Person 2004, A Complete Guide to Technical "
                             "Trading Tactics"
                           : "Nick Stott's Camarilla equation, 1989"},
          .unbounded_memory = true,
          .add_all = AddPivot<kPivot>,
          .look_back = [](Values) { return int64_t{2}; }};
}

template <size_t... kPivot>
std::vector<Family> AllPivots(std::index_sequence<kPivot...>) {
  return {PivotFamily<kPivot>()...};
}

}  // namespace

std::vector<Family> PivotFamilies() {
  return AllPivots(std::make_index_sequence<kPivots.size()>());
}

}  // namespace almanac::structure
