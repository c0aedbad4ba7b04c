#include "almanac/neural/window_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>

#include "almanac/base/error.h"

namespace almanac::neural {

Json TargetScale::ToJson() const { return {{"mean", mean}, {"scale", scale}}; }

TargetScale TargetScale::FromJson(const Json& json) {
  return {json.at("mean").get<double>(), json.at("scale").get<double>()};
}

TargetScale TargetScale::Fit(const Dataset& data, std::span<const uint32_t> rows) {
  if (!data.target_classes().empty()) return {};
  double sum = 0, squares = 0;
  size_t count = 0;
  const auto visit = [&](const auto& add) {
    for (const uint32_t row : rows) {
      for (const double value : data.target_path(row)) {
        if (std::isfinite(value)) add(value);
      }
    }
  };
  visit([&](double value) { sum += value, ++count; });
  if (count == 0) {
    throw Error(ErrorCode::kBadData, data.symbol(), "no training row has a target",
                "give more data");
  }
  TargetScale scale;
  scale.mean = sum / static_cast<double>(count);
  visit([&](double value) { squares += (value - scale.mean) * (value - scale.mean); });
  const double deviation = std::sqrt(squares / static_cast<double>(count));
  scale.scale = deviation > 0 ? deviation : 1.0;
  return scale;
}

const std::array<const char*, kKnownInputs> kKnownNames = {
    "day_sine", "day_cosine", "week_sine", "week_cosine", "year_sine", "year_cosine"};

namespace {

// Days since Monday of the bar that ends at `time`, whose last instant lies before it.
size_t WeekdayOf(TimeMs time) {
  constexpr int64_t kFirstMonday = 4;  // 1970-01-05
  const auto days = static_cast<int64_t>(std::floor(static_cast<double>(time - 1) / kMsPerDay));
  return static_cast<size_t>(((days - kFirstMonday) % 7 + 7) % 7);
}

}  // namespace

RowCalendar RowCalendar::Of(std::span<const Dataset* const> parts) {
  RowCalendar calendar;
  std::map<DurationMs, size_t> counts;
  for (const Dataset* data : parts) {
    const std::span<const TimeMs> times = data->times();
    for (size_t i = 0; i < times.size(); ++i) {
      calendar.days[WeekdayOf(times[i])] = true;
      if (i == 0) continue;
      if (times[i] == times[i - 1]) {
        throw Error(ErrorCode::kBadData, data->symbol(),
                    "has several rows of one time, of different symbols: windows would mix them",
                    "give each symbol's rows for itself");
      }
      ++counts[times[i] - times[i - 1]];
    }
  }
  size_t most = 0;
  for (const auto& [spacing, count] : counts) {
    if (count > most) calendar.spacing = spacing, most = count;
  }
  return calendar;
}

TimeMs RowCalendar::Next(TimeMs time) const {
  time += spacing;
  for (int day = 0; day < 7 && !days[WeekdayOf(time)]; ++day) time += kMsPerDay;
  return time;
}

Json RowCalendar::ToJson() const { return {{"spacing", spacing}, {"days", days}}; }

RowCalendar RowCalendar::FromJson(const Json& json) {
  RowCalendar calendar;
  calendar.spacing = json.at("spacing").get<DurationMs>();
  calendar.days = json.at("days").get<std::array<bool, 7>>();
  return calendar;
}

std::array<float, kKnownInputs> KnownAt(TimeMs time) {
  constexpr double kDay = kMsPerDay, kWeek = 7 * kDay, kYear = 365.2425 * kDay;
  std::array<float, kKnownInputs> known{};
  size_t place = 0;
  for (const double period : {kDay, kWeek, kYear}) {
    const double angle =
        2 * std::numbers::pi * std::fmod(static_cast<double>(time), period) / period;
    known[place++] = static_cast<float>(std::sin(angle));
    known[place++] = static_cast<float>(std::cos(angle));
  }
  return known;
}

std::vector<std::string> ConstantKnown(std::span<const Dataset* const> parts) {
  constexpr float kSame = 1e-6f;
  std::array<float, kKnownInputs> least, most;
  least.fill(1);  // the largest sine
  most.fill(-1);
  for (const Dataset* part : parts) {
    for (const TimeMs time : part->times()) {
      const std::array<float, kKnownInputs> known = KnownAt(time);
      for (size_t k = 0; k < kKnownInputs; ++k) {
        least[k] = std::min(least[k], known[k]);
        most[k] = std::max(most[k], known[k]);
      }
    }
  }
  std::vector<std::string> names;
  for (size_t k = 0; k < kKnownInputs; ++k) {
    if (most[k] - least[k] < kSame) names.emplace_back(kKnownNames[k]);
  }
  return names;
}

WindowSource::WindowSource(const std::vector<WindowPart>& parts, const Options& options,
                           const RowCalendar& calendar, const StandardScaler& scaler,
                           const TargetScale& target)
    : options_(options), starts_({0}), calendar_(calendar), target_(target) {
  for (const WindowPart& part : parts) {
    parts_.emplace_back(*part.data, part.rows, options.steps,
                        options.across_gaps ? 0 : calendar.spacing, options.with_target);
    data_.push_back(part.data);
    groups_.push_back(part.group);
    starts_.push_back(starts_.back() + parts_.back().size());
  }
  for (size_t f = 0; f < scaler.size(); ++f) {
    mean_.push_back(static_cast<float>(scaler.mean(f)));
    inverse_.push_back(static_cast<float>(1 / scaler.scale(f)));
  }
}

WindowSource::Place WindowSource::PlaceOf(size_t window) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), window);
  const auto part = static_cast<size_t>(after - starts_.begin()) - 1;
  return {part, window - starts_[part]};
}

double WindowSource::Target(size_t window, size_t horizon) const {
  const Place place = PlaceOf(window);
  return data_[place.part]->target_path(parts_[place.part].rows()[place.window])[horizon];
}

size_t WindowSource::RowsAhead(size_t window) const {
  const Place place = PlaceOf(window);
  const Dataset& data = *data_[place.part];
  const uint32_t row = parts_[place.part].rows()[place.window];
  const auto after =
      std::upper_bound(data.times().begin(), data.times().end(), data.label_end()[row]);
  return static_cast<size_t>(after - data.times().begin()) - 1 - row;
}

void WindowSource::GatherKnown(const Place& place, float* out) const {
  const std::span<const TimeMs> times = data_[place.part]->times();
  const uint32_t last = parts_[place.part].rows()[place.window];
  const auto put = [&](TimeMs time) { out = std::ranges::copy(KnownAt(time), out).out; };
  for (size_t t = 0; t < options_.steps; ++t) put(times[last + 1 - options_.steps + t]);
  TimeMs time = times[last];
  for (size_t h = 0; h < options_.horizons; ++h) put(time = calendar_.Next(time));
}

void WindowSource::Gather(std::span<const size_t> which, Batch* batch) const {
  const size_t window_size = options_.steps * features();
  const size_t known_size = (options_.steps + options_.horizons) * kKnownInputs;
  batch->rows = which.size();
  batch->windows.resize(which.size() * window_size);
  batch->known.resize(options_.with_known ? which.size() * known_size : 0);
  batch->groups.clear();
  batch->targets.clear();
  for (size_t b = 0; b < which.size(); ++b) {
    const Place place = PlaceOf(which[b]);
    const size_t one[] = {place.window};
    const std::span<float> window = std::span(batch->windows).subspan(b * window_size, window_size);
    parts_[place.part].Gather(one, window);
    for (size_t at = 0; at < window_size; at += features()) {
      for (size_t f = 0; f < features(); ++f) {
        window[at + f] = (window[at + f] - mean_[f]) * inverse_[f];
      }
    }
    if (options_.with_known) GatherKnown(place, batch->known.data() + b * known_size);
    batch->groups.push_back(groups_[place.part]);
    for (size_t h = 0; options_.with_target && h < options_.horizons; ++h) {
      batch->targets.push_back(static_cast<float>(target_.Transform(Target(which[b], h))));
    }
  }
}

}  // namespace almanac::neural
