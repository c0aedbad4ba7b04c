#include "almanac/neural/schedule.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

namespace almanac::neural {
namespace {

// From `from` at share 0 to `to` at share 1.
double Anneal(double from, double to, double share) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

double OneCycle(double rate, int64_t step, int64_t total) {
  constexpr double kRising = 0.3, kStart = 25, kEnd = 1e4;
  const double last_rising = std::max(kRising * static_cast<double>(total) - 1, 1.0);
  const double last = std::max(static_cast<double>(total) - 1, last_rising + 1);
  const auto now = static_cast<double>(step);
  if (now <= last_rising) return Anneal(rate / kStart, rate, now / last_rising);
  return Anneal(rate, rate / (kStart * kEnd), (now - last_rising) / (last - last_rising));
}

}  // namespace

TrainingSchedule::TrainingSchedule(const TrainingOptions& options, int64_t total_steps)
    : options_(options), total_steps_(total_steps), plateau_rate_(options.learning_rate) {}

double TrainingSchedule::LearningRate(int64_t step) const {
  const double rate = options_.learning_rate;
  switch (options_.schedule) {
    case Schedule::kConstant:
      return rate;
    case Schedule::kPlateau:
      return plateau_rate_;
    case Schedule::kCosine:
      return Anneal(rate, 0, static_cast<double>(step) / static_cast<double>(total_steps_));
    case Schedule::kOneCycle:
      return OneCycle(rate, step, total_steps_);
  }
  return rate;
}

bool TrainingSchedule::Judge(double loss) {
  const bool better = loss < best_;
  waited_ = better ? 0 : waited_ + 1;
  plateau_waited_ = better ? 0 : plateau_waited_ + 1;
  if (better) best_ = loss;
  if (plateau_waited_ >= options_.plateau_patience) {
    plateau_rate_ *= options_.plateau_factor;
    plateau_waited_ = 0;
  }
  return better;
}

// Doubles as their bits: text could round them, and JSON has no infinity.
Json TrainingSchedule::ToJson() const {
  return {{"best", std::bit_cast<uint64_t>(best_)},
          {"plateau_rate", std::bit_cast<uint64_t>(plateau_rate_)},
          {"waited", waited_},
          {"plateau_waited", plateau_waited_}};
}

void TrainingSchedule::Restore(const Json& json) {
  best_ = std::bit_cast<double>(json.at("best").get<uint64_t>());
  plateau_rate_ = std::bit_cast<double>(json.at("plateau_rate").get<uint64_t>());
  json.at("waited").get_to(waited_);
  json.at("plateau_waited").get_to(plateau_waited_);
}

}  // namespace almanac::neural
