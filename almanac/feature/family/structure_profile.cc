// The volume profile of a window: how much was traded at which price.
#include <algorithm>
#include <cmath>

#include "almanac/feature/family/technical.h"

namespace almanac::structure {
namespace {

using technical::AddCell;
using technical::Distance;
using technical::Signals;
using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

constexpr double kValueArea = 0.7;

// Prices on a grid of equal steps in the logarithm, `steps` to each doubling; the grid is the same
// for a price and its double, so the level of prices does not matter.
struct LogGrid {
  int64_t steps;

  int64_t StepOf(double price) const {
    int exponent = 0;
    const double mantissa = std::frexp(price, &exponent);  // in [0.5, 1)
    const auto within =
        static_cast<int64_t>(std::floor(static_cast<double>(steps) * (1 + std::log2(mantissa))));
    return steps * exponent + std::clamp<int64_t>(within, 0, steps - 1);
  }
  // The price `share` of the way through a step.
  double PriceOf(int64_t step, double share) const {
    int64_t exponent = step / steps;
    if (step % steps < 0) --exponent;
    const double within =
        (static_cast<double>(step - exponent * steps) + share) / static_cast<double>(steps);
    return std::ldexp(std::exp2(within - 1), static_cast<int>(exponent));
  }
};

// Volume by price step of the last n bars. Each occupied step has a list of its bars in order of
// time; when the oldest leaves, the step's volume is added up again, so no rounding stays behind.
//
// Inputs: price, volume. Outputs: the point of control (middle of the step with the most volume, of
// equals the lowest), and the lower and upper edge of the value area: from the point of control the
// next step above or below, whichever has more volume (of equals the lower), until 70 % are inside.
struct ProfileCell {
  static constexpr size_t kInputs = 2, kOutputs = 3;
  static constexpr int32_t kNone = -1;
  struct PriceStep {
    int64_t step = 0;
    double volume = 0;
    int32_t oldest = kNone, newest = kNone;
  };
  LogGrid grid;
  std::vector<int64_t> step_of;
  std::vector<double> volume_of;
  std::vector<int32_t> next_of;
  std::vector<PriceStep> occupied;  // by price; the first `count`
  uint64_t count = 0, position = 0, seen = 0;

  ProfileCell(int64_t length, int64_t steps)
      : grid{steps},
        step_of(static_cast<size_t>(length)),
        volume_of(step_of.size()),
        next_of(step_of.size(), kNone),
        occupied(step_of.size()) {}

  void Step(const std::array<double, 2>& in, std::array<double, 3>& out) {
    if (seen == step_of.size()) {
      RemoveOldest();
    } else {
      ++seen;
    }
    Add(grid.StepOf(in[0]), in[1]);
    if (++position == step_of.size()) position = 0;
    out.fill(kUnknown);
    if (seen == step_of.size()) Measure(out);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(step_of, volume_of, next_of, occupied, count, position, seen);
  }

 private:
  size_t Find(int64_t step) const {
    const auto begin = occupied.begin();
    return static_cast<size_t>(
        std::lower_bound(begin, begin + static_cast<int64_t>(count), step,
                         [](const PriceStep& a, int64_t b) { return a.step < b; }) -
        begin);
  }
  void RemoveOldest() {
    const size_t place = Find(step_of[position]);
    PriceStep& step = occupied[place];
    step.oldest = next_of[position];
    if (step.oldest == kNone) {
      std::copy(occupied.begin() + static_cast<int64_t>(place) + 1,
                occupied.begin() + static_cast<int64_t>(count),
                occupied.begin() + static_cast<int64_t>(place));
      --count;
      return;
    }
    step.volume = 0;
    for (int32_t bar = step.oldest; bar != kNone; bar = next_of[static_cast<size_t>(bar)]) {
      step.volume += volume_of[static_cast<size_t>(bar)];
    }
  }
  void Add(int64_t price_step, double volume) {
    const size_t place = Find(price_step);
    const auto bar = static_cast<int32_t>(position);
    step_of[position] = price_step;
    volume_of[position] = volume;
    next_of[position] = kNone;
    if (place == count || occupied[place].step != price_step) {
      std::copy_backward(occupied.begin() + static_cast<int64_t>(place),
                         occupied.begin() + static_cast<int64_t>(count),
                         occupied.begin() + static_cast<int64_t>(count) + 1);
      occupied[place] = {price_step, volume, bar, bar};
      ++count;
      return;
    }
    PriceStep& step = occupied[place];
    next_of[static_cast<size_t>(step.newest)] = bar;
    step.newest = bar;
    step.volume += volume;
  }
  void Measure(std::array<double, 3>& out) const {
    size_t most = 0;
    double total = 0;
    for (size_t i = 0; i < count; ++i) {
      total += occupied[i].volume;
      if (occupied[i].volume > occupied[most].volume) most = i;
    }
    if (!(total > 0)) return;
    size_t low = most;
    size_t high = most;
    double inside = occupied[most].volume;
    while (inside < kValueArea * total && (low > 0 || high + 1 < count)) {
      const double below = low > 0 ? occupied[low - 1].volume : -1;
      const double above = high + 1 < count ? occupied[high + 1].volume : -1;
      inside += std::max(below, above);
      above > below ? ++high : --low;
    }
    out = {grid.PriceOf(occupied[most].step, 0.5), grid.PriceOf(occupied[low].step, 0),
           grid.PriceOf(occupied[high].step, 1)};
  }
};

template <size_t kOutput>
Node AddProfile(KernelGraph& graph, Values v) {
  const Signals<3> profile =
      AddCell(graph, "volume profile", {technical::TypicalPrice(graph), technical::Volume(graph)},
              {static_cast<double>(v[0]), static_cast<double>(v[1])}, ProfileCell(v[0], v[1]));
  return Distance(graph, profile[kOutput]).node;
}

Family OfProfile(const char* name, const char* formula, Node (*add)(KernelGraph&, Values)) {
  return {.info = {name,
                   formula,
                   "ratio",
                   "(-1, inf)",
                   "n bars",
                   1,
                   "Steidlmayer 1984, Market Profile, by volume (docs/features-structure.md)",
                   {{.name = "window", .largest = 10'000}, {.name = "steps", .largest = 10'000}}},
          .add_all = add,
          .look_back = [](Values v) { return v[0]; }};
}

}  // namespace

std::vector<Family> ProfileFamilies() {
  return {
      OfProfile(
          "point_of_control_distance",
          "close[t] / p - 1, p the middle of the price step in which most of the n volumes "
          "was traded, each at (high + low + close) / 3; `steps` equal logarithmic steps to a "
          "doubling (693: of 0.1 %); NaN where nothing was traded",
          AddProfile<0>),
      OfProfile("value_area_low_distance",
                "close[t] / p - 1, p the lower edge of the value area: occupied steps around the "
                "point of control, the larger neighbour first, until 70 % of the volume is inside",
                AddProfile<1>),
      OfProfile("value_area_high_distance", "close[t] / p - 1, p the upper edge of the value area",
                AddProfile<2>),
  };
}

}  // namespace almanac::structure
