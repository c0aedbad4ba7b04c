#include "almanac/feature/family/technical_hilbert.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "almanac/feature/family/technical_moving.h"

namespace almanac::technical {
namespace {

constexpr double kDegrees = 180 / std::numbers::pi;
// Values that TA-Lib only smooths before its filters begin.
constexpr int64_t kMesaBefore = 12;

// Ehlers' Hilbert transform of 7 bars, without the factor that follows the period.
struct HilbertFilter {
  std::array<double, 6> past{};  // of 1, 2, ... bars ago

  double Push(double value) {
    const double result =
        ((0.0962 * value - 0.0962 * past[5]) - 0.5769 * past[3]) + 0.5769 * past[1];
    for (size_t i = past.size() - 1; i > 0; --i) past[i] = past[i - 1];
    past[0] = value;
    return result;
  }
};

// The price smoothed with weights 4, 3, 2, 1; its phasor; the period of its cycle from how far the
// smoothed phasor turned in a bar (homodyne), held between 2/3 and 3/2 of the last one and between
// 6 and 50 bars, and smoothed twice.
struct HilbertCell {
  static constexpr size_t kInputs = 1, kOutputs = 4;
  int64_t before;
  int64_t seen = 0;  // counted up to before + 1
  std::array<double, 3> prices{};
  std::array<double, 3> detrended{};  // of 1, 2, 3 bars ago
  HilbertFilter detrend{}, quadrature{}, advance_in_phase{}, advance_quadrature{};
  double i2 = 0, q2 = 0, real = 0, imaginary = 0;
  double period = 0, smooth_period = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 4>& out) {
    out.fill(kUnknown);
    if (std::isnan(in[0])) return;
    const double smooth = (4 * in[0] + 3 * prices[0] + 2 * prices[1] + prices[2]) * 0.1;
    prices = {in[0], prices[0], prices[1]};
    if (seen <= before) ++seen;
    if (seen <= before) return;
    const double gain = 0.075 * period + 0.54;
    const double flat = detrend.Push(smooth) * gain;
    const double q1 = quadrature.Push(flat) * gain;
    const double i1 = detrended[2];
    detrended = {flat, detrended[0], detrended[1]};
    const double ji = advance_in_phase.Push(i1) * gain;
    const double jq = advance_quadrature.Push(q1) * gain;
    TurnPhasor(0.2 * (i1 - jq) + 0.8 * i2, 0.2 * (q1 + ji) + 0.8 * q2);
    out = {smooth, i1, q1, smooth_period};
  }

  void TurnPhasor(double new_i2, double new_q2) {
    real = 0.2 * (new_i2 * i2 + new_q2 * q2) + 0.8 * real;
    imaginary = 0.2 * (new_i2 * q2 - new_q2 * i2) + 0.8 * imaginary;
    i2 = new_i2;
    q2 = new_q2;
    double found = period;
    if (imaginary != 0 && real != 0) found = 360 / (std::atan(imaginary / real) * kDegrees);
    found = std::max(std::min(found, 1.5 * period), 0.67 * period);
    found = std::clamp(found, 6.0, 50.0);
    period = 0.2 * found + 0.8 * period;
    smooth_period = 0.33 * period + 0.67 * smooth_period;
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(seen, prices, detrended, detrend, quadrature, advance_in_phase, advance_quadrature, i2,
            q2, real, imaginary, period, smooth_period);
  }
};

// The weight is `fast` over how many degrees the phase went back, at least `slow`; the follower has
// half that weight. Both begin with 0.
struct MesaCell {
  static constexpr size_t kInputs = 3, kOutputs = 2;  // price, in phase, quadrature
  double fast, slow;
  double phase = 0, average = 0, follower = 0;

  void Step(const std::array<double, 3>& in, std::array<double, 2>& out) {
    out.fill(kUnknown);
    if (std::isnan(in[1])) return;
    const double now = in[1] != 0 ? std::atan(in[2] / in[1]) * kDegrees : 0;
    const double back = phase - now;
    const double weight = back > 1 ? std::max(fast / back, slow) : fast;
    phase = now;
    average = weight * in[0] + (1 - weight) * average;
    follower = 0.5 * weight * average + (1 - 0.5 * weight) * follower;
    out = {average, follower};
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(phase, average, follower);
  }
};

}  // namespace

Cycle DominantCycle(KernelGraph& graph, const Signal& price, int64_t before) {
  const auto parts = AddCell(graph, "hilbert", {price}, {static_cast<double>(before)},
                             HilbertCell{.before = before});
  return {parts[0], parts[1], parts[2], parts[3]};
}

Signals<2> Mesa(KernelGraph& graph, const Signal& price, int64_t fast, int64_t slow) {
  const Cycle cycle = DominantCycle(graph, price, kMesaBefore);
  const double f = static_cast<double>(fast) / 100;
  const double s = static_cast<double>(slow) / 100;
  const Signals<2> both = AddCell(graph, "mesa", {price, cycle.in_phase, cycle.quadrature}, {f, s},
                                  MesaCell{.fast = f, .slow = s});
  const int64_t hidden = kCycleLookBack - 1 - kMesaBefore;
  return {Skip(graph, both[0], hidden), Skip(graph, both[1], hidden)};
}

}  // namespace almanac::technical
